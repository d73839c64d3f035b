//! `cemsd report`: what the program computes by, and what came out, for people and scripts.

use super::books::{self, BooksArgs, OpenBooks};
use super::lang::LangArg;
use crate::figures::RateOf;
use anyhow::{Context, ensure};
use cems_core::formula::catalogue::report_markdown;
use cems_core::lang::Lang;
use cems_core::model::{Outlet, Profile, Timestamp};
use cems_core::validate::catalogue_markdown;
use chrono::{NaiveDate, NaiveTime};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::io::Write;
use std::process::ExitCode;

/// `cemsd report`
#[derive(Debug, clap::Args)]
pub struct ReportArgs {
    /// Which report.
    #[command(subcommand)]
    report: Report,
}

/// The reports.
#[derive(Debug, clap::Subcommand)]
enum Report {
    /// Every formula with its number, source, symbols, edges and an example (Markdown).
    Formulas {
        /// Language; without it the one of the environment.
        #[arg(long, value_enum)]
        lang: Option<LangArg>,
    },
    /// Every check with its thresholds and where they are from (Markdown, both languages).
    Checks,
    /// Every entry of the rule profiles with its source and how sure it is (Markdown).
    Profiles,
    /// Transmission, validity, effective transmission and capture rates.
    Rates {
        /// First local day.
        #[arg(long)]
        from: NaiveDate,
        /// First local day after.
        #[arg(long)]
        until: NaiveDate,
        #[command(flatten)]
        books: BooksArgs,
    },
    /// Totals against permitted amounts, and when they will be reached.
    Amounts {
        #[command(flatten)]
        books: BooksArgs,
    },
    /// Tax basis of a month.
    Tax {
        /// The month, as its first day.
        #[arg(long)]
        month: NaiveDate,
        #[command(flatten)]
        books: BooksArgs,
    },
}

/// A table for people, and the same as objects.
struct Table {
    columns: Vec<(&'static str, &'static str, &'static str)>,
    rows: Vec<Vec<Value>>,
}

/// Prints a report.
///
/// # Errors
/// When the books cannot be read or standard output fails.
pub fn run(args: &ReportArgs) -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    match &args.report {
        Report::Formulas { lang } => {
            let lang = lang.unwrap_or_else(LangArg::of_environment).into();
            write!(out, "{}", report_markdown(lang))?;
        }
        Report::Checks => write!(out, "{}", catalogue_markdown())?,
        Report::Profiles => write!(out, "{}", profiles())?,
        Report::Rates { from, until, books } => {
            let open = books::open(&books.data)?;
            let span = (midnight(&open, *from), midnight(&open, *until));
            ensure!(span.0 < span.1, "--until is not after --from");
            print(&mut out, books, &rates(&open, span)?)?;
        }
        Report::Amounts { books } => {
            let open = books::open(&books.data)?;
            print(&mut out, books, &amounts(&open)?)?;
        }
        Report::Tax { month, books } => {
            let open = books::open(&books.data)?;
            let at = midnight(&open, *month);
            print(&mut out, books, &tax(&open, at)?)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn midnight(books: &OpenBooks, day: NaiveDate) -> Timestamp {
    books.registry.offset.instant(day.and_time(NaiveTime::MIN))
}

fn print(out: &mut impl Write, args: &BooksArgs, table: &Table) -> anyhow::Result<()> {
    if args.json {
        let object = |row: &Vec<Value>| {
            let cells = table.columns.iter().zip(row);
            let cells = cells.map(|((key, ..), cell)| ((*key).to_owned(), cell.clone()));
            Value::Object(cells.collect())
        };
        let list: Vec<Value> = table.rows.iter().map(object).collect();
        writeln!(out, "{}", Value::Array(list))?;
        return Ok(());
    }
    let lang = args.language();
    let heads = table.columns.iter().map(|(_, zh, en)| lang.pick(zh, en));
    let heads: Vec<&str> = heads.collect();
    writeln!(out, "| {} |", heads.join(" | "))?;
    writeln!(out, "|{}", " --- |".repeat(heads.len()))?;
    for row in &table.rows {
        let cells: Vec<String> = row.iter().map(|cell| said(cell, lang)).collect();
        writeln!(out, "| {} |", cells.join(" | "))?;
    }
    Ok(())
}

fn said(cell: &Value, lang: Lang) -> String {
    match cell {
        Value::Null => "–".to_owned(),
        Value::Bool(yes) => match yes {
            true => lang.pick("是", "yes").to_owned(),
            false => lang.pick("否", "no").to_owned(),
        },
        Value::String(text) => text.replace('|', "\\|"),
        other => other.to_string(),
    }
}

fn figure(value: Option<Decimal>) -> Value {
    value.map_or(Value::Null, |value| {
        Value::String(value.normalize().to_string())
    })
}

fn pct(value: Option<Decimal>) -> Value {
    figure(value.map(|value| value.round_dp(2)))
}

fn rates(books: &OpenBooks, (from, until): (Timestamp, Timestamp)) -> anyhow::Result<Table> {
    let outlets: Vec<&Outlet> = books.registry.outlets.values().collect();
    let rows = books.ask(|books| books.rates(&outlets, from, until))?;
    let rows = rows.into_iter().map(|(of, outlets, counts, rates)| {
        let (kind, id) = match of {
            RateOf::Region(id) => ("region", id.to_string()),
            RateOf::Enterprise(id) => ("enterprise", id.to_string()),
            RateOf::Outlet(id) => ("outlet", id.to_string()),
        };
        vec![
            json!(kind),
            json!(id),
            json!(outlets),
            json!(counts.received),
            json!(counts.due),
            pct(rates.transmission_pct),
            pct(rates.validity_pct),
            pct(rates.effective_pct),
            pct(rates.capture_pct),
        ]
    });
    Ok(Table {
        columns: vec![
            ("kind", "对象", "kind"),
            ("id", "标识", "id"),
            ("outlets", "排放口数", "outlets"),
            ("received", "收到", "received"),
            ("due", "应收", "due"),
            ("transmission_pct", "传输率 %", "transmission %"),
            ("validity_pct", "有效率 %", "validity %"),
            ("effective_pct", "传输有效率 %", "effective transmission %"),
            ("capture_pct", "有效数据捕集率 %", "capture %"),
        ],
        rows: rows.collect(),
    })
}

fn amounts(books: &OpenBooks) -> anyhow::Result<Table> {
    let offset = books.registry.offset;
    let rows = books.ask(|asked| {
        let mut all = Vec::new();
        for outlet in books.registry.outlets.values() {
            all.extend(asked.progress_of_outlet(outlet)?);
        }
        for id in books.registry.enterprises.keys() {
            all.extend(asked.progress_of_enterprise(id)?);
        }
        let mut rows = Vec::new();
        for one in all {
            let yearly = one.permitted.period == cems_core::model::AmountPeriod::Year;
            let reached = match yearly.then(|| asked.projection(&one)).transpose()? {
                None => [Value::Null, Value::Null, Value::Null, Value::Null],
                Some(Err(why)) => [json!(why.code()), Value::Null, Value::Null, Value::Null],
                Some(Ok(projection)) => {
                    let day = |day: Option<NaiveDate>| {
                        day.map_or(Value::Null, |day| json!(day.to_string()))
                    };
                    let on = projection.reached_on;
                    let share = projection.year_end_pct.expected;
                    [
                        day(on.expected),
                        day(on.low),
                        day(on.high),
                        pct(Some(share)),
                    ]
                }
            };
            let share = cems_core::totals::used_pct(one.permitted.amount_kg, one.total_kg);
            let mut row = vec![
                json!(one.enterprise.to_string()),
                one.outlet.map_or(Value::Null, |id| json!(id.to_string())),
                json!(one.permitted.factor.to_string()),
                json!(one.permitted.period.as_str()),
                json!(offset.local(one.start).date().to_string()),
                figure(Some(one.permitted.amount_kg)),
                figure(Some(one.total_kg)),
                figure(Some(one.substituted_kg)),
                pct(share),
            ];
            row.extend(reached);
            rows.push(row);
        }
        Ok(rows)
    })?;
    Ok(Table {
        columns: vec![
            ("enterprise", "排污单位", "enterprise"),
            ("outlet", "排放口", "outlet"),
            ("factor", "因子", "factor"),
            ("period", "周期", "period"),
            ("start", "起始日", "start"),
            ("permitted_kg", "许可排放量 kg", "permitted kg"),
            ("total_kg", "排放量 kg", "total kg"),
            ("substituted_kg", "其中替代 kg", "of it put in kg"),
            ("share_pct", "占比 %", "share %"),
            ("reached_on", "预计达到日", "reached on"),
            ("earliest", "最早", "earliest"),
            ("latest", "最晚", "latest"),
            ("year_end_pct", "年末预计 %", "year end %"),
        ],
        rows,
    })
}

fn tax(books: &OpenBooks, month: Timestamp) -> anyhow::Result<Table> {
    let mut rows = Vec::new();
    for outlet in books.registry.outlets.values() {
        let of_outlet = books.ask(|books| books.tax(outlet, month));
        for (factor, amount_kg, basis) in of_outlet.context("reading the month")? {
            let line = basis.deciding.and_then(|line| basis.lines.get(line));
            rows.push(vec![
                json!(outlet.id.to_string()),
                json!(factor.to_string()),
                figure(amount_kg),
                json!(basis.valid),
                line.map_or(Value::Null, |line| json!(line.limit.to_string())),
                figure(line.map(|line| line.bound)),
                figure(line.and_then(|line| line.month_mean)),
                pct(line.and_then(|line| line.below_pct)),
                figure(Some(basis.due_pct)),
                json!(basis.why),
            ]);
        }
    }
    Ok(Table {
        columns: vec![
            ("outlet", "排放口", "outlet"),
            ("factor", "因子", "factor"),
            ("amount_kg", "排放量 kg", "amount kg"),
            ("valid", "有效均值数", "valid means"),
            ("limit", "限值", "limit"),
            ("bound", "标准值", "bound"),
            ("month_mean", "月均值", "month mean"),
            ("below_pct", "低于标准 %", "below %"),
            ("due_pct", "应征比例 %", "due %"),
            ("why", "原因", "why"),
        ],
        rows,
    })
}

/// Every profile that comes along, entry by entry.
fn profiles() -> String {
    let profiles = cems_config::profiles::builtin();
    profiles.iter().map(profile).collect::<Vec<_>>().join("\n")
}

fn profile(profile: &Profile) -> String {
    let mut text = format!(
        "## {}\n\n{} · {}\n\n{}\n\n| entry | sure | source |\n| --- | --- | --- |\n",
        profile.id, profile.title_zh, profile.title_en, profile.source
    );
    for (key, provenance) in &profile.provenance {
        let (sure, source) = (provenance.sure.as_str(), &provenance.source);
        text.push_str(&format!("| `{key}` | {sure} | {source} |\n"));
    }
    text
}
