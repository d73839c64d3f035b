//! What a manual report needs before it is passed on, by form or by API alike.

use super::NOTE_CHARS_MAX;
use crate::backend::BackendError;
use crate::refusal::refused;
use cems_core::model::ManualReport;

/// Characters of a name, method or laboratory.
pub(super) const FIELD_CHARS_MAX: usize = 200;

/// Refuses what is empty or endless; what the values mean is checked behind the backend.
pub(crate) fn check_report(report: &ManualReport) -> Result<(), BackendError> {
    if report.values.is_empty() {
        return Err(refused("no-values", ""));
    }
    for (field, text, required, max) in [
        ("sampler", &report.sampler, true, FIELD_CHARS_MAX),
        ("method", &report.method, true, FIELD_CHARS_MAX),
        ("laboratory", &report.laboratory, false, FIELD_CHARS_MAX),
        ("note", &report.note, false, NOTE_CHARS_MAX),
    ] {
        if required && text.trim().is_empty() {
            return Err(refused("field-empty", field));
        }
        if text.chars().count() > max {
            return Err(refused("field-too-long", format!("{field} > {max}")));
        }
    }
    Ok(())
}
