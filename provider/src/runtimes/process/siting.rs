//! Before anything starts: an engine, ports, a folder, a password and files for each service.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::fs;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::error::StackError;
use super::ledger::{State, UnitState};
use super::platform::{listener, running_in};
use super::record::{Part, Record};
use super::stack::Stack;
use super::{keyring, ports, store};
use crate::engines::{Engine, Found};
use crate::services::{Component, PUBLISHED, Ports, Service, Site, StackSpec};
use crate::wait::{self, Look};

/// How long a port without a visible holder is waited for: a killed engine with much memory takes a second or two.
const LETTING_GO: Duration = Duration::from_secs(5);

impl Stack {
    /// An engine and ports for every component; those of `before` wherever they still fit.
    ///
    /// A process that was just killed is listed no more while the system still closes its sockets: a port that nobody
    /// seems to hold is waited for.
    pub(super) async fn choose_parts(
        &self,
        spec: &StackSpec,
        before: Option<&Record>,
        state: &State,
        cancelled: &CancellationToken,
    ) -> Result<BTreeMap<Component, Part>, StackError> {
        // Whatever ends the wait, the choice after it says how things are.
        let _ = wait::until("ports that nobody seems to hold", LETTING_GO, cancelled, || async {
            let chosen = self.parts_now(spec, before, state);
            let held_by_nobody = matches!(chosen, Err(StackError::PortTaken { port, .. }) if listener(port).is_none());
            Ok::<_, Infallible>(if held_by_nobody {
                Look::NotYet(String::new())
            } else {
                Look::Done(())
            })
        })
        .await;
        self.parts_now(spec, before, state)
    }

    fn parts_now(
        &self,
        spec: &StackSpec,
        before: Option<&Record>,
        state: &State,
    ) -> Result<BTreeMap<Component, Part>, StackError> {
        let services = spec.services();
        // What is fixed or was chosen before comes first, so that no new choice takes it.
        let mut taken: BTreeSet<u16> = services.iter().filter_map(|service| service.port()).collect();
        taken.extend(
            before
                .iter()
                .flat_map(|record| record.parts.values())
                .flat_map(|part| part.ports.values()),
        );
        let mut parts = BTreeMap::new();
        for service in services {
            let component = service.component();
            let part = before.and_then(|record| record.parts.get(&component));
            let engine = self.choose_engine(service, part)?;
            let running = state.units.get(component.as_str());
            let ports = self.choose_ports(service, part, running, &mut taken)?;
            parts.insert(component, Part { engine, ports });
        }
        Ok(parts)
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
        unit: Option<&UnitState>,
        taken: &mut BTreeSet<u16>,
    ) -> Result<Ports, StackError> {
        let component = service.component();
        let mut ports = Ports::new();
        for name in std::iter::once(PUBLISHED).chain(service.internal_ports().iter().copied()) {
            let derived = service.derived_ports().iter().filter(|(_, of, _)| *of == name);
            let derived: Vec<_> = derived.map(|(name, _, distance)| (*name, *distance)).collect();
            let fixed = service.port().filter(|_| name == PUBLISHED);
            let kept = part.and_then(|part| part.ports.get(name).copied());
            let usable = |port: u16| {
                let all = std::iter::once(port).chain(derived.iter().map(|(_, distance)| port + distance));
                all.into_iter()
                    .all(|port| ports::is_free(port) || self.is_ours(component, port, part, unit))
            };
            let port = match fixed.or(kept) {
                Some(port) if usable(port) => port,
                // Nobody outside knows an internal port.
                Some(port) if name == PUBLISHED => {
                    return Err(StackError::PortTaken {
                        component,
                        port,
                        holder: ports::holder(port),
                    });
                }
                _ => {
                    let distances: Vec<_> = derived.iter().map(|(_, distance)| *distance).collect();
                    let chosen = ports::choose(&self.dir, &format!("{component}/{name}"), &distances, taken);
                    chosen.ok_or(StackError::NoPort { component })?
                }
            };
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
    fn is_ours(&self, component: Component, port: u16, part: Option<&Part>, unit: Option<&UnitState>) -> bool {
        let Some(part) = part else { return false };
        let noted = unit
            .and_then(|unit| unit.process.as_ref())
            .filter(|process| process.is_alive());
        if noted.is_some() && part.ports.values().any(|kept| *kept == port) {
            return true;
        }
        let holder = listener(port);
        let ours = running_in(&self.dir.join(component.as_str()), &part.engine.programs());
        holder.is_some_and(|holder| ours.iter().any(|process| process.pid == holder.pid))
    }

    /// Whether the disk has room for what is made anew.
    pub(super) fn check_room(&self, spec: &StackSpec) -> Result<(), StackError> {
        let disk = rustix::fs::statvfs(&self.dir).map_err(|error| self.folder_error(error.into()))?;
        let mut free_mb = (disk.f_bavail.saturating_mul(disk.f_frsize)) >> 20;
        for service in spec.services() {
            let component = service.component();
            if self.dir.join(component.as_str()).exists() {
                continue;
            }
            let needed_mb = service.needs_free_mb();
            if free_mb < needed_mb {
                return Err(StackError::DiskFull {
                    component,
                    path: self.dir.clone(),
                    free_mb,
                    needed_mb,
                });
            }
            free_mb -= needed_mb;
        }
        Ok(())
    }

    /// Makes folders, passwords and configuration files.
    pub(super) fn furnish_sites<'s>(
        &self,
        spec: &'s StackSpec,
        parts: &BTreeMap<Component, Part>,
    ) -> Result<Vec<(&'s dyn Service, Site)>, StackError> {
        let mut sites = Vec::new();
        for service in spec.services() {
            let dir = self.dir.join(service.component().as_str());
            let describe = |path: &std::path::Path| {
                let path = path.to_owned();
                move |source| StackError::Folder { path, source }
            };
            store::private_folder(&dir).map_err(describe(&dir))?;
            let part = &parts[&service.component()];
            let login = keyring::login(service, &dir)?;
            let site = Site {
                dir,
                ports: part.ports.clone(),
                engine: part.engine.clone(),
                login,
            };
            for folder in service.folders(&site) {
                store::private_folder(&folder).map_err(describe(&folder))?;
            }
            for file in service.files(&site) {
                let path = site.dir.join(file.name);
                if fs::read(&path).ok().as_deref() != Some(file.text.as_bytes()) {
                    store::replace(&path, file.text.as_bytes()).map_err(describe(&path))?;
                }
            }
            sites.push((service, site));
        }
        Ok(sites)
    }
}
