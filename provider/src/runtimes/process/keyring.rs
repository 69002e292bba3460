//! The passwords of a stack: random, made once, each in a file of its component's folder that only the owner reads.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tfplug::Secret;

use super::error::StackError;
use super::store;
use crate::services::{Component, Login, Service};
use crate::trust::{self, Use};

/// 64 characters that need no quoting in URLs, shells, YAML and configuration files.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// What an application needs to use each component; `None` for a component that does not exist.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Credentials {
    /// User name and password.
    pub postgres: Option<Login>,
    /// User name and password.
    pub redis: Option<Login>,
    /// Access key id and secret access key.
    pub object_store: Option<Login>,
}

/// The credentials of the stack in `dir`.
///
/// # Errors
/// [`StackError::Absent`] when there is no stack, [`StackError::Folder`] when a file cannot be read.
pub fn credentials(dir: &Path) -> Result<Credentials, StackError> {
    trust::check(dir, Use::Own)?;
    if !super::record::Record::path(dir).exists() {
        return Err(StackError::Absent { path: dir.to_owned() });
    }
    let login = |component: Component| {
        // The administrator's password stays here.
        read(&dir.join(component.as_str())).map(|login| {
            login.map(|login| Login {
                admin_secret: None,
                certificate: None,
                ..login
            })
        })
    };
    Ok(Credentials {
        postgres: login(Component::Postgres)?,
        redis: login(Component::Redis)?,
        object_store: login(Component::ObjectStore)?,
    })
}

/// The login of a service: the stored one, under the user name that is asked for now and with what it lacked, or a new one.
/// Another `rotation` than at the last time makes a new password for the application (and a new access key); `None` keeps it.
///
/// # Errors
/// [`StackError::LoginLost`] where a new login could not be used: the data knows the former administrator's password.
pub(super) fn login(service: &dyn Service, folder: &Path, rotation: Option<&str>) -> Result<Login, StackError> {
    let file = read_file(folder)?;
    let made_in = file.as_ref().and_then(|file| file.rotation.clone());
    let stored = file.map(Login::from);
    if stored.is_none() && service.data_knows_login(folder) {
        return Err(StackError::LoginLost {
            component: service.component(),
            path: path(folder),
        });
    }
    let fresh = service.new_login(&mut random);
    let mut login = match stored.clone() {
        Some(login) => login.completed(fresh),
        None => fresh,
    };
    if stored.is_some() && rotation.is_some_and(|rotation| made_in.as_deref() != Some(rotation)) {
        let new = service.new_login(&mut random);
        (login.user, login.secret) = (new.user, new.secret);
    }
    if let Some(name) = service.username() {
        name.clone_into(&mut login.user);
    }
    let rotation = rotation.map(str::to_owned).or_else(|| made_in.clone());
    if stored.as_ref() != Some(&login) || rotation != made_in {
        let file = File {
            rotation,
            user: login.user.clone(),
            secret: login.secret.expose().to_owned(),
            admin_secret: login.admin_secret.as_ref().map(|secret| secret.expose().to_owned()),
            certificate: login.certificate.as_ref().map(Into::into),
        };
        store::write(&path(folder), &file).map_err(|source| StackError::Folder {
            path: path(folder),
            source,
        })?;
    }
    Ok(login)
}

/// The stored login under the user name that is asked for; `None` when there is none. Changes nothing.
pub(super) fn stored(service: &dyn Service, folder: &Path) -> Result<Option<Login>, StackError> {
    let mut login = read(folder)?;
    if let (Some(login), Some(name)) = (&mut login, service.username()) {
        name.clone_into(&mut login.user);
    }
    Ok(login)
}

#[derive(Serialize, Deserialize)]
struct File {
    user: String,
    secret: String,
    admin_secret: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    certificate: Option<crate::services::certificate::Stored>,
    /// The `rotation` for which the application's secret was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rotation: Option<String>,
}

impl From<File> for Login {
    fn from(file: File) -> Self {
        Self {
            user: file.user,
            secret: Secret::new(file.secret),
            admin_secret: file.admin_secret.map(Secret::new),
            certificate: file.certificate.map(Into::into),
        }
    }
}

fn path(folder: &Path) -> PathBuf {
    folder.join("login.json")
}

fn read(folder: &Path) -> Result<Option<Login>, StackError> {
    Ok(read_file(folder)?.map(Login::from))
}

fn read_file(folder: &Path) -> Result<Option<File>, StackError> {
    store::read(&path(folder)).map_err(|source| StackError::Folder {
        path: path(folder),
        source,
    })
}

/// 32 characters of 6 random bits each.
fn random() -> Secret {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    Secret::new(
        bytes
            .iter()
            .map(|byte| char::from(ALPHABET[usize::from(byte % 64)]))
            .collect::<String>(),
    )
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::services::{ObjectStore, Postgres, Redis};

    #[test]
    fn a_password_is_made_once_and_a_new_user_keeps_it() {
        let dir = tempfile::tempdir().unwrap();
        let first = login(&Postgres::default(), dir.path(), None).unwrap();
        assert_eq!(first.secret.expose().len(), 32);
        assert_ne!(Some(&first.secret), first.admin_secret.as_ref());
        assert_eq!(login(&Postgres::default(), dir.path(), None).unwrap(), first);
        let renamed = Postgres {
            username: "other".into(),
            ..Postgres::default()
        };
        let second = login(&renamed, dir.path(), None).unwrap();
        assert_eq!((second.user.as_str(), &second.secret), ("other", &first.secret));
        assert_eq!(path(dir.path()).metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_login_of_an_earlier_version_is_completed_once() {
        let dir = tempfile::tempdir().unwrap();
        let old = r#"{"user": "default", "secret": "s", "admin_secret": null}"#;
        std::fs::write(path(dir.path()), old).unwrap();
        assert_eq!(
            stored(&Redis::default(), dir.path()).unwrap().unwrap().admin_secret,
            None
        );
        let completed = login(&Redis::default(), dir.path(), None).unwrap();
        assert_eq!(completed.secret.expose(), "s");
        assert!(completed.admin_secret.is_some());
        assert_eq!(login(&Redis::default(), dir.path(), None).unwrap(), completed);
        let store = login(&ObjectStore::default(), &dir.path().join("store"), None);
        assert!(store.is_err(), "its folder does not exist");
        std::fs::create_dir(dir.path().join("store")).unwrap();
        let store = login(&ObjectStore::default(), &dir.path().join("store"), None).unwrap();
        assert_eq!(
            login(&ObjectStore::default(), &dir.path().join("store"), None).unwrap(),
            store
        );
    }

    #[test]
    fn a_rotation_makes_a_new_password_once_and_keeps_the_administrators() {
        let dir = tempfile::tempdir().unwrap();
        let rotated = |rotation| login(&Postgres::default(), dir.path(), rotation).unwrap();
        let first = rotated(None);
        let second = rotated(Some("2026-11"));
        assert_ne!(second.secret, first.secret);
        assert_eq!((&second.user, &second.admin_secret), (&first.user, &first.admin_secret));
        assert_eq!(rotated(Some("2026-11")), second);
        assert_eq!(rotated(None), second);
        assert_ne!(rotated(Some("2026-12")).secret, second.secret);
        // A stack that begins with one has nothing to rotate.
        let store = tempfile::tempdir().unwrap();
        let login = |rotation| login(&ObjectStore::default(), store.path(), rotation).unwrap();
        let first = login(Some("1"));
        assert_eq!(login(Some("1")), first);
        let second = login(Some("2"));
        assert_ne!((&second.user, &second.secret), (&first.user, &first.secret));
        assert_eq!(second.certificate, first.certificate);
    }

    #[test]
    fn no_new_password_is_made_for_data_that_knows_another() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("data")).unwrap();
        let error = login(&Postgres::default(), dir.path(), None).unwrap_err();
        assert!(matches!(error, StackError::LoginLost { .. }), "{error}");
        assert!(!path(dir.path()).exists());
    }

    #[test]
    fn a_folder_without_a_stack_says_how_to_make_one() {
        let dir = tempfile::tempdir().unwrap();
        let error = credentials(dir.path()).unwrap_err().to_string();
        assert!(error.contains("To fix: apply the `mlplat_local_services`"), "{error}");
    }
}
