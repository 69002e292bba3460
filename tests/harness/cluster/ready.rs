//! When a node is ready: pods can be scheduled, started, named and reached.

use super::network::run;
use super::site::NODE;
use super::{Cluster, images};
use crate::{process, wait};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::Duration;

/// Generous: the machine may be busy. On an idle one all steps together take some ten seconds.
const STEP: Duration = Duration::from_secs(180);

pub(super) fn wait_for(cluster: &Cluster) -> Result<(), String> {
    let archive = images::pod(cluster.site.folder(), &cluster.programs)?;
    step(cluster, "containerd", || images::socket(cluster).exists())?;
    wait::within(STEP, || images::import(cluster, &archive).ok())
        .map_or_else(|| images::import(cluster, &archive), Ok)?;
    let answers = |arguments: &[&str], expected: &str| {
        let answer = cluster.run(arguments);
        answer.code == Some(0) && answer.text.contains(expected)
    };
    let api = SocketAddr::from((cluster.site.node(), 6443));
    step(cluster, "kube-apiserver", || {
        TcpStream::connect_timeout(&api, Duration::from_millis(200)).is_ok()
            && answers(&["get", "--raw", "/readyz"], "ok")
    })?;
    let file = |name: &str| cluster.site.folder().join("etc").join(name).display().to_string();
    let (dns, volumes) = (file("dns.yaml"), file("volumes.yaml"));
    step(cluster, "kube-apiserver", || {
        answers(&["apply", "--server-side", "-f", &dns, "-f", &volumes], "")
    })?;
    step(cluster, "kube-controller-manager", || {
        answers(&["get", "serviceaccount", "default"], "default")
    })?;
    let ready = r#"jsonpath={.status.conditions[?(@.type=="Ready")].status}"#;
    step(cluster, "kubelet", || {
        answers(&["get", "node", NODE, "-o", ready], "True")
    })?;
    let dns = SocketAddr::from((cluster.site.node(), 53));
    step(cluster, "coredns", || {
        TcpStream::connect_timeout(&dns, Duration::from_millis(200)).is_ok()
    })?;
    step(cluster, "kube-proxy", || {
        let service = SocketAddr::from((cluster.site.first_service(), 443));
        TcpStream::connect_timeout(&service, Duration::from_millis(200)).is_ok()
    })
}

/// Waits until packets meet the rules that kube-router makes of policies.
pub(super) fn enforcing(cluster: &Cluster) -> Result<(), String> {
    step(cluster, "kube-router", || {
        let namespace = format!("--net=/proc/{}/ns/net", cluster.first_process);
        let mut rules = Command::new("nsenter");
        rules.env("PATH", &cluster.programs.path).arg(namespace);
        run(rules.args(["iptables", "-S", "FORWARD"])).is_ok_and(|rules| rules.contains("-j KUBE-ROUTER-FORWARD"))
    })
}

/// Waits for a part; an error ends with what the part said last.
fn step(cluster: &Cluster, part: &str, check: impl Fn() -> bool) -> Result<(), String> {
    let checked = wait::within(STEP, || {
        if check() {
            return Some(Ok(()));
        }
        let gone = !process::alive(cluster.first_process);
        gone.then(|| Err(format!("the node ended{}", cluster.last_words("node"))))
    });
    checked.unwrap_or_else(|| Err(format!("waited {STEP:?} for {part}{}", cluster.last_words(part))))
}
