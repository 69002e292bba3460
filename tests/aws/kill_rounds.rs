//! Applies are cut off at random moments: whoever is killed, the next apply converges and a destroy leaves nothing. One round of
//! each kind takes some seconds; `MLPLAT_KILL_ROUNDS=200` makes about as many in all.

use crate::{provider, resource};
use harness::emulators::{Emulator, Kind};
use harness::{Project, process, wait};
use std::collections::hash_map::RandomState;
use std::fs;
use std::hash::{BuildHasher, Hasher};
use std::path::Path;
use std::process::Child;
use std::thread::sleep;
use std::time::Duration;

/// What is cut off, and made.
const KINDS: usize = 5 * 3;
/// What all that was killed may take to end.
const SOON: Duration = Duration::from_secs(60);

/// What is made.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Made {
    Stack,
    Bucket,
    BucketOfPrefix,
}

/// A number below `limit`.
fn random(limit: u64) -> u64 {
    RandomState::new().build_hasher().finish() % limit
}

fn rounds() -> usize {
    let all = std::env::var("MLPLAT_KILL_ROUNDS")
        .ok()
        .and_then(|rounds| rounds.parse().ok());
    all.unwrap_or(KINDS).div_ceil(KINDS)
}

/// Runs the rounds in which `kill`, given Terraform's process, cuts an apply off.
fn survive(victim: &str, kill: impl Fn(u32)) {
    for number in 0..rounds() {
        for made in [Made::Stack, Made::Bucket, Made::BucketOfPrefix] {
            round(victim, made, number, &kill);
        }
    }
}

fn round(victim: &str, made: Made, number: usize, kill: &impl Fn(u32)) {
    let emulator = Emulator::shared(Kind::Moto);
    let name = format!("round-{victim}-{number}-");
    let in_cloud = |argument: &str| format!("{}{}", provider(&emulator.url(), ""), resource(argument));
    let project = Project::new(&match made {
        Made::Stack => {
            "resource \"mlplat_local_services\" \"this\" {\n  name  = \"round\"\n  redis = {}\n}\n".to_owned()
        }
        Made::Bucket => in_cloud(&format!("bucket = \"{name}x\"")),
        Made::BucketOfPrefix => in_cloud(&format!("bucket_prefix = \"{name}\"")),
    });
    let buckets = || {
        let listed = emulator.s3("GET", "/", "").text();
        let names = listed.split("<Name>").skip(1).filter_map(|rest| rest.split('<').next());
        names.filter(|found| found.starts_with(&name)).count()
    };
    let mut terraform = project.start(&["apply", "-auto-approve", "-no-color", "-input=false"]);
    let after = moment(&project, &mut terraform);
    let about = format!("{victim}, {made:?}, round {number}, killed {after}");
    kill(terraform.id());
    terraform.wait().expect("terraform ends");
    // At once, or when what was not killed may have ended.
    sleep(Duration::from_millis(
        [0, 100, 2000][usize::try_from(random(3)).expect("small")],
    ));
    let applied = project.apply_with(&[]);
    assert_eq!(applied.code, Some(0), "{about}:\n{}", applied.text);
    if made != Made::Stack {
        assert_eq!(buckets(), 1, "{about}: buckets after the next apply");
    }
    let plan = project.plan();
    assert_eq!(plan.code, Some(0), "{about}: the plan should be empty:\n{}", plan.text);
    project.destroy();
    assert_eq!(buckets(), 0, "{about}: buckets are left");
    for folder in ["data/stacks", "data/aws/s3_bucket"] {
        let left = entries(&project.path(folder));
        assert!(left.is_empty(), "{about}: {left:?} is left in {folder}");
    }
    let left = wait::within(SOON, || process::mentioning(project.folder()).is_empty().then_some(()));
    assert!(
        left.is_some(),
        "{about}: {:?} is left",
        process::mentioning(project.folder())
    );
}

/// Lets a random part of the apply pass; in words.
fn moment(project: &Project, terraform: &mut Child) -> String {
    let in_create = random(4) != 0;
    if in_create {
        wait::until("the create to begin", SOON, || {
            let log = fs::read_to_string(project.path("terraform.log")).unwrap_or_default();
            let ended = terraform.try_wait().expect("a child can be waited for").is_some();
            (ended || log.contains("Creating...")).then_some(())
        });
    }
    let pause = Duration::from_millis(random(if in_create { 600 } else { 1500 }));
    sleep(pause);
    format!(
        "{pause:?} after the {}",
        if in_create { "create began" } else { "start" }
    )
}

fn entries(folder: &Path) -> Vec<std::ffi::OsString> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name()).collect()
}

fn providers(terraform: u32) {
    process::children(terraform).into_iter().for_each(process::kill);
}

#[test]
fn terraform_is_killed() {
    survive("terraform", process::kill);
}

#[test]
fn the_provider_is_killed() {
    survive("provider", providers);
}

#[test]
fn both_are_killed() {
    survive("both", |terraform| {
        let children = process::children(terraform);
        process::kill(terraform);
        children.into_iter().for_each(process::kill);
    });
}

#[test]
fn the_terminal_is_closed() {
    survive("terminal", process::hang_up);
}

#[test]
fn control_c_is_pressed_twice() {
    survive("control-c", |terraform| {
        process::interrupt(terraform);
        sleep(Duration::from_millis(random(300)));
        process::interrupt(terraform);
    });
}
