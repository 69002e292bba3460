//! A provider that has a bit of everything, and keeps its things in memory.

#![expect(clippy::unwrap_used, reason = "a test's provider")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use tfplug::{
    Computed, Config, Configure, Context, DataSource, Diagnostic, Diagnostics, Ephemeral, Function, FunctionError,
    ImportId, Kept, Model, Moved, Opened, Plan, Provider, Resource, Secret, WriteOnly, async_trait,
};

/// Keeps books on shelves.
///
/// All of it is in memory.
#[derive(Model, Clone, Debug, PartialEq)]
pub(crate) struct Settings {
    /// The town of the library.
    #[model(length = 1..=20)]
    town: Option<String>,
    /// Opens the staff's door.
    key: Option<Secret>,
}

/// What the resources share.
pub(crate) struct Library {
    pub(crate) shelves: Mutex<BTreeMap<String, Shelf>>,
    town: Computed<String>,
}

struct Root;

#[async_trait]
impl Configure for Root {
    type Config = Settings;
    type Clients = Library;

    async fn configure(&self, config: Config<Settings>) -> Result<Library, Diagnostics> {
        Ok(Library {
            shelves: Mutex::default(),
            town: config.get("town"),
        })
    }
}

/// A shelf, and
/// the books on it.
#[derive(Model, Clone, Debug, PartialEq)]
pub(crate) struct Shelf {
    /// Name of the shelf.
    #[model(replace, identity, validate = a_name)]
    pub(crate) name: String,
    /// The material.
    #[model(default = "oak", one_of = ["oak", "steel"])]
    pub(crate) material: String,
    /// Rows of books.
    #[model(range = 1..=9)]
    pub(crate) rows: Option<u8>,
    /// The height in metres.
    pub(crate) height: Option<f64>,
    /// Whom to ask.
    pub(crate) owner: Option<Owner>,
    /// The books, in any order.
    pub(crate) books: Option<BTreeSet<Book>>,
    /// Words to find it by.
    #[model(conflicts_with = ["label"])]
    pub(crate) tags: Option<BTreeMap<String, String>>,
    /// One word to find it by.
    #[model(deprecated = "Use `tags`.")]
    pub(crate) label: Option<String>,
    /// Opens the shelf; bump `pin_version` to change it.
    #[model(required_with = ["pin_version"])]
    pub(crate) pin: WriteOnly<Secret>,
    /// Counts up with `pin`.
    pub(crate) pin_version: Option<u32>,
    /// Anything else that is worth a note.
    pub(crate) note: Option<tfplug::Value>,
    /// The shelf's number, given once.
    #[model(keep)]
    pub(crate) number: Computed<u64>,
    /// What its state is.
    pub(crate) status: Computed<String>,
    /// Where it stands.
    #[model(keep)]
    pub(crate) place: Computed<Place>,
    /// How long things may take.
    #[model(block)]
    pub(crate) timeouts: Option<Timeouts>,
    /// What happens on a loan.
    #[model(block)]
    pub(crate) rule: Vec<Rule>,
}

/// Whom to ask.
#[derive(Model, Clone, Debug, PartialEq)]
pub(crate) struct Owner {
    /// Their name.
    pub(crate) name: String,
    /// Their room.
    #[model(optional, keep, range = 1..)]
    pub(crate) room: Computed<u16>,
    /// The desk in the room.
    pub(crate) desk: Option<Desk>,
}

/// A desk.
#[derive(Model, Clone, Debug, PartialEq)]
pub(crate) struct Desk {
    /// Its letter.
    pub(crate) letter: String,
}

/// A book.
#[derive(Model, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Book {
    /// The title.
    pub(crate) title: String,
    /// Copies of it.
    #[model(default = 1)]
    pub(crate) copies: u32,
}

/// A place.
#[derive(Model, Clone, Debug, PartialEq)]
pub(crate) struct Place {
    /// The town.
    pub(crate) town: String,
    /// The floor, from 0.
    pub(crate) floor: i8,
}

/// How long things may take.
#[derive(Model, Clone, Debug, PartialEq)]
pub(crate) struct Timeouts {
    /// For making it, in seconds.
    pub(crate) create_seconds: Option<u32>,
}

/// What happens on a loan.
#[derive(Model, Clone, Debug, PartialEq)]
pub(crate) struct Rule {
    /// Days until the book is due.
    #[model(name = "days", default = 14)]
    pub(crate) due_after_days: u32,
}

fn a_name(name: &str) -> Result<(), String> {
    if name.starts_with(|first: char| first.is_ascii_lowercase()) {
        Ok(())
    } else {
        Err(format!("must start with a small letter, got `{name}`"))
    }
}

struct Shelves;

#[derive(serde::Serialize, serde::Deserialize)]
struct Made {
    times: u32,
}

impl Shelf {
    /// What the library makes of a wish.
    fn made(mut self, number: u64, library: &Library) -> Self {
        self.number = number.into();
        self.status = "in use".into();
        let town = library.town.known().cloned().unwrap_or_else(|| "nowhere".to_owned());
        self.place = Place { town, floor: -1 }.into();
        if let Some(owner) = &mut self.owner
            && owner.room.is_unknown()
        {
            owner.room = 7.into();
        }
        self
    }
}

#[async_trait]
impl Resource for Shelves {
    type Model = Shelf;
    type Clients = Library;
    const TYPE: &'static str = "shelf";
    const VERSION: i64 = 2;
    const SUBCATEGORY: &'static str = "Furniture";

    async fn validate(&self, config: &Config<Shelf>) -> Diagnostics {
        match (
            config.get::<String>("material").known().map(String::as_str),
            config.get::<u8>("rows").known(),
        ) {
            (Some("oak"), Some(rows)) if *rows > 8 => Diagnostic::error("Oak bends under 9 rows")
                .detail("To fix: use steel.")
                .at("rows")
                .into(),
            _ => Diagnostics::none(),
        }
    }

    async fn plan(&self, _: &Context<Library>, plan: &mut Plan<Shelf>) -> Result<(), Diagnostics> {
        if plan.is_destroy() {
            if plan
                .prior()
                .is_some_and(|shelf| shelf.label.as_deref() == Some("loved"))
            {
                return Err(Diagnostic::error("The shelf is loved").into());
            }
            return Ok(());
        }
        // What is broken is mended by the next apply.
        if plan.is_update()
            && plan
                .prior()
                .is_some_and(|shelf| shelf.status.known().is_none_or(|is| is != "in use"))
        {
            plan.set("status", "in use".to_owned());
        }
        if plan.is_update() && plan.changes("material") {
            plan.require_replace("material");
        }
        if plan.get::<u8>("rows").known() == Some(&1) {
            plan.tell(Diagnostic::warning("One row is little").at("rows"));
        }
        Ok(())
    }

    async fn create(&self, context: &Context<Library>, planned: Shelf, config: Shelf) -> Result<Shelf, Kept<Shelf>> {
        context.keep_private(&Made { times: 1 })?;
        if planned.pin_version.is_some() && config.pin.get().map(Secret::expose) != Some("1234") {
            return Err(Diagnostic::error("The pin is wrong").into());
        }
        let mut shelves = context.clients().shelves.lock().unwrap();
        let number = shelves.len() as u64 + 1;
        let shelf = planned.made(number, context.clients());
        shelves.insert(shelf.name.clone(), shelf.clone());
        match shelf.name.as_str() {
            "wobbly" => Err(Kept::with(shelf, Diagnostic::error("The shelf fell over"))),
            "vague" => Ok(Shelf {
                status: Computed::Unknown,
                ..shelf
            }),
            "wrong" => Ok(Shelf { rows: Some(9), ..shelf }),
            _ => Ok(shelf),
        }
    }

    async fn read(&self, context: &Context<Library>, state: Shelf) -> Result<Option<Shelf>, Diagnostics> {
        Ok(context.clients().shelves.lock().unwrap().get(&state.name).cloned())
    }

    async fn update(
        &self,
        context: &Context<Library>,
        prior: Shelf,
        planned: Shelf,
        _: Shelf,
    ) -> Result<Shelf, Kept<Shelf>> {
        let times = context.private::<Made>()?.map_or(0, |made| made.times);
        context.keep_private(&Made { times: times + 1 })?;
        if planned.label.as_deref() == Some("stuck") {
            return Err(Diagnostic::error("The shelf is stuck").into());
        }
        let number = prior.number.into_known().unwrap_or_default();
        let shelf = planned.made(number, context.clients());
        context
            .clients()
            .shelves
            .lock()
            .unwrap()
            .insert(shelf.name.clone(), shelf.clone());
        Ok(shelf)
    }

    async fn delete(&self, context: &Context<Library>, state: Shelf) -> Result<(), Kept<Shelf>> {
        context.clients().shelves.lock().unwrap().remove(&state.name);
        Ok(())
    }

    async fn import(&self, context: &Context<Library>, id: ImportId) -> Result<Shelf, Diagnostics> {
        let name = match &id {
            ImportId::Id(name) => name.clone(),
            ImportId::Identity(_) => id.get("name").unwrap_or_default(),
        };
        context
            .clients()
            .shelves
            .lock()
            .unwrap()
            .get(&name)
            .cloned()
            .ok_or_else(|| {
                Diagnostic::error(format!("There is no shelf `{name}`"))
                    .detail("To fix: create it.")
                    .into()
            })
    }

    fn upgrade(&self, version: i64, state: serde_json::Value) -> Result<Shelf, Diagnostics> {
        match (version, state["title"].as_str()) {
            (1, Some(name)) => Ok(empty(name)),
            _ => Err(Diagnostic::error(format!("There was no version {version}")).into()),
        }
    }

    fn moved_from(&self, from: &Moved) -> Option<Result<Shelf, Diagnostics>> {
        (from.resource_type == "other_shelf").then(|| Ok(empty(from.state["name"].as_str().unwrap_or_default())))
    }
}

fn empty(name: &str) -> Shelf {
    Shelf {
        name: name.to_owned(),
        material: "oak".to_owned(),
        rows: None,
        height: None,
        owner: None,
        books: None,
        tags: None,
        label: None,
        pin: WriteOnly::default(),
        pin_version: None,
        note: None,
        number: Computed::Known(u64::MAX),
        status: Computed::Null,
        place: Computed::Null,
        timeouts: None,
        rule: Vec::new(),
    }
}

/// Looks a shelf up.
#[derive(Model, Clone)]
struct Search {
    /// Its name.
    name: String,
    /// Where it stands.
    place: Computed<Place>,
}

struct Searches;

#[async_trait]
impl DataSource for Searches {
    type Model = Search;
    type Clients = Library;
    const TYPE: &'static str = "shelf";

    async fn read(&self, context: &Context<Library>, config: Search) -> Result<Search, Diagnostics> {
        match context.clients().shelves.lock().unwrap().get(&config.name) {
            Some(shelf) => Ok(Search {
                place: shelf.place.clone(),
                ..config
            }),
            None => Err(Diagnostic::error("No such shelf").at("name").into()),
        }
    }
}

/// A visitor's card.
#[derive(Model, Clone)]
struct Card {
    /// Days that it is good for.
    #[model(default = 1)]
    days: u32,
    /// What it says.
    code: Computed<Secret>,
}

struct Cards;

#[async_trait]
impl Ephemeral for Cards {
    type Model = Card;
    type Clients = Library;
    const TYPE: &'static str = "card";

    async fn open(&self, context: &Context<Library>, config: Card) -> Result<Opened<Card>, Diagnostics> {
        context.keep_private(&config.days)?;
        let renew_at = Some(SystemTime::UNIX_EPOCH + Duration::from_secs(u64::from(config.days)));
        let code = Secret::new(format!("card for {}", config.days)).into();
        Ok(Opened {
            model: Card { code, ..config },
            renew_at,
        })
    }

    async fn renew(&self, context: &Context<Library>) -> Result<Option<SystemTime>, Diagnostics> {
        let days = context.private::<u32>()?.unwrap_or_default();
        context.keep_private(&(days + 1))?;
        Ok((days < 3).then_some(SystemTime::UNIX_EPOCH))
    }

    async fn close(&self, context: &Context<Library>) -> Result<(), Diagnostics> {
        match context.private::<u32>()? {
            Some(13) => Err(Diagnostic::error("The card is lost").into()),
            _ => Ok(()),
        }
    }
}

/// Writes a label.
///
/// Words are joined by spaces.
#[derive(Model, Clone)]
struct LabelWords {
    /// Stands in front.
    prefix: Option<String>,
    /// How many words fit.
    #[model(range = 1..=3)]
    most: u8,
    /// The words.
    words: Vec<String>,
}

struct Label;

impl Function for Label {
    type Arguments = LabelWords;
    type Output = String;
    const NAME: &'static str = "label";
    const VARIADIC: bool = true;

    fn call(&self, arguments: LabelWords) -> Result<String, FunctionError> {
        let LabelWords { prefix, most, words } = arguments;
        if words.len() > usize::from(most) {
            return Err(FunctionError::parameter(
                "most",
                format!("{} words do not fit", words.len()),
            ));
        }
        Ok(prefix.into_iter().chain(words).collect::<Vec<_>>().join(" "))
    }
}

pub(crate) fn provider() -> Provider {
    Provider::builder("library", "1.2.3", Root)
        .resource(Shelves)
        .data_source(Searches)
        .ephemeral(Cards)
        .function(Label)
        .build()
}
