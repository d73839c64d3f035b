//! The column of verdicts of limits. Hours of the same limits, bounds and outcomes share an entry
//! of a list; figures that follow from the hour's own are not stored again.

use super::bytes::{Cursor, put_len, put_text};
use super::rule::{decimal, put_decimal, scale};
use super::whole;
use super::{HOURS_MAX, PackError, VERDICTS_MAX};
use crate::limits;
use crate::model::{FactorAggregate, LimitId, LimitVerdict, Rounding};
use crate::quantity::{INTERNAL_SCALE, internal};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// Which figure was judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Judged {
    Stored,
    Mean(Option<Rounding>),
    Converted(Option<Rounding>),
}

const JUDGED: [Judged; 7] = [
    Judged::Stored,
    Judged::Mean(None),
    Judged::Converted(None),
    Judged::Mean(Some(Rounding::HalfEven)),
    Judged::Converted(Some(Rounding::HalfEven)),
    Judged::Mean(Some(Rounding::HalfAwayFromZero)),
    Judged::Converted(Some(Rounding::HalfAwayFromZero)),
];

impl Judged {
    /// The figure, where it is not stored.
    fn of(self, decimals: u32, figures: Figures) -> Option<Decimal> {
        let (figure, rounding) = match self {
            Self::Stored => return None,
            Self::Mean(rounding) => (figures.0?, rounding),
            Self::Converted(rounding) => (figures.1?, rounding),
        };
        Some(match rounding {
            Some(mode) => limits::round(figure, decimals, mode).normalize(),
            None => figure,
        })
    }
}

/// Mean and converted mean of an hour.
type Figures = (Option<Decimal>, Option<Decimal>);

/// What is known of the multiple.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Multiple {
    None,
    Computed,
    Stored,
}

const MULTIPLE: [Multiple; 3] = [Multiple::None, Multiple::Computed, Multiple::Stored];

fn multiple(judged: Decimal, bound: Decimal) -> Option<Decimal> {
    let ratio = judged.checked_div(bound)?;
    ratio.checked_sub(Decimal::ONE).map(internal)
}

#[derive(Debug, Clone)]
struct Pattern {
    limit: LimitId,
    bound: Decimal,
    exceeded: bool,
    judged: Judged,
    multiple: Multiple,
}

impl Pattern {
    fn of(verdict: &LimitVerdict, decimals: u32, figures: Figures) -> Self {
        let is_judged = |way: &Judged| way.of(decimals, figures) == Some(verdict.judged);
        Self {
            limit: verdict.limit.clone(),
            bound: verdict.bound.normalize(),
            exceeded: verdict.exceeded,
            judged: JUDGED.into_iter().find(is_judged).unwrap_or(Judged::Stored),
            multiple: match verdict.multiple {
                None => Multiple::None,
                given if given == multiple(verdict.judged, verdict.bound) => Multiple::Computed,
                Some(_) => Multiple::Stored,
            },
        }
    }

    fn put(&self, out: &mut Vec<u8>) {
        put_text(out, self.limit.as_str());
        put_decimal(out, self.bound);
        let judged = JUDGED.iter().position(|way| *way == self.judged);
        let multiple = MULTIPLE.iter().position(|way| *way == self.multiple);
        let way = judged.unwrap_or(0) * MULTIPLE.len() + multiple.unwrap_or(0);
        put_len(out, way * 2 + usize::from(self.exceeded));
    }

    fn read(from: &mut Cursor<'_>) -> Result<Self, PackError> {
        let limit = LimitId::new(from.text()?);
        let bound = decimal(from)?;
        let code = from.count(2 * MULTIPLE.len() * JUDGED.len() - 1)?;
        let way = code / 2;
        Ok(Self {
            limit,
            bound,
            exceeded: code % 2 == 1,
            judged: JUDGED[way / MULTIPLE.len()],
            multiple: MULTIPLE[way % MULTIPLE.len()],
        })
    }

    /// Decimals that stand behind the column for each hour of this pattern.
    fn stored(&self) -> usize {
        usize::from(self.judged == Judged::Stored) + usize::from(self.multiple == Multiple::Stored)
    }
}

/// The column of one factor.
pub(super) fn encode(factors: &[Option<&FactorAggregate>]) -> Vec<u8> {
    let decimals = decimals(factors);
    let mut lists: BTreeMap<Vec<u8>, u64> = BTreeMap::from([(Vec::new(), 0)]);
    let mut written = Vec::new();
    let mut which = Vec::with_capacity(factors.len());
    let mut stored = Vec::new();
    for factor in factors {
        let Some(factor) = factor.filter(|f| !f.limits.is_empty()) else {
            which.push(0);
            continue;
        };
        let mut list = Vec::new();
        put_len(&mut list, factor.limits.len());
        for verdict in &factor.limits {
            let pattern = Pattern::of(verdict, decimals, (factor.mean, factor.converted));
            pattern.put(&mut list);
            if pattern.judged == Judged::Stored {
                put_decimal(&mut stored, verdict.judged.normalize());
            }
            if let (Multiple::Stored, Some(multiple)) = (pattern.multiple, verdict.multiple) {
                put_decimal(&mut stored, multiple.normalize());
            }
        }
        let next = u64::try_from(lists.len()).unwrap_or(u64::MAX);
        let index = *lists.entry(list).or_insert_with_key(|list| {
            written.extend_from_slice(list);
            next
        });
        which.push(index);
    }
    let mut out = vec![u8::try_from(decimals).unwrap_or(u8::MAX)];
    put_len(&mut out, lists.len() - 1);
    out.extend(written);
    let which = whole::encode(&which);
    put_len(&mut out, which.len());
    out.extend(which);
    out.extend(stored);
    out
}

/// Decimals to which figures were rounded before they were judged, as far as they show.
fn decimals(factors: &[Option<&FactorAggregate>]) -> u32 {
    let rounded = factors.iter().flatten().flat_map(|factor| {
        let exact = [factor.mean, factor.converted];
        let judged = factor.limits.iter().map(|v| v.judged.normalize());
        judged.filter(move |judged| !exact.contains(&Some(*judged)))
    });
    let scales = rounded.map(|judged| judged.scale());
    scales.filter(|s| *s <= INTERNAL_SCALE).max().unwrap_or(0)
}

/// The verdicts of the hours of a factor.
#[derive(Debug, Clone, Default)]
pub struct Verdicts {
    decimals: u32,
    lists: Vec<Vec<Pattern>>,
    /// By hour: 0 for none, else the number of the list.
    which: Vec<usize>,
    /// By hour: where its stored decimals begin.
    begins: Vec<usize>,
    stored: Vec<Decimal>,
}

impl Verdicts {
    pub(super) fn clear(&mut self) {
        self.lists.clear();
        self.which.clear();
        self.begins.clear();
        self.stored.clear();
    }

    pub(super) fn decode(&mut self, bytes: &[u8], figures: &[&[Option<Decimal>]; 2]) -> Outcome {
        self.clear();
        let mut from = Cursor::new(bytes);
        self.decimals = scale(&mut from)?;
        for _ in 0..from.count(HOURS_MAX)? {
            let patterns = from.count(VERDICTS_MAX)?;
            let list: Result<_, _> = (0..patterns).map(|_| Pattern::read(&mut from)).collect();
            self.lists.push(list?);
        }
        let length = from.count(bytes.len())?;
        let most = self.lists.len();
        let count = figures[0].len();
        whole::decode(from.take(length)?, count, &mut self.which, |n| {
            usize::try_from(n).ok().filter(|n| *n <= most)
        })?;
        for hour in 0..count {
            self.begins.push(self.stored.len());
            for pattern in self.list(hour) {
                let lacks = match pattern.judged {
                    Judged::Stored => false,
                    Judged::Mean(_) => figures[0][hour].is_none(),
                    Judged::Converted(_) => figures[1].get(hour).copied().flatten().is_none(),
                };
                if lacks {
                    return Err(PackError::Damaged("a verdict on no figure"));
                }
            }
            let stored: usize = self.list(hour).iter().map(Pattern::stored).sum();
            for _ in 0..stored {
                self.stored.push(decimal(&mut from)?);
            }
        }
        from.end()
    }

    fn list(&self, hour: usize) -> &[Pattern] {
        let which = self.which.get(hour).and_then(|n| n.checked_sub(1));
        which
            .and_then(|n| self.lists.get(n))
            .map_or(&[], Vec::as_slice)
    }

    /// The verdicts of an hour with this mean and this converted mean; none outside the pack or
    /// when verdicts were not asked for.
    pub fn of(
        &self,
        hour: usize,
        mean: Option<Decimal>,
        converted: Option<Decimal>,
    ) -> impl Iterator<Item = LimitVerdict> + '_ {
        let begin = self.begins.get(hour).copied().unwrap_or_default();
        let mut stored = self.stored.iter().skip(begin).copied();
        self.list(hour).iter().map(move |pattern| {
            let judged = pattern.judged.of(self.decimals, (mean, converted));
            let judged = judged.or_else(|| stored.next()).unwrap_or_default();
            LimitVerdict {
                limit: pattern.limit.clone(),
                judged,
                bound: pattern.bound,
                exceeded: pattern.exceeded,
                multiple: match pattern.multiple {
                    Multiple::None => None,
                    Multiple::Computed => multiple(judged, pattern.bound),
                    Multiple::Stored => stored.next(),
                },
            }
        })
    }
}

type Outcome = Result<(), PackError>;
