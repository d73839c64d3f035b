//! Evidence that people attach to marks, tests, reviews and reports: files under the hash of their
//! content, so that the journal's entry, which names the hash, speaks for them, too.
//!
//! A file is on disk before its entry is journalled; a file without an entry (the entry failed)
//! does no harm and takes its room. Nothing is ever overwritten or removed here.

use crate::text::hex;
use cems_core::model::Attachment;
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Most bytes of one file: a scanned report of some pages, a photograph.
pub const FILE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Why a file was not kept or not found.
#[derive(Debug, thiserror::Error)]
pub enum AttachmentError {
    /// Larger than [`FILE_BYTES_MAX`].
    #[error("the file {name} has {bytes} bytes; up to {FILE_BYTES_MAX} are kept")]
    TooLarge {
        /// Name as uploaded.
        name: String,
        /// Its size.
        bytes: usize,
    },
    /// Nothing in it.
    #[error("the file {0} is empty")]
    Empty(String),
    /// The disk.
    #[error("the file could not be kept: {0}")]
    Io(#[from] io::Error),
    /// What lies under the hash is not what it was.
    #[error("the file {0} is damaged")]
    Damaged(String),
}

/// The directory of attachments.
#[derive(Debug, Clone)]
pub struct Attachments {
    directory: PathBuf,
}

impl Attachments {
    /// Files in `directory`, which is made when the first one comes.
    pub fn in_directory(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// Keeps a file and says what an entry writes down of it. The same content is kept once.
    ///
    /// # Errors
    /// When it is empty or too large; disk.
    pub fn keep(&self, name: &str, content: &[u8]) -> Result<Attachment, AttachmentError> {
        let name = plain_name(name);
        if content.is_empty() {
            return Err(AttachmentError::Empty(name));
        }
        if content.len() > FILE_BYTES_MAX {
            let bytes = content.len();
            return Err(AttachmentError::TooLarge { name, bytes });
        }
        let sha256 = sha256_hex(content);
        let place = self.place(&sha256);
        if !place.try_exists()? {
            fs::create_dir_all(&self.directory)?;
            write_whole(&place, content)?;
        }
        Ok(Attachment {
            name,
            bytes: u64::try_from(content.len()).unwrap_or(u64::MAX),
            sha256,
        })
    }

    /// The content under a hash; `None` when there is none.
    ///
    /// # Errors
    /// When it is not what was kept; disk.
    pub fn content(&self, sha256: &str) -> Result<Option<Vec<u8>>, AttachmentError> {
        let hex = sha256.len() == 64 && sha256.bytes().all(|b| b.is_ascii_hexdigit());
        if !hex {
            return Ok(None);
        }
        let content = match fs::read(self.place(&sha256.to_ascii_lowercase())) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        if !sha256_hex(&content).eq_ignore_ascii_case(sha256) {
            return Err(AttachmentError::Damaged(sha256.to_owned()));
        }
        Ok(Some(content))
    }

    fn place(&self, sha256: &str) -> PathBuf {
        self.directory.join(sha256)
    }
}

fn sha256_hex(content: &[u8]) -> String {
    hex(&Sha256::digest(content))
}

/// The last part of a name without control characters: browsers send paths, too.
fn plain_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let plain: String = last.chars().filter(|c| !c.is_control()).take(255).collect();
    if plain.trim().is_empty() {
        "file".to_owned()
    } else {
        plain
    }
}

/// Writes beside the place and renames, so that a crash leaves the whole file or none.
fn write_whole(place: &Path, content: &[u8]) -> io::Result<()> {
    let mut name = place.as_os_str().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let part = PathBuf::from(name);
    let mut file = File::create(&part)?;
    file.write_all(content)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&part, place)?;
    if let Some(directory) = place.parent() {
        File::open(directory)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_kept_once_under_its_hash_and_comes_back_as_it_was() {
        let room = tempfile::tempdir().expect("a directory");
        let files = Attachments::in_directory(room.path().join("attachments"));
        let one = files
            .keep("C:\\fakepath\\工单.pdf", b"content")
            .expect("kept");
        let two = files.keep("other.pdf", b"content").expect("kept");
        assert_eq!(one.name, "工单.pdf");
        assert_eq!((one.bytes, &one.sha256), (7, &two.sha256));
        let back = files.content(&one.sha256).expect("readable");
        assert_eq!(back.as_deref(), Some(&b"content"[..]));
        let count = fs::read_dir(room.path().join("attachments"))
            .expect("there")
            .count();
        assert_eq!(count, 1);
    }

    #[test]
    fn nothing_is_read_outside_and_damage_shows() {
        let room = tempfile::tempdir().expect("a directory");
        let files = Attachments::in_directory(room.path().to_owned());
        assert!(
            files
                .content("../../etc/passwd")
                .expect("no error")
                .is_none()
        );
        assert!(files.content(&"0".repeat(64)).expect("no error").is_none());
        let kept = files.keep("a", b"a").expect("kept");
        fs::write(room.path().join(&kept.sha256), b"b").expect("written");
        let damaged = files.content(&kept.sha256);
        assert!(matches!(damaged, Err(AttachmentError::Damaged(_))));
    }

    #[test]
    fn empty_and_huge_files_are_refused_by_name() {
        let room = tempfile::tempdir().expect("a directory");
        let files = Attachments::in_directory(room.path().to_owned());
        let empty = files.keep("leer", b"").expect_err("empty");
        assert!(empty.to_string().contains("leer"));
        let huge = files.keep("big", &vec![0; FILE_BYTES_MAX + 1]);
        assert!(matches!(huge, Err(AttachmentError::TooLarge { .. })));
    }
}
