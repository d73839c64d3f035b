//! Where things lie.

use std::path::{Path, PathBuf};

/// The project's root.
///
/// # Panics
/// Never: this crate lies in a directory of the project.
pub fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent()
        .expect("the tests lie in a directory of the project")
        .to_owned()
}

/// A file of `tests/testdata`.
///
/// # Panics
/// When it cannot be read.
pub fn testdata(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("testdata")
        .join(name);
    match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) => panic!("{}: {error}", path.display()),
    }
}

/// The directory cargo builds into: the test binary lies in `PROFILE/deps` below it.
///
/// # Panics
/// When the test binary does not lie where cargo puts it.
pub fn profile_directory() -> PathBuf {
    let own = std::env::current_exe().expect("the path of the test binary");
    let profile = own
        .parent()
        .and_then(Path::parent)
        .expect("target/PROFILE/deps/NAME");
    profile.to_owned()
}

/// Where screenshots go: `target/screenshots`.
///
/// # Panics
/// When it cannot be made.
pub fn screenshots() -> PathBuf {
    let profile = profile_directory();
    let directory = profile
        .parent()
        .expect("target/PROFILE")
        .join("screenshots");
    std::fs::create_dir_all(&directory).expect("the target directory can be written");
    directory
}
