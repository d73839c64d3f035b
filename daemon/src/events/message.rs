//! Messages of brokers that readings are taken from, as they stand in the journal.

use super::Raw;
use cems_core::model::{OutletId, Record, SampleSet};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// A message as it came, and what it was taken for. What it was taken for depends on settings that
/// may change; so it stands here, and a rebuild needs no settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MqttMessage {
    /// Which source.
    pub source: SmolStr,
    /// Topic.
    pub topic: SmolStr,
    /// The payload; of one that is too large, the beginning.
    pub payload: Raw,
    /// Its length.
    pub bytes: u64,
    /// Packet identifier; 0 for a message that wants no acknowledgement.
    #[serde(default)]
    pub id: u16,
    /// Fingerprint of topic and payload, by which the message is known when it comes again.
    pub print: SmolStr,
    /// The broker sent it for the second time, and the first was not seen here.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
    /// The broker had kept it as the last state of its topic.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub retained: bool,
    /// What it was taken for.
    pub took: Took,
}

/// What a message was taken for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Took {
    /// A sample of now, as of an instrument's poll.
    Samples {
        /// Which.
        set: SampleSet,
    },
    /// A record: one that the sender formed, or a sample that came late.
    Record {
        /// Which.
        record: Record,
    },
    /// Nothing; it goes into quarantine.
    Refused {
        /// The outlet that its topic belongs to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        outlet: Option<OutletId>,
        /// Why, in words.
        why: String,
    },
}
