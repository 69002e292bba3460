//! Before anything starts: an engine, ports, a folder, a password and files for each service.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::fs;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::error::StackError;
use super::ledger::{State, access_name, unit_name};
use super::platform::{is_closing, listener, running_in};
use super::ports::Claims;
use super::record::{Part, Record};
use super::stack::Stack;
use super::{addresses, keyring, ports, store};
use crate::engines::{Engine, Found, Locale};
use crate::services::{ACCESS, Component, LOCALHOST, PUBLISHED, Ports, Service, Site, StackSpec, Unit, access_unit};
use crate::wait::{self, Look, WaitError};

/// How long a port that nobody holds any more is waited for: a killed engine with much memory takes a second or two, and
/// more on a busy machine.
const LETTING_GO: Duration = Duration::from_secs(30);

/// Where each service runs.
type Sites<'s> = Vec<(&'s dyn Service, Site)>;

/// What was chosen for the components of a stack.
#[derive(Debug, Default)]
pub(super) struct Choice {
    /// For each component that can run.
    pub(super) parts: BTreeMap<Component, Part>,
    /// Of those that cannot.
    pub(super) problems: BTreeMap<Component, StackError>,
    /// Hold the ports for as long as they live.
    pub(super) claims: Claims,
}

/// What becomes of a port that we chose, and that a process holds which may be just ending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lost {
    /// It is a problem, for now.
    Kept,
    /// Another one is chosen.
    Replaced,
}

impl Stack {
    /// An engine and ports for every component; those of `before` wherever they still fit. No other stack chooses these
    /// ports while the claims live.
    ///
    /// A process that was just killed is listed no more while the system still closes its sockets: a port that no process
    /// seems to hold is waited for.
    pub(super) async fn choose_parts(
        &self,
        spec: &StackSpec,
        before: Option<&Record>,
        state: &State,
        cancelled: &CancellationToken,
    ) -> Choice {
        let mut chosen = None;
        // Whatever ends the wait, the last look says how things are. (Another one could meet a process just ending.)
        let waited = wait::until("ports that no process seems to hold", LETTING_GO, cancelled, || {
            // Its claims would be in the way of the next.
            drop(chosen.take());
            let now = self.parts_now(spec, before, state, Lost::Kept);
            let is_closing = now.problems.values().any(|problem| {
                matches!(problem, StackError::PortTaken { place, .. } if is_closing(*place) && !ports::is_free(*place))
            });
            chosen = Some(now);
            async move {
                Ok::<_, Infallible>(if is_closing {
                    Look::NotYet(String::new())
                } else {
                    Look::Done(())
                })
            }
        })
        .await;
        match (chosen, waited) {
            // What is still held has another owner now, who is not seen.
            (Some(last), Err(WaitError::TimedOut { .. })) => {
                drop(last);
                self.parts_now(spec, before, state, Lost::Replaced)
            }
            (Some(last), _) => last,
            (None, _) => self.parts_now(spec, before, state, Lost::Kept),
        }
    }

    fn parts_now(&self, spec: &StackSpec, before: Option<&Record>, state: &State, lost: Lost) -> Choice {
        let services = spec.services();
        // What is fixed or was chosen before comes first, so that no new choice takes it.
        let mut taken: BTreeSet<u16> = services.iter().filter_map(|service| service.port()).collect();
        taken.extend(
            before
                .iter()
                .flat_map(|record| record.parts.values())
                .flat_map(|part| part.ports.values()),
        );
        let mut choice = Choice::default();
        for service in services {
            let component = service.component();
            let part = before.and_then(|record| record.parts.get(&component));
            let chosen = self.choose_engine(service, part).and_then(|engine| {
                let claimed = (&mut taken, &mut choice.claims);
                let ports = self.choose_ports(service, part, spec, state, claimed, lost)?;
                Ok(Part { engine, ports })
            });
            match chosen {
                Ok(part) => drop(choice.parts.insert(component, part)),
                Err(problem) => drop(choice.problems.insert(component, problem)),
            }
        }
        choice
    }

    /// The components whose port is another program's by now. Where the user left the port out, the next apply chooses another.
    #[must_use]
    pub fn lost_ports(&self) -> BTreeSet<Component> {
        let Ok(Some(record)) = Record::read(&self.dir) else {
            return BTreeSet::new();
        };
        let state = self.state();
        let is_lost = |service: &&dyn Service| {
            let component = service.component();
            let Some(part) = record.parts.get(&component) else {
                return false;
            };
            let Some(&port) = part.ports.get(PUBLISHED) else {
                return false;
            };
            let place = SocketAddr::new(LOCALHOST, port);
            let is_taken = ports::obstacle(place).is_some_and(|why| why.kind() == io::ErrorKind::AddrInUse);
            is_taken && !self.is_ours(component, place, Some(part), &state) && !is_closing(place)
        };
        let services = record.spec.services();
        let lost = services.iter().filter(|service| is_lost(service));
        lost.map(|service| service.component()).collect()
    }

    fn choose_engine(&self, service: &dyn Service, part: Option<&Part>) -> Result<Found, StackError> {
        let component = service.component();
        let engine_error = |source| StackError::Engine { component, source };
        let Some(before) = part
            .map(|part| &part.engine)
            .filter(|found| service.engines().contains(&found.engine))
        else {
            return self
                .engines
                .find(&service.engines(), service.version())
                .map_err(engine_error);
        };
        // PostgreSQL's data belongs to a major version; the others read what their predecessors wrote.
        let major = before.version.split('.').next().unwrap_or_default();
        let bound = before.engine == Engine::Postgres && self.dir.join(component.as_str()).join("data").exists();
        let wanted = match service.version() {
            Some(version) if bound && version.split('.').next() != Some(major) => {
                return Err(StackError::VersionChange {
                    component,
                    made_by: major.to_owned(),
                    wanted: version.to_owned(),
                });
            }
            Some(version) => version,
            None => major,
        };
        match self.engines.find(&[before.engine], Some(wanted)) {
            Ok(found) => Ok(found),
            // A cache or another server may be served by what is there now.
            Err(_) if !bound && service.version().is_none() => {
                self.engines.find(&service.engines(), None).map_err(engine_error)
            }
            Err(source) => Err(engine_error(source)),
        }
    }

    fn choose_ports(
        &self,
        service: &dyn Service,
        part: Option<&Part>,
        spec: &StackSpec,
        state: &State,
        (taken, claims): (&mut BTreeSet<u16>, &mut Claims),
        lost: Lost,
    ) -> Result<Ports, StackError> {
        let component = service.component();
        let mut ports = Ports::new();
        for name in std::iter::once(PUBLISHED).chain(service.internal_ports().iter().copied()) {
            let derived = service.derived_ports().iter().filter(|(_, of, _)| *of == name);
            let derived: Vec<_> = derived.map(|(name, _, distance)| (*name, *distance)).collect();
            let fixed = service.port().filter(|_| name == PUBLISHED);
            let kept = part.and_then(|part| part.ports.get(name).copied());
            // Where it listens, and where pods reach it: the published port alone.
            let places = |port: u16| {
                let all = std::iter::once(port).chain(derived.iter().map(|(_, distance)| port + distance));
                let door = spec.door(service, port).filter(|_| name == PUBLISHED);
                let listeners = all.map(|port| SocketAddr::new(LOCALHOST, port));
                listeners.chain(door).collect::<Vec<_>>()
            };
            let blocked = |place: SocketAddr| ports::is_strangers(&service.sockets_on(place.port()));
            let stranger_on = |port: u16| {
                let mut obstacles = places(port).into_iter().filter_map(|place| {
                    let obstacle = ports::obstacle(place);
                    (obstacle.is_some() || blocked(place)).then_some((place, obstacle))
                });
                obstacles.find(|(place, _)| !self.is_ours(component, *place, part, state))
            };
            let door = ports.get(PUBLISHED).and_then(|port| spec.door(service, *port));
            let kept = kept.filter(|port| name == PUBLISHED || door.is_none_or(|door| door.port() != *port));
            let port = match fixed.or(kept).map(|port| (port, stranger_on(port))) {
                Some((port, None)) => {
                    for place in places(port) {
                        claims.take(place);
                    }
                    port
                }
                // No client knows an internal port. One that we published is given up where there is no other way; what pods
                // reach is told from it, so it is not given up for the sake of that.
                Some((_, Some((place, obstacle))))
                    if name == PUBLISHED
                        && (fixed.is_some()
                            || place.ip() != LOCALHOST
                            || (lost == Lost::Kept && is_closing(place))) =>
                {
                    return Err(ports::refused(component, place, obstacle));
                }
                _ => {
                    let chosen = ports::choose(&self.dir, &format!("{component}/{name}"), places, |place| {
                        !taken.contains(&place.port()) && !blocked(place) && claims.take(place) && ports::is_free(place)
                    });
                    match (chosen, ports::obstacle(SocketAddr::new(LOCALHOST, 0))) {
                        (Some(port), _) => port,
                        // Not one port: it is not that others have them.
                        (None, Some(why)) => {
                            return Err(ports::refused(component, SocketAddr::new(LOCALHOST, 0), Some(why)));
                        }
                        (None, None) => return Err(StackError::NoPort { component }),
                    }
                }
            };
            taken.extend(places(port).iter().map(SocketAddr::port));
            ports.insert(name.to_owned(), port);
            ports.extend(
                derived
                    .iter()
                    .map(|(name, distance)| ((*name).to_owned(), port + distance)),
            );
        }
        Ok(ports)
    }

    /// Whether the port that somebody has is the service's own, noted or not.
    fn is_ours(&self, component: Component, place: SocketAddr, part: Option<&Part>, state: &State) -> bool {
        let Some(part) = part else { return false };
        let living = |unit: &String| {
            let unit = state.units.get(unit)?;
            let process = unit.process.as_ref()?;
            process.is_alive().then_some(&unit.unit)
        };
        let noted = if place.ip() == LOCALHOST {
            living(&unit_name(component)).is_some() && part.ports.values().any(|kept| *kept == place.port())
        } else {
            living(&access_name(component)).is_some_and(|unit| unit.args.contains(&place.to_string()))
        };
        if noted {
            return true;
        }
        let holder = listener(place);
        let ours = running_in(&self.dir.join(component.as_str()), &self.programs(part));
        holder.is_some_and(|holder| ours.iter().any(|process| process.pid == holder.pid))
    }

    /// What runs in a component's folder: its engine, and what gives pods access to it.
    pub(super) fn programs(&self, part: &Part) -> Vec<PathBuf> {
        let mut programs = part.engine.programs();
        programs.push(self.program.clone());
        programs
    }

    /// Everything that shall run, by its name.
    pub(super) fn units(&self, spec: &StackSpec, sites: &[(&dyn Service, Site)]) -> BTreeMap<String, Unit> {
        let mut units = BTreeMap::new();
        for (service, site) in sites {
            units.insert(unit_name(service.component()), service.unit(site));
            if let Some(door) = spec.door(*service, site.port(PUBLISHED)) {
                let unit = access_unit(&self.program, site, door);
                units.insert(access_name(service.component()), unit);
            }
        }
        units
    }

    /// Whether this machine has the address on which pods shall reach it.
    ///
    /// # Errors
    /// [`StackError::NoSuchAddress`] with those that it has.
    pub fn check_access(address: IpAddr) -> Result<(), StackError> {
        if addresses::is_here(address) {
            return Ok(());
        }
        Err(StackError::NoSuchAddress {
            address,
            here: addresses::all(),
        })
    }

    /// Takes back the choice for each new component for whose data the disk has no room.
    pub(super) fn check_room(&self, spec: &StackSpec, choice: &mut Choice) -> Result<(), StackError> {
        let disk = rustix::fs::statvfs(&self.dir).map_err(|error| self.folder_error(error.into()))?;
        let mut free_mb = (disk.f_bavail.saturating_mul(disk.f_frsize)) >> 20;
        for service in spec.services() {
            let component = service.component();
            if self.dir.join(component.as_str()).exists() || !choice.parts.contains_key(&component) {
                continue;
            }
            let needed_mb = service.needs_free_mb();
            if free_mb < needed_mb {
                choice.parts.remove(&component);
                let path = self.dir.clone();
                let full = StackError::DiskFull {
                    component,
                    path,
                    free_mb,
                    needed_mb,
                };
                choice.problems.insert(component, full);
                continue;
            }
            free_mb -= needed_mb;
        }
        Ok(())
    }

    /// Makes folders, passwords and configuration files of the components in `parts`; with the problems of those for which that
    /// fails.
    pub(super) fn furnish_sites<'s>(
        &self,
        spec: &'s StackSpec,
        parts: &BTreeMap<Component, Part>,
    ) -> (Sites<'s>, BTreeMap<Component, StackError>) {
        let (mut sites, mut problems) = (Vec::new(), BTreeMap::new());
        for service in spec.services() {
            let component = service.component();
            let Some(part) = parts.get(&component) else { continue };
            match self.furnish_site(spec, service, part) {
                Ok(site) => sites.push((service, site)),
                Err(problem) => drop(problems.insert(component, problem)),
            }
        }
        (sites, problems)
    }

    fn furnish_site(&self, spec: &StackSpec, service: &dyn Service, part: &Part) -> Result<Site, StackError> {
        let dir = self.dir.join(service.component().as_str());
        let describe = |path: &std::path::Path| {
            let path = path.to_owned();
            move |source| StackError::Folder { path, source }
        };
        store::private_folder(&dir).map_err(describe(&dir))?;
        store::sweep(&dir);
        let login = keyring::login(service, &dir, spec.rotation.as_deref())?;
        let locale = if service.data_knows_login(&dir) {
            Locale::default()
        } else {
            Locale::best(&part.engine)
        };
        let site = Site {
            dir,
            ports: part.ports.clone(),
            engine: part.engine.clone(),
            login,
            locale,
        };
        let access = spec.cluster_access.map(|_| site.dir.join(ACCESS));
        for folder in service.folders(&site).into_iter().chain(access) {
            store::private_folder(&folder).map_err(describe(&folder))?;
        }
        for file in service.files(&site) {
            let path = site.dir.join(file.name);
            if fs::read(&path).ok().as_deref() != Some(file.text.as_bytes()) {
                store::replace(&path, file.text.as_bytes()).map_err(describe(&path))?;
            }
        }
        Ok(site)
    }
}
