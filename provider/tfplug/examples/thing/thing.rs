//! A thing: a JSON file in a folder.

use std::{collections::BTreeMap, fs, io, path::PathBuf, time::Duration};

use serde_json::{Value, json};
use tfplug::{
    Computed, Context, Diagnostic, Diagnostics, ImportId, Kept, Model, Plan, Resource, Secret, WriteOnly, async_trait,
};

use crate::{Clients, Meta};

/// A thing that is kept as a JSON file.
#[derive(Model, Clone)]
pub(crate) struct Thing {
    /// Where it is kept; absolute.
    #[model(replace, identity)]
    folder: String,
    /// Its name in that folder.
    #[model(replace, identity, length = 1..=32)]
    name: String,
    /// How big it is.
    #[model(default = 1, range = 1..=100)]
    size: u32,
    /// What to remember of it.
    note: Option<String>,
    /// A secret that is written and never read back.
    secret_wo: WriteOnly<Secret>,
    /// Bump it to write the secret again.
    secret_wo_version: Option<i64>,
    /// What it stands on.
    disk: Option<Disk>,
    /// Who may use it, in order.
    rules: Option<Vec<Rule>>,
    /// Labels by name.
    labels: Option<BTreeMap<String, Rule>>,
    /// What goes wrong when it is made: a panic, no end, none before there is a file NAME.go, or an error half way.
    #[model(one_of = ["panic", "endless", "slow", "half"])]
    trouble: Option<String>,
    /// Its file.
    #[model(keep)]
    path: Computed<String>,
    /// How often it was written.
    generation: Computed<i64>,
}

/// What a thing stands on.
#[derive(Model, Clone)]
pub(crate) struct Disk {
    /// In GiB.
    #[model(default = 10)]
    gib: u32,
    /// Another one makes a new thing.
    #[model(replace)]
    kind: Option<String>,
    /// The device.
    #[model(keep)]
    device: Computed<String>,
}

/// One rule.
#[derive(Model, Clone)]
pub(crate) struct Rule {
    /// Whom it is for.
    who: String,
    /// What is allowed.
    #[model(default = "read")]
    may: String,
}

/// The resource `tfplug_thing`.
pub(crate) struct Things;

impl Thing {
    fn file(&self) -> PathBuf {
        self.beside("json")
    }

    fn beside(&self, ending: &str) -> PathBuf {
        PathBuf::from(&self.folder).join(format!("{}.{ending}", self.name))
    }

    /// Says in a file how far it has come.
    fn mark(&self, ending: &str) -> Result<(), Diagnostics> {
        let file = self.beside(ending);
        Ok(fs::write(&file, "").map_err(|error| failed(&file, "write", &error))?)
    }

    /// Writes the file and fills in what is computed.
    fn write(mut self, context: &Context<Clients>, config: &Self) -> Result<Self, Diagnostics> {
        let file = self.file();
        let generation = context.private::<i64>()?.unwrap_or_default() + 1;
        let team = context.meta::<Meta>()?.and_then(|meta| meta.team);
        let record = json!({
            "size": self.size,
            "team": team,
            "secret_bytes": config.secret_wo.get().map(|secret| secret.expose().len()),
        });
        fs::write(&file, record.to_string()).map_err(|error| failed(&file, "write", &error))?;
        context.keep_private(&generation)?;
        self.path = file.display().to_string().into();
        self.generation = generation.into();
        if let Some(disk) = &mut self.disk {
            disk.device = format!("/dev/{}", self.name).into();
        }
        Ok(self)
    }
}

fn failed(file: &std::path::Path, doing: &str, error: &io::Error) -> Diagnostic {
    Diagnostic::error(format!("Cannot {doing} {}", file.display()))
        .detail(format!(
            "{error}\nTo fix: let `folder` be one that exists and is yours."
        ))
        .at("folder")
}

#[async_trait]
impl Resource for Things {
    type Model = Thing;
    type Clients = Clients;

    const TYPE: &'static str = "thing";

    async fn plan(&self, _: &Context<Clients>, plan: &mut Plan<Thing>) -> Result<(), Diagnostics> {
        if plan.is_destroy() {
            plan.tell(Diagnostic::warning("The file goes too"));
        }
        Ok(())
    }

    async fn create(&self, context: &Context<Clients>, planned: Thing, config: Thing) -> Result<Thing, Kept<Thing>> {
        match planned.trouble.as_deref() {
            Some("panic") => panic!("the thing {} exploded", planned.name),
            Some("endless") => {
                planned.mark("begun")?;
                context.cancelled().await;
                planned.mark("stopped")?;
                Err(Diagnostic::error("The thing was not made: Terraform asked to stop").into())
            }
            Some("slow") => {
                planned.mark("begun")?;
                let mut looks = tokio::time::interval(Duration::from_millis(10));
                while !planned.beside("go").exists() {
                    looks.tick().await;
                }
                Ok(planned.write(context, &config)?)
            }
            Some("half") => {
                let made = planned.write(context, &config)?;
                Err(Kept::with(made, Diagnostic::error("The thing is half made").at("size")))
            }
            _ => Ok(planned.write(context, &config)?),
        }
    }

    async fn read(&self, _: &Context<Clients>, mut state: Thing) -> Result<Option<Thing>, Diagnostics> {
        let file = state.file();
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(&file, "read", &error).into()),
        };
        let record: Value = serde_json::from_str(&text).unwrap_or_default();
        state.size = record["size"]
            .as_u64()
            .and_then(|size| size.try_into().ok())
            .unwrap_or_default();
        state.path = file.display().to_string().into();
        Ok(Some(state))
    }

    async fn update(
        &self,
        context: &Context<Clients>,
        _: Thing,
        planned: Thing,
        config: Thing,
    ) -> Result<Thing, Kept<Thing>> {
        Ok(planned.write(context, &config)?)
    }

    async fn delete(&self, _: &Context<Clients>, state: Thing) -> Result<(), Kept<Thing>> {
        let file = state.file();
        match fs::remove_file(&file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(&file, "remove", &error).into()),
            _ => Ok(()),
        }
    }

    async fn import(&self, _: &Context<Clients>, id: ImportId) -> Result<Thing, Diagnostics> {
        let (folder, name) = match &id {
            ImportId::Id(id) => id
                .rsplit_once('/')
                .map(|(folder, name)| (folder.to_owned(), name.to_owned())),
            ImportId::Identity(_) => id.get("folder").zip(id.get("name")),
        }
        .ok_or_else(|| Diagnostic::error("An id is FOLDER/NAME"))?;
        Ok(Thing {
            folder,
            name,
            size: 1,
            note: None,
            secret_wo: None.into(),
            secret_wo_version: None,
            disk: None,
            rules: None,
            labels: None,
            trouble: None,
            path: Computed::Null,
            generation: Computed::Null,
        })
    }
}
