//! Pods reach the services on one more address of this machine, with their passwords; nobody reaches anything else there.

use std::io::{Read, Write};
use std::net::{IpAddr, TcpListener, TcpStream};

use rustix::process::Signal;
use serde_json::Value;
use terraform_provider_mlplat::runtimes::process::Health;
use terraform_provider_mlplat::services::{Component, StackSpec};
use tokio_postgres::error::SqlState;

use crate::harness::{TestStack, cache, kill, processes_of, sql_at, until, whole};

/// Further addresses of every Linux machine; what listens on one is not seen on another.
const BRIDGE: &str = "127.0.0.2";
const OTHER: &str = "127.0.0.3";

fn with_access(spec: StackSpec, address: &str) -> StackSpec {
    StackSpec {
        cluster_access: Some(address.parse().unwrap()),
        ..spec
    }
}

fn listens(address: &str, port: u16) -> bool {
    TcpStream::connect((address.parse::<IpAddr>().unwrap(), port)).is_ok()
}

/// Everything that the service says to these words before it closes or is silent.
fn said(port: u16, words: &str) -> String {
    let mut stream = TcpStream::connect((BRIDGE, port)).unwrap();
    stream.write_all(words.as_bytes()).unwrap();
    let mut answer = vec![0; 4096];
    let length = stream.read(&mut answer).unwrap();
    String::from_utf8_lossy(&answer[..length]).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_reach_every_service_with_its_password_and_no_inner_port() {
    let test = TestStack::new();
    let status = test.apply(&with_access(whole(), BRIDGE)).await.unwrap();
    let endpoints = serde_json::to_value(&status.endpoints).unwrap();
    for protocol in ["postgres", "redis"] {
        let (host, cluster) = (&endpoints[protocol]["host"], &endpoints[protocol]["cluster"]);
        assert_eq!(
            (host["address"].as_str(), cluster["address"].as_str()),
            (Some("127.0.0.1"), Some(BRIDGE))
        );
        assert_eq!(host["port"], cluster["port"]);
    }
    let ports = |component| status.components[&component].port;
    let store = ports(Component::ObjectStore);
    // SeaweedFS does not start while somebody has one of its ports on any address.
    let door = store + 1;
    assert_eq!(endpoints["s3"]["cluster"]["url"], format!("http://{BRIDGE}:{door}"));

    assert_eq!(
        sql_at(&test, BRIDGE, "artefacts", "SELECT 'seen'").await.unwrap(),
        "seen"
    );
    let login = test.credentials().postgres.unwrap();
    let mut nobody = tokio_postgres::Config::new();
    nobody
        .host(BRIDGE)
        .port(ports(Component::Postgres))
        .user(&login.user)
        .password("guessed")
        .dbname("artefacts");
    let refused = nobody.connect(tokio_postgres::NoTls).await.map(drop).unwrap_err();
    assert_eq!(refused.code(), Some(&SqlState::INVALID_PASSWORD), "{refused}");
    assert!(said(ports(Component::Redis), "PING\r\n").starts_with("-NOAUTH"));
    let anonymous = format!("GET / HTTP/1.1\r\nHost: {BRIDGE}:{door}\r\nConnection: close\r\n\r\n");
    assert!(
        said(door, &anonymous).starts_with("HTTP/1.1 403"),
        "anonymous requests are refused"
    );

    let record: Value = serde_json::from_slice(&std::fs::read(test.dir.join("stack.json")).unwrap()).unwrap();
    for (component, part) in record["parts"].as_object().unwrap() {
        for (name, port) in part["ports"].as_object().unwrap() {
            let port = u16::try_from(port.as_u64().unwrap()).unwrap();
            let open = name == "published" && component != "object_store";
            assert_eq!(listens(BRIDGE, port), open, "{component} {name} {port}");
            assert!(!listens(OTHER, port), "{component} {name} {port}");
        }
    }
    // The store comes back beside what gives access to it.
    test.kill_and_await(Component::ObjectStore).await;
    test.destroy().await;
    assert!(processes_of(test.parent()).is_empty());
    until("the access to end", || !listens(BRIDGE, door)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn access_is_given_moved_and_taken_while_the_service_runs_on() {
    let test = TestStack::new();
    let status = test.apply(&cache()).await.unwrap();
    let port = status.components[&Component::Redis].port;
    let redis = test.pids()["redis"];
    assert!(status.endpoints.redis.unwrap().cluster.is_none() && !listens(BRIDGE, port));

    for (address, other) in [(BRIDGE, OTHER), (OTHER, BRIDGE)] {
        let status = test.apply(&with_access(cache(), address)).await.unwrap();
        assert_eq!(status.endpoints.redis.unwrap().cluster.unwrap().address, address);
        assert!(listens(address, port) && !listens(other, port));
    }
    test.apply(&cache()).await.unwrap();
    let alone = [("redis".to_owned(), redis)].into();
    until("the access to end", || !listens(OTHER, port) && test.pids() == alone).await;
    test.destroy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_of_another_machine_is_refused_with_those_of_this_one_and_nothing_is_made() {
    let test = TestStack::new();
    let error = test.apply(&with_access(cache(), "203.0.113.1")).await.unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("this machine has no address 203.0.113.1; it has "),
        "{text}"
    );
    assert!(text.contains("To fix: set `cluster_access` to"), "{text}");
    assert_eq!(error.attribute(), ["cluster_access"]);
    assert!(!test.dir.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_on_the_address_is_named_and_the_service_is_left_alone() {
    let test = TestStack::new();
    let status = test.apply(&cache()).await.unwrap();
    let port = status.components[&Component::Redis].port;
    let stranger = TcpListener::bind((BRIDGE, port)).unwrap();
    let error = test.apply(&with_access(cache(), BRIDGE)).await.unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with(&format!("port {port} of `redis` is taken on {BRIDGE} by ")),
        "{text}"
    );
    assert!(text.contains(&format!("(pid {})", std::process::id())), "{text}");
    test.is(Component::Redis, Health::Running).await;
    drop(stranger);
    until("the port to be let go", || TcpListener::bind((BRIDGE, port)).is_ok()).await;
    test.apply(&with_access(cache(), BRIDGE)).await.unwrap();
    test.destroy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn access_that_is_lost_comes_back_or_is_told() {
    let test = TestStack::new();
    let status = test.apply(&with_access(cache(), BRIDGE)).await.unwrap();
    let port = status.components[&Component::Redis].port;
    let killed = test.pids()["redis/access"];
    kill(killed, Signal::KILL);
    until("the access to come back", || {
        test.pids().get("redis/access").is_some_and(|pid| *pid != killed) && listens(BRIDGE, port)
    })
    .await;
    test.is(Component::Redis, Health::Running).await;

    // Taken by somebody else before it could come back.
    let stranger = loop {
        if let Some(pid) = test.pids().get("redis/access") {
            kill(*pid, Signal::KILL);
        }
        if let Ok(stranger) = TcpListener::bind((BRIDGE, port)) {
            break stranger;
        }
    };
    let seen = test.is(Component::Redis, Health::Unreachable).await;
    let problem = seen.problem.unwrap();
    assert!(
        problem.contains(&format!("pods do not reach it on {BRIDGE}:{port}")),
        "{problem}"
    );
    drop(stranger);
    until("the port to be let go", || TcpListener::bind((BRIDGE, port)).is_ok()).await;
    test.apply(&with_access(cache(), BRIDGE)).await.unwrap();
    test.destroy().await;
}
