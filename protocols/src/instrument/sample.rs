//! From readings to values of factors with their flags.

use super::{Flag, Map, Reading, StateRule, Test, Value};
use rust_decimal::Decimal;
use smol_str::SmolStr;

/// A point that feeds a factor of an outlet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// Index of the point in [`Map::points`].
    pub point: usize,
    /// Code of the factor at the outlet.
    pub factor: SmolStr,
    /// The value in the point's unit times this is the value in the factor's unit; exact.
    pub multiplier: Decimal,
}

/// One factor read once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactorSample {
    /// Code of the factor.
    pub factor: SmolStr,
    /// The value in the factor's unit; `None` where there is none that can be believed.
    pub value: Option<Decimal>,
    /// As it came from the device; empty when it said nothing.
    pub raw: SmolStr,
    /// State of the instrument.
    pub flag: Flag,
}

/// The samples of what one poll read.
///
/// `readings` holds the last reading of each state point too, when its group is polled less often
/// than the factors; a later reading of the same point replaces an earlier one. A channel whose
/// point was not read yields nothing. A factor the state of which cannot be read is at fault (D):
/// nobody can say that it is normal. Otherwise the first rule that applies gives the flag, then
/// over range (T), then N.
pub fn to_samples(map: &Map, readings: &[Reading], channels: &[Channel]) -> Vec<FactorSample> {
    let read = |point: usize| readings.iter().rev().find(|r| r.point == point);
    let mut out = Vec::with_capacity(channels.len());
    for channel in channels {
        let Some(reading) = read(channel.point) else {
            continue;
        };
        let number = match &reading.value {
            Ok(Value::Number {
                value, over_range, ..
            }) => value
                .checked_mul(channel.multiplier)
                .map(|v| (v.normalize(), *over_range)),
            Ok(Value::Text(_)) | Err(_) => None,
        };
        let state = state(map, channel.point, &read);
        let flag = match (state, number) {
            (Some(flag), _) => flag,
            (None, None) => Flag::D,
            (None, Some((_, true))) => Flag::T,
            (None, Some((_, false))) => Flag::N,
        };
        // A state that says "normal" cannot make a value out of none.
        let flag = if number.is_none() && flag == Flag::N {
            Flag::D
        } else {
            flag
        };
        out.push(FactorSample {
            factor: channel.factor.clone(),
            value: number.map(|(value, _)| value),
            raw: reading.raw.clone(),
            flag,
        });
    }
    out
}

/// The samples of an instrument that did not answer: no values, flag B.
pub fn without_answer(channels: &[Channel]) -> Vec<FactorSample> {
    channels
        .iter()
        .map(|channel| FactorSample {
            factor: channel.factor.clone(),
            value: None,
            raw: SmolStr::default(),
            flag: Flag::B,
        })
        .collect()
}

/// The flag that the states give a point; `None` when they have nothing against it.
fn state<'r>(
    map: &Map,
    point: usize,
    read: &impl Fn(usize) -> Option<&'r Reading>,
) -> Option<Flag> {
    let concerned = |rule: &&StateRule| rule.concerns.is_empty() || rule.concerns.contains(&point);
    let mut unreadable = false;
    for rule in map.rules.iter().filter(concerned) {
        match read(rule.point).map(|reading| &reading.value) {
            Some(Ok(value)) if rule.test.holds(value) => {
                return (rule.flag != Flag::N).then_some(rule.flag);
            }
            Some(Ok(_)) => {}
            Some(Err(_)) | None => unreadable = true,
        }
    }
    unreadable.then_some(Flag::D)
}

impl Test {
    /// Whether a state says so. A test of bits or codes never holds for a text, one of texts
    /// never for a number, except the negative ones, which then do.
    pub fn holds(&self, value: &Value) -> bool {
        let code = match value {
            Value::Number { code, .. } => *code,
            Value::Text(_) => None,
        };
        let text = match value {
            Value::Text(text) => Some(text),
            Value::Number { .. } => None,
        };
        // Bits of the two's complement, which is what the registers hold.
        let bits = code.map(i64::cast_unsigned);
        let is_text = |list: &[SmolStr]| {
            text.is_some_and(|t| list.iter().any(|l| l.eq_ignore_ascii_case(t.trim())))
        };
        match self {
            Self::AnyBit(mask) => bits.is_some_and(|bits| bits & mask != 0),
            Self::AnyBitClear(mask) => bits.is_none_or(|bits| !bits & mask != 0),
            Self::OneOf(list) => code.is_some_and(|code| list.contains(&code)),
            Self::NoneOf(list) => code.is_none_or(|code| !list.contains(&code)),
            Self::Text(list) => is_text(list),
            Self::NotText(list) => !is_text(list),
        }
    }
}
