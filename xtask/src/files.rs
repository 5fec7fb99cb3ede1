//! A circuit's folder: the names EZKL's commands give the files in it.

use crate::error::Error;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::path::{Path, PathBuf};

/// A circuit's folder.
#[derive(Clone, Debug)]
pub struct Folder(pub PathBuf);

impl Folder {
    /// A file's path.
    pub fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Whether a file is there.
    pub fn has(&self, name: &str) -> bool {
        self.at(name).is_file()
    }

    /// The folder's own name.
    pub fn name(&self) -> String {
        self.0.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    }

    /// Removes a file if it is there.
    pub fn remove(&self, name: &str) -> Result<(), Error> {
        let path = self.at(name);
        if !path.exists() { Ok(()) } else { std::fs::remove_file(&path).map_err(Error::file(path)) }
    }

    /// A copy of all files, in `parent`.
    pub fn copy_into(&self, parent: &Path) -> Result<Folder, Error> {
        let copy = Folder(parent.join(self.name()));
        std::fs::create_dir_all(&copy.0).map_err(Error::file(&copy.0))?;
        for entry in std::fs::read_dir(&self.0).map_err(Error::file(&self.0))? {
            let path = entry.map_err(Error::file(&self.0))?.path();
            if let Some(name) = path.file_name().filter(|_| path.is_file()) {
                std::fs::copy(&path, copy.0.join(name)).map_err(Error::file(&path))?;
            }
        }
        Ok(copy)
    }

    /// Size of the circuit, and what is committed or fixed, from its settings.
    pub fn settings(&self) -> Result<Settings, Error> {
        let path = self.at("settings.json");
        let json = read_json(&path)?;
        let args = &json["run_args"];
        let logrows = args["logrows"].as_u64();
        let logrows = logrows.ok_or_else(|| Error::content(path.display(), "no logrows"))?;
        let visibilities = ["input_visibility", "output_visibility", "param_visibility"];
        let any = |visibility: &str| visibilities.iter().any(|name| args[name] == visibility);
        Ok(Settings { logrows, commits: any("KZGCommit"), fixed: any("Fixed") })
    }
}

/// What the checks need to know of a circuit's settings.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// log2 of the rows.
    pub logrows: u64,
    /// Whether inputs, parameters or outputs are committed (`polycommit`).
    pub commits: bool,
    /// Whether any are part of the keys, so that no pair can prove.
    pub fixed: bool,
}

/// The folders in a folder that hold a model, by name.
pub fn circuits(parent: &Path) -> Result<Vec<Folder>, Error> {
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(parent).map_err(Error::file(parent))? {
        let folder = Folder(entry.map_err(Error::file(parent))?.path());
        if folder.has("network.onnx") {
            folders.push(folder);
        }
    }
    folders.sort_by_key(Folder::name);
    if folders.is_empty() {
        return Err(Error::content(parent.display(), "it has no folder with a network.onnx"));
    }
    Ok(folders)
}

/// Reads a file.
pub fn read(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(Error::file(path))
}

/// Reads a JSON file.
pub fn read_json(path: &Path) -> Result<serde_json::Value, Error> {
    serde_json::from_slice(&read(path)?).map_err(|e| Error::content(path.display(), e))
}

/// Writes a JSON file.
pub fn write_json(path: &Path, value: &serde_json::Value) -> Result<(), Error> {
    std::fs::write(path, value.to_string()).map_err(Error::file(path))
}

/// The SHA-256 digest of a file, in hexadecimal.
pub fn sha256(path: &Path) -> Result<String, Error> {
    let mut hash = Sha256::new();
    let mut file = File::open(path).map_err(Error::file(path))?;
    std::io::copy(&mut file, &mut hash).map_err(Error::file(path))?;
    Ok(hex::encode(hash.finalize()))
}
