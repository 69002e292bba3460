//! What is injected: the contract's variables and the user's own as entries of `env`, in an order in which each finds what
//! it refers to.

use contract_source::Contract;
use endpoint_contract::{Profile, Protocol, Variable, VariableValue};
use krm_fn::{Error, Finding, Node, Value, expansion};

use crate::config::Config;
use crate::own;

/// One variable and its entry.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) name: String,
    pub(crate) entry: Value,
    /// The variables that its value refers to by `$(NAME)`.
    pub(crate) refers_to: Vec<String>,
    /// Where its value comes from: `contract:postgres.cluster.address`, `config:variables[0]`.
    pub(crate) origin: String,
    /// The Secret or ConfigMap that it refers to.
    pub(crate) reference: Option<Reference>,
    /// The contract's value, where it is no secret and made of none.
    pub(crate) public: Option<String>,
}

/// A key of a Secret or ConfigMap; without a key, the whole object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    pub(crate) kind: &'static str,
    pub(crate) name: String,
    pub(crate) key: Option<String>,
    pub(crate) optional: bool,
}

/// All that containers get, and lose.
#[derive(Debug)]
pub(crate) struct Variables {
    pub(crate) wanted: Vec<Wanted>,
    pub(crate) removed: Vec<String>,
}

/// The variables of the contract's profiles and the configuration's own.
pub(crate) fn all(contract: &Contract, config: &Config) -> Result<Variables, Error> {
    let protocols = contract.protocols(config.protocols.as_deref())?;
    let of = |profiles: &[Profile]| {
        let variables = contract.endpoints.variables_of(&protocols, profiles, config.view);
        let variables = variables.map_err(|error| Error::Failed(error.to_string()))?;
        Ok::<Vec<Wanted>, Error>(variables.into_iter().map(Wanted::from).collect())
    };
    let mut wanted = of(config.profiles.as_deref().unwrap_or(&Profile::DEFAULT))?;
    let known = of(&Profile::ALL)?;
    if known.is_empty() {
        return Err(Error::refused(
            "the environment offers no endpoint, so there is nothing to inject",
            "add one in Terraform, or list one in `spec.protocols`",
        ));
    }
    let (own, removed) = own::read(&config.variables, &known)?;
    wanted.retain(|one| !removed.contains(&one.name));
    for one in own {
        match wanted.iter_mut().find(|other| other.name == one.name) {
            Some(other) => *other = one,
            None => wanted.push(one),
        }
    }
    // What somebody refers to comes along, with what that refers to in turn.
    let mut at = 0;
    while at < wanted.len() {
        for name in wanted[at].refers_to.clone() {
            if removed.contains(&name) {
                return Err(Error::refused(
                    format!(
                        "{} refers to $({name}), which spec.variables takes away",
                        wanted[at].name
                    ),
                    format!("remove both, or let {name} stay"),
                ));
            }
            if let (None, Some(one)) = (
                wanted.iter().find(|one| one.name == name),
                known.iter().find(|one| one.name == name),
            ) {
                wanted.push(one.clone());
            }
        }
        at += 1;
    }
    if wanted.is_empty() && removed.is_empty() && config.env_from.is_empty() {
        return Err(Error::refused(
            "the profiles name no variable of the protocols that the environment offers, so there is nothing to inject",
            "list other ones in `spec.profiles`, or variables in `spec.variables`",
        ));
    }
    Ok(Variables {
        wanted: in_order(&wanted)?,
        removed,
    })
}

/// The profiles of the configuration that give no variable.
pub(crate) fn idle_profiles(contract: &Contract, config: &Config) -> Result<Vec<Finding>, Error> {
    let (policy, protocols) = (config.on_no_match, contract.protocols(config.protocols.as_deref())?);
    let Some(severity) = policy.severity() else {
        return Ok(Vec::new());
    };
    let is_idle = |profile: &Profile| {
        let variables = contract.endpoints.variables_of(&protocols, &[*profile], config.view);
        // Without a password, redis-cli needs none.
        let has_none = *profile == Profile::RedisCli && protocols.contains(&Protocol::Redis);
        !has_none && variables.is_ok_and(|variables| variables.is_empty())
    };
    let profiles = config.profiles.iter().flatten().enumerate();
    let problem = |(at, profile): (usize, &Profile)| {
        let protocols: Vec<String> = protocols.iter().map(ToString::to_string).collect();
        let message = format!(
            "spec.profiles[{at}]: {profile} gives no variable of {}, which is what the environment offers and \
             `spec.protocols` asks for. To fix: remove it, or add its endpoint to the environment{}",
            protocols.join(", "),
            policy.hint()
        );
        Finding::new(severity, message)
    };
    Ok(profiles.filter(|(_, profile)| is_idle(profile)).map(problem).collect())
}

/// Each after those that it refers to, and otherwise as they are.
fn in_order(wanted: &[Wanted]) -> Result<Vec<Wanted>, Error> {
    fn place(at: usize, wanted: &[Wanted], above: &mut Vec<usize>, placed: &mut Vec<usize>) -> Result<(), Error> {
        if placed.contains(&at) {
            return Ok(());
        }
        if above.contains(&at) {
            let names: Vec<&str> = above.iter().map(|&at| wanted[at].name.as_str()).collect();
            return Err(Error::refused(
                format!(
                    "the variables {} refer to each other, so that none can come first",
                    names.join(", ")
                ),
                "write one of them without `$(…)`",
            ));
        }
        above.push(at);
        for name in &wanted[at].refers_to {
            if let Some(other) = wanted.iter().position(|one| one.name == *name) {
                place(other, wanted, above, placed)?;
            }
        }
        above.pop();
        placed.push(at);
        Ok(())
    }
    let mut placed = Vec::with_capacity(wanted.len());
    for at in 0..wanted.len() {
        place(at, wanted, &mut Vec::new(), &mut placed)?;
    }
    Ok(placed.into_iter().map(|at| wanted[at].clone()).collect())
}

/// What the ConfigMap holds: all of the contract that is no secret and made of none.
pub(crate) fn public(wanted: &[Wanted], environment: Option<&str>) -> Vec<(String, String)> {
    let environment = environment.map(|name| ("MLPLAT_ENVIRONMENT".to_owned(), name.to_owned()));
    let literals = wanted
        .iter()
        .filter_map(|one| Some((one.name.clone(), one.public.clone()?)));
    environment.into_iter().chain(literals).collect()
}

impl Wanted {
    /// A variable that says this text.
    pub(crate) fn literal(name: &str, text: &str, origin: String) -> Self {
        Self {
            refers_to: references(text),
            ..Self::new(name, "value", Value::from(text), origin)
        }
    }

    /// A variable that gets its value from elsewhere: `source` is one of Kubernetes' keys below `valueFrom`.
    pub(crate) fn value_from(name: &str, source: &'static str, fields: Vec<(String, Value)>, origin: String) -> Self {
        let from = Value::map([(source, Value::Map(fields))]);
        Self::new(name, "valueFrom", from, origin)
    }

    fn new(name: &str, key: &str, value: Value, origin: String) -> Self {
        Self {
            name: name.to_owned(),
            entry: Value::map([("name", Value::from(name)), (key, value)]),
            refers_to: Vec::new(),
            origin,
            reference: None,
            public: None,
        }
    }

    /// The same value under another name.
    pub(crate) fn renamed(&self, name: &str) -> Self {
        let mut renamed = self.clone();
        name.clone_into(&mut renamed.name);
        renamed.public = None;
        if let Value::Map(entries) = &mut renamed.entry {
            entries[0].1 = Value::from(name);
        }
        renamed
    }

    /// Whether an entry that is there says the same already.
    pub(crate) fn is(&self, entry: Node<'_>) -> bool {
        self.entry.is_said_by(entry)
    }

    /// The new value of an entry that has nothing but a name and a `value`; its other bytes can stay.
    pub(crate) fn plain_value(&self) -> Option<&Value> {
        match &self.entry {
            Value::Map(entries) => entries.iter().find(|(key, _)| key == "value").map(|(_, value)| value),
            _ => None,
        }
    }
}

impl From<Variable> for Wanted {
    fn from(variable: Variable) -> Self {
        let (name, origin) = (variable.name, format!("contract:{}", variable.field));
        match variable.value {
            VariableValue::Literal(text) => Self {
                refers_to: Vec::new(),
                public: Some(text.clone()),
                ..Self::literal(name, &text, origin)
            },
            VariableValue::Composed(text) => Self::literal(name, &text, origin),
            VariableValue::SecretKey(secret) => {
                let fields = [("name", &secret.name), ("key", &secret.key)]
                    .map(|(key, text)| (key.to_owned(), Value::from(text.as_str())));
                Self {
                    reference: Some(Reference {
                        kind: "Secret",
                        name: secret.name,
                        key: Some(secret.key),
                        optional: false,
                    }),
                    ..Self::value_from(name, "secretKeyRef", fields.to_vec(), origin)
                }
            }
        }
    }
}

/// The names in `$(NAME)`, as Kubernetes reads them.
pub(crate) fn references(text: &str) -> Vec<String> {
    expansion::references(text).map(str::to_owned).collect()
}
