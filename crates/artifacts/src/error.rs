//! Why a file is refused, with what to do about it.

use crate::recognise::recognise;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use twain_graph::GraphError;

/// An error of reading or writing a file. The text names the file and says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// There is no such file.
    #[error("{}: there is no such file{}", path.display(), kind.maker())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
        /// What it should be.
        kind: ArtifactKind,
    },
    /// A file of another kind.
    #[error("{}: this is {found}, not {} {kind}{}", path.display(), kind.article(), kind.maker())]
    OtherKind {
        /// The file.
        path: PathBuf,
        /// What it should be.
        kind: ArtifactKind,
        /// What it seems to be.
        found: &'static str,
    },
    /// The file system refused to read.
    #[error("{}: cannot read the {kind}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What it should be.
        kind: ArtifactKind,
        /// The reason.
        source: io::Error,
    },
    /// The file system refused to write. A file of that name is as it was before.
    #[error("{}: cannot write the {kind}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What it should be.
        kind: ArtifactKind,
        /// The reason.
        source: io::Error,
    },
    /// The content is not that of such a file.
    #[error("{}: not a valid {kind}: {source}; {}", path.display(), kind.remedy())]
    Content {
        /// The file.
        path: PathBuf,
        /// What it should be.
        kind: ArtifactKind,
        /// The reason.
        source: FormatError,
    },
    /// The operator ended the work.
    #[error("cancelled")]
    Cancelled,
}

impl ArtifactError {
    pub(crate) fn content(path: &Path, kind: ArtifactKind) -> impl Fn(FormatError) -> Self {
        let path = path.to_path_buf();
        move |source| match source {
            FormatError::Io(source) if source.kind() == io::ErrorKind::NotFound => {
                ArtifactError::Missing { path: path.clone(), kind }
            }
            FormatError::Io(source) => ArtifactError::Read { path: path.clone(), kind, source },
            FormatError::Cancelled => ArtifactError::Cancelled,
            source => match recognise(&path).filter(|found| !found.contains(kind.name())) {
                Some(found) => ArtifactError::OtherKind { path: path.clone(), kind, found },
                None => ArtifactError::Content { path: path.clone(), kind, source },
            },
        }
    }
}

/// What is wrong with the content of a file; without the file's name.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// It ends too early.
    #[error("it ends where byte {0} is expected (a truncated file?)")]
    Truncated(u64),
    /// It is longer or shorter than its head says.
    #[error("it has {found} bytes where {expected} are expected")]
    Length {
        /// Bytes that follow from its head.
        expected: u128,
        /// Bytes it has.
        found: u64,
    },
    /// Bytes that mean nothing.
    #[error("at byte {offset}, {reason}")]
    Invalid {
        /// Where.
        offset: u64,
        /// What is wrong there.
        reason: String,
    },
    /// Not JSON, or not the expected object.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// Values that do not fit together.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// Inputs of another number or shape than the network's: the text tells no value.
    #[error("{0}")]
    Shape(String),
    /// Anything else.
    #[error("{0}")]
    Mismatch(String),
    /// Reading failed midway.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The operator ended the reading.
    #[error("cancelled")]
    Cancelled,
}

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArtifactKind {
    /// `settings.json`
    Settings,
    /// `model.compiled`
    CompiledModel,
    /// `input.json`
    Input,
    /// `witness.json`
    Witness,
    /// `output.json`
    Output,
    /// `proof.json`
    Proof,
    /// `kzgK.srs`
    Srs,
    /// `*.ptau`
    PowersOfTau,
    /// `vk.key`
    VerifyingKey,
    /// `pk.key`
    ProvingKey,
}

impl ArtifactKind {
    /// Whether the file may hold a private model or private data.
    pub(crate) fn is_confidential(self) -> bool {
        use ArtifactKind::{CompiledModel, Input, Output, Witness};
        matches!(self, CompiledModel | Input | Output | Witness)
    }

    /// What makes such a file, to end a sentence with.
    fn maker(self) -> &'static str {
        match self {
            ArtifactKind::Settings => "; make it with gen-settings",
            ArtifactKind::CompiledModel => "; make it with compile-circuit",
            ArtifactKind::Witness => "; make it with gen-witness",
            ArtifactKind::Proof => "; make it with prove",
            ArtifactKind::Srs => {
                "; get it with get-srs (gen-srs for tests), or say where it is: --srs-path"
            }
            ArtifactKind::VerifyingKey | ArtifactKind::ProvingKey => "; make it with setup",
            ArtifactKind::Input | ArtifactKind::Output | ArtifactKind::PowersOfTau => "",
        }
    }

    fn remedy(self) -> &'static str {
        match self {
            ArtifactKind::Settings => "make it with gen-settings (EZKL 23.0.5)",
            ArtifactKind::CompiledModel => "make it with compile-circuit (EZKL 23.0.5)",
            ArtifactKind::Input => {
                "give {\"input_data\":[[..],..]} with one flat list per input of the network"
            }
            ArtifactKind::Witness => "make it with gen-witness (EZKL 23.0.5)",
            ArtifactKind::Output => "make it with prove --reveal-output",
            ArtifactKind::Proof => "make it with prove (EZKL 23.0.5)",
            ArtifactKind::Srs => "get it with get-srs, or gen-srs for tests",
            ArtifactKind::PowersOfTau => "download the .ptau file of a finished ceremony again",
            ArtifactKind::VerifyingKey | ArtifactKind::ProvingKey => {
                "make it again with setup from the same circuit, settings and SRS, \
                 and check that EZKL_KEY_FORMAT is what it was written with"
            }
        }
    }
}

impl ArtifactKind {
    fn article(self) -> &'static str {
        match self {
            ArtifactKind::Input | ArtifactKind::Output | ArtifactKind::Srs => "an",
            _ => "a",
        }
    }

    fn name(self) -> &'static str {
        match self {
            ArtifactKind::Settings => "settings file",
            ArtifactKind::CompiledModel => "compiled circuit",
            ArtifactKind::Input => "input file",
            ArtifactKind::Witness => "witness",
            ArtifactKind::Output => "output file",
            ArtifactKind::Proof => "proof",
            ArtifactKind::Srs => "SRS",
            ArtifactKind::PowersOfTau => "powers-of-tau file",
            ArtifactKind::VerifyingKey => "verifying key",
            ArtifactKind::ProvingKey => "proving key",
        }
    }
}

impl fmt::Display for ArtifactKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
