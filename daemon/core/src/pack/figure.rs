//! Columns of decimals.
//!
//! ```text
//! scale, rule, then runs: number of hours * 4 + form, and for each hour of the run
//!   0  nothing there: no bytes
//!   1  difference to the figure before of this form, in units of the scale
//!   2  by the rule: its sum as a difference to the one before, or no bytes
//!   3  any decimal in full
//! ```

use super::PackError;
use super::bytes::{Cursor, put, put_signed};
use super::rule::{Known, Rule, decimal, put_decimal, scale, widest};
use crate::quantity::{normalised, scaled};
use rust_decimal::Decimal;

const NOTHING: u8 = 0;
const DIFFERENCE: u8 = 1;
const BY_RULE: u8 = 2;
const IN_FULL: u8 = 3;

/// How one figure is written.
#[derive(Debug, Clone, Copy)]
enum Form {
    Nothing,
    Difference(i128),
    ByRule(i128),
    InFull(Decimal),
}

impl Form {
    fn tag(&self) -> u8 {
        match self {
            Self::Nothing => NOTHING,
            Self::Difference(_) => DIFFERENCE,
            Self::ByRule(_) => BY_RULE,
            Self::InFull(_) => IN_FULL,
        }
    }
}

/// The shortest column among that without a rule and those with one of `rules`.
pub(super) fn encode(
    values: &[Option<Decimal>],
    known: &Known<'_>,
    rules: impl IntoIterator<Item = Rule>,
) -> Vec<u8> {
    let plain = with_rule(values, known, Rule::Stored);
    rules.into_iter().fold(plain, |best, rule| {
        let other = with_rule(values, known, rule);
        if other.len() < best.len() {
            other
        } else {
            best
        }
    })
}

fn with_rule(values: &[Option<Decimal>], known: &Known<'_>, rule: Rule) -> Vec<u8> {
    let sums: Vec<Option<i128>> = values
        .iter()
        .enumerate()
        .map(|(hour, value)| rule.sum_for(known, hour, (*value)?))
        .collect();
    let left = values.iter().zip(&sums);
    let left: Vec<Option<Decimal>> = left.map(|(v, sum)| v.filter(|_| sum.is_none())).collect();
    let scale = widest(&left);
    let forms = values.iter().zip(&sums).map(|(value, sum)| {
        let Some(value) = *value else {
            return Form::Nothing;
        };
        match (sum, scaled(value, scale)) {
            (Some(sum), _) => Form::ByRule(*sum),
            (None, Some(units)) => Form::Difference(units),
            (None, None) => Form::InFull(value),
        }
    });
    let forms: Vec<Form> = forms.collect();
    let mut out = vec![u8::try_from(scale).unwrap_or(u8::MAX)];
    rule.put(&mut out);
    let (mut last, mut last_sum) = (0, 0);
    for run in forms.chunk_by(|a, b| a.tag() == b.tag()) {
        let tag = run.first().map_or(NOTHING, Form::tag);
        let length = u128::try_from(run.len()).unwrap_or(u128::MAX);
        put(&mut out, length * 4 + u128::from(tag));
        for form in run {
            match *form {
                Form::Nothing => {}
                Form::Difference(units) => put_signed(&mut out, units - replace(&mut last, units)),
                Form::ByRule(sum) if rule.has_sums() => {
                    put_signed(&mut out, sum - replace(&mut last_sum, sum));
                }
                Form::ByRule(_) => {}
                Form::InFull(value) => put_decimal(&mut out, value),
            }
        }
    }
    out
}

fn replace(last: &mut i128, now: i128) -> i128 {
    std::mem::replace(last, now)
}

const NO_DECIMAL: PackError = PackError::Damaged("a figure is out of range");

/// Puts the figures of `count` hours into `into`.
pub(super) fn decode(
    bytes: &[u8],
    count: usize,
    known: &Known<'_>,
    into: &mut Vec<Option<Decimal>>,
) -> Result<(), PackError> {
    into.clear();
    let mut from = Cursor::new(bytes);
    let scale = scale(&mut from)?;
    let rule = Rule::read(&mut from)?;
    let (mut last, mut last_sum) = (0i128, 0i128);
    while into.len() < count {
        let header = from.number()?;
        let left = count - into.len();
        let run = usize::try_from(header >> 2).ok();
        let run = run.filter(|run| (1..=left).contains(run));
        let run = run.ok_or(PackError::Damaged("a run of no hour or of too many"))?;
        let end = into.len() + run;
        match u8::try_from(header & 3).unwrap_or(NOTHING) {
            DIFFERENCE => {
                while into.len() < end {
                    last = last.checked_add(from.signed()?).ok_or(NO_DECIMAL)?;
                    into.push(Some(normalised(last, scale).ok_or(NO_DECIMAL)?));
                }
            }
            BY_RULE => {
                while into.len() < end {
                    if rule.has_sums() {
                        last_sum = last_sum.checked_add(from.signed()?).ok_or(NO_DECIMAL)?;
                    }
                    let figure = rule.apply(known, into.len(), last_sum);
                    into.push(Some(figure.ok_or(NO_DECIMAL)?));
                }
            }
            IN_FULL => {
                while into.len() < end {
                    into.push(Some(decimal(&mut from)?));
                }
            }
            _ => into.resize(end, None),
        }
    }
    from.end()
}
