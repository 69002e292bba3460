//! Things that go wrong behind Terraform's back or in the middle of an apply.

use crate::{CACHE, PAIR, SOON, THIS, nothing_is_left, pids, port, status, supervisor};
use harness::{Project, process, wait};
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::{TcpListener, TcpStream};
use std::{fs, process::Command};

/// Every kind of process that a stack has, but for its supervisor.
const ALL: &str = r#"
resource "mlplat_local_services" "this" {
  name           = "all"
  cluster_access = "127.0.0.2"
  postgres       = { database = "artefacts" }
  redis          = {}
  object_store   = { buckets = ["models"] }
}
"#;

#[test]
fn a_killed_service_comes_back_by_itself() {
    let project = Project::new(ALL);
    project.apply();
    let before = pids(&project, "all");
    assert_eq!(before.len(), 3, "{before:?}");
    for (component, pid) in &before {
        process::kill(*pid);
        wait::until(&format!("{component} to come back"), SOON, || {
            let now = pids(&project, "all");
            (now.get(component)
                .is_some_and(|now| now != pid && process::listening(port(&project, component))))
            .then_some(())
        });
    }
    // What passes pods' connections on.
    let forwarders = || -> Vec<(u32, String)> {
        let of_stack = process::mentioning(&project.stack("all")).into_iter();
        of_stack.filter(|(_, line)| line.contains(" forward ")).collect()
    };
    let forwarding = forwarders();
    assert_eq!(forwarding.len(), 3, "{forwarding:?}");
    for (pid, line) in forwarding {
        process::kill(pid);
        let door = line
            .split(' ')
            .find(|word| word.starts_with("127.0.0.2:"))
            .expect("its address");
        wait::until(&format!("{line} to come back"), SOON, || {
            let back = forwarders().iter().any(|(now, again)| *now != pid && *again == line);
            (back && TcpStream::connect(door).is_ok()).then_some(())
        });
    }
    wait::until("a plan without changes", SOON, || {
        (project.plan().code == Some(0)).then_some(())
    });
}

#[test]
fn services_survive_their_supervisor_and_are_adopted() {
    let project = Project::new(PAIR);
    project.apply();
    let before = pids(&project, "pair");
    let dead = kill_supervisor(&project, "pair");
    assert!(before.values().all(|&pid| process::alive(pid)), "the services go on");
    project.apply();
    assert_eq!(before, pids(&project, "pair"), "adopted, not started again");
    assert_ne!(dead, supervisor(&project, "pair"));
    project.plans_nothing();
    project.destroy();
    nothing_is_left(&project);
}

#[test]
fn everything_killed_is_drift_and_comes_back_on_the_same_ports() {
    let project = Project::new(PAIR);
    project.apply();
    let ports = ["postgres", "redis"].map(|component| port(&project, component));
    kill_supervisor(&project, "pair");
    let left = || process::mentioning(&project.stack("pair"));
    for (pid, _) in left() {
        process::kill(pid);
    }
    wait::until("all to end", SOON, || left().is_empty().then_some(()));
    project.plans_a_change();
    project.apply();
    project.plans_nothing();
    assert_eq!(ports, ["postgres", "redis"].map(|component| port(&project, component)));
}

/// Kills a stack's supervisor and waits until it has ended: nobody looks after the services then.
fn kill_supervisor(project: &Project, stack: &str) -> u32 {
    let supervisor = supervisor(project, stack);
    process::kill(supervisor);
    wait::until("the supervisor to end", SOON, || {
        (!process::alive(supervisor)).then_some(())
    });
    supervisor
}

#[test]
fn a_stack_taken_down_behind_terraforms_back_is_planned_and_made_again() {
    let project = Project::new(CACHE);
    project.apply();
    project.mlplat(&["down", "cache"]).success();
    project.plans_a_change();
    project.apply();
    project.plans_nothing();
    assert!(process::listening(port(&project, "redis")));
}

#[test]
fn destroying_what_is_gone_already_succeeds() {
    let project = Project::new(CACHE);
    project.apply();
    project.mlplat(&["down", "cache"]).success();
    project.destroy();
    nothing_is_left(&project);
}

#[test]
fn a_lost_state_adopts_the_running_stack() {
    let project = Project::new(PAIR);
    project.apply();
    let before = pids(&project, "pair");
    fs::remove_file(project.path("terraform.tfstate")).expect("the state is lost");
    project.apply();
    assert_eq!(before, pids(&project, "pair"));
    project.plans_nothing();
}

#[test]
fn a_provider_killed_in_the_middle_of_an_apply_converges_without_a_second_postgres() {
    let project = Project::new(&endless());
    let mut terraform = project.start(&["apply", "-auto-approve", "-no-color"]);
    wait::until("PostgreSQL to be started", SOON, || {
        project.stack("pair").join("postgres/data").exists().then_some(())
    });
    let provider = wait::until("the provider's process", SOON, || {
        child(terraform.id(), "terraform-provider-mlplat")
    });
    process::kill(provider);
    assert!(!terraform.wait().expect("terraform ends").success());

    project.configure(PAIR);
    project.apply();
    project.plans_nothing();
    let servers: Vec<_> = process::mentioning(&project.stack("pair"))
        .into_iter()
        .filter(|(pid, line)| line.contains("postgres") && line.contains("-D") && postmaster(*pid))
        .collect();
    assert_eq!(servers.len(), 1, "{servers:?}");
    project.destroy();
    nothing_is_left(&project);
}

/// A stack whose apply would come to its end in an hour: it is in its middle whenever the test gets there.
fn endless() -> String {
    let seeded = "{ database = \"artefacts\", seed_sql = \"SELECT pg_sleep(3600)\" }";
    PAIR.replace("{ database = \"artefacts\" }", seeded)
}

/// Whether this is a server itself rather than one of its workers.
fn postmaster(pid: u32) -> bool {
    process::parent(pid).is_none_or(|parent| !process::command_line(parent).contains("postgres -D"))
}

fn child(of: u32, name: &str) -> Option<u32> {
    process::all()
        .into_iter()
        .find(|&pid| process::parent(pid) == Some(of) && process::command_line(pid).contains(name))
}

#[test]
fn an_interrupted_apply_loses_nothing() {
    let project = Project::new(&endless());
    let mut terraform = project.start(&["apply", "-auto-approve", "-no-color"]);
    wait::until("the stack's folder", SOON, || {
        project.stack("pair").join("postgres").exists().then_some(())
    });
    process::interrupt(terraform.id());
    assert!(!terraform.wait().expect("terraform ends").success());

    project.configure(PAIR);
    project.apply();
    project.plans_nothing();
    project.destroy();
    nothing_is_left(&project);
}

#[test]
fn a_taken_port_names_its_holder_and_is_left_alone() {
    let port = process::spare_port();
    let holder = TcpListener::bind(("127.0.0.1", port)).expect("a port");
    let project = Project::new(&CACHE.replace("{}", &format!("{{ port = {port} }}")));
    let own = std::process::id().to_string();
    project
        .apply_with(&[])
        .fails_with(&["redis.port", &port.to_string(), &own]);
    drop(holder);
    // A process that another test is just starting has all that is open here for a moment.
    wait::until("the port to be let go", SOON, || process::is_free(port).then_some(()));
    project.apply();
    project.plans_nothing();
}

#[test]
fn a_missing_engine_names_the_command_that_installs_it() {
    let project = Project::new(CACHE);
    let empty = project.path("empty-cache");
    let bin = project.path("bin");
    fs::create_dir(&bin).expect("a folder");
    let terraform = harness::terraform();
    let mut command = project.command(&terraform);
    command
        .args(["apply", "-auto-approve", "-no-color"])
        .env("MLPLAT_CACHE_DIR", &empty)
        .env("PATH", &bin);
    harness::project::run(&mut command).fails_with(&["redis", "mlplat engines install"]);
    assert!(project.resource(THIS).is_none());
    project.apply();
}

#[test]
fn a_disk_without_room_is_refused_before_anything_is_made() {
    on_a_small_disk("size=12m", "", &["128 MB", "12 MB free", "data_dir"]);
}

/// Space for the bytes but not for the files: PostgreSQL meets the full disk in the middle of its work. Destroying it needs
/// no room: not one more file can be made by then.
#[test]
fn a_disk_that_fills_up_is_named_and_what_was_made_is_tracked() {
    let fill = r#"while : > "$DISK/more-$((++i))"; do :; done 2>/dev/null"#;
    on_a_small_disk("size=512m,nr_inodes=400", fill, &["No space left on device"]);
}

/// Applies on a file system of its own, then where there is room.
#[track_caller]
fn on_a_small_disk(limits: &str, before_destroy: &str, words: &[&str]) {
    let project = Project::new("");
    let disk = project.path("disk");
    fs::create_dir(&disk).expect("a folder");
    let folder = format!("data_dir = {:?}", disk.join("pair").display());
    project.configure(&PAIR.replace("redis    = {}", &folder));
    // What was made by then is tracked: destroying it, on that disk, succeeds.
    let script = r#"
mount -t tmpfs -o "$LIMITS" small "$DISK" || exit 8
"$TERRAFORM" apply -auto-approve -no-color
code=$?
eval "$FILL"
"$TERRAFORM" destroy -auto-approve -no-color || exit 9
exit $code"#;
    let mut command = project.command("unshare".as_ref());
    command.args(["--user", "--map-root-user", "--mount", "bash", "-c", script]);
    command
        .env("DISK", &disk)
        .env("LIMITS", limits)
        .env("FILL", before_destroy)
        .env("TERRAFORM", harness::terraform());
    harness::project::run(&mut command).fails_with(words);
    wait::until("nothing to run", SOON, || {
        process::mentioning(&disk).is_empty().then_some(())
    });
    // Outside that mount the disk has room: the same configuration applies.
    project.apply();
    project.plans_nothing();
    project.destroy();
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let project = Project::new(&CACHE.replace("redis = {}", "redis = {}\n  data_dir = \"/proc/mlplat\""));
    project.apply_with(&[]).fails_with(&["/proc/mlplat", "data_dir"]);
}

#[test]
fn services_outlive_the_terminal() {
    let project = Project::new(CACHE);
    project.apply();
    let service = pids(&project, "cache")["redis"];
    let session = |pid: u32| -> String {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("a process");
        stat.rsplit(')')
            .next()
            .expect("fields")
            .split_whitespace()
            .nth(3)
            .expect("a session")
            .to_owned()
    };
    assert_ne!(
        session(service),
        session(std::process::id()),
        "a service is in a session of its own"
    );
    for descriptor in fs::read_dir(format!("/proc/{service}/fd"))
        .expect("descriptors")
        .flatten()
    {
        let target = fs::read_link(descriptor.path()).unwrap_or_default();
        let pipe = target.to_string_lossy().starts_with("pipe:");
        assert!(
            !(pipe && descriptor.file_name() != "0" && inherited(&target)),
            "{target:?} is inherited"
        );
    }
}

/// Whether this pipe is one of ours.
fn inherited(target: &std::path::Path) -> bool {
    let own = fs::read_dir("/proc/self/fd").expect("descriptors").flatten();
    own.filter_map(|descriptor| fs::read_link(descriptor.path()).ok())
        .any(|mine| mine == target)
}

#[test]
fn a_strangers_process_is_never_signalled() {
    let project = Project::new(CACHE);
    project.apply();
    let before: BTreeMap<String, u32> = pids(&project, "cache");
    kill_supervisor(&project, "cache");
    process::kill(before["redis"]);
    wait::until("the cache to end", SOON, || {
        (!process::alive(before["redis"])).then_some(())
    });
    // A stranger now has the recorded process id (the file is edited: waiting for a reuse would take hours).
    let mut stranger = Command::new("sleep").arg("3600").spawn().expect("sleep starts");
    let file = project.stack("cache").join("state.json");
    let recorded = fs::read_to_string(&file).expect("the recorded state");
    let mut state: Value = serde_json::from_str(&recorded).expect("JSON");
    let pid = &mut state["units"]["redis"]["process"]["pid"];
    assert_eq!(*pid, before["redis"], "the process id is recorded");
    *pid = stranger.id().into();
    fs::write(&file, state.to_string()).expect("written");
    project.apply();
    project.plans_nothing();
    project.destroy();
    let ended = stranger.try_wait().expect("a child can be waited for");
    stranger.kill().expect("ours to end");
    stranger.wait().expect("ended");
    assert_eq!(ended, None, "the stranger lives");
    nothing_is_left(&project);
}

#[test]
fn the_status_says_what_runs() {
    let project = Project::new(CACHE);
    project.apply();
    let said = status(&project, "cache");
    assert_eq!(said["components"]["redis"]["status"], "running");
    assert_eq!(said["components"]["redis"]["port"], port(&project, "redis"));
}
