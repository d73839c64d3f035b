//! Shapes of what is reckoned over longer times, and of the two catalogues.

use super::schema::{Exact, Iso, shape};
use super::shapes::StoredValueOut;
use std::collections::BTreeMap;

shape! {
    /// A text in both languages.
    TextOut {
        /// Chinese.
        zh: String,
        /// English.
        en: String,
    }
}
shape! {
    /// An amount put in for an invalid period.
    SubstituteOut {
        /// Rule that gave it, such as `max-180`, `manual`, `none`.
        rule: String,
        /// Amount of each hour (day, for daily loads), kg.
        unit_kg: Option<Exact>,
        /// Amount of the whole gap, kg.
        total_kg: Option<Exact>,
        /// Capture rate the table was entered with, percent.
        capture_pct: Option<Exact>,
        /// Valid hours (days) looked back upon.
        looked_back: u64,
        /// Start of the oldest of them.
        window_from: Option<Iso>,
        /// Start of the newest of them.
        window_until: Option<Iso>,
        /// Where the value taken stands.
        taken_from: Option<Iso>,
    }
}
shape! {
    /// An amount of a day.
    DayAmountOut {
        /// First instant of the day.
        day: Iso,
        /// Amount, kg.
        amount_kg: Exact,
    }
}
shape! {
    /// An invalid period of a factor.
    GapOut {
        /// First instant within the quarter.
        from: Iso,
        /// First instant after it.
        until: Iso,
        /// Consecutive invalid hours.
        hours: u64,
        /// Why: invalid, out-of-control, no-data or review-failed.
        why: String,
        /// By the capture rate known when its day was over.
        provisional: SubstituteOut,
        /// By that of the whole quarter, once it is over.
        settled: Option<SubstituteOut>,
        /// What was put in, by day.
        by_day: Vec<DayAmountOut>,
        /// Measured amounts in whose place it stands, by day.
        replaced_by_day: Vec<DayAmountOut>,
    }
}
shape! {
    /// A pollutant in a quarter.
    QuarterFactorOut {
        /// Hours so far.
        hours: u64,
        /// Of these: source stopped.
        stopped: u64,
        /// Of these: valid.
        valid: u64,
        /// Of these: invalid or missing.
        invalid: u64,
        /// Effective data capture rate, percent; `null`: not applicable.
        capture_pct: Option<Exact>,
        /// It reaches what the profile asks.
        capture_met: Option<bool>,
        /// Measured amount without what was replaced, kg.
        measured_kg: Option<Exact>,
        /// Amount put in, kg.
        substituted_kg: Option<Exact>,
        /// Invalid periods.
        gaps: Vec<GapOut>,
    }
}
shape! {
    /// A quarter of an outlet.
    QuarterOut {
        /// Outlet.
        outlet: String,
        /// Quarter, such as `2025-Q4`.
        quarter: String,
        /// Its first instant.
        start: Iso,
        /// It is over: substitutes are settled.
        complete: bool,
        /// Pollutants by code.
        factors: BTreeMap<String, QuarterFactorOut>,
        /// Rule profile.
        profile: String,
        /// Highest journal position among the inputs.
        seq: u64,
    }
}
shape! {
    /// Something that a check of series noticed.
    ClueOut {
        /// Check, by its code.
        check: String,
        /// Its number in the catalogue.
        number: Option<String>,
        /// What it means: invalid, impossible or clue.
        severity: Option<String>,
        /// What was seen, in both languages.
        text: Option<TextOut>,
        /// Factor concerned.
        factor: Option<String>,
        /// First instant it is about.
        from: Iso,
        /// First instant after it.
        until: Iso,
        /// Figures and texts by name.
        evidence: BTreeMap<String, String>,
    }
}
shape! {
    /// The clues of an hour or day.
    ClueRowOut {
        /// Outlet.
        outlet: String,
        /// hour or day.
        level: String,
        /// First instant of the period.
        start: Iso,
        /// What was noticed.
        clues: Vec<ClueOut>,
        /// Rule profile.
        profile: String,
        /// Highest journal position among the inputs.
        seq: u64,
    }
}
shape! {
    /// Rates over whole days.
    RateOut {
        /// outlet, enterprise or region.
        of: String,
        /// Its identity.
        id: String,
        /// Outlets counted.
        outlets: u64,
        /// Records received.
        received: u64,
        /// Records due.
        due: u64,
        /// Transmission rate, percent; `null`: not applicable.
        transmission_pct: Option<Exact>,
        /// Validity rate, percent.
        validity_pct: Option<Exact>,
        /// Effective transmission rate, percent.
        effective_pct: Option<Exact>,
        /// Effective data capture rate, percent.
        capture_pct: Option<Exact>,
        /// Effective transmission rate asked, percent.
        asked_pct: Exact,
        /// It is reached.
        met: Option<bool>,
    }
}
shape! {
    /// What is to be expected of the year; dates are local, `null` beyond the year.
    OutlookOut {
        /// The permitted amount is reached at the earliest on this day.
        earliest: Option<String>,
        /// The day expected.
        expected: Option<String>,
        /// At the latest.
        latest: Option<String>,
        /// Share of the permitted amount at the end of the year, low end, percent.
        year_end_low_pct: Exact,
        /// Expected share.
        year_end_pct: Exact,
        /// High end.
        year_end_high_pct: Exact,
        /// Expected amount of a day, kg.
        rate_kg_per_day: Exact,
        /// Seasons of the previous year were used.
        seasonal: bool,
        /// Days with a figure.
        days: u64,
        /// Days without one.
        missing_days: u64,
        /// Blocks of days from which the dispersion was taken.
        blocks: u64,
    }
}
shape! {
    /// A permitted amount of the year and when it will be reached.
    ProjectionOut {
        /// Outlet; `null`: the enterprise as a whole.
        outlet: Option<String>,
        /// Enterprise.
        enterprise: String,
        /// Factor.
        factor: String,
        /// Permitted, kg.
        permitted_kg: Exact,
        /// Emitted so far, what was put in included, kg.
        amount_kg: Exact,
        /// Of it put in, kg.
        substituted_kg: Exact,
        /// Outlets without a figure.
        missing: Vec<String>,
        /// The projection; `null` where there is none.
        outlook: Option<OutlookOut>,
        /// Why there is none, as a code.
        not_projected: Option<String>,
    }
}
shape! {
    /// A month against one limit.
    TaxLineOut {
        /// Limit.
        limit: String,
        /// Kind of its source: national, local or permit.
        kind: String,
        /// It judges the converted value.
        converted: bool,
        /// Its upper bound.
        bound: Exact,
        /// Valid means.
        means: u64,
        /// Their mean.
        month_mean: Option<Exact>,
        /// How far that lies below the bound, percent of it.
        below_pct: Option<Exact>,
        /// Starts of the periods whose mean was over it.
        exceeded: Vec<Iso>,
        /// Means it gave a verdict on.
        judged: u64,
    }
}
shape! {
    /// Tax basis of a pollutant in a month.
    TaxOut {
        /// Factor.
        factor: String,
        /// Amount of the month, kg.
        amount_kg: Option<Exact>,
        /// Means judged: hour (gas) or day (water).
        level: String,
        /// Valid means.
        valid: u64,
        /// Means left out.
        invalid: u64,
        /// Limits that apply.
        lines: Vec<TaxLineOut>,
        /// The limit that decides.
        deciding: Option<String>,
        /// Share of the tax that is due, percent; 100: no reduction.
        due_pct: Exact,
        /// Why, as a code.
        why: String,
    }
}
shape! {
    /// A value that a later one replaced.
    SupersededOut {
        /// Outlet.
        outlet: String,
        /// Kind of the record.
        kind: String,
        /// Its start.
        start: Iso,
        /// Factor.
        factor: String,
        /// The value that was replaced.
        old: StoredValueOut,
        /// Journal position of the value that replaced it.
        by_seq: u64,
    }
}
shape! {
    /// A threshold of a check.
    ThresholdOut {
        /// Name in profiles.
        name: String,
        /// Unit, possibly empty.
        unit: String,
        /// Value where the profile says nothing.
        default: Exact,
        /// How sure it is: V, V2, M, h or own.
        ground: String,
        /// Where it was read, or why it was chosen.
        source: String,
    }
}
shape! {
    /// A check of the catalogue.
    CheckOut {
        /// Number for people.
        number: String,
        /// Code in data.
        code: String,
        /// invalid, impossible or clue.
        severity: String,
        /// What is tested.
        what: TextOut,
        /// What was seen.
        text: TextOut,
        /// Thresholds.
        thresholds: Vec<ThresholdOut>,
    }
}
shape! {
    /// A symbol of a formula.
    SymbolOut {
        /// As it stands in the expression.
        name: String,
        /// What it means.
        meaning: TextOut,
    }
}
shape! {
    /// An example worked by the function itself.
    ExampleOut {
        /// The expression with the values put in.
        with: String,
        /// The result; `null` where there is none.
        value: Option<Exact>,
        /// Unit, possibly empty.
        unit: String,
    }
}
shape! {
    /// A formula of the catalogue.
    FormulaOut {
        /// Identity.
        id: String,
        /// Number within the standard, possibly empty.
        number: String,
        /// Standard or law.
        standard: TextOut,
        /// Clause.
        clause: TextOut,
        /// How sure the reading is: V, V2 or M; `null`: from no standard.
        sure: Option<String>,
        /// What it is.
        title: TextOut,
        /// The expression.
        expression: String,
        /// Its symbols.
        symbols: Vec<SymbolOut>,
        /// Where there is no value, and what else happens at the edges.
        edges: TextOut,
        /// Functions that compute it.
        functions: Vec<String>,
        /// An example, worked now.
        example: ExampleOut,
    }
}
