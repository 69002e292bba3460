//! One archive that every engine loads: an OCI image layout (`ctr images import`, `kind load image-archive`, crane) which
//! is a docker-archive too (`docker load`, from 20.10 on), because both name the same blobs.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::tar::Tar;

/// Not root, and a number: the kubelet cannot tell whether a name is root.
const USER: &str = "65532:65532";

/// An image for Linux.
pub(crate) struct Image<'a> {
    /// Its repository, such as `mlplat/inject-endpoints`.
    pub(crate) name: &'a str,
    pub(crate) architecture: &'static str,
    pub(crate) entrypoint: String,
    /// Layers, lowest first, each an uncompressed tar: its digest is that of the content, and engines compress anyway
    /// when they push.
    pub(crate) layers: Vec<Vec<u8>>,
}

impl Image<'_> {
    /// Name and tag, as manifests write them; the tag is the version of this workspace.
    pub(crate) fn reference(&self) -> String {
        format!("{}:{}", self.name, env!("CARGO_PKG_VERSION"))
    }

    /// Writes `FOLDER/NAME.tar`, with the last part of the name.
    pub(crate) fn write(&self, folder: &Path) -> Result<PathBuf, String> {
        let mut archive = Tar::default();
        let mut blob = |content: &[u8]| {
            let digest = hex(&Sha256::digest(content));
            archive.file(&format!("blobs/sha256/{digest}"), 0o644, content);
            digest
        };
        let layers: Vec<String> = self.layers.iter().map(|layer| blob(layer)).collect();
        let descriptor = |kind: &str, digest: &str, size: usize| json!({ "mediaType": format!("application/vnd.oci.image.{kind}"), "digest": format!("sha256:{digest}"), "size": size });
        let config = self.config(&layers).to_string();
        let config_digest = blob(config.as_bytes());
        let described = layers
            .iter()
            .zip(&self.layers)
            .map(|(digest, layer)| descriptor("layer.v1.tar", digest, layer.len()));
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": descriptor("config.v1+json", &config_digest, config.len()),
            "layers": described.collect::<Vec<_>>(),
        })
        .to_string();
        let manifest_digest = blob(manifest.as_bytes());
        let mut top = descriptor("manifest.v1+json", &manifest_digest, manifest.len());
        top["platform"] = json!({ "architecture": self.architecture, "os": "linux" });
        top["annotations"] = json!({
            "io.containerd.image.name": self.full_reference(),
            "org.opencontainers.image.ref.name": env!("CARGO_PKG_VERSION"),
        });
        let index =
            json!({ "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [top] });
        let path = |digest: &String| format!("blobs/sha256/{digest}");
        let docker = json!([{
            "Config": path(&config_digest),
            "RepoTags": [self.reference()],
            "Layers": layers.iter().map(path).collect::<Vec<_>>(),
        }]);
        archive.file(
            "oci-layout",
            0o644,
            json!({ "imageLayoutVersion": "1.0.0" }).to_string().as_bytes(),
        );
        archive.file("index.json", 0o644, index.to_string().as_bytes());
        archive.file("manifest.json", 0o644, docker.to_string().as_bytes());

        let file = folder.join(format!("{}.tar", self.name.rsplit('/').next().unwrap_or(self.name)));
        let fail = |error: std::io::Error| format!("{} cannot be written: {error}", file.display());
        // Whoever reads it meanwhile sees the old one or the new one.
        let beside = file.with_extension(format!("tar.{}", std::process::id()));
        fs::write(&beside, archive.finish()?).map_err(fail)?;
        fs::rename(&beside, &file).map_err(fail)?;
        Ok(file)
    }

    fn config(&self, layers: &[String]) -> Value {
        json!({
            "architecture": self.architecture,
            "os": "linux",
            "created": "1970-01-01T00:00:00Z",
            "config": {
                "User": USER,
                "Env": ["PATH=/usr/local/bin"],
                "Entrypoint": [self.entrypoint],
                "WorkingDir": "/",
            },
            "rootfs": { "type": "layers", "diff_ids": layers.iter().map(|digest| format!("sha256:{digest}")).collect::<Vec<_>>() },
        })
    }

    /// With the registry that Kubernetes and Docker add to a name that has none.
    fn full_reference(&self) -> String {
        let reference = self.reference();
        match self.name.split_once('/') {
            None => format!("docker.io/library/{reference}"),
            Some((first, _)) if first.contains(['.', ':']) || first == "localhost" => reference,
            Some(_) => format!("docker.io/{reference}"),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
