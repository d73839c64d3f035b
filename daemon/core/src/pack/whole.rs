//! Columns of whole numbers: counts, codes, positions, times, yes and no.

use super::PackError;
use super::bytes::{Cursor, put, put_len, put_signed};

/// Runs of the same value: validity, units, codes of a dictionary.
const RUNS: u8 = 0;
/// Runs of the same step: times.
const STEP_RUNS: u8 = 1;
/// Steps one by one: journal positions.
const STEPS: u8 = 2;

/// The shortest of the three forms.
pub(super) fn encode(values: &[u64]) -> Vec<u8> {
    let mut last = 0;
    let steps: Vec<u64> = values
        .iter()
        .map(|value| value.wrapping_sub(std::mem::replace(&mut last, *value)))
        .collect();
    let mut each = vec![STEPS];
    for step in &steps {
        put_signed(&mut each, i128::from(step.cast_signed()));
    }
    let by_value = runs(RUNS, values, |out, value| put(out, u128::from(value)));
    let by_step = runs(STEP_RUNS, &steps, |out, step| {
        put_signed(out, i128::from(step.cast_signed()));
    });
    [by_value, by_step, each]
        .into_iter()
        .min_by_key(Vec::len)
        .unwrap_or_default()
}

fn runs(form: u8, values: &[u64], write: impl Fn(&mut Vec<u8>, u64)) -> Vec<u8> {
    let mut out = vec![form];
    for run in values.chunk_by(|a, b| a == b) {
        put_len(&mut out, run.len());
        write(&mut out, run.first().copied().unwrap_or_default());
    }
    out
}

/// Puts `count` numbers into `into`, each through `of`.
pub(super) fn decode<T: Copy>(
    bytes: &[u8],
    count: usize,
    into: &mut Vec<T>,
    of: impl Fn(u64) -> Option<T>,
) -> Result<(), PackError> {
    into.clear();
    let of = |n| of(n).ok_or(PackError::Damaged("a number is out of its range"));
    let mut from = Cursor::new(bytes);
    let form = from.byte()?;
    let mut last = 0u64;
    while into.len() < count {
        let left = count - into.len();
        let run = if form == STEPS { 1 } else { from.count(left)? };
        if run == 0 {
            return Err(PackError::Damaged("an empty run"));
        }
        match form {
            RUNS => {
                let value = u64::try_from(from.wide()?)
                    .map_err(|_| PackError::Damaged("a number is too long"))?;
                let value = of(value)?;
                into.resize(into.len() + run, value);
            }
            STEP_RUNS | STEPS => {
                let step = i64::try_from(from.signed()?)
                    .map_err(|_| PackError::Damaged("a step is too long"))?;
                for _ in 0..run {
                    last = last.wrapping_add(step.cast_unsigned());
                    into.push(of(last)?);
                }
            }
            other => return Err(PackError::Form(other)),
        }
    }
    from.end()
}
