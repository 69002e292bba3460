//! How pods reach a service that listens on 127.0.0.1 alone: a small program beside it takes connections on one more address
//! of this machine and passes their bytes on to the published port and no other. So no engine ever listens beyond loopback,
//! SeaweedFS's inner ports included, and giving pods access starts no engine anew.

use std::net::SocketAddr;
use std::path::Path;

use super::{Halt, PUBLISHED, Site, StopSignal, Unit};

/// Its folder, below the component's own.
pub const ACCESS: &str = "access";

/// What runs, listening on `door`: `program` is the binary whose `forward` command it is.
#[must_use]
pub fn access_unit(program: &Path, site: &Site, door: SocketAddr) -> Unit {
    Unit {
        dir: site.dir.join(ACCESS),
        program: program.to_owned(),
        args: vec!["forward".to_owned(), door.to_string(), site.port(PUBLISHED).to_string()],
        refuses_root: false,
        prepare: None,
        pid_file: None,
        stray_sockets: Vec::new(),
        // It holds nothing that could be lost.
        stop: Halt {
            signal: StopSignal::Kill,
            patience_ms: 0,
        },
        discard: Halt {
            signal: StopSignal::Kill,
            patience_ms: 0,
        },
        fingerprint: String::new(),
    }
    .stamped(&[])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engines::Engine;
    use crate::services::testing::site;
    use crate::services::{ObjectStore, Service};

    #[test]
    fn pods_reach_the_published_port_and_no_inner_one() {
        let store = ObjectStore::default();
        let site = site(&store, Engine::Seaweedfs, "4.48");
        let unit = access_unit(Path::new("/bin/mlplat"), &site, "172.18.0.1:20001".parse().unwrap());
        assert_eq!(unit.args, ["forward", "172.18.0.1:20001", "20000"]);
        assert_eq!(unit.dir, Path::new("/stacks/demo/object_store/access"));
        assert!(
            !store
                .unit(&site)
                .args
                .iter()
                .any(|argument| argument.contains("172.18.0.1"))
        );
        assert_ne!(
            unit.fingerprint,
            access_unit(Path::new("/bin/mlplat"), &site, "[fd00::1]:20001".parse().unwrap()).fingerprint
        );
    }
}
