use super::*;
use std::process::{Child, Command};

const PREFIX: &str = "models-";

fn target(region: &str) -> Target {
    Target {
        account: Some("123456789012".into()),
        endpoint: "http://127.0.0.1:1".into(),
        region: region.into(),
    }
}

fn notes(dir: &Path, folder: &str) -> Notes {
    Notes {
        dir: dir.to_path_buf(),
        place: Place {
            folder: folder.into(),
            ..Place::default()
        },
        terraform: Process::parent(),
        locks: Mutex::default(),
    }
}

fn begin(notes: &Notes, name: Option<&str>) -> Begun {
    begin_in(notes, name, &target("eu-central-1"), "")
}

fn begin_in(notes: &Notes, name: Option<&str>, target: &Target, fixed: &str) -> Begun {
    let wanted = Wanted {
        name,
        prefix: PREFIX,
        target,
        fixed,
    };
    let mut random = [0; 13];
    getrandom::fill(&mut random).unwrap();
    notes.begin(wanted, || format!("{PREFIX}{}", hex(&random)))
}

#[track_caller]
fn noted(begun: Begun) -> Intent {
    match begun {
        Begun::Noted(intent) => *intent,
        other => panic!("{other:?}"),
    }
}

/// A process that has ended, and whose number nobody has yet.
fn ended() -> Process {
    let mut child: Child = Command::new("true").spawn().unwrap();
    let process = Process::of(child.id());
    child.wait().unwrap();
    process
}

#[test]
fn a_create_that_was_cut_off_is_found_by_name_and_by_prefix_and_by_one_create_alone() {
    let dir = tempfile::tempdir().unwrap();
    let here = notes(dir.path(), "/here");
    for name in [Some("fixed"), None] {
        let first = noted(begin(&here, name));
        assert!(!first.left_behind);
        let (known, id) = (first.name.clone(), first.note.id.clone());
        drop(first);
        let second = noted(begin(&here, name));
        assert!(second.left_behind && second.name == known && second.note.id == id);
        let third = begin(&here, name);
        match name {
            Some(_) => assert!(matches!(third, Begun::Busy(folder) if folder == "/here")),
            None => assert_ne!(noted(third).name, known, "each create has its own"),
        }
        second.done();
    }
}

#[test]
fn what_is_made_elsewhere_or_otherwise_is_not_continued() {
    let dir = tempfile::tempdir().unwrap();
    let here = notes(dir.path(), "/here");
    let cut_off = noted(begin(&here, None)).name;
    let there = notes(dir.path(), "/there");
    assert!(!noted(begin(&there, None)).left_behind, "another configuration");
    assert!(!noted(begin_in(&here, None, &target("eu-west-1"), "")).left_behind);
    let mut account = target("eu-central-1");
    account.account = Some("210987654321".into());
    assert!(!noted(begin_in(&here, None, &account, "")).left_behind);
    assert!(!noted(begin_in(&here, None, &target("eu-central-1"), "locked")).left_behind);
    assert_eq!(
        there.elsewhere(&cut_off).map(|place| place.folder),
        Some("/here".into())
    );
    assert!(noted(begin(&here, None)).left_behind);
}

#[test]
fn a_note_goes_when_a_state_knows_the_thing_and_not_before() {
    let dir = tempfile::tempdir().unwrap();
    let here = notes(dir.path(), "/here");
    let intent = noted(begin(&here, Some("fixed")));
    here.keep(intent, true);
    here.known("fixed", "http://127.0.0.1:1", "eu-west-1");
    here.known("other", "http://127.0.0.1:1", "eu-central-1");
    assert_eq!(here.all().len(), 1);
    // Any configuration's state will do.
    notes(dir.path(), "/there").known("fixed", "http://127.0.0.1:1", "eu-central-1");
    assert_eq!(here.all().len(), 0);
}

#[test]
fn a_create_of_a_run_that_was_killed_is_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let (mut killed, next) = (notes(dir.path(), "/here"), notes(dir.path(), "/here"));
    killed.terraform = ended();
    for name in [Some("fixed"), None] {
        let orphan = noted(begin(&killed, name));
        let known = orphan.name.clone();
        assert!(matches!(begin(&next, name), Begun::Orphaned(name) if name == known));
        // The orphan has ended.
        drop(orphan);
        let continued = noted(begin(&next, name));
        assert!(continued.left_behind && continued.name == known);
        continued.done();
    }
}

#[test]
fn a_run_that_went_on_to_its_end_left_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let variables = [
        ("HOME".into(), "/h".into()),
        ("MLPLAT_DATA_DIR".into(), dir.path().into()),
    ];
    let config = Config::from_variables(variables.into(), "/bin/mlplat".into(), "/tmp".into()).unwrap();
    let here = Notes::new(&config, "s3_bucket");
    for told in [true, false] {
        let first = noted(begin(&here, None));
        let name = first.name.clone();
        here.keep(first, told);
        here.locks.lock().unwrap().clear();
        dismissed(&config);
        // Its state has the first one if it was told of it: then this is another resource.
        let second = noted(begin(&here, None));
        assert_eq!((second.left_behind, second.name == name), (!told, !told));
        second.done();
    }
}

#[test]
fn notes_of_older_versions_are_read_and_what_makes_no_sense_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let here = notes(dir.path(), "/here");
    let generated = format!("{PREFIX}{}", "0".repeat(26));
    for name in ["fixed", &generated, "models-eu-x", "torn@00"] {
        fs::write(dir.path().join(name), "").unwrap();
    }
    assert!(noted(begin(&here, Some("fixed"))).left_behind);
    assert_eq!(noted(begin(&here, None)).name, generated);
    assert!(!noted(begin(&here, Some("torn"))).left_behind);
}

#[test]
fn an_old_note_is_swept() {
    let dir = tempfile::tempdir().unwrap();
    let here = notes(dir.path(), "/here");
    drop(noted(begin(&here, Some("fixed"))));
    let file = File::open(&here.all()[0].0).unwrap();
    file.set_modified(std::time::SystemTime::now() - KEPT - Duration::from_secs(1))
        .unwrap();
    assert!(!noted(begin(&here, Some("fixed"))).left_behind);
}
