//! Both layers on a real Kubernetes: one node for the whole suite.
#![allow(clippy::disallowed_methods, reason = "a test driver reads the environment and waits")]

mod application;
mod existing_cluster;
mod fail_closed;
mod faults;
mod images;
mod policies;
mod publishing;
mod rules;
mod stage;
mod whole_path;

use harness::cluster::Cluster;
use std::sync::LazyLock;

/// The node of this suite, which knows the application's images. It ends with this process, whose end it notices.
static NODE: LazyLock<Result<Cluster, String>> = LazyLock::new(|| {
    let cluster = Cluster::try_start()?;
    images::import(&cluster);
    Ok(cluster)
});

/// The node, for tests that leave its parts alone.
#[track_caller]
fn node() -> &'static Cluster {
    NODE.as_ref()
        .unwrap_or_else(|error| panic!("no Kubernetes for this test: {error}"))
}
