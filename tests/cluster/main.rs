//! `make cluster`: a whole Kubernetes on one node, in namespaces of this machine, for looking at and trying.
//!
//! `cluster up|down FOLDER`, `cluster hold FOLDER` (until its standard input ends), `cluster import FOLDER ARCHIVE...`;
//! `cluster node FOLDER` is the node's first process.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line program")]

use harness::cluster::{Cluster, run_node};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "usage: cluster up|down|hold FOLDER | cluster import FOLDER ARCHIVE...";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments[..] {
        ["up", folder] => Cluster::up(Path::new(folder)).map(|cluster| {
            show(&cluster);
            println!("End it: make cluster-down");
        }),
        ["hold", folder] => Cluster::hold(Path::new(folder)).and_then(|cluster| {
            show(&cluster);
            std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).map_err(|error| error.to_string())?;
            cluster.stop();
            Ok(())
        }),
        ["down", folder] => Cluster::open(Path::new(folder)).map(|running| {
            let was = running.map(Cluster::stop).is_some();
            println!("{}", if was { "The node is gone." } else { "No node runs." });
        }),
        ["import", folder, ref archives @ ..] => import(Path::new(folder), archives),
        ["node", folder] => run_node(Path::new(folder), false),
        ["node", folder, "--detached"] => run_node(Path::new(folder), true),
        _ => Err(USAGE.to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn show(cluster: &Cluster) {
    let site = cluster.site();
    if cluster.ready_after.is_zero() {
        println!("The node runs already.");
    } else {
        println!("The node is ready after {:.1} s.", cluster.ready_after.as_secs_f32());
    }
    println!(
        "Pods reach this machine at {} (cluster_access); Services are reached from here too.",
        site.host()
    );
    println!("\n  export KUBECONFIG={}\n", site.kubeconfig().display());
}

fn import(folder: &Path, archives: &[&str]) -> Result<(), String> {
    let cluster = Cluster::open(folder)?.ok_or("no node runs. To fix: make cluster")?;
    let archives: Vec<PathBuf> = archives.iter().map(PathBuf::from).collect();
    cluster.import(&archives)
}
