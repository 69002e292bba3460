//! The one link between this machine and the node's network namespace. Its name is the lock on a slot: the kernel gives
//! it to one, and takes it away together with the namespace.

use super::site::{SLOTS, Site};
use std::fs;
use std::path::Path;
use std::process::Command;

/// Takes the first slot whose addresses meet nothing on this machine, and connects the namespace of this process.
pub(super) fn claim(folder: &Path, first_process: u32) -> Result<Site, String> {
    for slot in 0..SLOTS {
        let site = Site::new(folder, slot);
        if !free(&site)? {
            continue;
        }
        let (link, process) = (site.link(), first_process.to_string());
        let made = ip(&[
            "link", "add", &link, "type", "veth", "peer", "name", "node", "netns", &process,
        ]);
        match made {
            Err(error) if error.contains("File exists") => {}
            Err(error) => return Err(error),
            Ok(_) => return connect(&site, &process).map(|()| site),
        }
    }
    Err(format!(
        "all {SLOTS} networks that a node could have (10.214.0.0/24 to 10.214.{}.0/24) are taken. To fix: make cluster-down, \
         or end the tests that run",
        SLOTS - 1
    ))
}

/// Whether no route but the default leads to the site's addresses.
fn free(site: &Site) -> Result<bool, String> {
    let whole = format!("{}/24", site.host());
    for (which, network) in [
        ("match", site.host().to_string()),
        ("match", site.first_service().to_string()),
        ("root", whole),
    ] {
        let routes = ip(&["-4", "route", "show", "to", which, &network])?;
        if routes.lines().any(|route| !route.starts_with("default")) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn connect(site: &Site, process: &str) -> Result<(), String> {
    let (link, node) = (site.link(), site.node().to_string());
    ip(&["addr", "add", &format!("{}/30", site.host()), "dev", &link])?;
    ip(&["link", "set", &link, "alias", &owner(site), "up"])?;
    let inside = |arguments: &[&str]| {
        let namespace = format!("--net=/proc/{process}/ns/net");
        run(Command::new("nsenter").arg(namespace).arg("ip").args(arguments))
    };
    inside(&["link", "set", "lo", "up"])?;
    inside(&["addr", "add", &format!("{node}/30"), "dev", "node"])?;
    inside(&["link", "set", "node", "up"])?;
    inside(&["route", "add", "default", "via", &site.host().to_string()])?;
    for network in [site.pods(), site.services()] {
        ip(&["route", "add", &network, "via", &node])?;
    }
    Ok(())
}

/// Takes the link away from inside the node, at once.
pub(super) fn disconnect() {
    // Gone already is what is wanted.
    let _ = ip(&["link", "delete", "node"]);
}

/// Whether the link is there, and still this node's: its name may be another's by now.
pub(super) fn exists(site: &Site) -> bool {
    let alias = format!("/sys/class/net/{}/ifalias", site.link());
    fs::read_to_string(alias).is_ok_and(|alias| alias.trim() == owner(site))
}

/// Who has the link, in its own words.
fn owner(site: &Site) -> String {
    site.folder().display().to_string()
}

fn ip(arguments: &[&str]) -> Result<String, String> {
    run(Command::new("ip").args(arguments))
}

pub(super) fn run(command: &mut Command) -> Result<String, String> {
    let output = command
        .output()
        .map_err(|error| format!("{command:?} does not start: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    Err(format!("{command:?} failed: {}", errors.trim()))
}
