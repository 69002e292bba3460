//! A stack belongs to one configuration: who may plan it, change it, and take it over.

use std::sync::atomic::Ordering;

use tokio_util::sync::CancellationToken;

use super::adoption;
use super::error::StackError;
use super::folder::Contents;
use super::owner::{Claim, Configuration, Owner, Run, Standing, new_id};
use super::record::Record;
use super::stack::Stack;
use crate::services::StackSpec;

/// What there is for the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holding {
    /// The stack is the caller's.
    Ours,
    /// There is no stack, or this configuration has it under another resource by now.
    Nothing,
}

impl Stack {
    /// Who asks. Without a claim everything is allowed that the name allows.
    #[must_use]
    pub fn claimed(mut self, claim: Claim) -> Self {
        self.claim = Some(claim);
        self
    }

    /// The name that the stack must have.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// Whether the claim may make a stack here, as far as it is known: `spec` is `None` while parts of it are unknown.
    ///
    /// # Errors
    /// When the folder holds something else, or a stack that is not the caller's to change.
    pub fn check_create(&self, spec: Option<&StackSpec>) -> Result<(), StackError> {
        self.check_place()?;
        match self.contents()? {
            Contents::Nothing => Ok(()),
            Contents::Remains(error) => Err(error),
            Contents::Stack(record) => {
                let (Some(claim), Some(owner)) = (&self.claim, &record.owner) else {
                    return self.check_adoption(&record, spec);
                };
                // A replacement: it is destroyed before.
                if claim.on(Some(owner)) == Standing::Ours {
                    return Ok(());
                }
                if claim.on(Some(owner)) == Standing::LeftBehind {
                    if claim.run.claim(&owner.id) {
                        return Err(self.twice(&record));
                    }
                    // The resource that has it is tainted, and destroyed before; or there are two, which the apply tells.
                    if claim.run.was_shown(&owner.id) {
                        return Ok(());
                    }
                }
                self.check_adoption(&record, spec)
            }
        }
    }

    /// Whether a resource of the state may stay with its stack.
    ///
    /// # Errors
    /// When another configuration has it, or a further resource of this one is about to.
    pub fn check_keep(&self) -> Result<(), StackError> {
        let Contents::Stack(record) = self.contents()? else {
            return Ok(());
        };
        self.check_change(&record)?;
        match (&self.claim, &record.owner) {
            (Some(claim), Some(owner)) if claim.run.hold(&owner.id) => Err(self.twice(&record)),
            _ => Ok(()),
        }
    }

    /// Whether a resource of the state may give up its stack: not while a new one is about to adopt it.
    ///
    /// # Errors
    /// When a new resource of this configuration wants the stack.
    pub fn check_leave(&self) -> Result<(), StackError> {
        match (self.record()?, &self.claim) {
            (Some(record), Some(claim)) => match &record.owner {
                Some(owner) if claim.on(Some(owner)) == Standing::Ours && claim.run.hold(&owner.id) => {
                    Err(self.twice(&record))
                }
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// Whether the stack is the caller's. Where it is, and its state has just shown that, this is noted.
    ///
    /// # Errors
    /// When another configuration has it, or nothing can be read.
    pub fn holding(&self) -> Result<Holding, StackError> {
        let Some(record) = self.record()? else {
            return Ok(Holding::Nothing);
        };
        if self.name.as_ref().is_some_and(|name| *name != record.spec.name) {
            return Ok(Holding::Nothing);
        }
        let Some(claim) = &self.claim else {
            return Ok(Holding::Ours);
        };
        match claim.on(record.owner.as_ref()) {
            Standing::Superseded => Ok(Holding::Nothing),
            Standing::Ours => {
                if let Some(owner) = &record.owner {
                    claim.run.show(&owner.id);
                }
                self.confirm(claim, &record);
                Ok(Holding::Ours)
            }
            _ => self.check_change(&record).map(|()| Holding::Ours),
        }
    }

    /// Notes that Terraform's state has the stack, and where Terraform runs by now. It can wait: a stack that another
    /// process is just changing, or a folder that cannot be written, is left for the next time.
    fn confirm(&self, claim: &Claim, seen: &Record) {
        let noted = |owner: &Owner| owner.confirmed && owner.configuration == claim.configuration;
        // What this very process gave out is not in the state yet, only on its way.
        let Some(owner) = seen
            .owner
            .as_ref()
            .filter(|owner| !noted(owner) && !claim.run.gave(&owner.id))
        else {
            return;
        };
        let id = owner.id.clone();
        let Some(_lock) = self.lock_now() else { return };
        let Ok(Some(mut record)) = self.record() else { return };
        if let Some(owner) = record.owner.as_mut().filter(|owner| owner.id == id) {
            owner.configuration.clone_from(&claim.configuration);
            owner.confirmed = true;
            if let Err(error) = record.write(&self.dir) {
                tracing::warn!(%error, "cannot note that Terraform has the stack in its state");
            }
        }
    }

    /// Who has the stack after the caller has made or changed it.
    pub(super) fn next_owner(&self, before: Option<&Record>) -> Option<Owner> {
        let Some(claim) = &self.claim else {
            return before.and_then(|before| before.owner.clone());
        };
        claim.run.give(&claim.id);
        let before = before.and_then(|before| before.owner.as_ref());
        let confirmed = before.is_some_and(|before| before.confirmed);
        Some(Owner {
            confirmed,
            ..Owner::new(claim.id.clone(), claim.configuration.clone())
        })
    }

    /// Whether the caller may make `spec` of what there is.
    pub(super) fn check_apply(&self, before: &Record, spec: &StackSpec) -> Result<(), StackError> {
        let Some(claim) = &self.claim else { return Ok(()) };
        if claim.in_state {
            return self.check_change(before);
        }
        // Made since the plan, by another resource of the same apply.
        if before.owner.as_ref().is_some_and(|owner| claim.run.gave(&owner.id)) {
            return Err(self.twice(before));
        }
        self.check_adoption(before, Some(spec))?;
        self.adopting.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// After a create that failed: whether it made the stack, as a whole. What was there before it stays out of the state,
    /// where Terraform would replace it: with its data.
    #[must_use]
    pub fn is_new(&self) -> bool {
        let made = |claim: &Claim| {
            let owner = self.record().ok().flatten().and_then(|record| record.owner);
            owner.is_some_and(|owner| owner.id == claim.id)
        };
        !self.adopting.load(Ordering::Relaxed) && self.claim.as_ref().is_none_or(made)
    }

    fn check_change(&self, record: &Record) -> Result<(), StackError> {
        let (Some(claim), Some(owner)) = (&self.claim, &record.owner) else {
            return Ok(());
        };
        match claim.on(Some(owner)) {
            Standing::Ours => Ok(()),
            Standing::Superseded => Err(self.twice(record)),
            _ => Err(StackError::TakenOver {
                name: record.spec.name.clone(),
                path: self.dir.clone(),
                by: owner.configuration.to_string(),
                import_id: claim.import_id.clone(),
            }),
        }
    }

    /// Whether a create may go on with what there is. It never takes what another configuration has, and of what its own
    /// has left behind it changes nothing that holds data.
    fn check_adoption(&self, record: &Record, spec: Option<&StackSpec>) -> Result<(), StackError> {
        let Some(claim) = &self.claim else { return Ok(()) };
        let name = record.spec.name.clone();
        let path = self.dir.clone();
        let import_id = claim.import_id.clone();
        let why = match (claim.on(record.owner.as_ref()), &record.owner) {
            (Standing::Unmarked, _) | (_, None) => {
                "the version of mlplat that made it did not note for which configuration".to_owned()
            }
            (Standing::Foreign, Some(owner)) => {
                format!("another configuration has it: {}", owner.configuration)
            }
            (_, Some(_)) => {
                let change = spec.and_then(|spec| adoption::change(record, spec, &self.dir));
                return change.map_or(Ok(()), |change| {
                    Err(StackError::Adoption {
                        name,
                        path,
                        change,
                        import_id,
                    })
                });
            }
        };
        Err(StackError::Taken {
            name,
            path,
            why,
            import_id,
        })
    }

    fn twice(&self, record: &Record) -> StackError {
        StackError::Twice {
            name: record.spec.name.clone(),
            path: self.dir.clone(),
        }
    }

    /// Gives the stack to the configuration that imports it, and returns the id for its state. Whoever had it before is told
    /// when it looks next.
    ///
    /// # Errors
    /// When there is no stack of that name.
    pub async fn take_over(
        &self,
        by: Configuration,
        run: &Run,
        cancelled: &CancellationToken,
    ) -> Result<String, StackError> {
        let absent = || StackError::Absent { path: self.dir.clone() };
        if self.record()?.is_none() {
            return Err(absent());
        }
        let (_lock, _) = self.lock(cancelled).await?;
        let Some(mut record) = self.record()? else {
            return Err(absent());
        };
        self.check_name(&record)?;
        // A plan with an `import` block is made again and again before it is applied.
        let repeated = |owner: &&Owner| !owner.confirmed && owner.configuration == by;
        let id = record
            .owner
            .as_ref()
            .filter(repeated)
            .map_or_else(new_id, |owner| owner.id.clone());
        run.give(&id);
        record.owner = Some(Owner::new(id.clone(), by));
        record.write(&self.dir).map_err(|source| self.folder_error(source))?;
        Ok(id)
    }
}
