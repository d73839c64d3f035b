//! From a source to the JSON of Grafana 10 and 11.

use super::source::{Factor, State};
use super::{Dashboard, Dictionary, Lang, Panel, Query, Step};
use serde_json::{Map, Value, json};

/// Grafana's version of the format: 10.4 and 11 write it.
const SCHEMA: u32 = 39;
/// Columns of a dashboard.
const COLUMNS: u32 = 24;
/// The variable that names the database.
const DATABASE: &str = "${datasource}";

fn database() -> Value {
    json!({"type": "prometheus", "uid": DATABASE})
}

/// A dashboard in a language.
pub fn board(source: &Dashboard, words: &Dictionary, lang: Lang) -> Value {
    let own = format!("cemsd-{}", lang.suffix());
    let mut variables = vec![json!({
        "name": "datasource", "label": words.datasource.of(lang), "type": "datasource",
        "query": "prometheus", "regex": "", "refresh": 1, "hide": 0, "includeAll": false,
        "multi": false, "options": [], "skipUrlSync": false, "current": {},
    })];
    variables.extend(
        source
            .variables
            .iter()
            .map(|name| variable(name, words, lang)),
    );
    let marks = json!([{
        "builtIn": 1, "datasource": {"type": "grafana", "uid": "-- Grafana --"}, "enable": true,
        "hide": true, "iconColor": "rgba(0, 211, 255, 1)", "name": "Annotations & Alerts",
        "type": "dashboard",
    }]);
    let links = json!([{
        "asDropdown": false, "icon": "external link", "includeVars": true, "keepTime": true,
        "tags": [own], "targetBlank": false, "title": "", "tooltip": "", "type": "dashboards",
        "url": "",
    }]);
    json!({
        "uid": format!("{}-{}", source.uid, lang.suffix()),
        "title": source.title.of(lang),
        "description": source.about.of(lang),
        "tags": ["cemsd", own],
        "schemaVersion": SCHEMA,
        "version": 1,
        "editable": true,
        "graphTooltip": 1,
        "fiscalYearStartMonth": 0,
        "timezone": "browser",
        "time": {"from": source.from, "to": "now"},
        "timepicker": {},
        "refresh": source.refresh,
        "annotations": {"list": marks},
        "links": links,
        "templating": {"list": variables},
        "panels": panels(source, words, lang),
    })
}

fn variable(name: &str, words: &Dictionary, lang: Lang) -> Value {
    let found = words.variable.get(name);
    let found = found.unwrap_or_else(|| panic!("words.toml: no variable {name}"));
    let mut json = json!({
        "name": name, "label": found.label.of(lang), "type": "query", "datasource": database(),
        "definition": found.query, "refresh": 2, "regex": "", "sort": 1, "hide": 0,
        "includeAll": found.multi, "multi": found.multi, "options": [], "skipUrlSync": false,
        "current": {},
        "query": {
            "qryType": 1, "query": found.query,
            "refId": "PrometheusVariableQueryEditor-VariableQuery",
        },
    });
    if found.multi {
        json["allValue"] = json!(".*");
        json["current"] = json!({"selected": true, "text": ["All"], "value": ["$__all"]});
    }
    json
}

/// Panels beside each other as long as they fit, then a new line.
fn panels(source: &Dashboard, words: &Dictionary, lang: Lang) -> Vec<Value> {
    let (mut x, mut y, mut line) = (0, 0, 0);
    let mut made = Vec::new();
    for (id, panel) in (1..).zip(&source.panel) {
        let row = panel.kind == "row";
        let [w, h] = if row { [COLUMNS, 1] } else { panel.size };
        if x + w > COLUMNS {
            (x, y, line) = (0, y + line, 0);
        }
        let place = json!({"x": x, "y": y, "w": w, "h": h});
        x += w;
        line = line.max(h);
        let mut json = if row {
            json!({"collapsed": false, "panels": []})
        } else {
            shown(panel, words, lang)
        };
        json["id"] = json!(id);
        json["type"] = json!(panel.kind);
        json["title"] = json!(panel.title.of(lang));
        json["gridPos"] = place;
        if let Some(about) = &panel.about {
            json["description"] = json!(about.of(lang));
        }
        made.push(json);
    }
    made
}

fn shown(panel: &Panel, words: &Dictionary, lang: Lang) -> Value {
    let table = panel.kind == "table";
    let targets: Vec<Value> = ('A'..='Z')
        .zip(&panel.query)
        .map(|(id, query)| target(id, panel, query, lang))
        .collect();
    let mut overrides = Vec::new();
    if table {
        overrides.extend(columns(panel, words, lang));
    } else if let Some(shown) = &panel.factors {
        let each = words.factor.iter();
        overrides.extend(each.map(|factor| named(factor, shown == "units", lang)));
    }
    let mut json = json!({
        "datasource": database(),
        "targets": targets,
        "fieldConfig": {"defaults": defaults(panel, words, lang), "overrides": overrides},
        "options": options(panel, lang),
    });
    if table {
        json["transformations"] = in_one_table(panel, words, lang);
    }
    json
}

fn target(id: char, panel: &Panel, query: &Query, lang: Lang) -> Value {
    let table = panel.kind == "table";
    let now = table || matches!(panel.kind.as_str(), "stat" | "gauge" | "bargauge");
    let legend = query.legend.as_ref().filter(|_| !table);
    let mut json = json!({
        "refId": id.to_string(), "datasource": database(), "editorMode": "code",
        "expr": query.expr.trim(), "instant": now, "range": !now,
        "format": if table { "table" } else { "time_series" },
        "legendFormat": legend.map_or("__auto", |legend| legend.of(lang)),
    });
    if let Some(every) = panel.every.as_ref().filter(|_| !now) {
        json["interval"] = json!(every);
    }
    json
}

fn defaults(panel: &Panel, words: &Dictionary, lang: Lang) -> Value {
    let mut json = Map::new();
    let mut put = |name: &str, value: Value| json.insert(name.to_owned(), value);
    put("unit", json!(panel.unit.as_deref().unwrap_or("short")));
    if let Some(decimals) = panel.decimals {
        put("decimals", json!(decimals));
    }
    for (name, bound) in [("min", panel.min), ("max", panel.max)] {
        if let Some(bound) = bound {
            put(name, json!(bound));
        }
    }
    put("mappings", json!([]));
    if let Some(states) = &panel.states {
        let list = words.states.get(states);
        let list = list.unwrap_or_else(|| panic!("words.toml: no states {states}"));
        put("mappings", mapped(list, lang));
    }
    let coloured = !panel.steps.is_empty();
    put("thresholds", thresholds(&panel.steps));
    let mode = match panel.kind.as_str() {
        "timeseries" | "state-timeline" => "palette-classic",
        _ => "thresholds",
    };
    put("color", json!({"mode": mode}));
    let lines = if coloured { "dashed" } else { "off" };
    let custom = match panel.kind.as_str() {
        "timeseries" => json!({
            "drawStyle": if panel.bars { "bars" } else { "line" },
            "lineInterpolation": "linear",
            "lineWidth": 1,
            "fillOpacity": if panel.bars { 80 } else { 8 },
            "showPoints": "auto",
            "pointSize": 4,
            "spanNulls": panel.connect_ms.map_or(json!(false), |ms| json!(ms)),
            "stacking": {"mode": if panel.stack { "normal" } else { "none" }, "group": "A"},
            "thresholdsStyle": {"mode": lines},
            "axisSoftMin": 0,
        }),
        "state-timeline" => json!({
            "lineWidth": 0,
            "fillOpacity": 80,
            "spanNulls": panel.connect_ms.map_or(json!(false), |ms| json!(ms)),
        }),
        "table" => json!({"align": "auto", "filterable": true, "cellOptions": {"type": "auto"}}),
        _ => json!({}),
    };
    put("custom", custom);
    Value::Object(json)
}

fn thresholds(steps: &[Step]) -> Value {
    let all: Vec<Value> = steps
        .iter()
        .map(|step| json!({"color": step.color, "value": step.from}))
        .collect();
    let all = if all.is_empty() {
        vec![json!({"color": "blue", "value": null})]
    } else {
        all
    };
    json!({"mode": "absolute", "steps": all})
}

fn mapped(states: &[State], lang: Lang) -> Value {
    let each = (0..).zip(states).map(|(index, state)| {
        let word = json!({"text": state.text.of(lang), "color": state.color, "index": index});
        (state.value.to_string(), word)
    });
    json!([{"type": "value", "options": Map::from_iter(each)}])
}

/// Grafana's name of a unit of the table of factors.
fn unit(unit: &str) -> String {
    match unit {
        "degC" => "celsius".to_owned(),
        "%" => "percent".to_owned(),
        "1" | "" => "none".to_owned(),
        other => format!("suffix: {}", other.replace("m3", "m³")),
    }
}

fn name(factor: &Factor, lang: Lang) -> String {
    let name = match lang {
        Lang::Zh => &factor.zh,
        Lang::En => &factor.en,
    };
    format!("{name} {}", factor.code)
}

/// Words and unit in place of a code.
fn named(factor: &Factor, units: bool, lang: Lang) -> Value {
    let mut properties = vec![json!({"id": "displayName", "value": name(factor, lang)})];
    if units {
        properties.push(json!({"id": "unit", "value": unit(&factor.unit)}));
    }
    json!({
        "matcher": {"id": "byName", "options": factor.code}, "properties": properties,
    })
}

fn column_name<'a>(query: &'a Query, panel: &Panel, lang: Lang) -> &'a str {
    let legend = query.legend.as_ref().map(|legend| legend.of(lang));
    legend.unwrap_or_else(|| panic!("{:?}: a column without a name", panel.title))
}

/// How the columns of a table look.
fn columns(panel: &Panel, words: &Dictionary, lang: Lang) -> Vec<Value> {
    let factors = words.factor.iter().map(|factor| {
        let text = json!({"text": name(factor, lang)});
        (factor.code.clone(), text)
    });
    let mapping = json!([{"type": "value", "options": Map::from_iter(factors)}]);
    let mut all = Vec::new();
    let factor = words.label.get("factor").map(|label| label.of(lang));
    all.extend(factor.map(|column| {
        json!({
            "matcher": {"id": "byName", "options": column},
            "properties": [{"id": "mappings", "value": mapping}],
        })
    }));
    for query in &panel.query {
        let unit = query.unit.as_deref().unwrap_or("short");
        let mut properties = vec![json!({"id": "unit", "value": unit})];
        if let Some(decimals) = query.decimals {
            properties.push(json!({"id": "decimals", "value": decimals}));
        }
        if !query.steps.is_empty() {
            properties.push(json!({"id": "thresholds", "value": thresholds(&query.steps)}));
            let cell = json!({"type": "color-text"});
            properties.push(json!({"id": "custom.cellOptions", "value": cell}));
        }
        all.push(json!({
            "matcher": {"id": "byName", "options": column_name(query, panel, lang)},
            "properties": properties,
        }));
    }
    all
}

/// The answers of all questions side by side, under words.
fn in_one_table(panel: &Panel, words: &Dictionary, lang: Lang) -> Value {
    let mut names = Map::new();
    for (label, text) in &words.label {
        names.insert(label.clone(), json!(text.of(lang)));
    }
    for (id, query) in ('A'..='Z').zip(&panel.query) {
        let value = match panel.query.len() {
            1 => "Value".to_owned(),
            _ => format!("Value #{id}"),
        };
        names.insert(value, json!(column_name(query, panel, lang)));
    }
    json!([
        {"id": "merge", "options": {}},
        {"id": "organize", "options": {
            "excludeByName": {"Time": true}, "indexByName": {}, "renameByName": names,
        }},
    ])
}

fn options(panel: &Panel, lang: Lang) -> Value {
    let last = json!({"values": false, "calcs": ["lastNotNull"], "fields": ""});
    let shown = if panel.bars {
        vec!["sum", "max"]
    } else {
        vec!["lastNotNull", "max"]
    };
    match panel.kind.as_str() {
        "timeseries" => json!({
            "legend": {
                "showLegend": true, "displayMode": "table", "placement": "bottom", "calcs": shown,
            },
            "tooltip": {"mode": "multi", "sort": "desc"},
        }),
        "state-timeline" => json!({
            "mergeValues": true, "showValue": "never", "alignValue": "left", "rowHeight": 0.85,
            "legend": {"showLegend": true, "displayMode": "list", "placement": "bottom"},
            "tooltip": {"mode": "single", "sort": "none"},
        }),
        "stat" => json!({
            "colorMode": "value", "graphMode": "none", "justifyMode": "auto", "textMode": "auto",
            "orientation": "auto", "wideLayout": true, "reduceOptions": last,
        }),
        "gauge" => json!({
            "showThresholdLabels": false, "showThresholdMarkers": true, "orientation": "auto",
            "reduceOptions": last,
        }),
        "bargauge" => json!({
            "displayMode": "basic", "valueMode": "color", "orientation": "horizontal",
            "showUnfilled": true, "minVizWidth": 8, "minVizHeight": 16, "reduceOptions": last,
        }),
        "table" => {
            let sort = panel.sort.and_then(|place| panel.query.get(place));
            let sort = sort
                .map(|query| json!({"displayName": column_name(query, panel, lang), "desc": true}));
            json!({
                "showHeader": true, "cellHeight": "sm", "sortBy": Vec::from_iter(sort),
                "footer": {"show": false, "reducer": ["sum"], "countRows": false, "fields": ""},
            })
        }
        other => panic!("{:?}: no panel of kind {other} is known here", panel.title),
    }
}

#[cfg(test)]
mod tests {
    use super::unit;

    #[test]
    fn units_are_grafanas() {
        assert_eq!(unit("degC"), "celsius");
        assert_eq!(unit("mg/m3"), "suffix: mg/m³");
        assert_eq!(unit("1"), "none");
    }
}
