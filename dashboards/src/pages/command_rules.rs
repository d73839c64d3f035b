//! What an order to a device needs before it is passed on, by form or by API alike.

use crate::backend::{BackendError, CommandForm, CommandOrder, CommandParameter, ParameterKind};
use crate::refusal::refused;
use crate::view::exchange::device_time;
use cems_core::model::OutletId;
use std::collections::BTreeMap;

/// What would end a field, the data area or the frame: no value may hold it, whatever else is
/// allowed.
const FRAME_MARKS: [char; 3] = [';', '&', '#'];

/// The order, its parameters in the order of the form. Refused is what the device does not
/// understand, a parameter it does not have or that is missing, and a value out of bounds.
pub(crate) fn checked_order(
    outlet: OutletId,
    forms: &[CommandForm],
    cn: &str,
    params: &BTreeMap<String, String>,
) -> Result<CommandOrder, BackendError> {
    if forms.is_empty() {
        return Err(refused("not-connected-yet", outlet.as_str()));
    }
    let form = forms
        .iter()
        .find(|form| form.cn == cn)
        .ok_or_else(|| refused("unknown-command", cn))?;
    let known = |name: &str| form.parameters.iter().any(|p| p.name == name);
    if let Some(name) = params.keys().find(|name| !known(name)) {
        return Err(refused("bad-parameter", name));
    }
    let mut ordered = Vec::with_capacity(form.parameters.len());
    for parameter in &form.parameters {
        let value = params.get(&parameter.name).map_or("", |v| v.trim());
        if value.is_empty() && parameter.optional {
            continue;
        }
        check_value(parameter, value)?;
        ordered.push((parameter.name.clone(), value.to_owned()));
    }
    Ok(CommandOrder {
        outlet,
        cn: form.cn.clone(),
        params: ordered,
    })
}

fn check_value(parameter: &CommandParameter, value: &str) -> Result<(), BackendError> {
    let name = &parameter.name;
    if value.is_empty() {
        return Err(refused("bad-parameter", format!("{name} = ?")));
    }
    let good = match &parameter.kind {
        ParameterKind::Number { min, max } => value
            .parse::<i64>()
            .is_ok_and(|n| *min <= n && n <= *max && value.bytes().all(|b| b != b'+')),
        ParameterKind::Time => device_time(value).is_some(),
        ParameterKind::Choice(values) => values.iter().any(|v| v == value),
        ParameterKind::Text(max) | ParameterKind::Secret(max) => {
            let chars = u32::try_from(value.chars().count()).unwrap_or(u32::MAX);
            chars <= *max && !value.contains(|c: char| FRAME_MARKS.contains(&c) || c.is_control())
        }
    };
    if good {
        return Ok(());
    }
    // A secret that was mistyped is a secret still.
    let shown = match parameter.kind {
        ParameterKind::Secret(_) => "***",
        _ => value,
    };
    let bounds = match &parameter.kind {
        ParameterKind::Number { min, max } => format!(" ({min} – {max})"),
        ParameterKind::Text(max) | ParameterKind::Secret(max) => format!(" (≤ {max})"),
        ParameterKind::Time | ParameterKind::Choice(_) => String::new(),
    };
    Err(refused(
        "bad-parameter",
        format!("{name} = {shown}{bounds}"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form() -> Vec<CommandForm> {
        let parameter = |name: &str, kind, optional| CommandParameter {
            name: name.to_owned(),
            label_zh: String::new(),
            label_en: String::new(),
            kind,
            optional,
            preset: String::new(),
        };
        let of = |cn: &str, parameters| CommandForm {
            cn: cn.to_owned(),
            label_zh: String::new(),
            label_en: String::new(),
            intrusive: true,
            parameters,
        };
        vec![
            of(
                "1062",
                vec![parameter(
                    "RtdInterval",
                    ParameterKind::Number {
                        min: 30,
                        max: 3_600,
                    },
                    false,
                )],
            ),
            of(
                "2051",
                vec![
                    parameter("EndTime", ParameterKind::Time, false),
                    parameter("BeginTime", ParameterKind::Time, false),
                ],
            ),
            of(
                "3021",
                vec![
                    parameter("Info", ParameterKind::Text(6), true),
                    parameter("NewPW", ParameterKind::Secret(6), true),
                    parameter("Kind", ParameterKind::Choice(vec!["0".to_owned()]), true),
                ],
            ),
        ]
    }

    fn order(cn: &str, params: &[(&str, &str)]) -> Result<Vec<(String, String)>, String> {
        let params = params
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        checked_order(OutletId::new("a"), &form(), cn, &params.collect())
            .map(|order| order.params)
            .map_err(|e| e.to_string())
    }

    #[test]
    fn an_order_keeps_the_order_of_the_form_and_leaves_out_what_is_empty() {
        let times = [
            ("BeginTime", "20260318000000"),
            ("EndTime", " 20260318010000 "),
        ];
        let ordered = order("2051", &times).unwrap();
        let names: Vec<&str> = ordered.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["EndTime", "BeginTime"]);
        assert_eq!(ordered[0].1, "20260318010000");
        assert_eq!(order("3021", &[("Info", " ")]), Ok(Vec::new()));
    }

    #[test]
    fn what_a_device_cannot_be_told_is_refused_by_name() {
        for (cn, params, text) in [
            ("9999", vec![], "unknown-command: 9999"),
            ("1062", vec![], "bad-parameter: RtdInterval = ?"),
            (
                "1062",
                vec![("RtdInterval", "29")],
                "RtdInterval = 29 (30 – 3600)",
            ),
            ("1062", vec![("RtdInterval", "+60")], "RtdInterval = +60"),
            (
                "1062",
                vec![("RtdInterval", "60"), ("X", "1")],
                "bad-parameter: X",
            ),
            ("3021", vec![("Info", "a;b")], "Info = a;b (≤ 6)"),
            ("3021", vec![("Info", "a\r\nb")], "Info = "),
            ("3021", vec![("Info", "1234567")], "Info = 1234567"),
            ("3021", vec![("NewPW", "hunter2")], "NewPW = *** (≤ 6)"),
            ("3021", vec![("Kind", "1")], "Kind = 1"),
            (
                "2051",
                vec![("EndTime", "20260230000000")],
                "EndTime = 20260230000000",
            ),
            (
                "2051",
                vec![("EndTime", "2026031800000")],
                "EndTime = 2026031800000",
            ),
        ] {
            let error = order(cn, &params).unwrap_err();
            assert!(error.contains(text), "{error}");
        }
        let none = checked_order(OutletId::new("a"), &[], "1062", &BTreeMap::new());
        assert!(
            none.unwrap_err()
                .to_string()
                .contains("not-connected-yet: a")
        );
    }
}
