//! The ways to AWS: its own names, proxies, and whom the provider trusts, shown by what arrives there.

use crate::{THIS, resource};
use harness::emulators::{Emulator, Kind};
use harness::project::{Output, run};
use harness::{FaultProxy, Project, TlsEndpoint, terraform};
use std::fmt::Write;

/// What AWS calls S3 and STS in a region, in a name each and as every bucket's.
const NAMES: [&str; 8] = [
    "*.eu-central-1.amazonaws.com",
    "*.eu-central-1.api.aws",
    "*.s3.eu-central-1.amazonaws.com",
    "*.s3-fips.eu-central-1.amazonaws.com",
    "*.s3.dualstack.eu-central-1.amazonaws.com",
    "*.s3-fips.dualstack.eu-central-1.amazonaws.com",
    "localhost",
    "127.0.0.1",
];

/// A provider under another name, with these arguments of `aws`, and a bucket that it looks up.
fn way(name: &str, bucket: &str, arguments: &str) -> String {
    format!(
        r#"
provider "mlplat" {{
  alias = "{name}"
  aws = {{
    region                  = "eu-central-1"
    access_key              = "{name}"
    secret_key              = "an-emulator-takes-any"
    skip_metadata_api_check = true
    {arguments}
  }}
}}

data "mlplat_aws_s3_bucket" "{name}" {{
  provider = mlplat.{name}
  bucket   = "{bucket}"
}}

output "{name}" {{
  value = data.mlplat_aws_s3_bucket.{name}.endpoint.host.url
}}
"#
    )
}

/// Plans with nothing of AWS and proxies in the environment but these variables.
fn plan(project: &Project, variables: &[(&str, &str)]) -> Output {
    in_terraform(project, &["plan", "-no-color", "-input=false"], variables)
}

fn in_terraform(project: &Project, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = project.command(&terraform());
    for (name, _) in std::env::vars_os() {
        let upper = name.to_string_lossy().to_uppercase();
        if upper.starts_with("AWS_") || upper.ends_with("_PROXY") {
            command.env_remove(name);
        }
    }
    command.env("HOME", project.folder());
    run(command.args(arguments).envs(variables.iter().copied()))
}

/// The hosts that callers asked a proxy for. (How often tells how busy the machine is: a call that takes long is repeated.)
fn hosts(proxy: &FaultProxy) -> Vec<String> {
    let mut hosts: Vec<String> = proxy
        .take_calls()
        .into_iter()
        .filter_map(|call| call.asked_for)
        .collect();
    hosts.sort();
    hosts.dedup();
    hosts
}

/// The keys that signed the calls.
fn keys(proxy: &FaultProxy) -> Vec<String> {
    let mut keys: Vec<String> = proxy.take_calls().into_iter().map(|call| call.key).collect();
    keys.sort();
    keys.dedup();
    keys
}

#[test]
fn aws_is_called_by_its_own_names_through_the_proxy_for_https() {
    let emulator = Emulator::shared(Kind::MiniStack);
    emulator.make_bucket("by-name");
    let tls = TlsEndpoint::before(emulator.address(), &NAMES);
    let proxy = FaultProxy::before(tls.address());
    let project = Project::new("");
    project.write("ca.pem", tls.authority());
    let bundle = project.path("ca.pem");
    let through = format!("https_proxy = \"{}\"\ncustom_ca_bundle = {bundle:?}", proxy.url());

    let ways = [
        ("plain", "", "s3", "sts.eu-central-1.amazonaws.com"),
        (
            "fips",
            "use_fips_endpoint = true",
            "s3-fips",
            "sts-fips.eu-central-1.amazonaws.com",
        ),
        (
            "dual",
            "use_dualstack_endpoint = true",
            "s3.dualstack",
            "sts.eu-central-1.api.aws",
        ),
        (
            "both",
            "use_fips_endpoint = true\nuse_dualstack_endpoint = true",
            "s3-fips.dualstack",
            "sts-fips.eu-central-1.api.aws",
        ),
    ];
    let mut configuration = String::new();
    let mut called = Vec::new();
    for (name, arguments, s3, sts) in ways {
        configuration += &way(name, "by-name", &format!("{arguments}\n{through}"));
        called.push(format!("{sts}:443"));
        called.push(format!("by-name.{s3}.eu-central-1.amazonaws.com:443"));
    }
    called.sort();
    project.configure(&configuration);
    let planned = plan(&project, &[]).success();
    assert_eq!(hosts(&proxy), called);
    // What applications are told is what was called.
    for (name, _, s3, _) in ways {
        let told = format!("+ {name:<5} = \"https://{s3}.eu-central-1.amazonaws.com\"");
        assert!(planned.text.contains(&told), "{told} is not in:\n{}", planned.text);
    }

    // The same by the environment, and what the block says comes first.
    let env = way("env", "by-name", "") + &way("block", "by-name", "use_fips_endpoint = false");
    project.configure(&env);
    let (url, bundle) = (proxy.url(), bundle.display().to_string());
    let variables = [
        ("HTTPS_PROXY", url.as_str()),
        ("AWS_CA_BUNDLE", &bundle),
        ("AWS_USE_FIPS_ENDPOINT", "true"),
    ];
    plan(&project, &variables).success();
    let expected = [
        "by-name.s3-fips.eu-central-1.amazonaws.com:443",
        "by-name.s3.eu-central-1.amazonaws.com:443",
        "sts-fips.eu-central-1.amazonaws.com:443",
        "sts.eu-central-1.amazonaws.com:443",
    ];
    assert_eq!(hosts(&proxy), expected, "by the environment");
}

#[test]
fn every_scheme_takes_its_proxy_and_some_hosts_take_none() {
    let emulator = Emulator::shared(Kind::MiniStack);
    emulator.make_bucket("by-proxy");
    let tls = TlsEndpoint::before(emulator.address(), &NAMES);
    let (direct, plain, secure) = (
        FaultProxy::before(emulator.address()),
        FaultProxy::before(emulator.address()),
        FaultProxy::before(tls.address()),
    );
    let project = Project::new("");
    project.write("ca.pem", tls.authority());
    let bundle = project.path("ca.pem").display().to_string();
    let at = |url: &str| format!("s3_use_path_style = true\nendpoints = {{ s3 = \"{url}\", sts = \"{url}\" }}");
    let over_http = at(&direct.url());
    let over_tls = format!(
        "{}\ncustom_ca_bundle = {bundle:?}",
        at(&format!("https://{}", tls.address()))
    );
    let (http_proxy, https_proxy) = (
        format!("http_proxy = \"{}\"", plain.url()),
        format!("https_proxy = \"{}\"", secure.url()),
    );
    let mut configuration = String::new();
    for (name, arguments) in [
        ("http", format!("{over_http}\n{http_proxy}")),
        (
            "httpbypassed",
            format!("{over_http}\n{http_proxy}\nno_proxy = \"example.com,127.0.0.1\""),
        ),
        ("otherscheme", format!("{over_http}\n{https_proxy}")),
        ("https", format!("{over_tls}\n{https_proxy}")),
        (
            "httpsbypassed",
            format!("{over_tls}\n{https_proxy}\nno_proxy = \"127.0.0.1\""),
        ),
    ] {
        let _ = write!(configuration, "{}", way(name, "by-proxy", &arguments));
    }
    project.configure(&configuration);
    plan(&project, &[]).success();
    let there = format!("127.0.0.1:{}", tls.address().port());
    let asked = direct.url().replace("http://", "");
    assert!(plain.calls().iter().all(|call| call.asked_for.as_ref() == Some(&asked)));
    assert_eq!(keys(&plain), ["http"]);
    assert_eq!(keys(&direct), ["httpbypassed", "otherscheme"]);
    assert!(secure.calls().len() >= 2, "S3 and STS of one provider");
    assert_eq!(hosts(&secure), [there]);

    // A proxy of the environment is not for this machine.
    project.configure(&way("env", "by-proxy", &over_http));
    plan(&project, &[("HTTP_PROXY", &plain.url()), ("http_proxy", &plain.url())]).success();
    assert_eq!((keys(&plain), keys(&direct)), (vec![], vec!["env".to_owned()]));

    // What a proxy refuses is told, with where to look.
    secure.fault(
        harness::Fault::Answer(407, "ProxyAuthenticationRequired"),
        100,
        |call| call.method == "CONNECT",
    );
    project.configure(&way(
        "refused",
        "by-proxy",
        &format!("{over_tls}\n{https_proxy}\nmax_retries = 1"),
    ));
    plan(&project, &[]).fails_with(&["Connect", "proxy authorization required", "To fix:"]);
}

#[test]
fn a_bucket_lives_behind_tls_of_an_authority_that_is_named_and_behind_no_other() {
    let emulator = Emulator::shared(Kind::Moto);
    let tls = TlsEndpoint::before(emulator.address(), &NAMES);
    let project = Project::new("");
    project.write("ca.pem", tls.authority());
    let url = format!("https://localhost:{}", tls.address().port());
    let of = |more: &str| format!("{}{}", crate::provider(&url, more), resource("bucket = \"behind-tls\""));
    let bundle = format!("custom_ca_bundle = {:?}", project.path("ca.pem"));
    let untrusted = ["certificate is not trusted", "To fix:", "custom_ca_bundle"];

    // The system's authorities do not know it; that is told at once, not after 25 attempts and their pauses.
    project.configure(&of(""));
    project.apply_with(&[]).fails_with(&untrusted);
    assert!(project.resource(THIS).is_none());
    project.configure(&of(&bundle));
    project.apply();
    project.plans_nothing();
    project.write("ca.pem", TlsEndpoint::before(emulator.address(), &NAMES).authority());
    project.plan().fails_with(&untrusted);
    assert!(project.resource(THIS).is_some(), "not to be trusted is not to be gone");
    project.write("ca.pem", tls.authority());
    project.destroy();
    assert_eq!(emulator.s3("HEAD", "/behind-tls", "").status(), 404);
}

#[test]
fn a_plan_of_what_is_new_and_a_local_configuration_call_nothing() {
    let proxy = FaultProxy::before(Emulator::shared(Kind::Moto).address());
    let project = Project::new("");
    // No credentials anywhere, and a profile that does not exist.
    let block = format!(
        "provider \"mlplat\" {{\n  aws = {{\n    region = \"eu-central-1\"\n    profile = \"nobodys\"\n    endpoints = {{ s3 = \"{url}\", sts = \"{url}\" }}\n  }}\n}}\n",
        url = proxy.url()
    );
    project.configure(&format!("{block}{}", resource("bucket = \"only-planned\"")));
    let planned = plan(&project, &[]).success();
    for told in [
        "1 to add",
        "arn:aws:s3:::only-planned",
        "only-planned.s3.eu-central-1.amazonaws.com",
    ] {
        assert!(planned.text.contains(told), "{told} is not in:\n{}", planned.text);
    }
    let local = r#"
resource "mlplat_environment" "this" {
  name          = "given"
  contract_file = "${path.module}/endpoints.yaml"
  endpoints     = { redis = { host = { address = "cache.example.test", port = 6379 }, tls = false } }
}
"#;
    project.configure(&format!("{block}{local}"));
    for command in ["apply", "destroy"] {
        in_terraform(&project, &[command, "-auto-approve", "-no-color"], &[]).success();
    }
    assert_eq!(proxy.calls(), []);
}
