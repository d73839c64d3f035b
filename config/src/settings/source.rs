//! Brokers from which readings are taken, checked.

use super::notify::Broker;
use cems_core::model::{FactorCode, OutletId, RecordKind};
use rust_decimal::Decimal;
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// Most brokers that readings come from.
pub const SOURCES_MAX: usize = 16;
/// Most topic filters of one broker.
pub const READINGS_MAX: usize = 1_000;
/// Longest payload that can be taken, bytes.
pub const SOURCE_PAYLOAD_BYTES_MAX: usize = 256 * 1024;

/// A broker from which readings come.
#[derive(Debug, Clone, PartialEq)]
pub struct MqttSource {
    /// Its name.
    pub id: SmolStr,
    /// How it is reached; the client identity names the session it keeps for us.
    pub broker: Broker,
    /// A larger payload is refused, bytes.
    pub payload_bytes_max: usize,
    /// What is subscribed to, in the order of the files; never empty.
    pub readings: Vec<MqttReading>,
}

impl MqttSource {
    /// The reading that a topic belongs to: the first whose filter matches.
    pub fn reading(&self, topic: &str) -> Option<&MqttReading> {
        self.readings
            .iter()
            .find(|reading| matches_filter(&reading.topic, topic))
    }
}

/// What the messages of a topic filter say.
#[derive(Debug, Clone, PartialEq)]
pub struct MqttReading {
    /// Topic filter.
    pub topic: SmolStr,
    /// The outlet measured.
    pub outlet: OutletId,
    /// What a message is.
    pub form: ReadingForm,
    /// Where its time stands: ISO 8601, or seconds or milliseconds since 1970.
    pub time: Option<JsonPath>,
    /// A sample whose own time lies this far back is no sample of now, seconds.
    pub fresh_s: u32,
    /// Where a flag for all of it stands.
    pub flag: Option<JsonPath>,
    /// What flags of the sender mean; one that is not listed stays as it is.
    pub flags: BTreeMap<SmolStr, SmolStr>,
    /// What is read; never empty.
    pub factors: Vec<MqttFactor>,
}

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadingForm {
    /// A sample: records are formed here, as of an instrument's polls.
    Samples,
    /// A record that the sender has formed.
    Record(RecordKind),
}

/// Where the value of a factor stands.
#[derive(Debug, Clone, PartialEq)]
pub struct MqttFactor {
    /// The factor.
    pub factor: FactorCode,
    /// Where its value stands.
    pub path: JsonPath,
    /// The value is multiplied by it to be in the factor's unit.
    pub multiplier: Decimal,
    /// Where a flag of its own stands.
    pub flag: Option<JsonPath>,
}

/// A place in a JSON text: names of members, or numbers of elements from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonPath(pub Vec<String>);

impl JsonPath {
    /// Reads a JSON pointer (RFC 6901, begins with `/`), or a path such as `$.gas[0].so2` or
    /// `gas['so 2'].value`; `None` when it is neither. `$` alone is the whole text.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(pointer) = text.strip_prefix('/') {
            let unescape = |part: &str| {
                let mut rest = part;
                while let Some(at) = rest.find('~') {
                    rest = &rest[at + 1..];
                    if !rest.starts_with(['0', '1']) {
                        return None;
                    }
                }
                Some(part.replace("~1", "/").replace("~0", "~"))
            };
            return pointer
                .split('/')
                .map(unescape)
                .collect::<Option<_>>()
                .map(Self);
        }
        let mut rest = text.strip_prefix('$').unwrap_or(text);
        let mut steps = Vec::new();
        let mut first = rest.len() == text.len();
        while !rest.is_empty() {
            let (step, tail) = if let Some(bracket) = rest.strip_prefix('[') {
                let (inside, tail) = bracket.split_once(']')?;
                (bracketed(inside)?, tail)
            } else {
                let name = match (rest.strip_prefix('.'), first) {
                    (Some(name), _) => name,
                    (None, true) => rest,
                    (None, false) => return None,
                };
                let end = name.find(['.', '[']).unwrap_or(name.len());
                (name[..end].to_owned(), &name[end..])
            };
            if step.is_empty() {
                return None;
            }
            steps.push(step);
            rest = tail;
            first = false;
        }
        Some(Self(steps))
    }
}

/// `0`, `'name'` or `"name"`.
fn bracketed(inside: &str) -> Option<String> {
    for quote in ['\'', '"'] {
        if let Some(name) = inside.strip_prefix(quote) {
            return name.strip_suffix(quote).map(str::to_owned);
        }
    }
    let number = !inside.is_empty() && inside.bytes().all(|b| b.is_ascii_digit());
    number.then(|| inside.to_owned())
}

/// Whether a topic matches a filter (MQTT 3.1.1, 4.7).
pub(crate) fn matches_filter(filter: &str, topic: &str) -> bool {
    if topic.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let mut levels = topic.split('/');
    for wanted in filter.split('/') {
        if wanted == "#" {
            return true;
        }
        match levels.next() {
            Some(level) if wanted == "+" || wanted == level => {}
            _ => return false,
        }
    }
    levels.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_in_both_spellings() {
        let steps = |text: &str| JsonPath::parse(text).map(|path| path.0.join("|"));
        for (text, expected) in [
            ("so2", "so2"),
            ("$.gas.so2", "gas|so2"),
            ("gas[0].value", "gas|0|value"),
            ("$['so 2'][\"a.b\"]", "so 2|a.b"),
            ("/gas/0/value", "gas|0|value"),
            ("/a~1b/m~0n", "a/b|m~n"),
            ("$", ""),
        ] {
            assert_eq!(steps(text).as_deref(), Some(expected), "{text}");
        }
        for text in ["a..b", "a[", "a[x]", "a[0]b", "/a~2", ".", "$x", "a['b]"] {
            assert_eq!(steps(text), None, "{text}");
        }
    }

    #[test]
    fn topics_match_filters_as_the_standard_says() {
        for (filter, topic) in [
            ("a/b", "a/b"),
            ("a/+/c", "a/b/c"),
            ("a/#", "a"),
            ("a/#", "a/b/c"),
            ("#", "a/b"),
            ("+/+", "/a"),
        ] {
            assert!(matches_filter(filter, topic), "{filter} {topic}");
        }
        for (filter, topic) in [
            ("a/b", "a/b/c"),
            ("a/+", "a"),
            ("a/+", "a/b/c"),
            ("#", "$SYS/x"),
            ("+/x", "$SYS/x"),
        ] {
            assert!(!matches_filter(filter, topic), "{filter} {topic}");
        }
    }
}
