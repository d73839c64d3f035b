//! What can go wrong with keys. No text holds a key.

use std::path::PathBuf;

/// Why a key could not be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Not an owner.
    #[error("\"{0}\" owns no keys: write outlet/<outlet>, or uplink/<uplink>/<outlet>")]
    Owner(String),
    /// Not a key; the number is how many characters it had.
    #[error("a key has 16 characters or 32 hexadecimal digits, this has {0} characters")]
    Form(usize),
    /// There are keys, but nothing to open them with.
    #[error(
        "the master key {} is missing but there are keys sealed with it: put it back, or remove \
         the keys and import them anew",
        .0.display()
    )]
    MasterLost(PathBuf),
    /// The master key's file holds something else.
    #[error("{} is no master key: it must hold 64 hexadecimal digits", .0.display())]
    MasterForm(PathBuf),
    /// Others may read the master key.
    #[error("others may read the master key {}: chmod 600 it", .0.display())]
    MasterOpen(PathBuf),
    /// A key that the master key does not open.
    #[error("the master key does not open the key of {0}: it was sealed with another one")]
    Sealed(String),
    /// The file is somebody else's database.
    #[error("{} is a database of another program", .0.display())]
    NotKeys(PathBuf),
    /// Reading or writing the key database failed.
    #[error("keys: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// Reading or writing a file failed.
    #[error("cannot {doing} {}: {source}", .path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}
