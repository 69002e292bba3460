//! The node's files: keys, tokens, and the configuration of every part.

use super::programs::Programs;
use super::site::{NODE, Site};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use std::fs;
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// The image that holds every pod's namespaces, as containerd names it.
pub(super) const POD_IMAGE: &str = concat!("docker.io/library/mlplat-pod:", env!("CARGO_PKG_VERSION"));

/// So many claims of volumes a node can serve in its life.
const VOLUMES: u8 = 12;

const TEMPLATES: [(&str, &str); 6] = [
    ("etc/kubelet.yaml", include_str!("etc/kubelet.yaml")),
    ("etc/containerd.toml", include_str!("etc/containerd.toml")),
    ("etc/kube-proxy.yaml", include_str!("etc/kube-proxy.yaml")),
    ("etc/cni/pods.conflist", include_str!("etc/cni/pods.conflist")),
    ("etc/Corefile", include_str!("etc/Corefile")),
    ("etc/dns.yaml", include_str!("etc/dns.yaml")),
];

/// Makes the folders that the parts write into, before there is an address.
pub(super) fn folders(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    // The machine's other users have no business with tokens and keys.
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    for name in [
        "logs",
        "etc/cni",
        "pki",
        "run",
        "kubelet/plugins",
        "etcd",
        "containerd",
        "var/log",
        "var/lib",
        "var/work",
    ] {
        fs::create_dir_all(folder.join(name))?;
    }
    Ok(())
}

/// Writes everything that depends on the addresses; the file `slot` comes last and lets the node begin.
pub(super) fn write(site: &Site, programs: &Programs) -> Result<(), String> {
    let authority = keys(site).map_err(|error| format!("the node's keys cannot be made: {error}"))?;
    write_texts(site, programs, &authority).map_err(|error| format!("the node's files cannot be written: {error}"))
}

fn write_texts(site: &Site, programs: &Programs, authority: &str) -> io::Result<()> {
    let token = random_token()?;
    let values = [
        ("folder", site.folder().display().to_string()),
        ("name", NODE.to_owned()),
        ("node", site.node().to_string()),
        ("pods", site.pods()),
        ("dns", site.dns().to_string()),
        ("pod_image", POD_IMAGE.to_owned()),
        ("cni", programs.cni.display().to_string()),
        ("authority", base64(authority.as_bytes())),
        ("token", token.clone()),
    ];
    for (name, template) in TEMPLATES {
        fs::write(site.folder().join(name), fill(template, &values))?;
    }
    let volumes: Vec<String> = (0..VOLUMES)
        .map(|number| volume(site, number))
        .collect::<io::Result<_>>()?;
    fs::write(site.folder().join("etc/volumes.yaml"), volumes.join("---\n"))?;
    // No search domains and no servers of the machine's: what a pod asks for is in the cluster.
    fs::write(site.folder().join("etc/resolv.conf"), "")?;
    private(
        &site.folder().join("pki/tokens.csv"),
        &format!("{token},admin,admin,system:masters\n"),
    )?;
    private(&site.kubeconfig(), &fill(include_str!("etc/kubeconfig.yaml"), &values))?;
    let beside = site.folder().join("slot.new");
    fs::write(&beside, site.slot().to_string())?;
    fs::rename(beside, site.folder().join("slot"))
}

/// An authority, the API server's certificate and its identity towards the kubelet, and the key of service accounts.
fn keys(site: &Site) -> Result<String, Box<dyn std::error::Error>> {
    let pki = site.folder().join("pki");
    let authority_key = KeyPair::generate()?;
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.distinguished_name.push(DnType::CommonName, "mlplat node");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_pem = authority.self_signed(&authority_key)?.pem();
    let issuer = Issuer::new(authority, authority_key);
    fs::write(pki.join("ca.crt"), &authority_pem)?;

    let mut names: Vec<String> = [
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "kubernetes.default.svc.cluster.local",
    ]
    .map(str::to_owned)
    .to_vec();
    names.extend([
        site.node().to_string(),
        site.first_service().to_string(),
        "127.0.0.1".to_owned(),
    ]);
    for (file, common_name, names) in [
        ("apiserver", "kube-apiserver", names),
        ("kubelet-client", "kube-apiserver", Vec::new()),
    ] {
        let key = KeyPair::generate()?;
        let mut certificate = CertificateParams::new(names)?;
        certificate.distinguished_name.push(DnType::CommonName, common_name);
        fs::write(
            pki.join(file).with_extension("crt"),
            certificate.signed_by(&key, &issuer)?.pem(),
        )?;
        private(&pki.join(file).with_extension("key"), &key.serialize_pem())?;
    }
    let accounts = KeyPair::generate()?;
    fs::write(pki.join("accounts.pub"), accounts.public_key_pem())?;
    private(&pki.join("accounts.key"), &accounts.serialize_pem())?;
    Ok(authority_pem)
}

/// A volume for the first claim that names no storage class.
fn volume(site: &Site, number: u8) -> io::Result<String> {
    let place = site.folder().join(format!("volumes/{number}"));
    fs::create_dir_all(&place)?;
    let values = [
        ("name", NODE.to_owned()),
        ("number", number.to_string()),
        ("place", place.display().to_string()),
    ];
    Ok(fill(include_str!("etc/volume.yaml"), &values))
}

fn fill(template: &str, values: &[(&str, String)]) -> String {
    let filled = values.iter().fold(template.to_owned(), |text, (name, value)| {
        text.replace(&format!("{{{{{name}}}}}"), value)
    });
    assert!(!filled.contains("{{"), "a name without a value in:\n{filled}");
    filled
}

fn private(path: &Path, text: &str) -> io::Result<()> {
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    io::Write::write_all(&mut file, text.as_bytes())
}

/// 128 bits, in the kernel's own notation.
fn random_token() -> io::Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/random/uuid")?.trim().to_owned())
}

fn base64(bytes: &[u8]) -> String {
    base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_a_template_gets_its_value() {
        assert_eq!(
            fill("a: {{name}}, b: {{name}}", &[("name", "x".to_owned())]),
            "a: x, b: x"
        );
    }

    #[test]
    #[should_panic(expected = "a name without a value")]
    fn a_name_without_a_value_is_a_mistake_of_ours() {
        fill("{{unknown}}", &[]);
    }
}
