//! Where things lie.

use std::path::{Path, PathBuf};

/// Where things lie in the data directory.
#[derive(Debug, Clone)]
pub struct Places {
    root: PathBuf,
}

impl Places {
    /// The places of a data directory.
    pub fn of(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    /// The journal's directory.
    pub fn journal(&self) -> PathBuf {
        self.root.join("journal")
    }

    /// The projections.
    pub fn projections(&self) -> PathBuf {
        self.root.join("projections.db")
    }

    /// What is owed to centres: neither journal nor projection.
    pub fn uplinks(&self) -> PathBuf {
        self.root.join("uplink.db")
    }

    /// Which messages of brokers are in the journal: made again from its end when lost.
    pub fn sources(&self) -> PathBuf {
        self.root.join("sources")
    }

    /// Messages on their way: neither journal nor projection.
    pub fn messages(&self) -> PathBuf {
        self.root.join("notify.db")
    }

    /// How far destinations are: neither journal nor projection.
    pub fn outbox(&self) -> PathBuf {
        self.root.join("outbox.db")
    }

    /// Keys of enciphered lines, sealed: neither journal nor projection.
    pub fn keys(&self) -> PathBuf {
        self.root.join("keys.db")
    }

    /// The master key under which they are sealed, unless the settings name another place.
    pub fn master_key(&self) -> PathBuf {
        self.root.join("master.key")
    }

    /// Files that people attached: named by journal entries, read by nobody but people.
    pub fn attachments(&self) -> PathBuf {
        self.root.join("attachments")
    }

    /// Files of sealed days, unless the settings name another place: copies.
    pub fn parquet(&self) -> PathBuf {
        self.root.join("parquet")
    }

    /// Sessions of the console: neither journal nor projection.
    pub fn sessions(&self) -> PathBuf {
        self.root.join("sessions.db")
    }
}
