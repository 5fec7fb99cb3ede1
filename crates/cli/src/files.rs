//! What all commands say of files: which they read and write, and where the SRS is.

use clap::Args;
use std::path::{Path, PathBuf};

/// `--srs-path`.
#[derive(Debug, Args)]
pub struct SrsPath {
    /// The SRS, or a folder of such files with EZKL's names [default:
    /// $EZKL_REPO_PATH/srs/kzg{logrows}.srs, with EZKL_REPO_PATH = ~/.ezkl].
    #[arg(long)]
    pub srs_path: Option<PathBuf>,
}

/// The files of a command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// Files it reads. One that is also written is in both lists.
    pub reads: Vec<PathBuf>,
    /// Files it writes.
    pub writes: Vec<PathBuf>,
}

impl Files {
    pub(crate) fn reads(mut self, paths: &[&Path]) -> Self {
        self.reads.extend(paths.iter().map(|path| path.to_path_buf()));
        self
    }

    pub(crate) fn writes(mut self, paths: &[&Path]) -> Self {
        self.writes.extend(paths.iter().map(|path| path.to_path_buf()));
        self
    }

    pub(crate) fn may_read(mut self, path: &Option<PathBuf>) -> Self {
        self.reads.extend(path.clone());
        self
    }

    /// Data given as a file or `@file`, not as JSON itself.
    pub(crate) fn reads_data(mut self, data: &str) -> Self {
        let name = data.strip_prefix('@').unwrap_or(data);
        if !data.trim_start().starts_with('{') {
            self.reads.push(name.into());
        }
        self
    }
}
