//! Names and values of a request, from a form or from a message, checked against the catalogue.

use smol_str::SmolStr;

use super::super::fields::Message;
use super::super::time::LocalTime;
use super::super::values::clock;
use super::RequestError;
use super::catalogue::{Order, ParamKind, Parameter, Presence};

/// Most values of one request; the longest segment (9999 bytes) has fewer items.
const PAIRS_MAX: usize = 2500;

/// What stands for a secret in messages and records.
pub(super) const MASK: &str = "***";

/// Names and values in order.
pub(super) struct Fields {
    pairs: Vec<(SmolStr, SmolStr)>,
}

impl Fields {
    /// A filled form; empty values count as left out.
    pub(super) fn of_pairs<N: AsRef<str>, V: AsRef<str>>(params: &[(N, V)]) -> Self {
        let pair = |(name, value): &(N, V)| {
            let (name, value) = (name.as_ref().trim(), value.as_ref().trim());
            (!value.is_empty()).then(|| (SmolStr::new(name), SmolStr::new(value)))
        };
        Self {
            pairs: params.iter().take(PAIRS_MAX).filter_map(pair).collect(),
        }
    }

    /// The data area of a message. Sub-fields become what a form has: the limits of a factor a
    /// `PolId` with two values, `i13004-Info` a value `Info`.
    pub(super) fn of_message(msg: &Message) -> Self {
        let mut pairs = Vec::new();
        let mut push = |name: &str, value: &SmolStr| {
            if !value.is_empty() && pairs.len() < PAIRS_MAX {
                pairs.push((SmolStr::new(name), value.clone()));
            }
        };
        for item in &msg.items {
            if let Some(value) = item.get("") {
                push(&item.name, value);
                continue;
            }
            let limits = [item.get("LowValue"), item.get("UpValue")];
            if limits.iter().any(Option::is_some) {
                push("PolId", &item.name);
            }
            for (field, value) in &item.fields {
                if field == "Info" && msg.cn() == "1002" {
                    push(&item.name, value);
                } else {
                    push(field, value);
                }
            }
        }
        Self { pairs }
    }

    /// 1002 carries the new number in the header (second-hand: HJ 212-2025 as quoted publicly).
    pub(super) fn take_header_mn(&mut self, msg: &Message) {
        if let Some(mn) = &msg.header.mn {
            self.pairs.push((SmolStr::new_static("MN"), mn.clone()));
        }
    }

    /// Checks presence and values against the catalogue; `strict` also refuses names it does not
    /// have.
    pub(super) fn check(&self, order: &Order, strict: bool) -> Result<(), RequestError> {
        for parameter in order.parameters {
            let mut count = 0usize;
            for value in self.all(parameter.name) {
                check_value(parameter, value)?;
                count += 1;
            }
            let needed = matches!(parameter.presence, Presence::Required | Presence::Repeated);
            if needed && count == 0 {
                return Err(RequestError::Missing {
                    name: parameter.name,
                    expected: expected(parameter.kind),
                });
            }
        }
        let unknown = |(name, _): &&(SmolStr, SmolStr)| {
            !order
                .parameters
                .iter()
                .any(|parameter| name.eq_ignore_ascii_case(parameter.name))
        };
        match self.pairs.iter().find(unknown) {
            Some((name, _)) if strict => Err(RequestError::Unexpected {
                cn: order.cn,
                name: name.to_string(),
            }),
            _ => Ok(()),
        }
    }

    /// Values of a name, in any case.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a SmolStr> {
        self.pairs
            .iter()
            .filter(move |(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// First value of a name.
    pub(super) fn get(&self, name: &str) -> Option<SmolStr> {
        self.all(name).next().cloned()
    }

    /// A text that the catalogue requires.
    pub(super) fn text(&self, name: &'static str) -> Result<SmolStr, RequestError> {
        self.get(name).ok_or_else(|| RequestError::Missing {
            name,
            expected: "a text".to_owned(),
        })
    }

    /// A number that the catalogue requires.
    pub(super) fn number(&self, name: &'static str) -> Result<u32, RequestError> {
        let text = self.text(name)?;
        text.parse()
            .map_err(|_| bad(name, &text, "a whole number".to_owned()))
    }

    /// A time that the catalogue requires, without fractions of a second.
    pub(super) fn time(&self, name: &'static str) -> Result<LocalTime, RequestError> {
        let text = self.text(name)?;
        LocalTime::parse(&text)
            .map(|time| LocalTime { millis: 0, ..time })
            .ok_or_else(|| bad(name, &text, expected(ParamKind::Time)))
    }
}

pub(super) fn bad(name: &'static str, value: &str, expected: String) -> RequestError {
    RequestError::Bad {
        name,
        value: value.to_owned(),
        expected,
    }
}

fn check_value(parameter: &Parameter, value: &str) -> Result<(), RequestError> {
    let kind = parameter.kind;
    let fits = match kind {
        ParamKind::Number { min, max } => value
            .parse::<u32>()
            .is_ok_and(|number| (min..=max).contains(&number)),
        ParamKind::Decimal => is_decimal(value),
        ParamKind::Time => LocalTime::parse(value).is_some(),
        ParamKind::HourMinute => clock(value, 2).is_some(),
        ParamKind::HourMinuteSecond => clock(value, 3).is_some(),
        // A number may be padded with zeros.
        ParamKind::Choice(choices) => choices.contains(&value.trim_start_matches('0')),
        ParamKind::Text { max } => value.len() <= max && is_plain(value),
        ParamKind::Secret { len } => {
            value.len() == len
                && value.bytes().all(|byte| byte.is_ascii_graphic())
                && is_plain(value)
        }
    };
    if fits {
        return Ok(());
    }
    let shown = if matches!(kind, ParamKind::Secret { .. }) {
        MASK
    } else {
        value
    };
    Err(bad(parameter.name, shown, expected(kind)))
}

/// What a form says belongs into a field.
fn expected(kind: ParamKind) -> String {
    match kind {
        ParamKind::Number { min, max } => format!("a whole number from {min} to {max}"),
        ParamKind::Decimal => "a decimal number".to_owned(),
        ParamKind::Time => "a time as YYYYMMDDhhmmss".to_owned(),
        ParamKind::HourMinute => "a time of day as hhmm".to_owned(),
        ParamKind::HourMinuteSecond => "a time of day as hhmmss".to_owned(),
        ParamKind::Choice(choices) => format!("one of {}", choices.join(", ")),
        ParamKind::Text { max } => format!("at most {max} bytes without ; , & # ="),
        ParamKind::Secret { len } => format!("{len} letters or digits"),
    }
}

fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    text.len() <= 18
        && digits.bytes().any(|byte| byte.is_ascii_digit())
        && digits
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
        && digits.bytes().filter(|byte| *byte == b'.').count() <= 1
}

/// Whether a frame holds the text unharmed, also after a reader has trimmed it.
fn is_plain(text: &str) -> bool {
    let breaks = |c: char| c.is_control() || matches!(c, ';' | ',' | '&' | '#' | '=');
    !text.contains(breaks) && !text.starts_with("//") && text.trim() == text
}
