//! Stories of single gaps; the invariants are in `properties`, by hand against `naive`.

mod days;
mod naive;
mod properties;
mod tables;

use super::*;
use crate::fixture::{dec, minute};
use crate::model::Gap;
use crate::model::profile::{SubstitutionRule, SubstitutionTier, Take};

/// Midnight at the site with which the invented quarter begins.
pub(super) fn hour(n: i64) -> Timestamp {
    minute(n * 60)
}

pub(super) fn tier_of(
    capture_min: u32,
    gap_max_h: Option<u32>,
    look_back_h: u32,
) -> SubstitutionTier {
    SubstitutionTier {
        capture_min_pct: capture_min.into(),
        gap_max_h,
        look_back_h,
        take: Take::Maximum,
    }
}

/// HJ 75-2017 tables 5 and 6.
pub(super) fn hj75() -> SubstitutionMethod {
    let tiers = vec![
        tier_of(90, Some(24), 180),
        tier_of(90, None, 720),
        tier_of(75, None, 2_160),
    ];
    SubstitutionMethod::Tiers { tiers }
}

/// A factor with its hours; the quarter begins at hour 0.
#[derive(Debug, Clone)]
pub(super) struct Series {
    pub(super) profile: Profile,
    pub(super) factor: FactorCode,
    pub(super) known_from: i64,
    pub(super) until: i64,
    pub(super) end: i64,
    pub(super) hours: Vec<HourFact>,
    pub(super) checks: Vec<Timestamp>,
    pub(super) manual: Vec<ManualSample>,
}

impl Series {
    /// Of a quarter of `end` hours that is over.
    pub(super) fn new(method: SubstitutionMethod, end: i64) -> Self {
        let mut profile = Profile::annex_d("plain@1");
        profile.substitution = SubstitutionRule {
            method,
            ..SubstitutionRule::default()
        };
        Self {
            profile,
            factor: "a21026".into(),
            known_from: 0,
            until: end,
            end,
            hours: Vec::new(),
            checks: Vec::new(),
            manual: Vec::new(),
        }
    }

    /// Goes on with `n` hours from hour `from`.
    pub(super) fn add(mut self, from: i64, n: i64, state: HourState, kg: Option<&str>) -> Self {
        self.known_from = self.known_from.min(from);
        for at in from..from + n {
            self.hours.push(HourFact {
                start: hour(at),
                state,
                amount_kg: kg.map(dec),
                volume_m3: None,
            });
        }
        self
    }

    pub(super) fn valid(self, from: i64, n: i64, kg: &str) -> Self {
        self.add(from, n, HourState::Valid, Some(kg))
    }

    pub(super) fn input(&self) -> Input<'_> {
        Input {
            factor: &self.factor,
            profile: &self.profile,
            offset: UtcOffset::default(),
            start: hour(0),
            end: hour(self.end),
            known_from: hour(self.known_from),
            until: hour(self.until),
            hours: &self.hours,
            passed_checks: &self.checks,
            manual: &self.manual,
            kg_per_unit_m3: dec("0.001"),
        }
    }

    pub(super) fn quarter(&self) -> QuarterFactor {
        quarter(&self.input())
    }

    pub(super) fn only_gap(&self) -> Gap {
        let mut gaps = self.quarter().gaps;
        assert_eq!(gaps.len(), 1, "{gaps:?}");
        gaps.remove(0)
    }
}

const FAULT: HourState = HourState::Invalid(why::INVALID);
const OUT_OF_CONTROL: HourState = HourState::Invalid(why::OUT_OF_CONTROL);

#[test]
fn a_short_gap_takes_the_maximum_of_the_last_180_valid_hours() {
    // 300 hours of history; the greatest of all lies before the last 180.
    let series = Series::new(hj75(), 2_184)
        .valid(-300, 1, "99")
        .valid(-299, 200, "10")
        .valid(-99, 1, "12.4")
        .valid(-98, 98, "10")
        .add(0, 3, FAULT, None)
        .valid(3, 2_181, "11");
    let quarter = series.quarter();
    let gap = series.only_gap();
    let settled = gap.settled.clone().unwrap();
    assert_eq!((gap.from, gap.until), (hour(0), hour(3)));
    assert_eq!((gap.hours, gap.why.as_str()), (3, "invalid"));
    assert_eq!(settled.rule, "max-180");
    assert_eq!(settled.unit_kg, Some(dec("12.4")));
    assert_eq!(settled.total_kg, Some(dec("37.2")));
    assert_eq!(settled.looked_back, 180);
    assert_eq!(settled.window, Some((hour(-180), hour(-1))));
    assert_eq!(settled.taken_from, Some(hour(-99)));
    assert_eq!(gap.by_day, [(hour(0), dec("37.2"))]);
    assert_eq!(quarter.substituted_kg, Some(dec("37.2")));
    assert_eq!(quarter.measured_kg, Some(dec("23991")));
    assert_eq!(
        (quarter.hours, quarter.valid, quarter.invalid),
        (2_184, 2_181, 3)
    );
    assert_eq!(quarter.capture_met, Some(true));
    // On the first day 21 of 24 hours were valid, which is another line of the table.
    assert_eq!(gap.provisional.rule, "max-2160");
    assert_eq!(gap.provisional.capture_pct, Some(dec("87.5")));
    assert_eq!(gap.provisional.unit_kg, Some(dec("99")));
    assert_eq!(gap.provisional.looked_back, 300);
}

#[test]
fn nothing_is_settled_before_the_quarter_is_over() {
    let mut series = Series::new(hj75(), 2_184)
        .valid(-24, 24, "5")
        .add(0, 2, FAULT, None)
        .valid(2, 46, "5");
    series.until = 48;
    let gap = series.only_gap();
    assert_eq!(gap.settled, None);
    assert_eq!(gap.provisional.total_kg, Some(dec("10")));
    assert_eq!(gap.by_day, [(hour(0), dec("10"))]);
    assert_eq!(series.quarter().hours, 48);
}

#[test]
fn a_gap_counts_hours_before_the_quarter_and_is_put_in_for_those_within() {
    // 22 hours before the quarter and 3 in it: longer than 24.
    let series = Series::new(hj75(), 2_184)
        .valid(-800, 778, "7")
        .add(-22, 25, FAULT, None)
        .valid(3, 2_181, "6");
    let gap = series.only_gap();
    let settled = gap.settled.unwrap();
    assert_eq!((gap.from, gap.hours), (hour(0), 25));
    assert_eq!(
        (settled.rule.as_str(), settled.looked_back),
        ("max-720", 720)
    );
    assert_eq!(settled.total_kg, Some(dec("21")));
}

#[test]
fn hours_that_never_came_are_a_gap() {
    let mut series = Series::new(hj75(), 240)
        .valid(0, 20, "3")
        .valid(30, 200, "3");
    series.known_from = 0;
    let gaps = series.quarter().gaps;
    let spans: Vec<_> = gaps.iter().map(|gap| (gap.from, gap.until)).collect();
    assert_eq!(spans, [(hour(20), hour(30)), (hour(230), hour(240))]);
    assert!(gaps.iter().all(|gap| gap.why == "no-data"));
    let days: Vec<_> = gaps[0].by_day.clone();
    assert_eq!(days, [(hour(0), dec("12")), (hour(24), dec("18"))]);
}

#[test]
fn a_factor_counts_from_the_hour_its_supervision_began() {
    let mut series = Series::new(hj75(), 240).valid(100, 140, "3");
    series.known_from = 100;
    let quarter = series.quarter();
    assert_eq!((quarter.hours, quarter.gaps.len()), (140, 0));
    assert_eq!(quarter.capture_pct, Some(dec("100")));
}

#[test]
fn a_stop_neither_counts_nor_breaks_a_gap() {
    let series = Series::new(hj75(), 2_184)
        .valid(-24, 124, "3")
        .add(100, 5, FAULT, None)
        .add(105, 40, HourState::Stopped, None)
        .add(145, 5, FAULT, None)
        .valid(150, 2_034, "3");
    let quarter = series.quarter();
    let gap = series.only_gap();
    assert_eq!((gap.from, gap.until, gap.hours), (hour(100), hour(150), 10));
    assert_eq!(quarter.substituted_kg, Some(dec("30")));
    assert_eq!((quarter.stopped, quarter.invalid), (40, 10));
}

#[test]
fn a_quarter_stopped_throughout_has_no_rate() {
    let series = Series::new(hj75(), 48).add(0, 48, HourState::Stopped, None);
    let quarter = series.quarter();
    assert_eq!((quarter.capture_pct, quarter.capture_met), (None, None));
    assert!(quarter.gaps.is_empty());
    assert_eq!((quarter.measured_kg, quarter.substituted_kg), (None, None));
}

#[test]
fn out_of_control_counts_back_from_the_last_passed_check() {
    let base = Series::new(hj75(), 2_184)
        .valid(-24, 1_024, "10")
        .valid(1_000, 24, "50");
    let mut failed = base
        .clone()
        .add(1_024, 26, OUT_OF_CONTROL, Some("50"))
        .valid(1_050, 1_134, "10");
    failed.checks = vec![hour(900), hour(1_000), hour(1_050)];
    let gap = failed.only_gap();
    let settled = gap.settled.unwrap();
    assert_eq!(settled.unit_kg, Some(dec("10")));
    assert_eq!(settled.window.unwrap().1, hour(999));
    // What was measured meanwhile no longer counts.
    let days = [(hour(1_008), dec("400")), (hour(1_032), dec("900"))];
    assert_eq!(gap.replaced_by_day, days);
    let quarter = failed.quarter();
    assert_eq!(quarter.measured_kg, Some(dec("22540")));
    assert_eq!(quarter.substituted_kg, Some(dec("260")));

    let fault = base.add(1_024, 26, FAULT, None).valid(1_050, 1_134, "10");
    let settled = fault.only_gap().settled.unwrap();
    assert_eq!(settled.unit_kg, Some(dec("50")));
    assert_eq!(settled.window.unwrap().1, hour(1_023));
}

#[test]
fn a_part_out_of_control_is_a_gap_of_its_own_with_the_length_of_the_whole() {
    let mut series = Series::new(hj75(), 2_184)
        .valid(-24, 64, "10")
        .valid(40, 10, "20")
        .add(50, 20, FAULT, None)
        .add(70, 10, OUT_OF_CONTROL, None)
        .valid(80, 2_104, "10");
    series.checks = vec![hour(40)];
    let gaps = series.quarter().gaps;
    let seen: Vec<_> = gaps
        .iter()
        .map(|gap| {
            let settled = gap.settled.as_ref().unwrap();
            (
                gap.why.as_str(),
                gap.hours,
                settled.rule.as_str(),
                settled.total_kg,
            )
        })
        .collect();
    let expected = [
        ("invalid", 30, "max-720", Some(dec("400"))),
        ("out-of-control", 30, "max-720", Some(dec("100"))),
    ];
    assert_eq!(seen, expected);
}

#[test]
fn a_check_in_the_first_hour_out_of_control_is_the_one_before_it() {
    let half_past_ten = hour(10).plus_ms(30 * MINUTE_MS);
    let checks = [hour(2), half_past_ten];
    assert_eq!(
        look_back_until(why::OUT_OF_CONTROL, hour(10), &checks),
        hour(10)
    );
    assert_eq!(
        look_back_until(why::OUT_OF_CONTROL, hour(11), &checks),
        half_past_ten
    );
    assert_eq!(
        look_back_until(why::OUT_OF_CONTROL, hour(9), &checks),
        hour(2)
    );
    assert_eq!(
        look_back_until(why::OUT_OF_CONTROL, hour(1), &checks),
        hour(1)
    );
    assert_eq!(look_back_until(why::NO_DATA, hour(9), &checks), hour(9));
}

#[test]
fn history_that_is_short_is_used_and_one_that_is_not_there_gives_nothing() {
    let short = Series::new(hj75(), 2_184)
        .valid(0, 5, "4")
        .add(5, 1, FAULT, None)
        .valid(6, 2_178, "9");
    let settled = short.only_gap().settled.unwrap();
    assert_eq!((settled.looked_back, settled.unit_kg), (5, Some(dec("4"))));

    let none = Series::new(hj75(), 2_184)
        .add(0, 1, FAULT, Some("0.5"))
        .valid(1, 2_183, "1");
    let gap = none.only_gap();
    let settled = gap.settled.unwrap();
    assert_eq!(
        (settled.rule.as_str(), settled.looked_back),
        ("no-history", 0)
    );
    assert_eq!(
        (settled.unit_kg, settled.total_kg, settled.window),
        (None, None, None)
    );
    assert!(gap.by_day.is_empty() && gap.replaced_by_day.is_empty());
    // What little was measured stays where nothing is put in.
    assert_eq!(none.quarter().measured_kg, Some(dec("2183.5")));
    assert_eq!(none.quarter().substituted_kg, None);
}

#[test]
fn manual_data_come_first_where_they_reach() {
    let mut series = Series::new(hj75(), 2_184)
        .valid(-24, 24, "5")
        .add(0, 10, FAULT, None)
        .valid(10, 2_174, "5");
    for fact in &mut series.hours {
        fact.volume_m3 = Some(dec("100"));
    }
    series.profile.substitution.manual_first = true;
    series.profile.substitution.manual_reach_h = 3;
    let sample = |n: i64, concentration| ManualSample {
        sampled_at: hour(n),
        concentration: dec(concentration),
    };
    // Speaks for the three hours before it and the three after it.
    series.manual = vec![sample(4, "20")];
    let rules = |series: &Series| {
        let gaps = series.quarter().gaps;
        gaps.iter()
            .map(|gap| {
                let settled = gap.settled.as_ref().unwrap();
                (
                    gap.from,
                    gap.hours,
                    settled.rule.to_string(),
                    settled.total_kg,
                )
            })
            .collect::<Vec<_>>()
    };
    let expected = [
        (hour(0), 10, "max-180".to_owned(), Some(dec("5"))),
        (hour(1), 10, "manual".to_owned(), Some(dec("12"))),
        (hour(7), 10, "max-180".to_owned(), Some(dec("15"))),
    ];
    assert_eq!(rules(&series), expected);
    // Six hours apart, they leave nothing; the nearer one counts.
    series.manual.push(sample(10, "10"));
    let both = series.quarter().gaps;
    assert_eq!(both[1].settled.as_ref().unwrap().total_kg, Some(dec("15")));
    assert_eq!(both[1].settled.as_ref().unwrap().unit_kg, None);
    // Not without a volume.
    for fact in &mut series.hours {
        fact.volume_m3 = None;
    }
    assert_eq!(series.only_gap().settled.unwrap().rule, "max-180");
}

#[test]
fn where_the_rule_does_not_speak_of_a_factor_gaps_are_listed_and_nothing_is_put_in() {
    let mut series = Series::new(hj75(), 48)
        .valid(0, 10, "5")
        .add(10, 2, FAULT, Some("1"))
        .valid(12, 36, "5");
    series.profile.substitution.factors = vec!["a21002".into()];
    let gap = series.only_gap();
    assert_eq!(gap.settled.unwrap().rule, "none");
    assert_eq!(series.quarter().measured_kg, Some(dec("232")));
}
