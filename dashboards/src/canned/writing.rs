//! What people do to the canned data.

use super::Canned;
use super::exchanges::ordered;
use super::held::Held;
use super::rows::NOW;
use crate::backend::{Actor, Backend, BackendError, Change, CommandOrder, ParameterKind, Receipt};
use cems_core::model::rows::AuditRow;
use cems_core::model::{FallbackId, FallbackReason, FallbackRow, OutletId, Permission, Seq};
use smol_str::SmolStr;

pub(super) fn refused(code: &str, detail: &impl ToString) -> BackendError {
    BackendError::Refused {
        code: code.to_owned(),
        detail: detail.to_string(),
    }
}

pub(super) fn allow(actor: &Actor, permission: Permission) -> Result<(), BackendError> {
    if actor.role.may(permission) {
        Ok(())
    } else {
        Err(BackendError::Forbidden)
    }
}

impl Held {
    pub(super) fn write(
        &mut self,
        actor: &Actor,
        what: &str,
        object: String,
        detail: &str,
    ) -> Receipt {
        self.seq += 1;
        self.health.journal_seq = self.seq;
        self.health.projected_seq = self.seq;
        self.audit.push(AuditRow {
            seq: Seq(self.seq),
            n: 0,
            at: NOW,
            who: SmolStr::new(actor.user.as_str()),
            what: SmolStr::new(what),
            object: SmolStr::new(object),
            detail: detail.to_owned(),
        });
        Receipt {
            seq: Seq(self.seq),
            at: NOW,
        }
    }
}

impl Canned {
    /// Orders a command; it stays queued until [`Canned::advance`] moves it.
    pub(super) fn write_command(
        &self,
        actor: &Actor,
        order: CommandOrder,
    ) -> Result<Receipt, BackendError> {
        allow(actor, Permission::Command)?;
        let forms = self.commands(actor, &order.outlet)?;
        let form = forms.into_iter().find(|form| form.cn == order.cn);
        let form = form.ok_or_else(|| refused("unknown-command", &order.cn))?;
        let secret = |name: &str| {
            let of_form = form.parameters.iter().find(|p| p.name == name);
            of_form.is_some_and(|p| matches!(p.kind, ParameterKind::Secret(_)))
        };
        let params = order.params.into_iter().map(|(name, value)| {
            let shown = if secret(&name) {
                "***".to_owned()
            } else {
                value
            };
            (SmolStr::new(name), shown)
        });
        let params = params.collect();
        let object = format!("outlet/{}", order.outlet);
        let mut held = self.lock();
        let receipt = held.write(actor, "command", object, &order.cn);
        let by = actor.user.as_str();
        let row = ordered(
            receipt.seq,
            NOW,
            order.outlet.clone(),
            &order.cn,
            params,
            by,
        );
        held.exchanges.insert(receipt.seq, row);
        drop(held);
        self.announce(&[Change::Exchange(receipt.seq, order.outlet)]);
        Ok(receipt)
    }

    pub(super) fn write_decision(
        &self,
        actor: &Actor,
        outlet: &OutletId,
        open: bool,
        note: String,
    ) -> Result<Receipt, BackendError> {
        allow(actor, Permission::DecideFallback)?;
        self.outlet(actor, outlet)?;
        let mut held = self.lock();
        let is_open = |f: &FallbackRow| &f.outlet == outlet && f.closed_at.is_none();
        let known = held.fallbacks.values().find(|f| is_open(f)).map(|f| f.id);
        let id = match (open, known) {
            (true, Some(id)) => return Err(refused("fallback-open", &id)),
            (false, None) => return Err(refused("no-fallback", outlet)),
            (_, Some(id)) => id,
            (true, None) => FallbackId(held.fallbacks.keys().next_back().map_or(1, |id| id.0 + 1)),
        };
        let what = if open {
            "fallback.opened"
        } else {
            "fallback.closed"
        };
        let receipt = held.write(actor, what, format!("fallback/{id}"), &note);
        if let Some(row) = held.fallbacks.get_mut(&id) {
            row.closed_at = Some(NOW);
            row.closed_why = Some(note);
            row.next_due = None;
            row.updated_seq = receipt.seq;
        } else {
            held.fallbacks
                .insert(id, opened(id, outlet, actor, note, receipt.seq));
        }
        drop(held);
        self.announce(&[Change::Fallback(id)]);
        Ok(receipt)
    }
}

fn opened(id: FallbackId, outlet: &OutletId, actor: &Actor, note: String, seq: Seq) -> FallbackRow {
    let by = actor.user.clone();
    let reasons = vec![FallbackReason::Decision { by, note }];
    FallbackRow {
        next_due: Some(NOW.plus_ms(6 * 3_600_000)),
        ..FallbackRow::opened((id, outlet.clone()), NOW, reasons, seq)
    }
}
