//! The example provider as a process: handshake, certificates, messages, and every way in which it ends.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../src/generated.rs"]
mod generated;
mod support;

use std::{
    io::{BufRead, BufReader, Read},
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

use generated::{
    health::{HealthCheckRequest, HealthCheckResponse},
    tfplugin6::{self, DynamicValue, call_function, get_metadata, get_provider_schema, stop_provider},
};
use support::{
    example,
    plugin_host::{Certificate, Connection, Plugin, SOON, pause, signal},
};

const METADATA: &str = "/tfplugin6.Provider/GetMetadata";

async fn metadata(connection: &Connection) -> Result<get_metadata::Response, String> {
    connection.call(METADATA, &get_metadata::Request {}).await
}

async fn shout(connection: &Connection, text: &str) -> Result<call_function::Response, String> {
    let mut msgpack = Vec::new();
    rmp::encode::write_str(&mut msgpack, text).unwrap();
    let arguments = vec![DynamicValue {
        msgpack,
        json: Vec::new(),
    }];
    let request = call_function::Request {
        name: "shout".into(),
        arguments,
    };
    connection.call("/tfplugin6.Provider/CallFunction", &request).await
}

#[tokio::test]
async fn the_host_learns_what_there_is() {
    let plugin = Plugin::start();
    let connection = plugin.connect().await.unwrap();
    let metadata = metadata(&connection).await.unwrap();
    let names: Vec<&str> = metadata
        .resources
        .iter()
        .map(|resource| resource.type_name.as_str())
        .collect();
    assert_eq!(names, ["tfplug_thing"]);
    assert_eq!(metadata.functions.len(), 2);
    let health: HealthCheckResponse = connection
        .call(
            "/grpc.health.v1.Health/Check",
            &HealthCheckRequest {
                service: "plugin".into(),
            },
        )
        .await
        .unwrap();
    assert_eq!(health.status, 1);
}

#[tokio::test]
async fn only_the_host_that_was_announced_is_let_in() {
    let plugin = Plugin::start();
    let announced = &plugin.client_certificate;
    let stranger = Certificate::new();
    for (who, shown) in [
        ("nobody", None),
        ("a stranger", Some(stranger.with_key_of(&stranger))),
        ("a thief without the key", Some(announced.with_key_of(&stranger))),
    ] {
        let refused = match plugin.connect_with(shown).await {
            Ok(connection) => metadata(&connection).await.map(drop),
            Err(error) => Err(error),
        };
        assert!(refused.is_err(), "{who} was served");
    }
    metadata(&plugin.connect().await.unwrap())
        .await
        .expect("the host itself is served after all that");
}

#[tokio::test]
async fn the_socket_is_for_this_user_only() {
    use std::os::unix::fs::PermissionsExt;
    let plugin = Plugin::start();
    let mode = |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(plugin.socket_folder()), 0o700);
    assert_eq!(mode(&plugin.socket), 0o600);
}

#[tokio::test]
async fn calls_that_we_do_not_have_say_so() {
    let plugin = Plugin::start();
    let connection = plugin.connect().await.unwrap();
    for method in [
        "/tfplugin6.Provider/ListResource",
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    ] {
        let refused = connection
            .call::<get_metadata::Response>(method, &get_metadata::Request {})
            .await
            .unwrap_err();
        assert!(refused.starts_with("12 "), "{method}: {refused}");
    }
}

#[tokio::test]
async fn large_values_pass_in_both_directions() {
    let plugin = Plugin::start();
    let connection = plugin.connect().await.unwrap();
    let answer = shout(&connection, &"ab".repeat(10 << 20)).await.unwrap();
    assert!(answer.error.is_none());
    let result = answer.result.unwrap().msgpack;
    assert_eq!(result.len(), (20 << 20) + 5);
    assert!(result[5..].iter().all(|byte| matches!(byte, b'A' | b'B')));
}

/// Terraform's own limit; a byte beyond it is refused and the next call is served.
#[tokio::test]
async fn a_message_may_have_256_mebibytes_and_no_more() {
    let plugin = Plugin::start();
    let connection = plugin.connect().await.unwrap();
    let limit = 256 << 20;
    // Name and lengths take some bytes as well.
    let fits = shout(&connection, &"a".repeat(limit - 64)).await.unwrap();
    assert_eq!(fits.result.unwrap().msgpack.len(), limit - 64 + 5);
    let refused = shout(&connection, &"a".repeat(limit)).await.unwrap_err();
    assert!(refused.contains("268435456"), "{refused}");
    assert!(shout(&connection, "a").await.unwrap().error.is_none());
}

#[tokio::test]
async fn a_function_refuses_with_the_arguments_position() {
    let plugin = Plugin::start();
    let connection = plugin.connect().await.unwrap();
    let error = shout(&connection, "").await.unwrap().error.unwrap();
    assert_eq!(error.function_argument, Some(0));
    // Terraform adds the full stop.
    assert!(error.text.ends_with("To fix: give a text"), "{}", error.text);
}

#[tokio::test]
async fn broken_values_are_told_with_their_attribute_and_hurt_nobody() {
    use tfplugin6::validate_resource_config::{Request, Response};
    let plugin = Plugin::start();
    let connection = plugin.connect().await.unwrap();
    // {"size": …} and then nothing, where a whole object should be.
    let config = Some(DynamicValue {
        msgpack: b"\x8c\xa4size\xa3big".to_vec(),
        json: Vec::new(),
    });
    let request = Request {
        type_name: "tfplug_thing".into(),
        config,
        client_capabilities: None,
    };
    let answer: Response = connection
        .call("/tfplugin6.Provider/ValidateResourceConfig", &request)
        .await
        .unwrap();
    let [diagnostic] = &answer.diagnostics[..] else {
        panic!("{answer:?}")
    };
    assert_eq!(
        diagnostic.summary,
        "Terraform sent a configuration that does not fit the provider's schema"
    );
    assert!(
        diagnostic
            .detail
            .starts_with("expected number, found text that is no number"),
        "{}",
        diagnostic.detail
    );
    assert_eq!(diagnostic.attribute.as_ref().unwrap().steps.len(), 1);
    metadata(&connection).await.unwrap();
}

/// A configuration of a thing, all null but these.
fn thing(set: &[(&str, &str)]) -> Option<DynamicValue> {
    let names = [
        "disk",
        "folder",
        "generation",
        "labels",
        "name",
        "note",
        "path",
        "rules",
        "secret_wo",
        "secret_wo_version",
        "size",
        "trouble",
    ];
    let mut msgpack = Vec::new();
    rmp::encode::write_map_len(&mut msgpack, names.len() as u32).unwrap();
    for name in names {
        rmp::encode::write_str(&mut msgpack, name).unwrap();
        match set.iter().find(|(set, _)| *set == name) {
            Some((_, value)) => rmp::encode::write_str(&mut msgpack, value).unwrap(),
            None => rmp::encode::write_nil(&mut msgpack).unwrap(),
        }
    }
    Some(DynamicValue {
        msgpack,
        json: Vec::new(),
    })
}

/// Waits for a file of the provider.
async fn is_there(file: PathBuf) {
    is_so(&file.display().to_string(), || file.exists()).await;
}

async fn is_so(what: &str, is_so: impl Fn() -> bool) {
    tokio::time::timeout(SOON, async {
        let mut looks = tokio::time::interval(Duration::from_millis(10));
        while !is_so() {
            looks.tick().await;
        }
    })
    .await
    .unwrap_or_else(|_| panic!("waited {SOON:?} for {what}"));
}

async fn configure(connection: &Connection) {
    use tfplugin6::configure_provider::{Request, Response};
    let config = Some(DynamicValue {
        msgpack: b"\x81\xa6prefix\xc0".to_vec(),
        json: Vec::new(),
    });
    let request = Request {
        config,
        ..Default::default()
    };
    let answer: Response = connection
        .call("/tfplugin6.Provider/ConfigureProvider", &request)
        .await
        .unwrap();
    assert!(answer.diagnostics.is_empty(), "{answer:?}");
}

/// What Terraform 1.12 asks for.
#[tokio::test]
async fn a_resource_is_imported_by_its_identity() {
    use tfplugin6::{ResourceIdentityData, get_resource_identity_schemas, import_resource_state};
    let plugin = Plugin::start();
    let connection = plugin.connect().await.unwrap();
    let schemas: get_resource_identity_schemas::Response = connection
        .call(
            "/tfplugin6.Provider/GetResourceIdentitySchemas",
            &get_resource_identity_schemas::Request {},
        )
        .await
        .unwrap();
    let attributes = &schemas.identity_schemas["tfplug_thing"].identity_attributes;
    let names: Vec<&str> = attributes.iter().map(|attribute| attribute.name.as_str()).collect();
    assert_eq!(names, ["folder", "name"]);
    assert!(
        attributes
            .iter()
            .all(|attribute| attribute.required_for_import && attribute.r#type == b"\"string\"")
    );

    configure(&connection).await;
    let sent = b"\x82\xa6folder\xa4/tmp\xa4name\xa3old".to_vec();
    let request = import_resource_state::Request {
        type_name: "tfplug_thing".into(),
        identity: Some(ResourceIdentityData {
            identity_data: Some(DynamicValue {
                msgpack: sent.clone(),
                json: Vec::new(),
            }),
        }),
        ..Default::default()
    };
    let answer: import_resource_state::Response = connection
        .call("/tfplugin6.Provider/ImportResourceState", &request)
        .await
        .unwrap();
    assert!(answer.diagnostics.is_empty(), "{answer:?}");
    let [imported] = &answer.imported_resources[..] else {
        panic!("{answer:?}")
    };
    let identity = imported.identity.as_ref().unwrap().identity_data.as_ref().unwrap();
    assert_eq!(identity.msgpack, sent);
}

#[tokio::test]
async fn a_call_that_a_stop_overtakes_hears_of_it_and_the_next_run_does_not() {
    use tfplugin6::apply_resource_change::{Request, Response};
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_str().unwrap();
    let plugin = Plugin::start();
    let connection = plugin.connect().await.unwrap();
    let apply = |trouble: &'static str| {
        let planned_state = thing(&[("folder", folder), ("name", "t"), ("size", "1"), ("trouble", trouble)]);
        let request = Request {
            type_name: "tfplug_thing".into(),
            config: planned_state.clone(),
            planned_state,
            ..Default::default()
        };
        let connection = &connection;
        async move {
            connection
                .call::<Response>("/tfplugin6.Provider/ApplyResourceChange", &request)
                .await
                .unwrap()
                .diagnostics
        }
    };
    configure(&connection).await;
    let _: stop_provider::Response = connection
        .call("/tfplugin6.Provider/StopProvider", &stop_provider::Request {})
        .await
        .unwrap();
    assert_eq!(
        apply("endless").await[0].summary,
        "The thing was not made: Terraform asked to stop"
    );
    configure(&connection).await;
    let waits = tokio::time::timeout(Duration::from_millis(200), apply("endless")).await;
    assert!(waits.is_err(), "{waits:?}");
}

#[tokio::test]
async fn an_apply_goes_on_when_its_client_stops_waiting() {
    use tfplugin6::apply_resource_change::{Request, Response};
    let folder = tempfile::tempdir().unwrap();
    let plugin = Plugin::start();
    let connection = plugin.connect().await.unwrap();
    configure(&connection).await;
    let planned_state = thing(&[
        ("folder", folder.path().to_str().unwrap()),
        ("name", "slow"),
        ("size", "1"),
        ("trouble", "slow"),
    ]);
    let request = Request {
        type_name: "tfplug_thing".into(),
        config: planned_state.clone(),
        planned_state,
        ..Default::default()
    };
    let call = connection.call::<Response>("/tfplugin6.Provider/ApplyResourceChange", &request);
    // Dropping the call resets its stream.
    tokio::select! {
        answer = call => panic!("{answer:?}"),
        () = is_there(folder.path().join("slow.begun")) => {}
    }
    std::fs::write(folder.path().join("slow.go"), "").unwrap();
    is_there(folder.path().join("slow.json")).await;
}

#[tokio::test]
async fn the_schema_is_complete() {
    let plugin = Plugin::start();
    let connection = plugin.connect().await.unwrap();
    let schema: get_provider_schema::Response = connection
        .call(
            "/tfplugin6.Provider/GetProviderSchema",
            &get_provider_schema::Request {},
        )
        .await
        .unwrap();
    let thing = schema.resource_schemas["tfplug_thing"].block.as_ref().unwrap();
    let attribute = |name: &str| {
        thing
            .attributes
            .iter()
            .find(|attribute| attribute.name == name)
            .unwrap()
    };
    assert!(attribute("secret_wo").write_only && !attribute("secret_wo").computed);
    assert!(attribute("size").optional && attribute("size").computed);
    assert_eq!(attribute("path").r#type, b"\"string\"");
    assert_eq!(attribute("disk").nested_type.as_ref().unwrap().attributes.len(), 3);
    assert!(schema.server_capabilities.unwrap().get_provider_schema_optional);
    assert!(schema.functions["join"].variadic_parameter.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_ends_the_process_and_removes_the_socket() {
    let mut plugin = Plugin::start();
    let connection = plugin.connect().await.unwrap();
    let _: () = connection.call("/plugin.GRPCController/Shutdown", &()).await.unwrap();
    drop(connection);
    let folder = plugin.socket_folder().to_owned();
    plugin.wait_for_end();
    assert!(!folder.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_and_stop_leave_the_server_up_and_a_termination_ends_it() {
    let mut plugin = Plugin::start();
    let connection = plugin.connect().await.unwrap();
    plugin.signal("INT");
    let stopped: stop_provider::Response = connection
        .call("/tfplugin6.Provider/StopProvider", &stop_provider::Request {})
        .await
        .unwrap();
    assert_eq!(stopped.error, "");
    metadata(&connection).await.unwrap();
    plugin.signal("TERM");
    let folder = plugin.socket_folder().to_owned();
    plugin.wait_for_end();
    assert!(!folder.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_gone_ends_the_process() {
    let mut plugin = Plugin::start();
    let connection = plugin.connect().await.unwrap();
    metadata(&connection).await.unwrap();
    drop(connection);
    plugin.wait_for_end();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_killed_in_an_apply_cancels_it_and_ends_the_process() {
    use tfplugin6::apply_resource_change::{Request, Response};
    let mut plugin = Plugin::start();
    let connection = plugin.connect().await.unwrap();
    configure(&connection).await;
    let folder = tempfile::tempdir().unwrap();
    let planned_state = thing(&[
        ("folder", folder.path().to_str().unwrap()),
        ("name", "never"),
        ("size", "1"),
        ("trouble", "endless"),
    ]);
    let request = Request {
        type_name: "tfplug_thing".into(),
        config: planned_state.clone(),
        planned_state,
        ..Default::default()
    };
    let call = connection.call::<Response>("/tfplugin6.Provider/ApplyResourceChange", &request);
    tokio::select! {
        answer = call => panic!("{answer:?}"),
        () = is_there(folder.path().join("never.begun")) => {}
    }
    drop(connection);
    plugin.wait_for_end();
    assert!(folder.path().join("never.stopped").exists(), "it was not told to stop");
}

#[test]
fn a_dead_parent_ends_the_process() {
    // A shell starts the provider and is killed before anything has connected.
    let mut command = Command::new("sh");
    command
        .args(["-c", "\"$0\" & echo $! >&2; wait"])
        .arg(example())
        .stderr(Stdio::piped());
    let mut plugin = Plugin::spawn(command);
    let mut pid = String::new();
    BufReader::new(plugin.child.stderr.take().unwrap())
        .read_line(&mut pid)
        .unwrap();
    plugin.signal("KILL");
    // The end of the provider is the end of its standard output.
    let mut rest = String::new();
    plugin.stdout.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "");
    assert!(!plugin.socket_folder().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_folder_of_a_killed_provider_is_removed_by_the_next_one() {
    let sockets = tempfile::tempdir().unwrap();
    let dead = sockets.path().join("tfplug-00000000000000aa");
    std::fs::create_dir(&dead).unwrap();
    drop(std::os::unix::net::UnixListener::bind(dead.join("p.sock")).unwrap());
    let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
    std::fs::File::open(&dead).unwrap().set_modified(long_ago).unwrap();
    let plugin = Plugin::spawn_in(sockets, Command::new(example()));
    is_so("the folder to be removed", || !dead.exists()).await;
    metadata(&plugin.connect().await.unwrap()).await.unwrap();
}

#[test]
fn an_invitation_without_a_certificate_is_an_error_and_no_handshake() {
    let output = Command::new(example())
        .env(
            "TF_PLUGIN_MAGIC_COOKIE",
            "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
        )
        .env_remove("PLUGIN_CLIENT_CERT")
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert!(output.stdout.is_empty());
    assert!(String::from_utf8_lossy(&output.stderr).contains("`PLUGIN_CLIENT_CERT`: it is not set"));
}

#[test]
fn a_person_gets_the_programs_own_answer() {
    let output = Command::new(example()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn debug_mode_serves_without_a_handshake_until_ctrl_c() {
    let mut child = Command::new(example())
        .arg("--debug")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let line = loop {
        let mut line = String::new();
        assert_ne!(stdout.read_line(&mut line).unwrap(), 0);
        if line.contains("TF_REATTACH_PROVIDERS") {
            break line;
        }
    };
    let json = line.trim().split_once('=').unwrap().1.trim_matches('\'');
    let reattach: serde_json::Value = serde_json::from_str(json).unwrap();
    let provider = &reattach["mlplat/tfplug"];
    assert_eq!(provider["Pid"], child.id());
    assert_eq!(provider["ProtocolVersion"], 6);
    let stream = tokio::net::UnixStream::connect(provider["Addr"]["String"].as_str().unwrap())
        .await
        .unwrap();
    let connection = Connection::over(stream).await.unwrap();
    metadata(&connection).await.unwrap();
    let _: () = connection.call("/plugin.GRPCController/Shutdown", &()).await.unwrap();
    metadata(&connection).await.expect("a person decides when it ends");
    signal(child.id(), "INT");
    while child.try_wait().unwrap().is_none() {
        pause();
    }
}
