//! cluster_access: pods reach the services on one more address of this machine. A second loopback address stands for the
//! cluster's bridge: what listens on one is not seen on the other.

use crate::{SOON, nothing_is_left, pids, port};
use harness::{Project, wait};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;

const BRIDGE: &str = "127.0.0.2";

const WITH_ACCESS: &str = r#"
resource "mlplat_local_services" "this" {
  name           = "access"
  cluster_access = "127.0.0.2"
  postgres       = { database = "artefacts" }
  redis          = {}
}

ephemeral "mlplat_credentials" "this" {
  name = mlplat_local_services.this.name
}

resource "mlplat_environment" "this" {
  name           = "local"
  endpoints      = mlplat_local_services.this.endpoints
  contract_file  = "${path.module}/endpoints.yaml"
  secret_file    = "${path.module}/secret.yaml"
  credentials_wo = ephemeral.mlplat_credentials.this.credentials
}
"#;

/// What the service on that port of the bridge answers.
fn answer(port: u16, question: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect((BRIDGE, port)).expect("pods reach the service");
    stream.write_all(question).expect("it listens");
    let mut said = vec![0; 1024];
    let length = stream.read(&mut said).expect("it answers");
    said.truncate(length);
    said
}

#[test]
fn pods_reach_the_services_where_the_contract_says_and_access_is_taken_without_a_restart() {
    let project = Project::new(WITH_ACCESS);
    project.apply();
    project.plans_nothing();
    let contract = fs::read_to_string(project.path("endpoints.yaml")).expect("the contract");
    let (postgres, redis) = (port(&project, "postgres"), port(&project, "redis"));
    for port in [postgres, redis] {
        let view = format!("cluster:\n        address: \"{BRIDGE}\"\n        port: {port}\n");
        assert!(contract.contains(&view), "{view} is not in\n{contract}");
    }

    // PostgreSQL's answer to whether it speaks TLS; the cache's with and without the password.
    assert_eq!(answer(postgres, &[0, 0, 0, 8, 4, 210, 22, 47]), b"N");
    assert!(answer(redis, b"PING\r\n").starts_with(b"-NOAUTH"));
    let secret = fs::read_to_string(project.path("secret.yaml")).expect("the Secret");
    let password = secret
        .split_once("redis.password: \"")
        .and_then(|(_, rest)| rest.split_once('"'));
    let password = password.expect("a password").0;
    let said = answer(redis, format!("AUTH {password}\r\nPING\r\n").as_bytes());
    assert!(said.starts_with(b"+OK"), "{}", String::from_utf8_lossy(&said));

    let before = pids(&project, "access");
    project.configure(&WITH_ACCESS.replace("  cluster_access = \"127.0.0.2\"\n", ""));
    let applied = project.apply();
    assert!(
        applied.text.contains("0 added, 2 changed, 0 destroyed"),
        "{}",
        applied.text
    );
    project.plans_nothing();
    let contract = fs::read_to_string(project.path("endpoints.yaml")).expect("the contract");
    assert!(!contract.contains("cluster:"), "{contract}");
    wait::until("the access to end", SOON, || {
        TcpStream::connect((BRIDGE, redis)).is_err().then_some(())
    });
    assert_eq!(pids(&project, "access"), before, "no service was started anew");

    project.configure(WITH_ACCESS);
    project.apply();
    assert!(answer(redis, b"PING\r\n").starts_with(b"-NOAUTH"));
    project.destroy();
    nothing_is_left(&project);
}

#[test]
fn an_address_that_cannot_serve_pods_is_refused_in_the_plan() {
    let project = Project::new("");
    let with = |address: &str| {
        project.configure(&WITH_ACCESS.replace(BRIDGE, address));
        project.plan()
    };
    with("203.0.113.7").fails_with(&[
        "this machine has no address 203.0.113.7; it has",
        "To fix: set `cluster_access`",
    ]);
    with("0.0.0.0").fails_with(&["`cluster_access` must be an IP address of this machine that pods reach"]);
    with("224.0.0.1").fails_with(&["`cluster_access` must be", "is nobody's own address"]);
    with("127.0.0.1").fails_with(&["`cluster_access` must be", "is the pod itself"]);
    nothing_is_left(&project);
}
