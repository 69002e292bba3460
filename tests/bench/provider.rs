//! The provider's start, and plans over a provider that does nothing and over Terraform's own floor.

use crate::{measure, row};
use harness::program::binary;
use harness::{Project, mlplat, terraform};
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};
use std::time::Instant;

/// go-plugin's cookie for Terraform providers.
const COOKIE: &str = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2";

/// From exec to the handshake line, over the start of `true`.
pub(crate) fn start() {
    let client = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let certificate = client.cert.pem();
    let floor = middle(101, || {
        let start = Instant::now();
        Command::new("true").status().expect("true runs");
        start.elapsed().as_secs_f64() * 1e3
    });
    let taken = middle(101, || {
        let start = Instant::now();
        let mut provider = Command::new(mlplat())
            .env("TF_PLUGIN_MAGIC_COOKIE", COOKIE)
            .env("PLUGIN_PROTOCOL_VERSIONS", "5,6")
            .env("PLUGIN_CLIENT_CERT", &certificate)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the provider starts");
        let mut line = String::new();
        BufReader::new(provider.stdout.take().expect("piped"))
            .read_line(&mut line)
            .expect("a line");
        let taken = start.elapsed().as_secs_f64() * 1e3;
        assert!(line.starts_with("1|6|unix|"), "{line:?} is no handshake");
        provider.kill().expect("ours to end");
        provider.wait().expect("ended");
        taken
    });
    row("provider, start to handshake (over `true`)", taken, floor, "ms", "4 ms");
}

fn middle(runs: usize, mut measure: impl FnMut() -> f64) -> f64 {
    measure();
    let mut taken: Vec<f64> = (0..runs).map(|_| measure()).collect();
    taken.sort_by(f64::total_cmp);
    taken[runs / 2]
}

/// Plans of 1, 100 and 1,000 resources: ours, one of the same schema that does nothing, and `terraform_data`.
pub(crate) fn plans() {
    for resources in [1, 100, 1000] {
        let runs = if resources > 100 { 7 } else { 15 };
        let environments = |provider: &str| {
            Planned::new(&format!(
                r#"terraform {{
  required_providers {{
    {provider} = {{ source = "mlplat/{provider}" }}
  }}
}}
resource "{provider}_environment" "this" {{
  count         = {resources}
  name          = "e${{count.index}}"
  contract_file = "${{path.module}}/e${{count.index}}.yaml"
  endpoints     = {{ redis = {{ host = {{ address = "127.0.0.1", port = 6379 }}, tls = false }} }}
}}
"#
            ))
        };
        let (ours, noop) = (environments("mlplat"), environments("noop"));
        let floor = Planned::new(&format!(
            "resource \"terraform_data\" \"this\" {{\n  count = {resources}\n  input = \"e${{count.index}}\"\n}}\n"
        ));
        let commands: [&dyn Fn(&mut Command); 3] = [
            &|command| ours.plan(command),
            &|command| noop.plan(command),
            &|command| floor.plan(command),
        ];
        let [ours, noop, floor] = measure::medians(runs, None, commands);
        let goal = if resources == 1000 { "1.10 ×" } else { "" };
        let over = |than: &str, what: &str| format!("plan of {resources}: {what} over {than}");
        row(&over("a no-op provider", "CPU"), ours.cpu_ms, noop.cpu_ms, "ms", goal);
        row(&over("terraform_data", "CPU"), ours.cpu_ms, floor.cpu_ms, "ms", "");
        row(&over("a no-op provider", "wall"), ours.wall_ms, noop.wall_ms, "ms", "");
    }
}

/// A configuration to plan, with our provider and the no-op one at hand.
struct Planned(Project);

impl Planned {
    fn new(configuration: &str) -> Self {
        let project = Project::new("");
        project.write("main.tf", configuration);
        let plugins = project.path("plugins");
        fs::create_dir(&plugins).expect("a folder");
        symlink(binary("noop-provider"), plugins.join("terraform-provider-noop")).expect("a link");
        symlink(mlplat(), plugins.join("terraform-provider-mlplat")).expect("a link");
        let folder = plugins.display().to_string();
        project.write(
            "terraform.rc",
            &format!(
                "provider_installation {{\n  dev_overrides {{\n    \"mlplat/mlplat\" = {folder:?}\n    \"mlplat/noop\" = {folder:?}\n  }}\n}}\n"
            ),
        );
        Self(project)
    }

    fn plan(&self, command: &mut Command) {
        command
            .arg(terraform())
            .args(["plan", "-input=false", "-no-color"])
            .current_dir(self.0.folder());
        for (key, value) in self.0.command(&terraform()).get_envs() {
            if let Some(value) = value {
                command.env(key, value);
            }
        }
    }
}
