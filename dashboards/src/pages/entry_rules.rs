//! What a mark, a test and a step of a review need before they are passed on, by form or by API
//! alike.

use super::checked_note;
use crate::backend::{Actor, Backend, BackendError};
use crate::refusal::{of_mark, of_qa, refused};
use cems_core::explain::Asked;
use cems_core::explain::period;
use cems_core::model::{
    Mark, OutletId, Permission, QaPair, QaTest, Registry, ReviewAction, ReviewStep, Timestamp,
    UtcOffset,
};
use cems_core::qa::entry;
use rust_decimal::Decimal;

/// What a step of a review takes.
pub(crate) fn permission_of(step: ReviewStep) -> Permission {
    match step {
        ReviewStep::Submit => Permission::SubmitReview,
        ReviewStep::Pass | ReviewStep::Fail => Permission::DecideReview,
    }
}

/// Refuses a mark that makes no sense now.
pub(crate) fn check_mark(
    mark: &Mark,
    registry: &Registry,
    now: Timestamp,
) -> Result<(), BackendError> {
    cems_core::marks::check(mark, registry, now).map_err(|e| of_mark(&e, registry.offset))
}

/// Refuses a test that makes no sense now.
pub(crate) fn check_test(
    test: &QaTest,
    registry: &Registry,
    now: Timestamp,
) -> Result<(), BackendError> {
    entry::check_test(test, registry, now).map_err(|e| of_qa(&e, registry.offset))
}

/// Refuses a step that makes no sense after those taken before. Blocks: it reads them.
pub(crate) fn check_review(
    backend: &dyn Backend,
    actor: &Actor,
    action: &ReviewAction,
) -> Result<(), BackendError> {
    let registry = backend.registry();
    let reviews = backend.reviews(actor, &action.outlet)?;
    let review = reviews.iter().find(|r| r.quarter == action.quarter);
    entry::check_review(action, &registry, review, backend.now())
        .map_err(|e| of_qa(&e, registry.offset))
}

/// A reason to take something back.
pub(crate) fn checked_reason(reason: Option<&String>) -> Result<String, BackendError> {
    checked_note(reason)
}

/// Refuses what is outside the scope of the actor before its content is looked at.
pub(crate) fn check_scope(
    backend: &dyn Backend,
    actor: &Actor,
    outlet: &OutletId,
) -> Result<(), BackendError> {
    let access = cems_core::model::Access {
        role: actor.role,
        scope: actor.scope.clone(),
    };
    let registry = backend.registry();
    let known = registry.outlets.get(outlet);
    if known.is_some_and(|outlet| access.covers(&registry, outlet)) {
        Ok(())
    } else {
        Err(BackendError::NotFound)
    }
}

/// First instant of a quarter written as `2025-Q4`.
pub(crate) fn quarter(text: &str, offset: UtcOffset) -> Result<Timestamp, BackendError> {
    match period::parse(text, offset) {
        Ok(Asked::Quarter(start)) => Ok(start),
        _ => Err(refused("quarter-unreadable", text)),
    }
}

/// A number as typed.
pub(crate) fn decimal(text: &str) -> Result<Decimal, BackendError> {
    Decimal::from_str_exact(text.trim()).map_err(|_| refused("value-unreadable", text))
}

/// Pairs as typed: one a line, reference and reading of the equipment with blanks, a tab, a comma
/// or a semicolon between them. Empty lines are passed over.
pub(crate) fn pairs(text: &str) -> Result<Vec<QaPair>, BackendError> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let pairs = lines.map(|line| {
        let between = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '，' | '；');
        let numbers: Vec<&str> = line.split(between).filter(|n| !n.is_empty()).collect();
        match *numbers.as_slice() {
            [reference, measured] => Ok(QaPair {
                reference: decimal(reference).map_err(|_| refused("pair-unreadable", line))?,
                measured: decimal(measured).map_err(|_| refused("pair-unreadable", line))?,
            }),
            _ => Err(refused("pair-unreadable", line)),
        }
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_read_line_by_line() {
        let read = pairs("31.2 30.1\r\n\n 30,29.5 \n28.0\t27；").unwrap();
        let texts: Vec<String> = read
            .iter()
            .map(|p| format!("{}/{}", p.reference, p.measured))
            .collect();
        assert_eq!(texts, ["31.2/30.1", "30/29.5", "28.0/27"]);
        for text in ["31.2", "1 2 3", "a b", "1e3 2"] {
            let error = pairs(text).unwrap_err();
            assert_eq!(error, refused("pair-unreadable", text), "{text}");
        }
        assert!(pairs(" \n").unwrap().is_empty());
    }

    #[test]
    fn quarters_are_read_and_nothing_else() {
        let offset = UtcOffset::default();
        assert!(quarter("2025-Q4", offset).is_ok());
        for text in ["2025", "2025-10", "", "2025-Q5"] {
            assert!(quarter(text, offset).is_err(), "{text}");
        }
    }
}
