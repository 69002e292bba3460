//! Debug mode: a person starts the provider (under a debugger, say) and tells Terraform where it listens.

use std::{
    io::{self, Write},
    path::Path,
};

use serde_json::json;

use crate::error::ServeError;

/// Prints what to set. `source` is the provider's `namespace/name`.
pub(crate) fn announce(source: &str, socket: &Path) -> Result<(), ServeError> {
    let value = value(source, socket, std::process::id());
    let mut stdout = io::stdout().lock();
    writeln!(
        stdout,
        "Serving {source} until Ctrl-C. Run Terraform in a shell with:\n\n  export TF_REATTACH_PROVIDERS='{value}'\n"
    )
    .and_then(|()| stdout.flush())
    .map_err(ServeError::io("write to standard output"))
}

/// `Test` makes Terraform leave the process alone when it ends.
fn value(source: &str, socket: &Path, pid: u32) -> serde_json::Value {
    json!({ source: {
        "Protocol": "grpc",
        "ProtocolVersion": 6,
        "Pid": pid,
        "Test": true,
        "Addr": { "Network": "unix", "String": socket },
    }})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_is_what_terraform_reads() {
        assert_eq!(
            value("acme/cloud", Path::new("/tmp/p.sock"), 7).to_string(),
            r#"{"acme/cloud":{"Addr":{"Network":"unix","String":"/tmp/p.sock"},"Pid":7,"Protocol":"grpc","ProtocolVersion":6,"Test":true}}"#
        );
    }
}
