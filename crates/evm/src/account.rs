//! Who signs and pays. A private key comes from the environment or from a keystore file, never from
//! the command line, which other users of the machine can read.

use crate::error::EvmError;
use alloy::signers::local::PrivateKeySigner;
use std::path::Path;
use zeroize::Zeroizing;

/// The environment variable with a private key: 64 hexadecimal digits.
pub const KEY_VARIABLE: &str = "TWAIN_PRIVATE_KEY";
/// The environment variable with the password of a keystore file.
pub const PASSWORD_VARIABLE: &str = "TWAIN_KEYSTORE_PASSWORD";

/// What is said of a text that should be a private key.
pub const NO_KEY: &str = "holds no private key (64 hexadecimal digits)";

/// An account.
pub enum Account {
    /// Signs here.
    Key(Box<PrivateKeySigner>),
    /// The node's first own account: nodes for development have some.
    Node,
}

impl Account {
    /// The account of a keystore file; without one, that of the private key in the environment;
    /// without one, the node's.
    ///
    /// # Errors
    /// A file or a variable that holds no key, a wrong password.
    pub fn open(keystore: Option<&Path>) -> Result<Self, EvmError> {
        let variable = |name: &str| std::env::var(name).ok().map(Zeroizing::new);
        let signer = match (keystore, variable(KEY_VARIABLE)) {
            (Some(path), _) => {
                let password = variable(PASSWORD_VARIABLE).ok_or_else(|| {
                    let reason = format!("put its password into {PASSWORD_VARIABLE}");
                    EvmError::File { path: path.to_path_buf(), reason }
                })?;
                let signer = PrivateKeySigner::decrypt_keystore(path, password.as_bytes());
                signer.map_err(|_| {
                    let reason = "it is no keystore file, or its password is another".into();
                    EvmError::File { path: path.to_path_buf(), reason }
                })?
            }
            (None, Some(text)) => {
                return Self::of_key(&text)
                    .ok_or_else(|| EvmError::Account(format!("{KEY_VARIABLE} {NO_KEY}")));
            }
            (None, None) => return Ok(Self::Node),
        };
        Ok(Self::Key(Box::new(signer)))
    }

    /// The account of a private key in memory: 64 hexadecimal digits, with or without `0x`. None if
    /// it is no key.
    pub fn of_key(text: &str) -> Option<Self> {
        let digits = text.trim().trim_start_matches("0x");
        Some(Self::Key(Box::new(digits.parse().ok()?)))
    }
}
