//! Rules of this fiction for marks and tests: a few kinds and items, enough to show every verdict.

use super::registry::dec;
use cems_core::model::profile::{Band, BandBy, DriftRule, MarkRule, MarkRules, QaRules};
use cems_core::model::{FactorCode, MarkEffect, MarkKind};
use smol_str::SmolStr;
use std::collections::BTreeMap;

fn rule(effect: MarkEffect) -> MarkRule {
    MarkRule {
        effect,
        enter_within_h: Some(240),
        late_counts: false,
        year_max_h: None,
        once_max_h: None,
    }
}

/// What marks do.
pub(super) fn marks() -> MarkRules {
    use MarkKind as K;
    let equipment = [K::Maintenance, K::Fault, K::Calibration, K::EquipmentOff];
    let mut kinds: BTreeMap<MarkKind, MarkRule> = equipment
        .map(|kind| (kind, rule(MarkEffect::Invalid)))
        .into();
    kinds.insert(K::Stopped, rule(MarkEffect::Stopped));
    kinds.insert(K::StartUp, rule(MarkEffect::NotJudged));
    MarkRules {
        chain_min: 15,
        kinds,
    }
}

/// Bands and drift limits of sulphur dioxide and nitrogen oxides; nothing for the others.
pub(super) fn qa() -> QaRules {
    let item = |code: &str, item: &str| (FactorCode::new(code), SmolStr::new(item));
    let bands = |limit: &str| {
        vec![
            Band {
                from: None,
                below: Some(dec("57")),
                by: BandBy::Absolute,
                limit: dec(limit),
            },
            Band {
                from: Some(dec("57")),
                below: None,
                by: BandBy::Relative,
                limit: dec("30"),
            },
        ]
    };
    let drift = || DriftRule {
        zero_adjust_pct: dec("2.5"),
        zero_out_pct: dec("5"),
        span_adjust_pct: dec("2.5"),
        span_out_pct: dec("10"),
        every_h: Some(168),
    };
    QaRules {
        items: [item("a21026", "so2"), item("a21002", "nox")].into(),
        bands: [
            (SmolStr::new("so2"), bands("17")),
            (SmolStr::new("nox"), bands("12")),
        ]
        .into(),
        drift: [
            (SmolStr::new("so2"), drift()),
            (SmolStr::new("nox"), drift()),
        ]
        .into(),
        pairs_min: 9,
        accuracy_pairs_min: 9,
        ..QaRules::default()
    }
}
