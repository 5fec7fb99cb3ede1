//! Which server, which token: a flag before the environment before the settings file, which only
//! its owner may read.

use crate::arguments::Common;
use serde::Deserialize;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

use super::error::ClientError;

/// The settings file.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct FileSettings {
    server_url: Option<String>,
    api_key: Option<String>,
    ca: Option<PathBuf>,
}

/// What a client needs to ask.
pub struct Settings {
    /// The server's address.
    pub server: String,
    /// The token; none for what needs none.
    pub key: Option<Zeroizing<String>>,
    /// Certificates to believe besides the system's.
    pub ca: Option<PathBuf>,
}

/// The first of these variables that is set.
fn variable(names: [&str; 2]) -> Option<String> {
    names.into_iter().find_map(|name| std::env::var(name).ok().filter(|text| !text.is_empty()))
}

fn default_path() -> Option<PathBuf> {
    let config = std::env::var_os("XDG_CONFIG_HOME").filter(|value| !value.is_empty());
    let config = config.map(PathBuf::from);
    let config = config.or_else(|| std::env::home_dir().map(|home| home.join(".config")));
    Some(config?.join("lilith").join("config.toml"))
}

fn failed(path: &Path, error: impl std::fmt::Display) -> ClientError {
    ClientError::Usage(format!("{}: {error}", path.display()))
}

/// The content of a file that only its owner may read.
fn read_private(path: &Path) -> Result<Zeroizing<String>, ClientError> {
    let mode = fs::metadata(path).map_err(|error| failed(path, error))?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(failed(path, "others may read it; run: chmod 600 on it"));
    }
    fs::read_to_string(path).map(Zeroizing::new).map_err(|error| failed(path, error))
}

impl FileSettings {
    fn read(path: Option<&Path>) -> Result<Self, ClientError> {
        let path = match path {
            Some(path) => path.to_path_buf(),
            None => match default_path().filter(|path| path.exists()) {
                Some(path) => path,
                None => return Ok(Self::default()),
            },
        };
        let text = read_private(&path)?;
        // What is wrong is said without the line, which may be the token's.
        toml::from_str(&text).map_err(|error| failed(&path, error.message()))
    }
}

impl Settings {
    /// As flags, environment and file say.
    pub fn new(common: &Common) -> Result<Self, ClientError> {
        let file = FileSettings::read(common.settings.as_deref())?;
        let server = common
            .server
            .clone()
            .or_else(|| variable(["LILITH_SERVER_URL", "ARCHON_SERVER_URL"]))
            .or(file.server_url)
            .unwrap_or_else(|| "http://127.0.0.1:8080".into());
        let key = match &common.api_key_file {
            Some(path) => Some(Zeroizing::new(read_private(path)?.trim().to_string())),
            None => {
                variable(["LILITH_API_KEY", "ARCHON_API_KEY"]).or(file.api_key).map(Zeroizing::new)
            }
        };
        Ok(Self { server, key, ca: common.ca.clone().or(file.ca) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_others_may_read_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("config.toml");
        fs::write(&path, "server_url = \"https://a\"\napi_key = \"lil_x\"\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(FileSettings::read(Some(&path)).is_err());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let read = FileSettings::read(Some(&path)).ok().unwrap();
        assert_eq!(read.server_url.as_deref(), Some("https://a"));
        assert_eq!(read.api_key.unwrap(), "lil_x");
        fs::write(&path, "api_kei = \"lil_secret\"").unwrap();
        let error = FileSettings::read(Some(&path)).err().unwrap().to_string();
        assert!(!error.contains("lil_secret"), "{error}");
    }
}
