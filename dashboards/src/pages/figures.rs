//! `/alarms/figures`: how well the desk does, as a page and as CSV.

use super::clues::day;
use super::judgement::Fields;
use super::{Page, Params, html};
use crate::app::Visit;
use crate::backend::BackendError;
use crate::format::{NONE, number, number_or_dash};
use crate::view::alarm::{kind_name, subject_name};
use crate::view::section::{Tab, desk_tabs};
use crate::view::shell::Shell;
use askama::Template;
use axum::extract::Query;
use axum::http::header;
use axum::response::IntoResponse;
use cems_core::alarm::figures::{Answers, FLOOD_OVER, Figures, SPAN_MS_MAX, Spread};
use cems_core::model::time::DAY_MS;
use cems_core::model::{Level, Period, Timestamp};
use rust_decimal::Decimal;

/// Days shown when nobody says from when.
const USUAL_DAYS: i64 = 7;
/// Digits of a rate.
const RATE_DECIMALS: u32 = 2;

#[derive(Template)]
#[template(path = "figures.html")]
struct FiguresPage {
    shell: Shell,
    tabs: Vec<Tab>,
    from: String,
    /// The last day shown.
    until: String,
    csv: String,
    /// Label and figure.
    rates: Vec<(String, String)>,
    answers: Vec<AnswerItem>,
    top: Vec<TopItem>,
    top_share: String,
    stale: Vec<u64>,
}

/// How alarms of one priority were answered.
struct AnswerItem {
    class: &'static str,
    name: String,
    raised: u64,
    acknowledged: String,
    in_time: String,
    notice: [String; 3],
    close: [String; 3],
}

struct TopItem {
    kind: String,
    subject: String,
    link: Option<String>,
    count: u64,
}

/// Whole days of the query.
fn span(visit: &Visit, query: &Fields) -> (Timestamp, Timestamp) {
    let today = Period::containing(Level::Day, visit.times.now, visit.times.offset).start;
    let last = day(visit, query.get("until")).unwrap_or(today).min(today);
    let usual = last.plus_ms(-(USUAL_DAYS - 1) * DAY_MS);
    let from = day(visit, query.get("from")).unwrap_or(usual).min(last);
    let until = last.plus_ms(DAY_MS);
    (from.max(until.plus_ms(-SPAN_MS_MAX)), until)
}

async fn read(visit: &Visit, query: &Fields) -> Result<Figures, BackendError> {
    let (from, until) = span(visit, query);
    visit
        .read(move |backend, actor| backend.alarm_figures(actor, from, until))
        .await
}

fn share(part: u64, whole: u64) -> String {
    let pct = Decimal::from(part) * Decimal::ONE_HUNDRED;
    match pct.checked_div(Decimal::from(whole)) {
        Some(pct) => format!("{part} / {whole} ({} %)", number(pct, 0)),
        None => NONE.to_owned(),
    }
}

fn rates(visit: &Visit, f: &Figures) -> Vec<(String, String)> {
    let words = visit.words;
    let max = f.rate_max.map_or_else(
        || NONE.to_owned(),
        |(rate, at)| format!("{} · {}", number(rate, RATE_DECIMALS), visit.times.full(at)),
    );
    let flood = words.with("figure-flood", &[("over", &FLOOD_OVER.to_string())]);
    vec![
        (words.t("figure-raised"), f.raised.to_string()),
        (words.t("figure-silent"), f.silent.to_string()),
        (words.t("figure-operators"), number_or_dash(f.operators, 1)),
        (
            words.t("figure-rate-mean"),
            number_or_dash(f.rate_mean, RATE_DECIMALS),
        ),
        (words.t("figure-rate-max"), max),
        (flood, share(f.flood_intervals, f.intervals)),
        (words.t("figure-chattering"), f.chattering.to_string()),
        (words.t("figure-fleeting"), f.fleeting.to_string()),
        (words.t("figure-stale"), f.stale.len().to_string()),
    ]
}

fn times(visit: &Visit, spread: Spread) -> [String; 3] {
    let text = |ms: i64| match spread.count {
        0 => NONE.to_owned(),
        _ => visit.times.span(ms),
    };
    [spread.median_ms, spread.p90_ms, spread.max_ms].map(text)
}

fn answer(visit: &Visit, (class, name): (&'static str, String), of: &Answers) -> AnswerItem {
    AnswerItem {
        class,
        name,
        raised: of.raised,
        acknowledged: share(of.acknowledged, of.raised),
        in_time: share(of.in_time, of.asked),
        notice: times(visit, of.to_acknowledge),
        close: times(visit, of.to_close),
    }
}

/// `GET /alarms/figures?from=&until=`.
pub(super) async fn page(visit: Visit, Query(query): Params) -> Page {
    let (from, until) = span(&visit, &query);
    let figures = read(&visit, &query).await;
    let figures = figures.map_err(|e| visit.failed(&e))?;
    let (eyes, words) = (visit.eyes(), visit.words);
    let (from, until) = (visit.times.date(from), visit.times.date(until.plus_ms(-1)));
    let mut answers = Vec::new();
    for (priority, of) in &figures.by_priority {
        let code = priority.as_str();
        answers.push(answer(&visit, (code, words.code("priority", code)), of));
    }
    answers.push(answer(&visit, ("all", words.t("figure-all")), &figures.all));
    let top = figures.top.iter().map(|top| {
        let (subject, link) = subject_name(&eyes, &top.subject);
        TopItem {
            kind: kind_name(words, top.kind),
            subject,
            link,
            count: top.count,
        }
    });
    Ok(html(&FiguresPage {
        shell: Shell::new(&visit, "alarms"),
        tabs: desk_tabs(words, true, "figures"),
        csv: format!("/alarms/figures.csv?from={from}&until={until}"),
        from,
        until,
        rates: rates(&visit, &figures),
        answers,
        top: top.collect(),
        top_share: number_or_dash(figures.top_share_pct, 0),
        stale: figures.stale.iter().map(|id| id.0).collect(),
    }))
}

/// `GET /alarms/figures.csv?from=&until=`: the same figures, exact, one a line.
pub(super) async fn csv(visit: Visit, Query(query): Params) -> Page {
    let figures = read(&visit, &query).await;
    let figures = figures.map_err(|e| visit.failed(&e))?;
    let name = format!("alarm-figures-{}.csv", visit.times.date(figures.from));
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
    ];
    Ok((headers, lines(&visit, &figures)).into_response())
}

/// A cell that no spreadsheet takes for a formula or for two cells.
fn cell(text: &str) -> String {
    let risky = text.starts_with(['=', '+', '-', '@']);
    let text = if risky {
        format!("'{text}")
    } else {
        text.to_owned()
    };
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

fn lines(visit: &Visit, f: &Figures) -> String {
    // The mark tells spreadsheets that it is UTF-8.
    let mut out = String::from("\u{feff}figure,of,value\r\n");
    let mut line = |name: &str, of: &str, value: String| {
        out.push_str(&format!("{},{},{}\r\n", cell(name), cell(of), cell(&value)));
    };
    let exact = |value: Option<Decimal>| value.map_or_else(String::new, |v| v.to_string());
    line("from", "", visit.times.iso(f.from));
    line("until", "", visit.times.iso(f.until));
    line("raised", "", f.raised.to_string());
    line("silent", "", f.silent.to_string());
    line("intervals", "", f.intervals.to_string());
    line("operators", "", exact(f.operators));
    line("rate_mean", "", exact(f.rate_mean));
    line("rate_max", "", exact(f.rate_max.map(|(rate, _)| rate)));
    line("flood_intervals", "", f.flood_intervals.to_string());
    line("chattering", "", f.chattering.to_string());
    line("fleeting", "", f.fleeting.to_string());
    line("stale", "", f.stale.len().to_string());
    line("top_share_pct", "", exact(f.top_share_pct));
    let by_priority = f.by_priority.iter();
    let by_priority = by_priority.map(|(priority, of)| (priority.as_str(), of));
    for (of, answers) in by_priority.chain([("all", &f.all)]) {
        line("raised", of, answers.raised.to_string());
        line("acknowledged", of, answers.acknowledged.to_string());
        line("asked", of, answers.asked.to_string());
        line("in_time", of, answers.in_time.to_string());
        let spreads = [
            ("to_acknowledge", answers.to_acknowledge),
            ("to_close", answers.to_close),
        ];
        for (name, spread) in spreads {
            line(&format!("{name}_count"), of, spread.count.to_string());
            line(
                &format!("{name}_median_ms"),
                of,
                spread.median_ms.to_string(),
            );
            line(&format!("{name}_p90_ms"), of, spread.p90_ms.to_string());
            line(&format!("{name}_max_ms"), of, spread.max_ms.to_string());
        }
    }
    let eyes = visit.eyes();
    for top in &f.top {
        let (subject, _) = subject_name(&eyes, &top.subject);
        let of = format!("{} {subject}", top.kind.as_str());
        line("top", &of, top.count.to_string());
    }
    out
}
