//! Bad input gets an error that names the attribute, before anything is made.

use crate::CACHE;
use harness::Project;

#[track_caller]
fn refused(configuration: &str, words: &[&str]) {
    let project = Project::new(configuration);
    project.apply_with(&[]).fails_with(words);
    assert!(!project.path("data/stacks").exists(), "nothing was written");
    assert!(project.resource("mlplat_local_services.this").is_none());
}

#[test]
fn an_unknown_engine_is_refused_with_the_known_ones() {
    refused(
        &CACHE.replace("{}", "{ engine = \"memcached\" }"),
        &["redis.engine", "memcached", "valkey"],
    );
}

#[test]
fn a_port_out_of_range_is_refused() {
    refused(
        &CACHE.replace("{}", "{ port = 70000 }"),
        &["redis.port", "70000", "65535"],
    );
}

#[test]
fn a_name_that_is_no_label_is_refused() {
    refused(
        &CACHE.replace("\"cache\"", "\"No Such Name\""),
        &["name", "No Such Name"],
    );
}

#[test]
fn a_runtime_that_does_not_exist_is_refused() {
    refused(
        &CACHE.replace("redis = {}", "redis = {}\n  runtime = \"vm\""),
        &["runtime", "process"],
    );
}

#[test]
fn a_bucket_name_that_s3_refuses_is_refused() {
    let stack = CACHE.replace("redis = {}", "object_store = { buckets = [\"Not_A_Bucket\"] }");
    refused(&stack, &["object_store.buckets", "Not_A_Bucket"]);
}

#[test]
fn two_services_on_one_port_are_refused() {
    let stack = CACHE.replace(
        "redis = {}",
        "redis = { port = 16379 }\n  postgres = { database = \"a\", port = 16379 }",
    );
    refused(&stack, &["16379", "port"]);
}

#[test]
fn a_relative_data_directory_is_refused() {
    refused(
        &CACHE.replace("redis = {}", "redis = {}\n  data_dir = \"here\""),
        &["data_dir", "absolute"],
    );
}

#[test]
fn a_stack_that_never_was_cannot_be_taken_down() {
    let project = Project::new("");
    for arguments in [&["down", "nothere"][..], &["down", "nothere", "--delete-data"]] {
        project
            .mlplat(arguments)
            .fails_with(&["there is no local stack in", "nothere"]);
    }
}
