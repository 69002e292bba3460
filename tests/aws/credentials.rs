//! Where region, address and credentials come from, and whose the calls are then.

use crate::{THIS, resource};
use harness::emulators::{Emulator, Kind};
use harness::project::{Output, run};
use harness::{FaultProxy, Project, terraform};

/// A project whose provider reaches moto; what it is told of it stands in the block or in the environment.
struct Cloud {
    project: Project,
    proxy: FaultProxy,
    variables: Vec<(&'static str, String)>,
}

impl Cloud {
    fn new() -> Self {
        Self {
            project: Project::new(""),
            proxy: FaultProxy::before(Emulator::shared(Kind::Moto).address()),
            variables: Vec::new(),
        }
    }

    /// The bucket with this name, made by a provider with these arguments of `aws`.
    fn configure(&self, name: &str, arguments: &str) {
        let block = format!(
            "provider \"mlplat\" {{\n  aws = {{\n    s3_use_path_style = true\n    skip_metadata_api_check = true\n{arguments}\n  }}\n}}\n"
        );
        let bucket = resource(&format!("bucket = \"{name}\""));
        self.project.configure(&format!("{block}{bucket}"));
    }

    /// Where both services are, for the block.
    fn endpoints(&self) -> String {
        let url = self.proxy.url();
        format!("endpoints = {{ s3 = \"{url}\", sts = \"{url}\" }}")
    }

    /// Runs Terraform with nothing of AWS in its environment but the variables of this test.
    fn terraform(&self, arguments: &[&str]) -> Output {
        let mut command = self.project.command(&terraform());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("AWS_") {
                command.env_remove(name);
            }
        }
        command.env("HOME", self.project.folder());
        run(command
            .args(arguments)
            .envs(self.variables.iter().map(|(name, value)| (name, value))))
    }

    /// Applies, plans nothing more, destroys; the keys that signed the calls to S3.
    #[track_caller]
    fn lives(&self) -> Vec<String> {
        let automatic = ["-auto-approve", "-no-color", "-input=false"];
        self.terraform(&[&["apply"], &automatic[..]].concat()).success();
        assert!(self.project.resource(THIS).is_some());
        let plan = self.terraform(&["plan", "-no-color", "-detailed-exitcode"]);
        assert_eq!(plan.code, Some(0), "{}", plan.text);
        self.terraform(&[&["destroy"], &automatic[..]].concat()).success();
        let mut keys: Vec<String> = self
            .proxy
            .take_calls()
            .into_iter()
            .filter(|call| call.path != "/")
            .map(|call| call.key)
            .collect();
        keys.sort();
        keys.dedup();
        keys
    }
}

const CONFIG: &str = "[profile ml]\nregion = eu-west-1\n";
const SECRETS: &str = "[ml]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = an-emulator-takes-any\n";

#[test]
fn a_profile_in_shared_files_gives_region_and_credentials() {
    let mut cloud = Cloud::new();
    cloud.project.write("config", CONFIG);
    cloud.project.write("secrets", SECRETS);
    let files = format!(
        "profile = \"ml\"\nshared_config_files = [{:?}]\nshared_credentials_files = [{:?}]\n{}",
        cloud.project.path("config"),
        cloud.project.path("secrets"),
        cloud.endpoints(),
    );
    // The profile that is named comes before keys of the environment.
    cloud.variables = vec![
        ("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "an-emulator-takes-any".to_owned()),
    ];
    cloud.configure("by-profile", &files);
    assert_eq!(cloud.lives(), ["AKIAPROFILE"]);
}

#[test]
fn the_environment_gives_address_region_and_credentials() {
    let mut cloud = Cloud::new();
    let url = cloud.proxy.url();
    cloud.variables = vec![
        ("AWS_REGION", "eu-north-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "an-emulator-takes-any".to_owned()),
        // Nobody listens there: what names the service comes first.
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9".to_owned()),
        ("AWS_ENDPOINT_URL_S3", url.clone()),
        ("AWS_ENDPOINT_URL_STS", url),
    ];
    cloud.configure("by-environment", "retry_mode = \"adaptive\"");
    assert_eq!(cloud.lives(), ["AKIAENVIRONMENT"]);
}

#[test]
fn a_role_is_assumed_and_signs_every_call() {
    let cloud = Cloud::new();
    let role = "arn:aws:iam::123456789012:role/terraform";
    let keys = "access_key = \"AKIACALLER\"\nsecret_key = \"an-emulator-takes-any\"";
    let of_caller = format!(
        "region = \"eu-central-1\"\n{keys}\nassume_role = {{ role_arn = \"{role}\", duration = \"1h\", tags = {{ team = \"ml\" }} }}\n{}",
        cloud.endpoints()
    );
    cloud.project.write("token", "a token of OpenID Connect\n");
    let of_token = format!(
        "region = \"eu-central-1\"\nassume_role_with_web_identity = {{ role_arn = \"{role}\", web_identity_token_file = {:?} }}\n{}",
        cloud.project.path("token"),
        cloud.endpoints()
    );
    for (name, arguments) in [("by-role", of_caller), ("by-web-identity", of_token)] {
        cloud.configure(name, &arguments);
        let signers = cloud.lives();
        // Each process of the provider has a session of its own.
        assert!(!signers.is_empty(), "{name}");
        assert!(signers.iter().all(|key| key.starts_with("ASIA")), "{name}: {signers:?}");
    }
}

#[test]
fn an_account_that_is_not_allowed_is_refused_before_anything_is_made() {
    let cloud = Cloud::new();
    let keys = "region = \"eu-central-1\"\naccess_key = \"AKIACALLER\"\nsecret_key = \"an-emulator-takes-any\"";
    cloud.configure(
        "elsewhere",
        &format!(
            "{keys}\nallowed_account_ids = [\"999999999999\"]\n{}",
            cloud.endpoints()
        ),
    );
    cloud
        .terraform(&["apply", "-auto-approve", "-no-color"])
        .fails_with(&["123456789012", "allowed_account_ids"]);
    assert!(cloud.proxy.calls().iter().all(|call| call.path == "/"), "S3 was called");
}

#[test]
fn settings_that_an_apply_gives_are_waited_for() {
    let cloud = Cloud::new();
    cloud.configure(
        "later",
        &format!(
            "region = terraform_data.region.output\naccess_key = \"AKIALATER\"\nsecret_key = \"an-emulator-takes-any\"\n{}",
            cloud.endpoints()
        ),
    );
    let main = std::fs::read_to_string(cloud.project.path("main.tf")).expect("the configuration");
    let more = r#"
resource "terraform_data" "region" { input = "eu-south-2" }
data "mlplat_aws_s3_bucket" "found" { bucket = mlplat_aws_s3_bucket.this.bucket }
output "endpoint" { value = data.mlplat_aws_s3_bucket.found.endpoint }
"#;
    cloud.project.write("main.tf", &format!("{main}{more}"));
    assert_eq!(cloud.lives(), ["AKIALATER"]);
}
