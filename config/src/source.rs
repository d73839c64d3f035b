//! Where files come from: a disk, or a map in memory for tests and generated settings.

use crate::report::{At, Report, say};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Largest settings file read, bytes. A registry of 1,000 outlets is about 1 MiB; more is split
/// over files. A larger file is a problem, not read at all.
pub(crate) const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Most files read in one load; one more is a problem.
pub(crate) const FILES_MAX: usize = 1_000;

/// Largest file with a secret, bytes: private keys have a few thousand.
const SECRET_BYTES_MAX: u64 = 64 * 1024;

/// Read access to named files.
pub(crate) trait Files {
    /// At most `FILE_BYTES_MAX + 1` bytes of a file.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;
    /// The `*.toml` files of a directory, sorted; `None` when `path` is no directory.
    fn list(&self, path: &Path) -> io::Result<Option<Vec<PathBuf>>>;
    /// Whether accounts other than the owner may read or write a file.
    fn open_to_others(&self, path: &Path) -> bool;
    /// A variable of the environment.
    fn variable(&self, name: &str) -> Option<String>;
}

/// The disk.
pub(crate) struct Disk;

impl Files for Disk {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        fs::File::open(path)?
            .take(FILE_BYTES_MAX + 1)
            .read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn list(&self, path: &Path) -> io::Result<Option<Vec<PathBuf>>> {
        if !fs::metadata(path)?.is_dir() {
            return Ok(None);
        }
        let mut found = Vec::new();
        for entry in fs::read_dir(path)? {
            let file = entry?.path();
            if is_toml(&file) {
                found.push(file);
            }
        }
        found.sort();
        Ok(Some(found))
    }

    #[cfg(unix)]
    fn open_to_others(&self, path: &Path) -> bool {
        use std::os::unix::fs::PermissionsExt;
        // A file that is not there is a problem of its own.
        fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o077 != 0)
    }

    #[cfg(not(unix))]
    fn open_to_others(&self, _: &Path) -> bool {
        false
    }

    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }
}

/// Files in memory, by path; a path with files below it is a directory.
pub(crate) struct Virtual<'a>(pub(crate) BTreeMap<PathBuf, &'a str>);

impl Files for Virtual<'_> {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.0
            .get(path)
            .map(|text| text.as_bytes().to_vec())
            .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }

    fn list(&self, path: &Path) -> io::Result<Option<Vec<PathBuf>>> {
        if self.0.contains_key(path) {
            return Ok(None);
        }
        let found: Vec<PathBuf> = self
            .0
            .keys()
            .filter(|file| file.parent() == Some(path) && is_toml(file))
            .cloned()
            .collect();
        if found.is_empty() {
            return Err(io::Error::from(io::ErrorKind::NotFound));
        }
        Ok(Some(found))
    }

    fn open_to_others(&self, _: &Path) -> bool {
        false
    }

    fn variable(&self, _: &str) -> Option<String> {
        None
    }
}

fn is_toml(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "toml")
}

/// A text that was read, and its number in the report.
pub(crate) struct Text {
    pub(crate) file: usize,
    pub(crate) text: String,
}

/// Reads files, remembers which, and digests them as it goes.
pub(crate) struct Loader<'a> {
    files: &'a dyn Files,
    hasher: Sha256,
    base: PathBuf,
    pub(crate) read: Vec<PathBuf>,
}

impl<'a> Loader<'a> {
    /// `main`: the main file; other names are relative to its directory.
    pub(crate) fn new(files: &'a dyn Files, main: &Path) -> Self {
        let base = main.parent().unwrap_or(Path::new("")).to_path_buf();
        Self {
            files,
            hasher: Sha256::new(),
            base,
            read: Vec::new(),
        }
    }

    /// A name in a file as a path.
    pub(crate) fn beside_main(&self, name: &str) -> PathBuf {
        self.base.join(name)
    }

    /// The text of a file, or a problem in the report.
    pub(crate) fn text(&mut self, path: &Path, report: &mut Report) -> Option<Text> {
        if self.read.len() >= FILES_MAX {
            report.file_error(
                path,
                say!("more than {FILES_MAX} files", "文件超过 {FILES_MAX} 个"),
                say!(
                    "put more outlets into one file",
                    "请将多个排放口合并到一个文件"
                ),
            );
            return None;
        }
        let bytes = match self.files.read(path) {
            Ok(bytes) => bytes,
            Err(error) => {
                unreadable(path, &error, report);
                return None;
            }
        };
        if u64::try_from(bytes.len()).is_ok_and(|n| n > FILE_BYTES_MAX) {
            let mib = FILE_BYTES_MAX / (1024 * 1024);
            report.file_error(
                path,
                say!("file is larger than {mib} MiB", "文件大于 {mib} MiB"),
                say!(
                    "split the registry over several files",
                    "请将名录拆分为多个文件"
                ),
            );
            return None;
        }
        self.remember(path, &bytes);
        match String::from_utf8(bytes) {
            Ok(text) => {
                // Editors on Windows put a byte order mark in front.
                let text = text
                    .strip_prefix('\u{feff}')
                    .map(str::to_owned)
                    .unwrap_or(text);
                let file = report.add_source(path, &text);
                Some(Text { file, text })
            }
            Err(error) => {
                let offset = error.utf8_error().valid_up_to();
                let file = report.add_source(path, &String::from_utf8_lossy(error.as_bytes()));
                report.incomplete = true;
                report.error(
                    At { file, offset },
                    say!("not UTF-8 text", "不是 UTF-8 文本"),
                    say!(
                        "save the file as UTF-8 (not GBK)",
                        "请将文件另存为 UTF-8（不要用 GBK）"
                    ),
                );
                None
            }
        }
    }

    /// The text of a file that holds a secret. It is in no report and in no digest.
    pub(crate) fn secret(&self, path: &Path, report: &mut Report) -> Option<String> {
        let bytes = match self.files.read(path) {
            Ok(bytes) => bytes,
            Err(error) => {
                unreadable(path, &error, report);
                return None;
            }
        };
        let text = u64::try_from(bytes.len())
            .is_ok_and(|n| n <= SECRET_BYTES_MAX)
            .then(|| String::from_utf8(bytes).ok())
            .flatten();
        if text.is_none() {
            let kib = SECRET_BYTES_MAX / 1024;
            report.file_error(
                path,
                say!(
                    "no text, or larger than {kib} KiB",
                    "不是文本，或大于 {kib} KiB"
                ),
                say!("put the secret alone into it", "文件中只写密钥内容"),
            );
        }
        text
    }

    /// Whether accounts other than the owner may read or write a file.
    pub(crate) fn open_to_others(&self, path: &Path) -> bool {
        self.files.open_to_others(path)
    }

    /// A variable of the environment.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        self.files.variable(name)
    }

    /// The files a name stands for: itself, or the `*.toml` files of a directory, sorted.
    pub(crate) fn expand(&self, path: &Path, report: &mut Report) -> Vec<PathBuf> {
        match self.files.list(path) {
            Ok(None) => vec![path.to_path_buf()],
            Ok(Some(found)) => found,
            Err(error) => {
                unreadable(path, &error, report);
                Vec::new()
            }
        }
    }

    fn remember(&mut self, path: &Path, bytes: &[u8]) {
        // Lengths are hashed too, so that moving a line between files changes the digest.
        self.hasher.update(bytes.len().to_string());
        self.hasher.update(b"\n");
        self.hasher.update(bytes);
        self.read.push(path.to_path_buf());
    }

    /// SHA-256 over all files in the order read, hex, and their names.
    pub(crate) fn finish(self) -> (String, Vec<PathBuf>) {
        (hex(&self.hasher.finalize()), self.read)
    }
}

fn unreadable(path: &Path, error: &io::Error, report: &mut Report) {
    let (what, hint) = match error.kind() {
        io::ErrorKind::NotFound => (
            say!("there is no such file", "文件不存在"),
            say!(
                "names are relative to the main settings file",
                "相对路径以主配置文件所在目录为准"
            ),
        ),
        io::ErrorKind::PermissionDenied => (
            say!("the file may not be read", "没有读取该文件的权限"),
            say!(
                "let the account that runs the daemon read it",
                "请为运行本程序的账户授予读取权限"
            ),
        ),
        _ => (
            say!("cannot be read: {error}", "无法读取：{error}"),
            say!("is it a file?", "请确认它是普通文件"),
        ),
    };
    report.file_error(path, what, hint);
}

/// Lower-case hexadecimal text.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut out, b| {
            // Writing to a String cannot fail.
            let _ = write!(out, "{b:02x}");
            out
        })
}

/// SHA-256 of a text, lower-case hex: the form of `Outlet::password_sha256` and
/// [`ApiToken::token_sha256`](crate::ApiToken::token_sha256).
pub fn sha256_hex(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}
