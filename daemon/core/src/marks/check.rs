//! Does a mark make sense? Asked by forms and the API before anything is journalled, so that they
//! can refuse with words, and again when the entry arrives.

use crate::engine::TEXT_CHARS_MAX;
use crate::model::time::{DAY_MS, MINUTE_MS};
use crate::model::{FactorCode, Mark, MarkKind, OutletId, Registry, Seq, Timestamp};

/// Longest mark, days: a leap year. A longer stop is stated anew.
pub const LENGTH_DAYS_MAX: i64 = 366;
/// How far ahead planned maintenance may be announced, days.
pub const ANNOUNCED_DAYS_MAX: i64 = 31;
/// Most attachments of one mark.
pub const ATTACHMENTS_MAX: usize = 20;
/// Characters of the name of an attachment: what file systems allow.
pub const NAME_CHARS_MAX: usize = 255;

/// Why a mark or its withdrawal is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MarkError {
    /// No such outlet in the registry.
    #[error("the registry has no outlet {0}")]
    UnknownOutlet(OutletId),
    /// The outlet has no such factor.
    #[error("outlet has no factor {0}; mark only factors of the outlet")]
    UnknownFactor(FactorCode),
    /// A factor stands there twice.
    #[error("the mark names factor {0} twice; name each once")]
    RepeatedFactor(FactorCode),
    /// A text is empty where one is needed.
    #[error("the field {0} is empty")]
    Empty(&'static str),
    /// A text is too long.
    #[error("the field {0} is too long")]
    TooLong(&'static str),
    /// The period ends before it begins, or at once.
    #[error("the period ends at {0}, not after it begins")]
    NoPeriod(Timestamp),
    /// The period is longer than any mark may be.
    #[error("the period is longer than {LENGTH_DAYS_MAX} days")]
    LongPeriod,
    /// The period begins in the future, and is no planned maintenance, or too far off.
    #[error(
        "the period begins at {0}, in the future; only planned maintenance may be announced, \
         {ANNOUNCED_DAYS_MAX} days ahead at most"
    )]
    Future(Timestamp),
    /// The period does not begin and end with a minute.
    #[error("the period does not begin and end at whole minutes, at {0}")]
    NotWholeMinutes(Timestamp),
    /// More attachments than a mark may have.
    #[error("the mark has {0} attachments; {ATTACHMENTS_MAX} are allowed")]
    TooManyAttachments(usize),
    /// The mark was taken back before.
    #[error("mark {0} is withdrawn already")]
    Withdrawn(Seq),
}

impl MarkError {
    /// A stable code for text keys and the API.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownOutlet(_) => "unknown-outlet",
            Self::UnknownFactor(_) => "unknown-factor",
            Self::RepeatedFactor(_) => "repeated-factor",
            Self::Empty(_) => "empty",
            Self::TooLong(_) => "too-long",
            Self::NoPeriod(_) => "no-period",
            Self::LongPeriod => "long-period",
            Self::Future(_) => "future",
            Self::NotWholeMinutes(_) => "not-whole-minutes",
            Self::TooManyAttachments(_) => "too-many-attachments",
            Self::Withdrawn(_) => "withdrawn",
        }
    }
}

/// A text that must say something, and not too much.
pub(super) fn words(field: &'static str, text: &str) -> Result<(), MarkError> {
    if text.trim().is_empty() {
        return Err(MarkError::Empty(field));
    }
    if text.chars().count() > TEXT_CHARS_MAX {
        return Err(MarkError::TooLong(field));
    }
    Ok(())
}

/// Whether a mark makes sense at `now`. A late one does: it is entered and shown as late.
///
/// # Errors
/// When outlet or factor are unknown, the period cannot be, begins in the future without being
/// planned maintenance, the reason is missing, or something is too long or too many.
pub fn check(mark: &Mark, registry: &Registry, now: Timestamp) -> Result<(), MarkError> {
    let outlet = registry
        .outlets
        .get(&mark.outlet)
        .ok_or_else(|| MarkError::UnknownOutlet(mark.outlet.clone()))?;
    let unknown = |code: &&FactorCode| !outlet.factors.contains_key(*code);
    if let Some(code) = mark.factors.iter().find(unknown) {
        return Err(MarkError::UnknownFactor(code.clone()));
    }
    let mut codes: Vec<&FactorCode> = mark.factors.iter().collect();
    codes.sort();
    let repeats = codes.iter().zip(codes.iter().skip(1));
    if let Some((twice, _)) = repeats.into_iter().find(|(a, b)| a == b) {
        return Err(MarkError::RepeatedFactor((*twice).clone()));
    }
    period(mark, now)?;
    words("reason", &mark.reason)?;
    if mark.attachments.len() > ATTACHMENTS_MAX {
        return Err(MarkError::TooManyAttachments(mark.attachments.len()));
    }
    for attachment in &mark.attachments {
        if attachment.name.trim().is_empty() {
            return Err(MarkError::Empty("attachment"));
        }
        if attachment.name.chars().count() > NAME_CHARS_MAX {
            return Err(MarkError::TooLong("attachment"));
        }
    }
    Ok(())
}

fn period(mark: &Mark, now: Timestamp) -> Result<(), MarkError> {
    for end in [mark.from, mark.until] {
        if end.0.rem_euclid(MINUTE_MS) != 0 {
            return Err(MarkError::NotWholeMinutes(end));
        }
    }
    if mark.until <= mark.from {
        return Err(MarkError::NoPeriod(mark.until));
    }
    if mark.until.since_ms(mark.from) > LENGTH_DAYS_MAX.saturating_mul(DAY_MS) {
        return Err(MarkError::LongPeriod);
    }
    let ahead_ms = match mark.kind {
        MarkKind::Maintenance => ANNOUNCED_DAYS_MAX.saturating_mul(DAY_MS),
        _ => 0,
    };
    if mark.from > now.plus_ms(ahead_ms) {
        return Err(MarkError::Future(mark.from));
    }
    Ok(())
}
