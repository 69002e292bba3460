//! Whether this machine has what a plan needs: an engine in the version asked for, and the extensions in it. An apply finds
//! that out too; here it is told before anything is changed.

use tfplug::{Computed, Context, Diagnostic, Plan};

use super::{LocalServices, failed};
use crate::engines::{Engine, Engines, Found};
use crate::provider::Clients;
use crate::runtimes::process::StackError;
use crate::services::Component;
use crate::services::postgres::missing_extensions;

/// Tells what is missing, for each component that comes or changes its engine or version.
pub(super) fn check(context: &Context<Clients>, plan: &mut Plan<LocalServices>) {
    let Some(planned) = plan.planned() else { return };
    let engines = Engines::new(&context.clients().config);
    let spec = planned.spec();
    let mut problems = Vec::new();
    for service in spec.services() {
        let component = service.component();
        let at = |attribute: &str| format!("{component}.{attribute}");
        let is_new = !plan.prior().is_some_and(|prior| prior.has(component));
        let unknown = [at("engine"), at("version")]
            .iter()
            .any(|attribute| plan.config().is_unknown(attribute.as_str()));
        let changes = plan.changes(at("engine").as_str()) || plan.changes(at("version").as_str());
        if plan.config().is_unknown(component.as_str()) || unknown {
            continue;
        }
        let found = if is_new || changes {
            match engines.find(&service.engines(), service.version()) {
                Ok(found) => Some(found),
                Err(source) => {
                    let error = StackError::Engine { component, source };
                    problems.push(failed("The engine is not on this machine", &error));
                    None
                }
            }
        } else {
            None
        };
        if component == Component::Postgres && (is_new || changes || plan.changes("postgres.extensions")) {
            problems.extend(
                found
                    .or_else(|| running(&engines, plan))
                    .and_then(|found| lacking(plan, &found)),
            );
        }
    }
    for problem in problems {
        plan.tell(problem);
    }
}

/// The engine that serves the database now.
fn running(engines: &Engines, plan: &Plan<LocalServices>) -> Option<Found> {
    let version = plan.prior()?.postgres.as_ref()?.engine_version_actual.known()?;
    engines.find(&[Engine::Postgres], Some(version)).ok()
}

fn lacking(plan: &Plan<LocalServices>, found: &Found) -> Option<Diagnostic> {
    let Computed::Known(wanted) = plan.get::<Vec<String>>("postgres.extensions") else {
        return None;
    };
    let offered = found.extensions()?;
    let missing: Vec<_> = wanted
        .iter()
        .filter(|name| !offered.contains(*name))
        .map(String::as_str)
        .collect();
    let problem = (!missing.is_empty()).then(|| missing_extensions(&missing, &found.version))?;
    Some(
        Diagnostic::error("The extension is not on this machine")
            .detail(format!("{problem}."))
            .at("postgres.extensions"),
    )
}
