//! What is stored against what was recomputed.

use crate::aggregate::Figures;
use crate::model::{AggregateRow, FactorAggregate, FactorCode, Level, LimitVerdict, Timestamp};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// What differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// The row as a whole: stored and not computed, or the other way round.
    Row,
    /// A factor as a whole.
    Factor,
    /// Discharged volume.
    Volume,
    /// Mean.
    Mean,
    /// Converted mean.
    Converted,
    /// Least mean.
    Min,
    /// Greatest mean.
    Max,
    /// Amount.
    Amount,
    /// Whether it counts.
    Valid,
    /// Valid units.
    ValidUnits,
    /// Units due.
    DueUnits,
    /// Stopped units.
    StoppedUnits,
    /// Verdicts of limits.
    Limits,
}

/// One side of a difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// Not there.
    Nothing,
    /// There.
    Something,
    /// A figure.
    Figure(Decimal),
    /// A number of units.
    Units(u32),
    /// Yes or no.
    Truth(bool),
    /// Verdicts.
    Verdicts(Vec<LimitVerdict>),
}

/// Something stored that is not what was recomputed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Hour, day, month or year.
    pub level: Level,
    /// Its first instant.
    pub start: Timestamp,
    /// The factor; `None` for what belongs to the period.
    pub factor: Option<FactorCode>,
    /// What differs.
    pub what: What,
    /// As stored.
    pub stored: Finding,
    /// As recomputed.
    pub computed: Finding,
}

/// Numbers of differences by level and kind.
pub type Counts = BTreeMap<(Level, What), u64>;

/// Gathers differences.
pub(super) struct Comparison {
    level: Level,
    start: Timestamp,
    most: usize,
    differences: Vec<Difference>,
    counts: Counts,
}

fn side(figure: Option<Decimal>) -> Finding {
    figure.map_or(Finding::Nothing, Finding::Figure)
}

fn presence(there: bool) -> Finding {
    match there {
        true => Finding::Something,
        false => Finding::Nothing,
    }
}

impl Comparison {
    pub(super) fn new(most: usize) -> Self {
        Self {
            level: Level::Hour,
            start: Timestamp::default(),
            most,
            differences: Vec::new(),
            counts: Counts::new(),
        }
    }

    pub(super) fn finish(self) -> (Vec<Difference>, Counts) {
        (self.differences, self.counts)
    }

    /// What follows is about this period.
    pub(super) fn at(&mut self, level: Level, start: Timestamp) {
        self.level = level;
        self.start = start;
    }

    #[cold]
    fn note(&mut self, code: Option<&FactorCode>, what: What, stored: Finding, computed: Finding) {
        *self.counts.entry((self.level, what)).or_default() += 1;
        if self.differences.len() < self.most {
            self.differences.push(Difference {
                level: self.level,
                start: self.start,
                factor: code.cloned(),
                what,
                stored,
                computed,
            });
        }
    }

    pub(super) fn figure(
        &mut self,
        code: Option<&FactorCode>,
        what: What,
        stored: Option<Decimal>,
        computed: Option<Decimal>,
    ) {
        if stored != computed {
            self.note(code, what, side(stored), side(computed));
        }
    }

    pub(super) fn truth(
        &mut self,
        code: Option<&FactorCode>,
        what: What,
        stored: bool,
        computed: bool,
    ) {
        if stored != computed {
            self.note(code, what, Finding::Truth(stored), Finding::Truth(computed));
        }
    }

    fn units(&mut self, code: &FactorCode, what: What, stored: u32, computed: u32) {
        if stored != computed {
            let (stored, computed) = (Finding::Units(stored), Finding::Units(computed));
            self.note(Some(code), what, stored, computed);
        }
    }

    pub(super) fn verdicts<I: Iterator<Item = LimitVerdict>>(
        &mut self,
        code: Option<&FactorCode>,
        stored: impl Fn() -> I,
        computed: &[LimitVerdict],
    ) {
        let mut left = computed.iter();
        let same = stored().all(|verdict| left.next() == Some(&verdict)) && left.next().is_none();
        if !same {
            let stored = Finding::Verdicts(stored().collect());
            self.note(
                code,
                What::Limits,
                stored,
                Finding::Verdicts(computed.to_vec()),
            );
        }
    }

    /// A day, month or year against its row.
    pub(super) fn row(&mut self, stored: Option<&AggregateRow>, computed: Option<&Figures>) {
        let (Some(row), Some(figures)) = (stored, computed) else {
            if stored.is_some() != computed.is_some() {
                let (stored, computed) = (presence(stored.is_some()), presence(computed.is_some()));
                self.note(None, What::Row, stored, computed);
            }
            return;
        };
        self.figure(None, What::Volume, row.volume_m3, figures.volume_m3);
        for (code, computed) in &figures.factors {
            match row.factors.get(code) {
                Some(stored) => self.factor(code, stored, computed),
                None => self.note(Some(code), What::Factor, presence(false), presence(true)),
            }
        }
        for code in row.factors.keys() {
            if !figures.factors.contains_key(code) {
                self.note(Some(code), What::Factor, presence(true), presence(false));
            }
        }
    }

    fn factor(&mut self, code: &FactorCode, stored: &FactorAggregate, computed: &FactorAggregate) {
        for (what, stored, computed) in [
            (What::Mean, stored.mean, computed.mean),
            (What::Converted, stored.converted, computed.converted),
            (What::Min, stored.min, computed.min),
            (What::Max, stored.max, computed.max),
            (What::Amount, stored.amount_kg, computed.amount_kg),
        ] {
            self.figure(Some(code), what, stored, computed);
        }
        for (what, stored, computed) in [
            (What::ValidUnits, stored.valid_units, computed.valid_units),
            (What::DueUnits, stored.due_units, computed.due_units),
            (
                What::StoppedUnits,
                stored.stopped_units,
                computed.stopped_units,
            ),
        ] {
            self.units(code, what, stored, computed);
        }
        self.truth(Some(code), What::Valid, stored.valid, computed.valid);
        self.verdicts(
            Some(code),
            || stored.limits.iter().cloned(),
            &computed.limits,
        );
    }
}
