//! Both layers on a real Kubernetes: one node for the whole suite.

mod stage;

use harness::cluster::Cluster;
use std::sync::{LazyLock, RwLock, RwLockReadGuard};

/// The node of this suite. It ends with this process, whose end it notices.
static NODE: LazyLock<RwLock<Cluster>> = LazyLock::new(|| RwLock::new(Cluster::start()));

/// The node, for a test that leaves its parts alone.
fn node() -> RwLockReadGuard<'static, Cluster> {
    NODE.read()
        .unwrap_or_else(|of_a_failed_test| of_a_failed_test.into_inner())
}
