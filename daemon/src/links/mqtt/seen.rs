//! Which messages a source has journalled, so that one the broker sends again is not counted twice.
//!
//! A broker that saw no acknowledgement sends a message again with the same packet identifier and
//! marked DUP (MQTT 3.1.1, 4.4). It is known by identifier and fingerprint together. After a kill
//! between commit and acknowledgement the journal itself knows: its end is read from where the file
//! beside it ([`Kept`]) stands. A broker that has forgotten the session sends nothing again.

use crate::events::{JournalEvent, MqttMessage};
use crate::journal::Reader;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use smol_str::SmolStr;
use std::collections::VecDeque;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Messages remembered: brokers have some tens unacknowledged at a time (mosquitto: 20).
const SEEN_MAX: usize = 4_096;
/// Entries at the end of the journal that are looked through when nothing is known of the source.
const LOOK_BACK_ENTRIES: u64 = 20_000;
/// Characters of a fingerprint: 64 bits of SHA-256, looked up beside an identifier.
const PRINT_CHARS: usize = 16;

/// What is written down between two starts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// Everything up to this entry of the journal is in it.
    pub(super) seq: u64,
    /// What the session is subscribed to.
    pub(super) filters: Vec<SmolStr>,
    /// Identifiers and fingerprints, oldest first.
    seen: VecDeque<(u16, SmolStr)>,
}

/// The memory of one source.
#[derive(Debug, Clone)]
pub(super) struct Memory {
    file: PathBuf,
    pub(super) kept: Kept,
    /// What was asked for on this connection, and how many answers are missing.
    asked: (Vec<SmolStr>, usize),
}

/// The fingerprint of a message.
pub(super) fn print(topic: &str, payload: &[u8]) -> SmolStr {
    let mut hash = Sha256::new();
    hash.update((topic.len() as u64).to_be_bytes());
    hash.update(topic.as_bytes());
    hash.update(payload);
    let mut text = crate::text::hex(&hash.finalize());
    text.truncate(PRINT_CHARS);
    text.into()
}

impl Memory {
    /// Reads what is known of a source: the file, and the journal after it. A file that cannot be
    /// read is as good as none.
    pub(super) fn open(dir: &Path, source: &str, journal: &Path) -> Self {
        let file = dir.join(format!("{source}.json"));
        let read = std::fs::read(&file).ok();
        let kept = read.and_then(|text| serde_json::from_slice::<Kept>(&text).ok());
        let mut memory = Self {
            file,
            kept: kept.unwrap_or_default(),
            asked: Default::default(),
        };
        memory.catch_up(source, journal);
        memory
    }

    fn catch_up(&mut self, source: &str, journal: &Path) {
        let Ok(reader) = Reader::open(journal) else {
            return;
        };
        let Ok(last) = reader.last_seq() else {
            return;
        };
        let from = match self.kept.seq {
            0 => last.saturating_sub(LOOK_BACK_ENTRIES),
            known => known + 1,
        };
        // Only lines of messages are parsed; the others are the many.
        let mark = b"\"t\":\"mqtt\"";
        for entry in reader.entries_from(from).flatten() {
            if memchr::memmem::find(&entry.body, mark).is_none() {
                continue;
            }
            if let Ok(JournalEvent::Mqtt { message }) = JournalEvent::from_line(&entry.body)
                && message.source == source
            {
                self.note(&message);
            }
        }
        self.kept.seq = self.kept.seq.max(last);
    }

    /// A message is in the journal.
    pub(super) fn note(&mut self, message: &MqttMessage) {
        if message.id == 0 {
            return;
        }
        if self.kept.seen.len() == SEEN_MAX {
            self.kept.seen.pop_front();
        }
        self.kept
            .seen
            .push_back((message.id, message.print.clone()));
    }

    /// The newest message with this identifier was this one.
    pub(super) fn knows(&self, id: u16, print: &str) -> bool {
        let newest = self.kept.seen.iter().rev().find(|(known, _)| *known == id);
        newest.is_some_and(|(_, known)| known == print)
    }

    /// The broker has forgotten the session: identifiers begin anew, and nothing is subscribed.
    pub(super) fn forget(&mut self) {
        self.kept.seen.clear();
        self.kept.filters.clear();
    }

    /// So many requests to subscribe are under way; when all are granted, the session has these
    /// filters.
    pub(super) fn asked_for(&mut self, filters: Vec<SmolStr>, requests: usize) {
        self.asked = (filters, requests + 1);
        self.granted();
    }

    /// One request was granted.
    pub(super) fn granted(&mut self) {
        self.asked.1 = self.asked.1.saturating_sub(1);
        if self.asked.1 == 0 {
            self.kept.filters = std::mem::take(&mut self.asked.0);
        }
    }

    /// The session has what was asked for.
    pub(super) fn is_subscribed(&self) -> bool {
        !self.kept.filters.is_empty()
    }

    /// Nothing is subscribed and nothing is asked for.
    pub(super) fn is_refused(&self) -> bool {
        self.kept.filters.is_empty() && self.asked.0.is_empty()
    }

    /// One request was refused: everything is asked for again, later or with the next connection.
    pub(super) fn not_granted(&mut self) {
        self.asked = Default::default();
        self.kept.filters.clear();
    }

    /// Writes it down: as a whole or not at all.
    ///
    /// # Errors
    /// When the disk does not take it; then the journal is read from further back next time.
    pub(super) fn save(&self) -> std::io::Result<()> {
        if let Some(dir) = self.file.parent() {
            std::fs::create_dir_all(dir)?;
        }
        let new = self.file.with_extension("new");
        let mut out = std::fs::File::create(&new)?;
        out.write_all(&serde_json::to_vec(&self.kept)?)?;
        out.sync_all()?;
        std::fs::rename(&new, &self.file)
    }
}
