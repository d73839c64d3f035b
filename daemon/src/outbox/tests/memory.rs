//! A destination in memory that follows a script.

use super::*;
use std::sync::Mutex;

/// How the destination behaves; shared with the test.
#[derive(Default)]
pub(super) struct Memory {
    /// Everything taken, in order, repetitions included.
    pub(super) taken: Mutex<Vec<Parcel>>,
    /// What is wrong for now; nothing is taken while it is.
    pub(super) wrong: Mutex<Option<SendError>>,
    /// What the next calls say before anything else: an error, or taken without an answer.
    pub(super) script: Mutex<Vec<Fault>>,
    /// Keys (as text) that are refused for ever, one by one.
    pub(super) refuses: Mutex<BTreeSet<String>>,
    /// Refusals are told as errors of the whole batch.
    pub(super) bluntly: Mutex<bool>,
    /// How long a batch takes.
    pub(super) takes: Mutex<Duration>,
    /// Calls so far.
    pub(super) calls: Mutex<u32>,
}

/// What goes wrong with one call.
#[derive(Debug, Clone)]
pub(super) enum Fault {
    /// Nothing is taken.
    Error(SendError),
    /// Everything is taken, and the answer is lost.
    AnswerLost,
}

impl Memory {
    /// Keys taken, without repetitions.
    pub(super) fn keys(&self) -> BTreeSet<String> {
        let taken = self.taken.lock().unwrap();
        taken.iter().map(|parcel| parcel.key.to_string()).collect()
    }

    pub(super) fn set(&self, wrong: Option<SendError>) {
        *self.wrong.lock().unwrap() = wrong;
    }
}

/// The side of the outbox.
pub(super) struct Door(pub(super) Arc<Memory>, pub(super) usize);

impl Destination for Door {
    fn send<'a>(&'a mut self, parcels: &'a [Parcel]) -> Sending<'a> {
        Box::pin(async move {
            let memory = &self.0;
            *memory.calls.lock().unwrap() += 1;
            let takes = *memory.takes.lock().unwrap();
            tokio::time::sleep(takes).await;
            if let Some(error) = memory.wrong.lock().unwrap().clone() {
                return Err(error);
            }
            let fault = memory.script.lock().unwrap().pop();
            if let Some(Fault::Error(error)) = fault {
                return Err(error);
            }
            let refuses = memory.refuses.lock().unwrap().clone();
            let is_bad = |parcel: &Parcel| refuses.contains(&parcel.key.to_string());
            if *memory.bluntly.lock().unwrap() && parcels.iter().any(is_bad) {
                return Err(SendError::new(Cause::Refused, "400 partial write"));
            }
            let mut sent = Sent::default();
            for (n, parcel) in parcels.iter().enumerate() {
                if is_bad(parcel) {
                    sent.refused.push((n, "unreadable".into()));
                } else {
                    sent.values += 1;
                    memory.taken.lock().unwrap().push(parcel.clone());
                }
            }
            match fault {
                Some(Fault::AnswerLost) => Err(SendError::new(Cause::Slow, "no answer")),
                _ => Ok(sent),
            }
        })
    }

    fn batch_max(&self) -> usize {
        self.1
    }
}
