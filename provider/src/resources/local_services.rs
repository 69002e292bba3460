//! `mlplat_local_services`: one local stack of real services, and its life in Terraform.

mod existing_cluster;
mod holder;
mod model;
mod offers;
mod rules;
mod stack_endpoints;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tfplug::{Computed, Config, Context, Diagnostic, Diagnostics, ImportId, Kept, Plan, Resource};

pub use self::existing_cluster::{Cluster, ExistingCluster};
pub use self::model::{LocalServices, ObjectStore, Postgres, Redis};
pub use self::stack_endpoints::StackEndpoints;
use crate::engines::Engines;
use crate::provider::Clients;
use crate::runtimes::process::{Holding, Removed, Stack, StackError, same_folder};
use crate::services::Component;

/// The resource.
pub struct LocalServicesResource;

#[tfplug::async_trait]
impl Resource for LocalServicesResource {
    type Model = LocalServices;
    type Clients = Clients;

    const TYPE: &'static str = "local_services";

    async fn validate(&self, config: &Config<LocalServices>) -> Diagnostics {
        let mut diagnostics = Diagnostics::none();
        let mut ports = BTreeMap::new();
        for component in Component::ALL {
            let attribute = format!("{component}.port");
            if let Computed::Known(port) = config.get::<u16>(attribute.as_str())
                && let Some(other) = ports.insert(port, component)
            {
                diagnostics.push(
                    Diagnostic::error("Two services on one port")
                        .detail(format!(
                            "`{other}.port` and `{attribute}` are both {port}. To fix: give each service its own port, or \
                             leave one out to have it chosen."
                        ))
                        .at(attribute.as_str()),
                );
            }
        }
        diagnostics
    }

    async fn plan(&self, context: &Context<Clients>, plan: &mut Plan<LocalServices>) -> Result<(), Diagnostics> {
        if plan.is_destroy() {
            return holder::check_leave(context, plan);
        }
        if plan.is_create() {
            match (plan.get::<String>("data_dir"), plan.get::<String>("name")) {
                (Computed::Unknown, Computed::Known(name)) if !plan.config().is_set("data_dir") => {
                    let dir = default_dir(context, &name)?;
                    context.clients().announce_stack(Path::new(&dir));
                    plan.set("data_dir", dir);
                }
                (Computed::Known(dir), _) => context.clients().announce_stack(Path::new(&dir)),
                _ => {}
            }
        }
        plan_folder(plan);
        holder::check(context, plan)?;
        for component in Component::ALL {
            plan_component(plan, component);
        }
        offers::check(context, plan);
        // A port that was chosen, and that another program has by now, is chosen again; the user's own is not.
        if !plan.is_create()
            && let Computed::Known(dir) = plan.get::<String>("data_dir")
        {
            for component in open(context, Path::new(&dir)).lost_ports() {
                let port = format!("{component}.port");
                let stays = plan.planned().is_some_and(|planned| planned.has(component));
                if stays && !plan.config().is_set(port.as_str()) {
                    plan.set_unknown(port.as_str());
                }
            }
        }
        existing_cluster::plan(plan);
        // One that was there when it was asked for may come back until the apply.
        if plan.changes("cluster_access")
            && let Computed::Known(address) = plan.get::<String>("cluster_access")
            && let Ok(address) = address.parse()
            && let Err(error) = Stack::check_access(address)
        {
            plan.tell(failed("Pods cannot reach that address", &error));
        }
        plan_endpoints(plan);
        Ok(())
    }

    async fn create(
        &self,
        context: &Context<Clients>,
        mut planned: LocalServices,
        _config: LocalServices,
    ) -> Result<LocalServices, Kept<LocalServices>> {
        existing_cluster::verify(&mut planned, context).await?;
        let stack = holder::new_stack(context, &planned)?;
        match stack.apply(&planned.spec(), context.cancellation()).await {
            Ok(status) => Ok(planned.filled(Some(&status))),
            Err(error) => {
                // What was made by now is kept, and tainted. What was there before is not this create's.
                let status = match stack.is_new() {
                    true => stack.status().await.ok().flatten(),
                    false => None,
                };
                let model = status.map(|status| planned.filled(Some(&status)));
                Err(Kept {
                    model,
                    diagnostics: all_failed("The local services were not made", &error),
                })
            }
        }
    }

    async fn read(
        &self,
        context: &Context<Clients>,
        state: LocalServices,
    ) -> Result<Option<LocalServices>, Diagnostics> {
        let unreadable = |error: StackError| failed("The local services cannot be read", &error);
        let stack = holder::stack_of(context, &state)?;
        if stack.holding().map_err(unreadable)? == Holding::Nothing {
            return Ok(None);
        }
        let Some(status) = stack.status().await.map_err(unreadable)? else {
            return Ok(None);
        };
        let mut found = state.refreshed(&status);
        existing_cluster::look(&mut found, context).await;
        Ok(Some(found))
    }

    async fn update(
        &self,
        context: &Context<Clients>,
        prior: LocalServices,
        mut planned: LocalServices,
        _config: LocalServices,
    ) -> Result<LocalServices, Kept<LocalServices>> {
        existing_cluster::verify(&mut planned, context).await?;
        let stack = holder::changed_stack(context, &planned)?;
        match stack.apply(&planned.spec(), context.cancellation()).await {
            Ok(status) => Ok(planned.filled(Some(&status))),
            Err(error) => {
                // The prior settings stay in the state, so that the next plan shows again what is not done. What another
                // configuration has is none of this state's.
                let status = match stack.holding() {
                    Ok(Holding::Ours) => stack.status().await.ok().flatten(),
                    _ => None,
                };
                let model = status.map(|status| prior.refreshed(&status));
                Err(Kept {
                    model,
                    diagnostics: all_failed("The local services were not changed as planned", &error),
                })
            }
        }
    }

    async fn delete(&self, context: &Context<Clients>, state: LocalServices) -> Result<(), Kept<LocalServices>> {
        let stack = holder::stack_of(context, &state)?;
        let removed = stack.destroy(context.cancellation()).await;
        match removed.map_err(|error| failed("The local services were not destroyed", &error))? {
            Removed::Kept { by } => context.tell(
                Diagnostic::warning("The local services were left as they are").detail(format!(
                    "The stack {:?} belongs to another configuration or resource by now: {by}. It is no longer in this \
                     state; its services and its data were not touched.",
                    state.name
                )),
            ),
            Removed::Stack { left } if !left.is_empty() => {
                let left: Vec<_> = left.iter().map(|path| path.display().to_string()).collect();
                context.tell(
                    Diagnostic::warning("Other files are left in the folder of the stack").detail(format!(
                        "The stack {:?} is deleted. These are not its files, and stay: {}.",
                        state.name,
                        left.join(", ")
                    )),
                );
            }
            Removed::Nothing | Removed::Stack { .. } => {}
        }
        Ok(())
    }

    async fn import(&self, context: &Context<Clients>, id: ImportId) -> Result<LocalServices, Diagnostics> {
        let (name, dir) = match &id {
            ImportId::Id(id) => match id.split_once('@') {
                Some((name, dir)) => (name.to_owned(), Some(dir.to_owned())),
                None => (id.clone(), None),
            },
            ImportId::Identity(_) => (id.get("name").unwrap_or_default(), id.get("data_dir")),
        };
        rules::stack_name(&name).map_err(|problem| {
            Diagnostic::error("The import names no stack").detail(format!(
                "The name {problem}. To fix: give the stack's name as the id, or NAME@DATA_DIR."
            ))
        })?;
        let dir = match dir {
            Some(dir) => dir,
            None => default_dir(context, &name)?,
        };
        let absent = |error: StackError| failed("There is nothing to import", &error);
        let stack = open(context, Path::new(&dir)).named(&name);
        let status = stack.status().await.map_err(absent)?;
        let status = status.ok_or_else(|| {
            absent(StackError::Absent {
                path: PathBuf::from(&dir),
            })
        })?;
        holder::take_over(context, &stack).await.map_err(absent)?;
        Ok(LocalServices::imported(dir, &status))
    }
}

/// What the endpoints will be, each for itself: a provider that is configured from one of them goes on planning while
/// another is to come. Other credentials must reach who uses an endpoint too, even where no address changes: it is planned
/// when they may be new.
fn plan_endpoints(plan: &mut Plan<LocalServices>) {
    let renamed = plan.changes("postgres.username");
    let rotated = plan.changes("rotation");
    let existed: Vec<_> = plan
        .prior()
        .into_iter()
        .flat_map(|prior| Component::ALL.into_iter().filter(|component| prior.has(*component)))
        .filter(|component| !(rotated || renamed && *component == Component::Postgres))
        .collect();
    let moves = moves(plan);
    match plan.planned() {
        Some(planned) => {
            let endpoints = planned.planned_endpoints(|component| !moves && existed.contains(&component));
            plan.set("endpoints", Computed::Known(endpoints));
        }
        None => plan.set_unknown("endpoints"),
    }
}

/// Another stack takes the place of this one.
fn moves(plan: &Plan<LocalServices>) -> bool {
    plan.changes("name") || plan.changes("data_dir")
}

/// The same folder may be written in many ways: then the one in the state stays, and nothing is replaced.
fn plan_folder(plan: &mut Plan<LocalServices>) {
    let Some(prior) = plan.prior().and_then(|prior| prior.data_dir.known().cloned()) else {
        return;
    };
    match plan.get::<String>("data_dir") {
        Computed::Known(dir) if same_folder(Path::new(&dir), Path::new(&prior)) => plan.keep("data_dir"),
        _ if plan.changes("data_dir") => plan.require_replace("data_dir"),
        _ => {}
    }
}

/// What a component's computed attributes will be.
fn plan_component(plan: &mut Plan<LocalServices>, component: Component) {
    let at = |attribute: &str| format!("{component}.{attribute}");
    let present = plan.planned().is_none_or(|planned| planned.has(component));
    if !present || !plan.config().is_set(component.as_str()) || plan.config().is_unknown(component.as_str()) {
        return;
    }
    // Apply mends whatever a read has found.
    plan.set(at("status").as_str(), "running".to_owned());
    let existed = plan.prior().is_some_and(|prior| prior.has(component));
    if !existed {
        return;
    }
    // Another engine comes in another version.
    if component == Component::Redis && plan.changes("redis.engine") && !plan.config().is_set("redis.version") {
        plan.set_unknown("redis.version");
    }
    if plan.changes(at("engine").as_str()) || plan.changes(at("version").as_str()) {
        plan.set_unknown(at("engine_version_actual").as_str());
    }
    if component == Component::Postgres
        && let Some(made_by) = plan
            .prior()
            .and_then(|prior| prior.postgres.as_ref()?.version.known().cloned())
        && let Computed::Known(wanted) = plan.get::<String>("postgres.version")
        && rules::major(&made_by) != rules::major(&wanted)
        && plan.prior().map(|prior| &prior.name) == plan.get::<String>("name").known()
    {
        let error = StackError::VersionChange {
            component,
            made_by,
            wanted,
        };
        plan.tell(failed("The version cannot change in place", &error));
    }
}

fn default_dir(context: &Context<Clients>, name: &str) -> Result<String, Diagnostics> {
    let dir = context.clients().config.stack_dir(name);
    dir.to_str().map(str::to_owned).ok_or_else(|| {
        Diagnostic::error("The data folder's name is not Unicode")
            .detail("To fix: set `data_dir`, or MLPLAT_DATA_DIR in the environment.")
            .at("data_dir")
            .into()
    })
}

fn open(context: &Context<Clients>, dir: &Path) -> Stack {
    let config = &context.clients().config;
    Stack::open(dir, Engines::new(config), &config.program)
}

/// Every problem by itself.
fn all_failed(summary: &str, error: &StackError) -> Diagnostics {
    let problems = error.problems();
    problems.into_iter().map(|problem| failed(summary, problem)).collect()
}

/// One problem, at the attribute that it is about.
fn failed(summary: &str, error: &StackError) -> Diagnostic {
    let text = error.to_string();
    let text = if text.ends_with(['.', '\n']) || text.contains('\n') {
        text
    } else {
        format!("{text}.")
    };
    let diagnostic = Diagnostic::error(summary).detail(text);
    let path = error
        .attribute()
        .into_iter()
        .fold(tfplug::Path::root(), |path, step| path.attribute(step));
    if path.steps().is_empty() {
        diagnostic
    } else {
        diagnostic.at(&path)
    }
}
