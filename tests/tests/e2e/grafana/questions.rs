//! Questions of dashboards, as Grafana asks them.

use cems_tests::grafana::{Asked, variables};
use cems_tests::time::Moment;
use serde_json::Value;

/// How often `/metrics` is read, seconds.
pub(super) const SCRAPE_S: i64 = 15;
/// Points of a panel, about.
const POINTS: i64 = 200;
const DAY_S: i64 = 86_400;
/// Months and years stand at their beginning: they show in the year before, not in a week.
const LONG_S: i64 = 400 * DAY_S;

/// What a person has chosen.
const CHOSEN: [(&str, &str); 8] = [
    ("region", ".*"),
    ("enterprises", ".*"),
    ("outlets", ".*"),
    ("factors", ".*"),
    ("enterprise", "jia"),
    ("outlet", "jia-1"),
    ("factor", ".*"),
    ("instance", ".*"),
];

/// Seconds of `30d`.
pub(super) fn seconds(text: &str) -> i64 {
    let (number, unit) = text.split_at(text.len() - 1);
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => DAY_S,
        other => panic!("{text}: no unit {other} is known here"),
    };
    number.parse::<i64>().expect("a number") * unit
}

/// A question with everything put in.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) query: String,
    pub(super) start_s: i64,
    pub(super) end_s: i64,
    pub(super) step_s: i64,
}

impl Question {
    /// As a dashboard that shows the time `from` (`now-7d`) asks it.
    pub(super) fn new(asked: &Asked, from: &str, now: Moment) -> Self {
        let shown = seconds(from.strip_prefix("now-").expect("a time back from now"));
        let long = ["month-mean", "year-mean"];
        let long = long.iter().any(|kind| asked.expr.contains(kind));
        let span_s = if long { LONG_S } else { shown };
        let least = asked.every.as_deref().map_or(SCRAPE_S, seconds);
        let step_s = least.max(span_s / POINTS / SCRAPE_S * SCRAPE_S);
        let end_s = now.0 / 1_000;
        // Grafana begins at a whole step, by the clock of the person who looks.
        let begin = Moment((end_s - span_s) * 1_000);
        let whole_step = begin.0 / 1_000 / step_s * step_s;
        let start_s = match (asked.now, step_s % DAY_S) {
            (true, _) => end_s,
            (false, 0) => begin.floor_day().0 / 1_000,
            (false, _) => whole_step,
        };
        let ready = [
            (
                "__rate_interval",
                format!("{}s", (step_s + SCRAPE_S).max(4 * SCRAPE_S)),
            ),
            ("__interval", format!("{step_s}s")),
            ("__range", format!("{span_s}s")),
        ];
        Self {
            query: put_in(&asked.expr, &ready),
            start_s,
            end_s,
            step_s,
        }
    }

    /// The form that Grafana posts.
    pub(super) fn form(&self) -> [(&'static str, String); 4] {
        [
            ("query", self.query.clone()),
            ("start", self.start_s.to_string()),
            ("end", self.end_s.to_string()),
            ("step", self.step_s.to_string()),
        ]
    }
}

/// A text with its variables replaced.
fn put_in(text: &str, ready: &[(&str, String)]) -> String {
    let mut names = variables(text);
    // `$outlets` before `$outlet`.
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    names.into_iter().fold(text.to_owned(), |text, name| {
        let chosen = CHOSEN.iter().find(|(chosen, _)| *chosen == name);
        let ready = ready.iter().find(|(ready, _)| *ready == name);
        let value = ready.map(|(_, value)| value.as_str());
        let value = value.or(chosen.map(|(_, value)| *value));
        let value = value.unwrap_or_else(|| panic!("{text}: nothing is known of ${name}"));
        text.replace(&format!("${name}"), value)
    })
}

/// Metric and label of `label_values(metric{…}, label)`, with the choices put in.
pub(super) fn label_values(definition: &str) -> (String, String) {
    let inside = definition.strip_prefix("label_values(");
    let inside = inside.and_then(|rest| rest.strip_suffix(')'));
    let (metric, label) = inside
        .and_then(|inside| inside.rsplit_once(", "))
        .unwrap_or_else(|| panic!("{definition}: another kind of question"));
    (put_in(metric, &[]), label.to_owned())
}

/// Numbers in an answer that are numbers.
pub(super) fn numbers(answer: &Value) -> usize {
    let series = answer["data"]["result"].as_array().into_iter().flatten();
    let values = series.flat_map(|series| series["values"].as_array().into_iter().flatten());
    let number = |pair: &Value| pair[1].as_str().and_then(|text| text.parse::<f64>().ok());
    values.filter_map(number).filter(|n| n.is_finite()).count()
}
