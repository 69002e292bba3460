//! The node itself: pods run, reach and are reached, and nothing is left of it.

use crate::node;
use harness::cluster::Cluster;
use harness::program::binary;
use harness::project::run;
use harness::{process, wait};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Two pods behind a Service.
pub(crate) const PODS: &str = include_str!("stage/pods.yaml");
/// Every wait of these tests ends after this.
const SOON: Duration = Duration::from_secs(120);
const IN_A_POD: &str = "/usr/local/bin/pod";

fn apply(cluster: &Cluster, folder: &Path, manifest: &str) {
    let file = folder.join("manifest.yaml");
    std::fs::write(&file, manifest).expect("a test writes its own folder");
    cluster
        .run(&["apply", "--server-side", "-f", &file.display().to_string()])
        .success();
}

#[test]
fn pods_run_and_reach_services_names_and_this_machine() {
    let cluster = node();
    let folder = tempfile::tempdir().expect("a temporary folder");
    println!("the node was ready after {:?}", cluster.ready_after);
    apply(cluster, folder.path(), PODS);
    cluster
        .run(&[
            "rollout",
            "status",
            "deployment/two",
            "--namespace=stage",
            "--timeout=300s",
        ])
        .success();
    let inside = |arguments: &[&str]| {
        cluster
            .run(
                &[
                    &["exec", "--namespace=stage", "deployment/two", "--", IN_A_POD],
                    arguments,
                ]
                .concat(),
            )
            .success()
            .text
    };
    let service = inside(&["resolve", "two.stage"]);
    assert!(service.trim().starts_with("10.215."), "{service}");
    assert!(inside(&["connect", "kubernetes.default:443"]).contains(":443"));
    assert!(
        inside(&["get", "http://two:80/name"]).starts_with("200\ntwo-"),
        "from pod to Service to pod"
    );

    assert!(
        memory_limits().contains(&(48 * 1024 * 1024)),
        "the kernel keeps the limit of memory"
    );

    let here = TcpListener::bind((cluster.site().host(), 0)).expect("this machine's end of the link");
    let port = here.local_addr().expect("it is bound").port();
    let answering = std::thread::spawn(move || {
        let (mut caller, from) = here.accept().expect("a pod calls");
        let _ = caller.read(&mut [0; 1024]);
        caller
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")
            .expect("it listens");
        from.ip()
    });
    assert_eq!(
        inside(&["get", &format!("http://{}:{port}/", cluster.site().host())]),
        "200\nhello"
    );
    let from = answering.join().expect("it was called");
    assert!(from.to_string().starts_with("10.214."), "a pod's own address: {from}");
    cluster.run(&["delete", "namespace", "stage", "--wait=false"]).success();
}

/// The limits of memory, in bytes, that this machine's kernel keeps for containers, under cgroup v1 or v2.
fn memory_limits() -> Vec<u64> {
    let limits = [
        ("/sys/fs/cgroup/memory/k8s.io", "memory.limit_in_bytes"),
        ("/sys/fs/cgroup/k8s.io", "memory.max"),
    ];
    limits
        .iter()
        .flat_map(|(folder, file)| {
            let containers = std::fs::read_dir(folder).into_iter().flatten().flatten();
            containers.map(move |container| container.path().join(file))
        })
        .filter_map(|file| std::fs::read_to_string(file).ok()?.trim().parse().ok())
        .collect()
}

#[test]
fn the_machine_keeps_its_settings() {
    let settings = || {
        ["vm/overcommit_memory", "kernel/panic", "kernel/panic_on_oops"]
            .map(|name| std::fs::read_to_string(Path::new("/proc/sys").join(name)).expect("a setting of Linux"))
    };
    let before = settings();
    let cluster = Cluster::start();
    let of_the_node = cluster.site().folder().join("var/proc-sys-kernel-panic");
    wait::until("kubelet to set what it wants", SOON, || {
        (std::fs::read_to_string(&of_the_node).ok()?.trim() == "10").then_some(())
    });
    assert_eq!(settings(), before);
    cluster.stop();
}

#[test]
fn a_killed_node_leaves_only_what_stop_removes() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let cluster = Cluster::start();
    apply(&cluster, folder.path(), PODS);
    cluster
        .run(&[
            "rollout",
            "status",
            "deployment/two",
            "--namespace=stage",
            "--timeout=300s",
        ])
        .success();
    let processes = cluster.processes();
    assert!(processes.len() > 10, "parts, shims and pods: {processes:?}");
    process::kill(cluster.process_of("cluster").expect("the node's first process"));
    wait::until("every process of the node to end", SOON, || {
        processes.iter().all(|process| !process.alive()).then_some(())
    });
    cluster.stop();
}

#[test]
fn a_node_whose_starter_is_killed_takes_itself_away() {
    Cluster::must_be_possible().expect("a node on this machine");
    let above = tempfile::tempdir().expect("a temporary folder");
    let folder = above.path().join("node");
    let mut starter = Command::new(binary("cluster"))
        .arg("hold")
        .arg(&folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut said = BufReader::new(starter.stdout.take().expect("it is piped")).lines();
    let first = said.next().expect("it says that it is ready").expect("text");
    assert!(first.contains("ready after"), "{first}");
    process::kill(starter.id());
    starter.wait().expect("it was killed");
    wait::until("the node to be gone", SOON, || {
        (process::mentioning(&folder).is_empty() && !folder.exists()).then_some(())
    });
}

#[test]
fn a_start_that_is_cut_off_anywhere_leaves_nothing_after_down() {
    Cluster::must_be_possible().expect("a node on this machine");
    let above = tempfile::tempdir().expect("a temporary folder");
    let folder = above.path().join("node");
    let cluster = |command: &str| {
        let mut program = Command::new(binary("cluster"));
        program.arg(command).arg(&folder).stdin(Stdio::null());
        program
    };
    for milliseconds in [100, 400, 1500] {
        let mut starting = cluster("up").stdout(Stdio::null()).spawn().expect("it starts");
        std::thread::sleep(Duration::from_millis(milliseconds));
        process::kill(starting.id());
        starting.wait().expect("it was killed");
        run(&mut cluster("down")).success();
        assert!(!folder.exists(), "after {milliseconds} ms");
        wait::until("every process of the node to end", SOON, || {
            process::mentioning(&folder).is_empty().then_some(())
        });
    }
}
