//! Several identities of one user, by name (protocol §19): a folder each below `identities` in the
//! configuration, which a name stands for wherever the folder of an identity is asked for.

use super::named_peers::is_name;
use super::{IDENTITY_FILE, Identity, IdentityError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Their folder within the configuration directory.
const FOLDER: &str = "identities";

impl Identity {
    /// The folder of the identity that a user means: the default one if nothing is said, that of a
    /// name ([`Self::create_named`]), or the folder given.
    ///
    /// # Errors
    /// A text that is a name and a folder; no configuration directory.
    pub fn directory_of(given: Option<&Path>) -> Result<PathBuf, IdentityError> {
        directory_of(given, Self::default_directory)
    }

    /// Makes an identity that goes by a name from then on.
    ///
    /// # Errors
    /// A name that is none, or taken; a key that cannot be written.
    pub fn create_named(name: &str) -> Result<Self, IdentityError> {
        create(&Self::default_directory()?, name)
    }

    /// The identities with names, each with its folder.
    ///
    /// # Errors
    /// A folder that cannot be listed.
    pub fn all_named() -> Result<Vec<(String, PathBuf)>, IdentityError> {
        list(&Self::default_directory()?)
    }
}

/// What a user gives for an identity: nothing, a name, or a folder. A name is one from when it was
/// made; until then the same text is a folder.
///
/// # Errors
/// A text that is both; no configuration directory where one is needed.
fn directory_of(
    given: Option<&Path>,
    default: impl FnOnce() -> Result<PathBuf, IdentityError>,
) -> Result<PathBuf, IdentityError> {
    let Some(given) = given else { return default() };
    let name = given.to_str().filter(|text| is_name(text));
    // Without a configuration directory nothing can be named in it.
    let Some((name, Ok(default))) = name.map(|name| (name, default())) else {
        return Ok(given.to_path_buf());
    };
    let named = default.join(FOLDER).join(name);
    let has_key = |folder: &Path| folder.join(IDENTITY_FILE).exists();
    match (has_key(&named), has_key(given)) {
        (true, true) => Err(IdentityError::Ambiguous { name: name.into(), folder: named }),
        (true, false) => Ok(named),
        (false, _) => Ok(given.to_path_buf()),
    }
}

/// Makes an identity with a name, below the configuration directory.
fn create(default: &Path, name: &str) -> Result<Identity, IdentityError> {
    if !is_name(name) {
        return Err(IdentityError::Name(name.into()));
    }
    let folder = default.join(FOLDER).join(name);
    if folder.join(IDENTITY_FILE).exists() {
        return Err(IdentityError::Taken(name.into()));
    }
    Identity::load_or_create(&folder)
}

/// The names there are, in their order, with their folders.
fn list(default: &Path) -> Result<Vec<(String, PathBuf)>, IdentityError> {
    let folder = default.join(FOLDER);
    let failed = |source| IdentityError::File { action: "list", path: folder.clone(), source };
    let entries = match std::fs::read_dir(&folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed)?,
    };
    let mut named = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).filter(|name| is_name(name));
        if let Some(name) = name.filter(|_| path.join(IDENTITY_FILE).exists()) {
            named.push((name.to_string(), path.clone()));
        }
    }
    named.sort();
    Ok(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stands_for_its_folder_once_it_is_made() {
        let place = tempfile::tempdir().expect("temporary directory");
        let default = place.path().join("twain");
        let of = |given: Option<&str>| directory_of(given.map(Path::new), || Ok(default.clone()));
        assert_eq!(of(None).expect("default"), default);
        assert_eq!(of(Some("work")).expect("a folder"), Path::new("work"));
        assert!(list(&default).expect("none").is_empty());
        let made = create(&default, "work").expect("made");
        assert_eq!(of(Some("work")).expect("named"), made.directory());
        assert_eq!(of(Some("./work")).expect("a folder"), Path::new("./work"));
        let other = create(&default, "a-2").expect("made");
        assert_ne!(made.fingerprint(), other.fingerprint());
        let listed = list(&default).expect("listed");
        let names: Vec<&str> = listed.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["a-2", "work"]);
        let taken = create(&default, "work").expect_err("taken");
        assert!(matches!(taken, IdentityError::Taken(_)), "{taken}");
        for name in ["", "../up", "a/b", "-a"] {
            let error = create(&default, name).expect_err(name);
            assert!(matches!(error, IdentityError::Name(_)), "{error}");
        }
        let homeless = directory_of(Some(Path::new("work")), || Err(IdentityError::NoHome));
        assert_eq!(homeless.expect("a folder"), Path::new("work"));
    }
}
