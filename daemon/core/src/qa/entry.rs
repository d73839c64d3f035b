//! Do a test of the equipment and a step of a validity review make sense? Asked by forms and the
//! API before anything is journalled, and again when the entry arrives.

use crate::engine::TEXT_CHARS_MAX;
use crate::marks::{ATTACHMENTS_MAX, NAME_CHARS_MAX};
use crate::model::time::quarter_of;
use crate::model::{
    Attachment, FactorCode, OutletId, QaTest, Registry, ReviewAction, ReviewRow, ReviewStep, Seq,
    Timestamp,
};

/// Most pairs of one test: a relative accuracy test has 9 to 15, a seven-day drift test 14.
pub const PAIRS_MAX: usize = 100;

/// Why a test, a withdrawal or a step of a review is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QaError {
    /// No such outlet in the registry.
    #[error("the registry has no outlet {0}")]
    UnknownOutlet(OutletId),
    /// The outlet has no such factor.
    #[error("outlet has no factor {0}; test only factors of the outlet")]
    UnknownFactor(FactorCode),
    /// The test would be from the future.
    #[error("the time {0} lies in the future")]
    Future(Timestamp),
    /// A test without values, or with more than any has.
    #[error("the test has {0} pairs; enter 1 to {PAIRS_MAX}")]
    Pairs(usize),
    /// A full scale that is none.
    #[error("the full scale must be above zero")]
    FullScale,
    /// A text is empty where one is needed.
    #[error("the field {0} is empty")]
    Empty(&'static str),
    /// A text is too long.
    #[error("the field {0} is too long")]
    TooLong(&'static str),
    /// Too many attachments.
    #[error("there are {0} attachments; {ATTACHMENTS_MAX} are allowed")]
    TooManyAttachments(usize),
    /// There is no such entry.
    #[error("there is no entry {0} of this outlet")]
    Unknown(Seq),
    /// It was taken back before.
    #[error("entry {0} is withdrawn already")]
    Withdrawn(Seq),
    /// No quarter begins at this instant.
    #[error("no quarter begins at {0}")]
    NotAQuarter(Timestamp),
    /// The quarter is not over.
    #[error("the quarter that begins at {0} is not over yet")]
    Running(Timestamp),
    /// Nothing was handed in that could be decided on.
    #[error(
        "nothing was handed in for the quarter that begins at {0}; a rejection needs no hand-in"
    )]
    NotSubmitted(Timestamp),
}

impl QaError {
    /// A stable code for text keys and the API.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownOutlet(_) => "unknown-outlet",
            Self::UnknownFactor(_) => "unknown-factor",
            Self::Future(_) => "future",
            Self::Pairs(_) => "pairs",
            Self::FullScale => "full-scale",
            Self::Empty(_) => "empty",
            Self::TooLong(_) => "too-long",
            Self::TooManyAttachments(_) => "too-many-attachments",
            Self::Unknown(_) => "unknown-entry",
            Self::Withdrawn(_) => "withdrawn",
            Self::NotAQuarter(_) => "not-a-quarter",
            Self::Running(_) => "quarter-running",
            Self::NotSubmitted(_) => "not-submitted",
        }
    }
}

fn words(field: &'static str, text: &str, needed: bool) -> Result<(), QaError> {
    if needed && text.trim().is_empty() {
        return Err(QaError::Empty(field));
    }
    if text.chars().count() > TEXT_CHARS_MAX {
        return Err(QaError::TooLong(field));
    }
    Ok(())
}

fn attachments(list: &[Attachment]) -> Result<(), QaError> {
    if list.len() > ATTACHMENTS_MAX {
        return Err(QaError::TooManyAttachments(list.len()));
    }
    if list.iter().any(|a| a.name.trim().is_empty()) {
        return Err(QaError::Empty("attachment"));
    }
    if list.iter().any(|a| a.name.chars().count() > NAME_CHARS_MAX) {
        return Err(QaError::TooLong("attachment"));
    }
    Ok(())
}

/// Whether a test makes sense at `now`.
///
/// # Errors
/// When outlet or factor are unknown, the test is from the future, has no or too many pairs, an
/// impossible full scale, or texts too long or too many.
pub fn check_test(test: &QaTest, registry: &Registry, now: Timestamp) -> Result<(), QaError> {
    let outlet = registry
        .outlets
        .get(&test.outlet)
        .ok_or_else(|| QaError::UnknownOutlet(test.outlet.clone()))?;
    if !outlet.factors.contains_key(&test.factor) {
        return Err(QaError::UnknownFactor(test.factor.clone()));
    }
    if test.at > now {
        return Err(QaError::Future(test.at));
    }
    if test.pairs.is_empty() || test.pairs.len() > PAIRS_MAX {
        return Err(QaError::Pairs(test.pairs.len()));
    }
    if test
        .full_scale
        .is_some_and(|scale| scale.is_sign_negative() || scale.is_zero())
    {
        return Err(QaError::FullScale);
    }
    words("note", &test.note, false)?;
    attachments(&test.attachments)
}

/// Whether a reason to take something back says something.
///
/// # Errors
/// When it is empty or too long.
pub fn check_reason(reason: &str) -> Result<(), QaError> {
    words("reason", reason, true)
}

/// Whether a step of a review makes sense at `now`, given the review as it stands.
///
/// # Errors
/// When the outlet is unknown, no quarter begins there or it is not over, nothing was handed in
/// before it is accepted, a rejection has no reason, or texts are too long or too many.
pub fn check_review(
    action: &ReviewAction,
    registry: &Registry,
    review: Option<&ReviewRow>,
    now: Timestamp,
) -> Result<(), QaError> {
    if !registry.outlets.contains_key(&action.outlet) {
        return Err(QaError::UnknownOutlet(action.outlet.clone()));
    }
    let (start, end) = quarter_of(action.quarter, registry.offset);
    if start != action.quarter {
        return Err(QaError::NotAQuarter(action.quarter));
    }
    if end > now {
        return Err(QaError::Running(action.quarter));
    }
    let submitted = review.is_some_and(|review| {
        let mut steps = review.entries.iter().map(|entry| entry.action.step);
        steps.any(|step| step == ReviewStep::Submit)
    });
    if action.step == ReviewStep::Pass && !submitted {
        return Err(QaError::NotSubmitted(action.quarter));
    }
    words("note", &action.note, action.step != ReviewStep::Pass)?;
    attachments(&action.attachments)
}
