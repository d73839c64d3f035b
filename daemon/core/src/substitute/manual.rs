//! Manual data in place of substitutes.

use super::{Input, ManualSample};
use crate::formula::water::slice_amount;
use crate::model::Timestamp;
use crate::model::time::HOUR_MS;
use crate::quantity::{Volume, internal};
use rust_decimal::Decimal;

/// Amount of the hour that begins at `start` by the nearest manual sample, kg. `None` where manual
/// data do not come first, none reaches the hour, or its volume is not known.
pub(super) fn amount(
    input: &Input<'_>,
    start: Timestamp,
    volume_m3: Option<Decimal>,
) -> Option<Decimal> {
    let rule = &input.profile.substitution;
    if !rule.manual_first || !input.concerned() {
        return None;
    }
    let sample = nearest(input.manual, start, rule.manual_reach_h)?;
    slice_amount(
        Volume::from_m3(volume_m3?),
        sample.concentration,
        input.kg_per_unit_m3,
    )
    .map(|mass| internal(mass.kg()))
}

/// The sample nearest to the middle of the hour, the earlier of two as near. It speaks for the hour
/// it was taken in and for those whose middle is at most `reach_h` hours away.
fn nearest(samples: &[ManualSample], start: Timestamp, reach_h: u32) -> Option<&ManualSample> {
    let middle = start.plus_ms(HOUR_MS / 2);
    let away = |sample: &ManualSample| sample.sampled_at.since_ms(middle).saturating_abs();
    let next = samples.partition_point(|sample| sample.sampled_at < middle);
    let before = next.checked_sub(1).and_then(|place| samples.get(place));
    let candidates = [before, samples.get(next)];
    let sample = candidates.into_iter().flatten().min_by_key(|s| away(s))?;
    let within = start <= sample.sampled_at && sample.sampled_at.since_ms(start) < HOUR_MS;
    let reached = away(sample) <= i64::from(reach_h) * HOUR_MS;
    (within || reached).then_some(sample)
}
