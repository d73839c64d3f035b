//! Samples of a station's own instruments become records.

use super::context::{Cx, Site};
use super::state::{Live, Shared};
use crate::model::SampleSet;

/// Takes what one poll gave.
pub(super) fn take(
    _live: &mut Live,
    _shared: &mut Shared,
    _site: Site<'_>,
    _set: SampleSet,
    _cx: &mut Cx<'_>,
) {
}
