//! Which stack is this resource's: the id in its private state, and the configuration for which this process works.

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tfplug::{Computed, Context, Diagnostics, Plan};

use super::{LocalServices, default_dir, failed, moves, open};
use crate::provider::Clients;
use crate::runtimes::process::{Claim, Configuration, Stack, StackError, new_id};

/// The private state.
#[derive(Debug, Serialize, Deserialize)]
struct Private {
    /// As in the stack's `stack.json`.
    owner: String,
}

/// Where the stack of this name and this `data_dir` is, opened for who asks.
fn claimed(
    context: &Context<Clients>,
    name: &str,
    dir: Option<&String>,
    (in_state, known, id): (bool, Option<String>, String),
) -> Result<Stack, Diagnostics> {
    let default = default_dir(context, name)?;
    let dir = dir.unwrap_or(&default);
    let clients = context.clients();
    let claim = Claim {
        configuration: Configuration::here(&clients.config),
        id,
        in_state,
        known,
        import_id: if *dir == default {
            name.to_owned()
        } else {
            format!("{name}@{dir}")
        },
        run: Arc::clone(&clients.stacks),
    };
    Ok(open(context, Path::new(dir)).named(name).claimed(claim))
}

fn known(context: &Context<Clients>) -> Result<Option<String>, Diagnostics> {
    Ok(context.private::<Private>()?.map(|private| private.owner))
}

/// The stack of a resource that is in the state. It keeps its id, or is given one.
pub(super) fn stack_of(context: &Context<Clients>, model: &LocalServices) -> Result<Stack, Diagnostics> {
    let known = known(context)?;
    let id = known.clone().unwrap_or_else(new_id);
    let stack = claimed(context, &model.name, model.data_dir.known(), (true, known, id))?;
    Ok(stack)
}

/// The stack of a resource that is changed: its id is kept from here on.
pub(super) fn changed_stack(context: &Context<Clients>, model: &LocalServices) -> Result<Stack, Diagnostics> {
    let known = known(context)?;
    let owner = known.clone().unwrap_or_else(new_id);
    context.keep_private(&Private { owner: owner.clone() })?;
    claimed(context, &model.name, model.data_dir.known(), (true, known, owner))
}

/// The stack of a resource that is created.
pub(super) fn new_stack(context: &Context<Clients>, model: &LocalServices) -> Result<Stack, Diagnostics> {
    let owner = new_id();
    context.keep_private(&Private { owner: owner.clone() })?;
    claimed(context, &model.name, model.data_dir.known(), (false, None, owner))
}

/// Makes the stack that is imported this configuration's.
pub(super) async fn take_over(context: &Context<Clients>, stack: &Stack) -> Result<(), StackError> {
    let clients = context.clients();
    let owner = stack
        .take_over(
            Configuration::here(&clients.config),
            &clients.stacks,
            context.cancellation(),
        )
        .await?;
    // A text is always JSON.
    let _ = context.keep_private(&Private { owner });
    Ok(())
}

/// Refuses a plan whose stack another configuration has, or another resource of this one.
pub(super) fn check(context: &Context<Clients>, plan: &Plan<LocalServices>) -> Result<(), Diagnostics> {
    let Computed::Known(name) = plan.get::<String>("name") else {
        return Ok(());
    };
    let dir = match plan.get::<String>("data_dir") {
        Computed::Known(dir) => Some(dir),
        Computed::Null => None,
        Computed::Unknown => return Ok(()),
    };
    let stack = claimed(
        context,
        &name,
        dir.as_ref(),
        (!plan.is_create(), known(context)?, String::new()),
    )?;
    if plan.is_create() {
        let spec = plan.planned().map(|planned| planned.spec());
        stack
            .check_create(spec.as_ref())
            .map_err(|error| failed("The local services cannot be created", &error).into())
    } else if moves(plan) {
        // The folder that it leaves; the one that it comes to is looked at when its create is planned.
        check_leave(context, plan)
    } else {
        stack
            .check_keep()
            .map_err(|error| failed("The local services cannot be changed", &error).into())
    }
}

/// Refuses to destroy a stack that a new resource of the same plan is about to adopt.
pub(super) fn check_leave(context: &Context<Clients>, plan: &Plan<LocalServices>) -> Result<(), Diagnostics> {
    let Some(prior) = plan.prior() else { return Ok(()) };
    stack_of(context, prior)?
        .check_leave()
        .map_err(|error| failed("The local services cannot be replaced", &error).into())
}
