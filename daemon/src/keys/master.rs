//! The master key: 32 random bytes as hexadecimal digits in a file that only its owner may read.

use super::KeyError;
use crate::text::{hex, unhex};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

/// Bytes of the master key.
const MASTER_BYTES: usize = 32;

/// Reads the master key; makes it when there is none and nothing was sealed yet (`fresh`).
pub(super) fn read_or_make(path: &Path, fresh: bool) -> Result<[u8; MASTER_BYTES], KeyError> {
    match fs::read_to_string(path) {
        Ok(text) => {
            private(path)?;
            unhex(text.trim())
                .and_then(|bytes| bytes.try_into().ok())
                .ok_or_else(|| KeyError::MasterForm(path.to_owned()))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && fresh => make(path),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(KeyError::MasterLost(path.to_owned()))
        }
        Err(source) => Err(io("read the master key", path, source)),
    }
}

fn make(path: &Path) -> Result<[u8; MASTER_BYTES], KeyError> {
    let mut secret = [0; MASTER_BYTES];
    getrandom::fill(&mut secret).expect("the operating system gives random bytes");
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let write = || -> std::io::Result<()> {
        let mut file = options.open(path)?;
        writeln!(file, "{}", hex(&secret))?;
        file.sync_all()?;
        // The name is on disk, too, before anything is sealed with what it names.
        let directory = path.parent().filter(|p| !p.as_os_str().is_empty());
        fs::File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
    };
    write().map_err(|source| io("create the master key", path, source))?;
    Ok(secret)
}

/// Takes everybody's rights but the owner's.
pub(super) fn restrict(path: &Path) -> Result<(), KeyError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))
            .map_err(|source| io("restrict access to", path, source))?;
    }
    Ok(())
}

fn private(path: &Path) -> Result<(), KeyError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(path)
            .map_err(|source| io("look at the master key", path, source))?
            .permissions()
            .mode();
        if mode & 0o077 != 0 {
            return Err(KeyError::MasterOpen(path.to_owned()));
        }
    }
    Ok(())
}

fn io(doing: &'static str, path: &Path, source: std::io::Error) -> KeyError {
    KeyError::Io {
        doing,
        path: path.to_owned(),
        source,
    }
}
