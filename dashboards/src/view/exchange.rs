//! Exchanges with devices, in words.

use super::Eyes;
use super::outlet::outlet_link;
use super::sourced::journal;
use crate::backend::{CommandForm, ParameterKind};
use crate::text::Words;
use cems_core::model::{ExchangeRow, ExchangeStep, FactorCode, OutletId};
use chrono::NaiveDateTime;

/// Names of parameters whose values no page shows, should a row ever hold one.
const SECRET_NAMES: [&str; 3] = ["PW", "NewPW", "NewSK"];

/// What stands for a secret.
const MASK: &str = "***";

impl ParameterKind {
    /// The name in the API.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Number { .. } => "number",
            Self::Time => "time",
            Self::Choice(_) => "choice",
            Self::Text(_) => "text",
            Self::Secret(_) => "secret",
        }
    }
}

/// Which part of the standard a command belongs to: `settings` (1000-1999), `data` (2000-2999) or
/// `control` (the rest).
pub(crate) fn command_group(cn: &str) -> &'static str {
    match cn.as_bytes().first() {
        Some(b'1') => "settings",
        Some(b'2') => "data",
        _ => "control",
    }
}

/// What a command does, whatever the edition; its number when nobody has written words for it.
pub(crate) fn command_name(words: Words, cn: &str) -> String {
    words.code("cn", cn)
}

/// The value of a parameter as it may be shown.
pub(crate) fn shown_param(name: &str, value: &str) -> String {
    if SECRET_NAMES.iter().any(|s| s.eq_ignore_ascii_case(name)) {
        MASK.to_owned()
    } else {
        value.to_owned()
    }
}

/// The detail of a step as it may be shown.
pub(crate) fn shown_detail(detail: &str) -> String {
    crate::format::without_passwords(detail)
}

/// How the standard writes a time.
pub(crate) const DEVICE_TIME_FORMAT: &str = "%Y%m%d%H%M%S";

/// Digits of such a time.
const DEVICE_TIME_DIGITS: usize = 14;

/// The instant on the device's clock that `value` names, if it names one.
pub(crate) fn device_time(value: &str) -> Option<NaiveDateTime> {
    let shape = value.len() == DEVICE_TIME_DIGITS && value.bytes().all(|b| b.is_ascii_digit());
    let time = NaiveDateTime::parse_from_str(value, DEVICE_TIME_FORMAT);
    time.ok().filter(|_| shape)
}

/// A time as a device writes it, as people write it; anything else as it is.
fn shown_time(value: &str) -> String {
    device_time(value).map_or_else(
        || value.to_owned(),
        |at| at.format("%Y-%m-%d %H:%M:%S").to_string(),
    )
}

/// A value of a parameter in words: a factor of the outlet with its name, a time as people write
/// it, anything else as it is.
pub(crate) fn shown_value(eyes: &Eyes<'_>, outlet: &OutletId, value: &str) -> String {
    let code = FactorCode::new(value);
    let outlet = eyes.registry.outlets.get(outlet);
    match outlet.and_then(|o| o.factors.get(&code)) {
        Some(_) => format!("{} ({value})", eyes.factor(outlet, &code).name),
        None => shown_time(value),
    }
}

/// An exchange in a list.
pub(crate) struct ExchangeItem {
    pub(crate) id: u64,
    pub(crate) outlet: String,
    pub(crate) outlet_link: String,
    pub(crate) cn: String,
    pub(crate) name: String,
    pub(crate) by: String,
    pub(crate) why: String,
    pub(crate) at: String,
    pub(crate) at_full: String,
    /// The name of the state, for the style.
    pub(crate) state: &'static str,
    pub(crate) state_word: String,
    /// The last step in words; empty before the first.
    pub(crate) last: String,
}

impl ExchangeItem {
    pub(crate) fn new(eyes: &Eyes<'_>, row: &ExchangeRow) -> Self {
        let words = eyes.words;
        let state = row.state.as_str();
        Self {
            id: row.id.0,
            outlet: eyes.outlet_words(&row.outlet),
            outlet_link: outlet_link(row.outlet.as_str()),
            cn: row.cn.to_string(),
            name: command_name(words, &row.cn),
            by: words.code("who", &row.by),
            why: words.code("exchange-why", &row.why),
            at: eyes.times.short(row.at),
            at_full: eyes.times.full(row.at),
            state,
            state_word: words.code("exchange-state", state),
            last: row
                .steps
                .last()
                .map_or_else(String::new, |step| one_line(words, step)),
        }
    }
}

/// A step with what it means as one line.
fn one_line(words: Words, step: &ExchangeStep) -> String {
    let what = words.code("exchange-step", &step.what);
    let meaning = meaning(words, &step.detail);
    if meaning.is_empty() {
        what
    } else {
        format!("{what} · {meaning}")
    }
}

/// A step of an exchange.
pub(crate) struct StepItem {
    pub(crate) at: String,
    /// Code, for the style.
    pub(crate) code: String,
    pub(crate) what: String,
    /// What the detail means, in words; empty when it says it itself.
    pub(crate) meaning: String,
    /// The detail as the journal has it; empty when the meaning says it all.
    pub(crate) detail: String,
    pub(crate) seq: String,
}

/// The steps of an exchange, oldest first.
pub(crate) fn steps(eyes: &Eyes<'_>, row: &ExchangeRow) -> Vec<StepItem> {
    let steps = row.steps.iter().map(|step| {
        let meaning = meaning(eyes.words, &step.detail);
        // A code that became words need not stand there twice.
        let code = why_key(eyes.words, &step.detail).is_some();
        StepItem {
            at: eyes.times.full(step.at),
            code: step.what.to_string(),
            what: eyes.words.code("exchange-step", &step.what),
            detail: if code {
                String::new()
            } else {
                shown_detail(&step.detail)
            },
            meaning,
            seq: journal(step.seq),
        }
    });
    steps.collect()
}

/// What a detail means: the return value in it, or its code.
fn meaning(words: Words, detail: &str) -> String {
    let returned = |name: &str, prefix: &str| {
        let (_, rest) = detail.split_once(name)?;
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        words.find(&format!("{prefix}-{}", rest.get(..digits)?))
    };
    returned("QnRtn=", "qnrtn")
        .or_else(|| returned("ExeRtn=", "exertn"))
        .or_else(|| why_key(words, detail))
        .unwrap_or_default()
}

/// The words of a detail that is a code.
fn why_key(words: Words, detail: &str) -> Option<String> {
    let code = !detail.is_empty() && detail.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    words.find(&format!("step-why-{detail}")).filter(|_| code)
}

/// The parameters of an exchange: standard name, label (empty when no form knows it), value.
pub(crate) fn parameters(
    eyes: &Eyes<'_>,
    row: &ExchangeRow,
    form: Option<&CommandForm>,
) -> Vec<(String, String, String)> {
    let rows = row.params.iter().map(|(name, value)| {
        let parameter = form.and_then(|f| f.parameters.iter().find(|p| p.name == *name));
        let label = parameter.map_or("", |p| eyes.words.pick(&p.label_zh, Some(&p.label_en)));
        let shown = shown_value(eyes, &row.outlet, &shown_param(name, value));
        (name.to_string(), label.to_owned(), shown)
    });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Lang;

    #[test]
    fn what_a_device_returned_is_said_in_words() {
        let words = Words(Lang::En);
        for (detail, meaning_wanted) in [
            ("QnRtn=2", "request refused"),
            ("QN=1;QnRtn=9;", "wrong check code"),
            ("ExeRtn=100", "no data"),
            ("ExeRtn=77", ""),
            ("ExeRtn=", ""),
            ("no-answer", "no answer to any attempt"),
            ("<b>", ""),
            ("", ""),
        ] {
            assert_eq!(meaning(words, detail), meaning_wanted, "{detail}");
        }
    }

    #[test]
    fn device_times_are_written_for_people_and_secrets_never() {
        assert_eq!(shown_time("20260318120000"), "2026-03-18 12:00:00");
        for other in ["2026031812000", "20261318120000", "a0260318120000", "60"] {
            assert_eq!(shown_time(other), other);
        }
        assert_eq!(shown_param("NewPW", "abc"), "***");
        assert_eq!(shown_param("newsk", "abc"), "***");
        assert_eq!(shown_param("PolId", "abc"), "abc");
    }

    #[test]
    fn commands_stand_in_the_group_of_their_number() {
        for (cn, group) in [
            ("1012", "settings"),
            ("2061", "data"),
            ("3011", "control"),
            ("", "control"),
        ] {
            assert_eq!(command_group(cn), group);
        }
    }
}
