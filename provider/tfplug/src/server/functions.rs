//! Functions: their signatures, and calling them.

use super::{Call, Offer, produce};
use crate::{
    calls::{CallContext, CallFailure},
    codec, convert,
    diagnostic::Diagnostics,
    generated::tfplugin6::{FunctionError, call_function, get_functions},
};

impl Call for get_functions::Request {
    const NAME: &'static str = "GetFunctions";
    type Answer = get_functions::Response;

    async fn run(&self, offer: &Offer, _: &CallContext) -> Result<Self::Answer, Diagnostics> {
        let functions = convert::functions(&offer.provider.schemas().functions);
        Ok(get_functions::Response {
            functions,
            diagnostics: Vec::new(),
        })
    }

    fn failed(&self, _: &Offer, diagnostics: Diagnostics) -> Self::Answer {
        get_functions::Response {
            diagnostics: convert::diagnostics(diagnostics),
            ..Default::default()
        }
    }
}

impl Call for call_function::Request {
    const NAME: &'static str = "CallFunction";
    type Answer = call_function::Response;

    fn subject(&self) -> &str {
        &self.name
    }

    async fn run(&self, offer: &Offer, _: &CallContext) -> Result<Self::Answer, Diagnostics> {
        let Some(signature) = offer.provider.schemas().functions.get(&self.name) else {
            return Ok(failure(CallFailure {
                message: format!("This provider has no function `{}`", self.name),
                argument: None,
            }));
        };
        let mut arguments = Vec::with_capacity(self.arguments.len());
        for (index, argument) in self.arguments.iter().enumerate() {
            let Some(parameter) = signature.parameters.get(index).or(signature.variadic.as_ref()) else {
                return Ok(failure(CallFailure {
                    message: "There is no such parameter".into(),
                    argument: Some(index),
                }));
            };
            match codec::decode(Some(argument), &parameter.ty) {
                Ok(value) => arguments.push(value),
                Err(error) => {
                    let message = error.received("an argument").detail;
                    return Ok(failure(CallFailure {
                        message,
                        argument: Some(index),
                    }));
                }
            }
        }
        match offer.provider.call_function(&self.name, arguments).await {
            Ok(result) => Ok(call_function::Response {
                result: produce(&result, &signature.output, "a result")?,
                error: None,
            }),
            Err(refused) => Ok(failure(refused)),
        }
    }

    fn failed(&self, _: &Offer, diagnostics: Diagnostics) -> Self::Answer {
        failure(CallFailure {
            message: diagnostics.to_string(),
            argument: None,
        })
    }
}

fn failure(failure: CallFailure) -> call_function::Response {
    let function_argument = failure.argument.and_then(|index| i64::try_from(index).ok());
    call_function::Response {
        result: None,
        error: Some(FunctionError {
            // Terraform adds a full stop.
            text: failure.message.trim_end_matches(['.', '\n', ' ']).to_owned(),
            function_argument,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terraforms_own_full_stop_is_the_only_one() {
        let told = |message: &str| {
            let (message, argument) = (message.to_owned(), None);
            failure(CallFailure { message, argument }).error.unwrap().text
        };
        assert_eq!(told("To fix: say host or cluster."), "To fix: say host or cluster");
        assert_eq!(told("one.\ntwo.\n"), "one.\ntwo");
        assert_eq!(told("To fix: leave it out"), "To fix: leave it out");
    }
}
