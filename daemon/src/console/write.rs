//! What people do: checked against what is known, journalled, and only then confirmed.

use super::ConsoleBackend;
use crate::events::JournalEvent;
use crate::journal::Draft;
use cems_core::engine::{FallbackDecision, check};
use cems_core::model::{OutletId, Permission, Seq, Timestamp};
use cems_dashboards::backend::{Actor, BackendError, LoginError, Receipt};
use smol_str::{SmolStr, format_smolstr};
use std::time::Duration;

/// How long a confirmation waits for the projections, so that the next page shows the change. The
/// event is on disk either way.
const SHOW_PATIENCE: Duration = Duration::from_secs(2);
/// How long a form waits for its commit before the person is told that it is not confirmed.
const COMMIT_PATIENCE: Duration = Duration::from_secs(20);

impl ConsoleBackend {
    pub(super) async fn decide(
        &self,
        actor: &Actor,
        outlet: OutletId,
        open: bool,
        note: String,
    ) -> Result<Receipt, BackendError> {
        allow(actor, Permission::DecideFallback)?;
        self.visible(actor, &outlet)?;
        let is_open = !self.fallbacks_of(&outlet, true)?.is_empty();
        let decision = FallbackDecision {
            outlet,
            open,
            by: actor.user.clone(),
            note,
        };
        check::fallback_decision(&decision, is_open).map_err(|error| refused(&error))?;
        self.commit(&decision.into()).await
    }

    pub(super) async fn log_in(
        &self,
        user: &str,
        password: &str,
        peer: &str,
    ) -> Result<String, LoginError> {
        let checked = self.access.check(user, password, peer).await;
        let what = match &checked {
            Ok(_) => "login",
            Err(LoginError::Wrong) => "login.failed",
            // Nothing was tried: an attacker must not be able to fill the journal.
            Err(_) => return checked.map(|_| String::new()),
        };
        self.commit(&JournalEvent::Audit {
            who: SmolStr::new(limited(user)),
            what: SmolStr::new_static(what),
            object: format_smolstr!("user/{}", limited(user)),
            detail: format!("from {peer}"),
        })
        .await
        .map_err(|error| LoginError::Unavailable(error.to_string()))?;
        self.access.open_session(&checked?)
    }

    pub(super) async fn log_out(&self, token: &str) {
        let Some(user) = self.access.close_session(token) else {
            return;
        };
        let event = JournalEvent::Audit {
            who: SmolStr::new(user.as_str()),
            what: SmolStr::new_static("logout"),
            object: format_smolstr!("user/{user}"),
            detail: String::new(),
        };
        if let Err(error) = self.commit(&event).await {
            tracing::warn!(%error, "a log-out could not be journalled");
        }
    }

    pub(super) async fn commit(&self, event: &JournalEvent) -> Result<Receipt, BackendError> {
        self.commit_all(std::slice::from_ref(event)).await
    }

    /// Journals events in one commit: all of them or none. The receipt is that of the last.
    pub(super) async fn commit_all(
        &self,
        events: &[JournalEvent],
    ) -> Result<Receipt, BackendError> {
        if let Some(cause) = self.journal.health().stalled {
            return Err(BackendError::Unavailable(format!(
                "nothing was saved: {cause}"
            )));
        }
        let drafts = events.iter().map(|event| Draft::now(event.to_line()));
        let append = self.journal.append_many(drafts.collect());
        let committed = tokio::time::timeout(COMMIT_PATIENCE, append)
            .await
            .map_err(|_| {
                // The event is queued: it may still be stored when the disk answers again.
                BackendError::Unavailable("not confirmed; look again before repeating it".into())
            })?
            .map_err(|error| BackendError::Unavailable(error.to_string()))?;
        let committed = committed
            .last()
            .ok_or_else(|| BackendError::Unavailable("there was nothing to be saved".to_owned()))?;
        let receipt = Receipt {
            seq: Seq(committed.seq),
            at: Timestamp(committed.at_ms),
        };
        self.shown(receipt).await;
        Ok(receipt)
    }

    /// Waits a moment for pages to show what was done; it is on disk either way.
    pub(super) async fn shown(&self, receipt: Receipt) {
        self.projected.reached(receipt.seq, SHOW_PATIENCE).await;
    }
}

/// Longest user name that is journalled for a failed log-in.
const USER_CHARS_MAX: usize = 64;

fn limited(user: &str) -> String {
    user.chars()
        .filter(|c| !c.is_control())
        .take(USER_CHARS_MAX)
        .collect()
}

pub(super) fn allow(actor: &Actor, permission: Permission) -> Result<(), BackendError> {
    if actor.role.may(permission) {
        Ok(())
    } else {
        Err(BackendError::Forbidden)
    }
}

pub(super) fn refused(error: &check::ActionError) -> BackendError {
    BackendError::Refused {
        code: error.code().to_owned(),
        detail: error.to_string(),
    }
}
