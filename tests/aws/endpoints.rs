//! Where AWS is called when the configuration does not say it, and what a server does not know.

use crate::{Cloud, THIS, provider, resource};
use harness::emulators::{Emulator, Kind};
use harness::project::{Output, run};
use harness::{Fault, Project, terraform};
use std::time::{Duration, Instant};

/// A provider that names no endpoint, with further arguments of `aws`, and a bucket.
fn without_endpoints(name: &str, more: &str) -> String {
    format!(
        r#"
provider "mlplat" {{
  aws = {{
    region                  = "eu-central-1"
    access_key              = "AKIAIOSFODNN7EXAMPLE"
    secret_key              = "an-emulator-takes-any"
    s3_use_path_style       = true
    skip_metadata_api_check = true
    max_retries             = 3
    {more}
  }}
}}
{}"#,
        resource(&format!("bucket = \"{name}\""))
    )
}

fn with(project: &Project, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = project.command(&terraform());
    run(command.args(arguments).envs(variables.iter().copied()))
}

#[test]
fn an_endpoint_of_the_environment_is_a_warning_and_leads_past_no_list_of_accounts() {
    let url = Emulator::shared(Kind::Moto).url();
    let variables = [
        ("AWS_ENDPOINT_URL_S3", url.as_str()),
        ("AWS_ENDPOINT_URL_STS", url.as_str()),
    ];
    let project = Project::new(&without_endpoints("from-outside", ""));
    let plan = ["plan", "-no-color", "-input=false"];
    let told = with(&project, &plan, &variables).success().text;
    for words in ["Warning: S3 is not called at AWS", "AWS_ENDPOINT_URL_S3", url.as_str()] {
        assert!(told.contains(words), "{words} is not in:\n{told}");
    }
    project.write(
        "config",
        &format!("[default]\nservices = near\n[services near]\ns3 =\n  endpoint_url = {url}\n"),
    );
    let config = project.path("config").display().to_string();
    let profile = with(&project, &plan, &[("AWS_CONFIG_FILE", config.as_str()), variables[1]]);
    assert!(profile.success().text.contains("endpoint_url"));

    for list in [
        "allowed_account_ids = [\"123456789012\"]",
        "forbidden_account_ids = [\"210987654321\"]",
    ] {
        project.configure(&without_endpoints("from-outside", list));
        for one in variables {
            let refused = with(&project, &plan, &[one]);
            refused.fails_with(&[one.0, &url, "accounts are allowed or forbidden"]);
        }
        let endpoints = format!("{list}\nendpoints = {{ s3 = \"{url}\", sts = \"{url}\" }}");
        project.configure(&without_endpoints("from-outside", &endpoints));
        let told = with(&project, &plan, &variables).success().text;
        assert!(!told.contains("Warning: S3"), "{told}");
    }
    project.configure(&without_endpoints("from-outside", ""));
    let open = [("AWS_ENDPOINT_URL", "http://store.example.com")];
    with(&project, &plan, &open).fails_with(&["http://store.example.com", "without TLS"]);
}

#[test]
fn a_region_that_does_not_exist_is_refused_in_the_plan() {
    let cloud = Cloud::bucket(Kind::Moto, "bucket = \"nowhere\"\nregion = \"eu-centrall-1\"");
    cloud
        .project
        .plan()
        .fails_with(&["\"eu-centrall-1\" is no region of AWS", "did you mean eu-central-1?"]);
    let block = provider(&cloud.proxy.url(), "").replace("\"eu-central-1\"", "\"eu-central-99\"");
    cloud
        .project
        .configure(&format!("{block}{}", resource("bucket = \"nowhere\"")));
    cloud
        .project
        .plan()
        .fails_with(&["\"eu-central-99\" is no region of AWS"]);
    let skipped = block.replace(
        "s3_use_path_style",
        "skip_region_validation = true\n    s3_use_path_style",
    );
    cloud
        .project
        .configure(&format!("{skipped}{}", resource("bucket = \"nowhere\"")));
    assert_eq!(cloud.project.plan().code, Some(2));
    assert_eq!(cloud.proxy.calls(), []);
}

#[test]
fn a_server_whose_name_is_not_found_ends_an_apply_soon() {
    let nowhere = provider("https://s3.mlplat.invalid", "");
    let project = Project::new(&format!("{nowhere}{}", resource("bucket = \"no-name\"")));
    let start = Instant::now();
    project
        .apply_with(&[])
        .fails_with(&["the name of the server is not found", "To fix:"]);
    assert!(start.elapsed() < Duration::from_secs(90), "{:?}", start.elapsed());
}

#[test]
fn what_a_server_does_not_implement_is_told_and_keeps_no_bucket_from_being_destroyed() {
    let cloud = Cloud::bucket(Kind::Moto, "bucket = \"not-implemented\"");
    let missing = |call: &harness::Call| call.asks("publicAccessBlock");
    cloud.proxy.fault(Fault::Answer(501, "NotImplemented"), 1000, missing);
    cloud.project.apply_with(&[]).fails_with(&[
        "s3:PutBucketPublicAccessBlock is not implemented by this server",
        "applying again does not help",
    ]);
    assert!(
        cloud.project.resource(THIS).is_some(),
        "the bucket is there, and in the state"
    );
    cloud.leaves_nothing("not-implemented");
    // What the server has without the setting is no difference.
    let off = "block_public_acls = false, block_public_policy = false, ignore_public_acls = false, \
               restrict_public_buckets = false";
    cloud.configure(&format!(
        "bucket = \"not-implemented\"\npublic_access_block = {{ {off} }}"
    ));
    cloud.project.apply();
    cloud.project.plans_nothing();
    cloud.leaves_nothing("not-implemented");
}

#[test]
fn settings_that_no_argument_covers_are_told_and_left_alone() {
    let cloud = Cloud::bucket(
        Kind::Moto,
        "bucket = \"unmanaged\"\nobject_ownership = \"ObjectWriter\"\npublic_access_block = { block_public_acls = false, ignore_public_acls = false }\nattach_deny_insecure_transport_policy = false",
    );
    cloud.project.apply();
    let quiet = cloud.project.plan();
    assert!(
        quiet.code == Some(0) && !quiet.text.contains("settings that no argument covers"),
        "{}",
        quiet.text
    );
    let website =
        "<WebsiteConfiguration><IndexDocument><Suffix>index.html</Suffix></IndexDocument></WebsiteConfiguration>";
    assert!(cloud.emulator.s3("PUT", "/unmanaged?website", website).status() < 300);
    let public = harness::http::call(
        cloud.emulator.address(),
        "PUT",
        "/unmanaged?acl",
        &[
            ("Authorization", harness::emulators::AUTHORIZATION),
            ("x-amz-acl", "public-read"),
            ("Content-Length", "0"),
        ],
        "",
    );
    assert!(public.status() < 300, "{}", public.text());
    let plan = cloud.project.plan().text.replace('│', " ");
    let plan: Vec<&str> = plan.split_whitespace().collect();
    let plan = plan.join(" ");
    for words in [
        "settings that no argument covers",
        "access list: READ for everybody",
        "website",
    ] {
        assert!(plan.contains(words), "{words} is not in:\n{plan}");
    }
    cloud.project.apply();
    let told = cloud.project.resource(THIS).expect("in the state")["unmanaged_settings"].to_string();
    assert!(told.contains("everybody") && told.contains("website"), "{told}");
    assert_eq!(cloud.get("unmanaged", "website").status(), 200, "it is left alone");
    cloud.leaves_nothing("unmanaged");
}

/// The example of the guide.
#[test]
fn a_module_is_tested_with_a_mocked_provider() {
    let guide = harness::repository().join("docs/guides/testing-modules.md");
    let guide = std::fs::read_to_string(guide).expect("the guide");
    let example = guide
        .split("```terraform\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next());
    let module = r#"
resource "mlplat_aws_s3_bucket" "this" {
  bucket = "models"
}

resource "mlplat_environment" "this" {
  name          = "prod"
  endpoints     = { s3 = mlplat_aws_s3_bucket.this.endpoint }
  contract_file = "${path.module}/endpoints.yaml"
}
"#;
    let project = Project::new(module);
    project.write("bucket.tftest.hcl", example.expect("an example"));
    let tested = project.terraform(&["test", "-no-color"]).success();
    assert!(tested.text.contains("1 passed, 0 failed"), "{}", tested.text);
    // The provider still checks the configuration.
    project.configure(&module.replace("\"models\"", "\"Models\""));
    project
        .terraform(&["test", "-no-color"])
        .fails_with(&["must be 3 to 63 of a-z"]);
}
