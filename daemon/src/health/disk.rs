//! Free space.

use std::path::Path;

/// Bytes of a megabyte.
const MB: u64 = 1_000_000;

/// Space left to the daemon on the file system of `path`, MB.
///
/// # Errors
/// When the operating system does not say.
pub(super) fn free_mb(path: &Path) -> std::io::Result<u64> {
    let stat = rustix::fs::statvfs(path)?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize) / MB)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_directory_has_space_and_a_missing_one_an_error() {
        assert!(super::free_mb(&std::env::temp_dir()).expect("its file system is there") > 0);
        assert!(super::free_mb(std::path::Path::new("/no/such/place")).is_err());
    }
}
