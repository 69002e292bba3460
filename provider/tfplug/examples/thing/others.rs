//! A data source, an ephemeral resource and two functions.

use std::{fs::OpenOptions, io::Write, time::SystemTime};

use tfplug::{
    Computed, Context, DataSource, Diagnostic, Diagnostics, Ephemeral, Function, FunctionError, Model, Opened, Secret,
    async_trait,
};

use crate::Clients;

/// A fact about a word.
#[derive(Model, Clone)]
pub(crate) struct Fact {
    /// The word.
    word: String,
    /// How many letters it has.
    letters: Computed<i64>,
}

/// The data source `tfplug_fact`.
pub(crate) struct Facts;

#[async_trait]
impl DataSource for Facts {
    type Model = Fact;
    type Clients = Clients;

    const TYPE: &'static str = "fact";

    async fn read(&self, _: &Context<Clients>, mut config: Fact) -> Result<Fact, Diagnostics> {
        config.letters = i64::try_from(config.word.chars().count()).unwrap_or(i64::MAX).into();
        Ok(config)
    }
}

/// A token that is there for one run.
#[derive(Model, Clone)]
pub(crate) struct Token {
    /// Whom it is for.
    name: String,
    /// A file that says when it was opened, renewed and closed.
    journal: Option<String>,
    /// The token.
    token: Computed<Secret>,
}

/// The ephemeral resource `tfplug_token`.
pub(crate) struct Tokens;

fn note(journal: Option<&str>, line: &str) -> Result<(), Diagnostics> {
    let Some(journal) = journal else { return Ok(()) };
    let written = OpenOptions::new()
        .create(true)
        .append(true)
        .open(journal)
        .and_then(|mut file| writeln!(file, "{line}"));
    written.map_err(|error| {
        Diagnostic::error(format!("Cannot write {journal}: {error}"))
            .at("journal")
            .into()
    })
}

#[async_trait]
impl Ephemeral for Tokens {
    type Model = Token;
    type Clients = Clients;

    const TYPE: &'static str = "token";

    async fn open(&self, context: &Context<Clients>, mut config: Token) -> Result<Opened<Token>, Diagnostics> {
        note(config.journal.as_deref(), "open")?;
        context.keep_private(&config.journal)?;
        config.token = Secret::from(format!("{}{}-canary", context.clients().prefix, config.name)).into();
        Ok(config.into())
    }

    async fn renew(&self, context: &Context<Clients>) -> Result<Option<SystemTime>, Diagnostics> {
        note(context.private::<Option<String>>()?.flatten().as_deref(), "renew")?;
        Ok(None)
    }

    async fn close(&self, context: &Context<Clients>) -> Result<(), Diagnostics> {
        note(context.private::<Option<String>>()?.flatten().as_deref(), "close")
    }
}

/// Says a text loudly.
#[derive(Model, Clone)]
pub(crate) struct ShoutArguments {
    /// What to say.
    text: String,
}

/// The function `shout`.
pub(crate) struct Shout;

impl Function for Shout {
    type Arguments = ShoutArguments;
    type Output = String;

    const NAME: &'static str = "shout";

    fn call(&self, arguments: ShoutArguments) -> Result<String, FunctionError> {
        if arguments.text.is_empty() {
            return Err(FunctionError::parameter(
                "text",
                "There is nothing to say. To fix: give a text.",
            ));
        }
        Ok(arguments.text.to_uppercase())
    }
}

/// Joins texts.
#[derive(Model, Clone)]
pub(crate) struct JoinArguments {
    /// What stands between them.
    separator: String,
    /// The texts.
    parts: Vec<String>,
}

/// The function `join`.
pub(crate) struct Join;

impl Function for Join {
    type Arguments = JoinArguments;
    type Output = String;

    const NAME: &'static str = "join";
    const VARIADIC: bool = true;

    fn call(&self, arguments: JoinArguments) -> Result<String, FunctionError> {
        Ok(arguments.parts.join(&arguments.separator))
    }
}
