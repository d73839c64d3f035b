//! Rules about dashboards and alerting rules for Grafana and Prometheus.

use crate::Offences;
use cems_daemon::outbox::series::FLAGS;
use cems_tests::grafana::{Lang, Made, all, asked, directory, flags, text, variables};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Panels that Grafana 10 and 11 have and later ones keep.
const PANELS: [&str; 7] = [
    "row",
    "stat",
    "gauge",
    "bargauge",
    "timeseries",
    "state-timeline",
    "table",
];
/// What Grafana puts in by itself.
const BUILT_IN: [&str; 3] = ["__rate_interval", "__interval", "__range"];
/// Columns of a dashboard.
const COLUMNS: u64 = 24;

/// Where something stands, for a message.
fn place(made: &Made, what: &str) -> String {
    format!("{}/{}: {what}", made.lang.directory(), made.name)
}

fn has_chinese(text: &str) -> bool {
    text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
}

#[test]
fn grafana_dashboards_are_those_of_their_sources() {
    let mut offences = Offences::against(
        "a dashboard is not what its source says",
        "BLESS=1 cargo test -p cems-tests --test tidy grafana; see git diff",
    );
    let bless = std::env::var_os("BLESS").is_some();
    let mut wanted = BTreeSet::new();
    for made in all() {
        let json = text(&made.json);
        if bless {
            std::fs::write(&made.path, &json).expect("the directory can be written");
        }
        let kept = std::fs::read_to_string(&made.path).unwrap_or_default();
        if kept != json {
            offences.add(place(&made, "differs"));
        }
        wanted.insert(made.path);
    }
    for lang in Lang::ALL {
        let directory = directory().join(lang.directory());
        for entry in std::fs::read_dir(directory).expect("a directory of dashboards") {
            let path = entry.expect("an entry").path();
            if !wanted.contains(&path) {
                offences.add(format!("{}: has no source", path.display()));
            }
        }
    }
    offences.none();
}

#[test]
fn grafana_dashboards_can_be_put_into_any_grafana() {
    let mut offences = Offences::against(
        "a dashboard would not fit every Grafana",
        "mend `dashboards/grafana/source` or `tests/src/grafana`",
    );
    let mut uids = BTreeSet::new();
    for made in all() {
        let json = &made.json;
        if json.get("id").is_some() {
            offences.add(place(&made, "has the id of an instance"));
        }
        if !uids.insert(json["uid"].to_string()) {
            offences.add(place(&made, "has the uid of another"));
        }
        let first = &json["templating"]["list"][0];
        if first["name"] != "datasource" || first["query"] != "prometheus" {
            offences.add(place(
                &made,
                "does not begin with the choice of the database",
            ));
        }
        let mut known = BTreeSet::from(BUILT_IN.map(str::to_owned));
        for variable in json["templating"]["list"].as_array().into_iter().flatten() {
            let query = variable["definition"].as_str().unwrap_or_default();
            for name in unknown(query, &known) {
                offences.add(place(
                    &made,
                    &format!("{query} uses ${name}, not known yet"),
                ));
            }
            known.insert(variable["name"].as_str().unwrap_or_default().to_owned());
        }
        databases(&made, json, &mut offences);
        panels(&made, &mut offences);
        for asked in asked(json) {
            for name in unknown(&asked.expr, &known) {
                offences.add(place(&made, &format!("{}: unknown ${name}", asked.panel)));
            }
        }
    }
    offences.none();
}

fn unknown<'a>(text: &'a str, known: &BTreeSet<String>) -> Vec<&'a str> {
    let names = variables(text).into_iter();
    names.filter(|name| !known.contains(*name)).collect()
}

/// Every source of data is the variable; that of annotations is Grafana itself.
fn databases(made: &Made, value: &Value, offences: &mut Offences) {
    if let Some(database) = value.get("datasource") {
        let (kind, uid) = (&database["type"], &database["uid"]);
        if kind != "grafana" && (kind != "prometheus" || uid != "${datasource}") {
            offences.add(place(made, &format!("names a database: {database}")));
        }
    }
    match value {
        Value::Object(fields) => fields.values().for_each(|v| databases(made, v, offences)),
        Value::Array(list) => list.iter().for_each(|v| databases(made, v, offences)),
        _ => {}
    }
}

fn panels(made: &Made, offences: &mut Offences) {
    let mut ids = BTreeSet::new();
    let mut taken = BTreeSet::new();
    for panel in made.json["panels"].as_array().into_iter().flatten() {
        let title = panel["title"].as_str().unwrap_or_default();
        let kind = panel["type"].as_str().unwrap_or_default();
        if !PANELS.contains(&kind) {
            offences.add(place(made, &format!("{title}: a panel of kind {kind}")));
        }
        if !panel["id"].is_u64() || !ids.insert(panel["id"].to_string()) {
            offences.add(place(made, &format!("{title}: id {}", panel["id"])));
        }
        let side = |name: &str| panel["gridPos"][name].as_u64().unwrap_or_default();
        let (x, y, w, h) = (side("x"), side("y"), side("w"), side("h"));
        let cells = (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y)));
        let free = cells
            .map(|cell| taken.insert(cell))
            .fold(true, |a, b| a & b);
        if w == 0 || h == 0 || x + w > COLUMNS || !free {
            offences.add(place(made, &format!("{title}: does not fit its place")));
        }
        let targets = panel["targets"].as_array().map_or(0, Vec::len);
        if kind != "row" && (targets == 0 || panel["fieldConfig"]["defaults"]["unit"].is_null()) {
            offences.add(place(made, &format!("{title}: no question, or no unit")));
        }
    }
}

#[test]
fn grafana_dashboards_are_there_in_both_languages() {
    let mut offences = Offences::against(
        "a dashboard is not the same in both languages",
        "write each text of `dashboards/grafana/source` as { zh = …, en = … }",
    );
    let mut by_name: BTreeMap<String, Vec<Made>> = BTreeMap::new();
    for made in all() {
        by_name.entry(made.name.clone()).or_default().push(made);
    }
    for (name, both) in by_name {
        let exprs = |made: &Made| -> Vec<String> {
            asked(&made.json)
                .into_iter()
                .map(|asked| asked.expr)
                .collect()
        };
        if both.len() != Lang::ALL.len() || exprs(&both[0]) != exprs(&both[1]) {
            offences.add(format!("{name}: the two ask different things"));
        }
        for made in &both {
            let json = text(&made.json);
            match made.lang {
                Lang::Zh if !has_chinese(&made.json["title"].to_string()) => {
                    offences.add(place(made, "has no Chinese title"));
                }
                Lang::En if has_chinese(&json) => {
                    let line = json.lines().find(|line| has_chinese(line));
                    offences.add(place(made, line.unwrap_or_default().trim()));
                }
                _ => {}
            }
        }
    }
    offences.none();
}

#[test]
fn grafana_shows_the_flags_that_are_sent() {
    let shown = flags();
    for (number, flag) in (0..).zip(FLAGS) {
        let word = shown.iter().find(|(value, _)| *value == number);
        let word = word.map(|(_, word)| word.as_str()).unwrap_or_default();
        assert!(
            word.starts_with(&format!("{flag} ")),
            "{number}: {flag}, shown as {word:?}"
        );
    }
    assert_eq!(shown.len(), FLAGS.len() + 1, "one more for an unknown one");
}

#[test]
fn grafana_rules_have_a_firing_and_a_quiet_case_and_both_languages() {
    let mut offences = Offences::against(
        "an alerting rule lacks a case or a language",
        "add it to `dashboards/grafana/rules`, then promtool test rules",
    );
    let read = |name: &str| {
        let path = directory().join("rules").join(name);
        std::fs::read_to_string(path).expect("the rules are there")
    };
    let (rules, cases) = (read("cemsd.rules.yaml"), read("cemsd.rules.test.yaml"));
    let mut count = 0;
    for rule in rules.split("- alert: ").skip(1) {
        count += 1;
        let name = rule.lines().next().unwrap_or_default();
        for case in ["fires", "is quiet"] {
            if !cases.contains(&format!("- name: {name} {case}\n")) {
                offences.add(format!("{name}: no case where it {case}"));
            }
        }
        for part in ["summary: ", "description: "] {
            let text = rule.lines().find_map(|line| line.trim().strip_prefix(part));
            let text = text.unwrap_or_default();
            let english = text.split_whitespace().filter(|word| word.is_ascii());
            if !has_chinese(text) || english.count() < 3 {
                offences.add(format!("{name}: {part}is not in both languages"));
            }
        }
    }
    assert!(
        count >= 10,
        "{count} rules: has the format of the file changed?"
    );
    offences.none();
}
