//! The provider's AWS resources under real Terraform, over HTTP against moto and MiniStack. Names are global in an emulator, so
//! every case has its own.
#![allow(clippy::disallowed_methods, reason = "a test driver reads the environment")]

mod credentials;
mod cut_off;
mod endpoints;
mod environments;
mod faults;
mod kill_rounds;
mod kills;
mod lifecycle;
mod ownership;
mod secrets;
mod settings;
mod signatures;
mod ways;

use harness::emulators::{Emulator, Kind};
use harness::{FaultProxy, Project};

const BOTH: [Kind; 2] = [Kind::Moto, Kind::MiniStack];
/// The address of the resource in these configurations.
const THIS: &str = "mlplat_aws_s3_bucket.this";

/// A project whose provider reaches an emulator through a proxy of its own.
struct Cloud {
    project: Project,
    proxy: FaultProxy,
    emulator: &'static Emulator,
}

impl Cloud {
    /// A project with one bucket of these arguments.
    fn bucket(kind: Kind, arguments: &str) -> Self {
        let emulator = Emulator::shared(kind);
        let cloud = Self {
            project: Project::new(""),
            proxy: FaultProxy::before(emulator.address()),
            emulator,
        };
        cloud.configure(arguments);
        cloud
    }

    /// Gives the bucket these arguments.
    fn configure(&self, arguments: &str) {
        self.project
            .configure(&format!("{}{}", provider(&self.proxy.url(), ""), resource(arguments)));
    }

    /// The bucket's settings as the emulator has them.
    fn get(&self, bucket: &str, setting: &str) -> harness::http::Message {
        self.emulator.s3("GET", &format!("/{bucket}?{setting}"), "")
    }

    /// The emulator's buckets whose names start so.
    fn buckets(&self, prefix: &str) -> Vec<String> {
        let listed = self.emulator.s3("GET", "/", "").text();
        let names = listed.split("<Name>").skip(1).filter_map(|rest| rest.split('<').next());
        names
            .filter(|name| name.starts_with(prefix))
            .map(ToOwned::to_owned)
            .collect()
    }

    /// What this machine has noted of buckets.
    fn notes(&self) -> Vec<std::ffi::OsString> {
        let notes = std::fs::read_dir(self.project.path("data/aws/s3_bucket"));
        notes
            .into_iter()
            .flatten()
            .flatten()
            .map(|note| note.file_name())
            .collect()
    }

    /// # Panics
    /// When destroying fails or leaves a bucket whose name starts so.
    #[track_caller]
    fn leaves_nothing(&self, prefix: &str) {
        self.project.destroy();
        assert_eq!(self.buckets(prefix), Vec::<String>::new(), "left after destroy");
        assert!(self.project.resource(THIS).is_none());
        assert!(self.notes().is_empty(), "{:?} is noted after destroy", self.notes());
    }
}

/// A provider block for this address of every service, with further arguments of `aws`.
fn provider(url: &str, more: &str) -> String {
    format!(
        r#"
provider "mlplat" {{
  aws = {{
    region                  = "eu-central-1"
    access_key              = "AKIAIOSFODNN7EXAMPLE"
    secret_key              = "an-emulator-takes-any"
    endpoints               = {{ s3 = "{url}", sts = "{url}" }}
    s3_use_path_style       = true
    skip_metadata_api_check = true
    {more}
  }}
}}
"#
    )
}

fn resource(arguments: &str) -> String {
    format!("\nresource \"mlplat_aws_s3_bucket\" \"this\" {{\n{arguments}\n}}\n")
}
