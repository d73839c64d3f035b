//! From polls to lines of the journal, at a distance: a disk that takes its time does not disturb
//! the rhythm of a bus.

use crate::events::JournalEvent;
use crate::journal::{Draft, Journal, JournalError};
use cems_core::model::{SampleSet, Timestamp};
use smol_str::SmolStr;
use tokio::sync::mpsc;

/// Records of one bus that may wait for the journal: ten instruments at 5 s fill it in ten
/// minutes. When it is full, polls are skipped and counted.
pub const RECORDS_WAITING_MAX: usize = 1_200;
/// Records given to the journal in one commit.
const RECORDS_AT_ONCE_MAX: usize = 64;

/// Something to be journalled, with the time it happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: Recorded,
}

/// What a bus has to record.
#[derive(Debug, Clone, PartialEq)]
pub enum Recorded {
    /// An instrument was read, or did not answer.
    Poll {
        /// What came out.
        set: SampleSet,
        /// What the line carried.
        raw: Vec<SmolStr>,
    },
    /// Something happened on the line; for the audit trail.
    Trouble {
        /// Code, such as `bus.discarded`.
        what: SmolStr,
        /// Bus or instrument.
        object: SmolStr,
        /// Words.
        detail: String,
    },
}

impl Record {
    fn draft(self) -> Draft {
        let event = match self.what {
            Recorded::Poll { set, raw } => JournalEvent::Poll { set, raw },
            Recorded::Trouble {
                what,
                object,
                detail,
            } => JournalEvent::Audit {
                who: SmolStr::new_static("daemon"),
                what,
                object,
                detail,
            },
        };
        Draft {
            at_ms: Some(self.at.0),
            body: event.to_line(),
        }
    }
}

/// Journals what a bus records, until the bus is gone.
pub(super) async fn write(journal: Journal, mut records: mpsc::Receiver<Record>) {
    let mut batch = Vec::with_capacity(RECORDS_AT_ONCE_MAX);
    while records.recv_many(&mut batch, RECORDS_AT_ONCE_MAX).await > 0 {
        let drafts = batch.drain(..).map(Record::draft).collect();
        match journal.append_many(drafts).await {
            Ok(_) => {}
            Err(JournalError::Closed | JournalError::GaveUp { .. }) => return,
            Err(error) => super::said::not_recorded(&error),
        }
    }
}
