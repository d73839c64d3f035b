//! `/outlets/{id}/commands`: what the device of an outlet can be told, and the forms for it. What
//! acts on the site is asked again before it is sent.

use super::command_rules::checked_order;
use super::fallbacks::LOCAL_TIME_FORMATS;
use super::{Page, Params, html, saved, status_of};
use crate::app::Visit;
use crate::backend::{BackendError, CommandForm, CommandParameter, ParameterKind};
use crate::refusal::refused;
use crate::view::exchange::{
    DEVICE_TIME_FORMAT, ExchangeItem, command_group, device_time, shown_value,
};
use crate::view::outlet::outlet_link;
use crate::view::shell::Shell;
use askama::Template;
use axum::extract::{Form, Path, Query};
use axum::response::{IntoResponse, Response};
use cems_core::model::{ExchangeRow, OutletId, Permission};
use chrono::NaiveDateTime;
use std::collections::BTreeMap;

/// Exchanges shown here; all of them are behind the link.
const EXCHANGES_SHOWN_MAX: usize = 12;

/// What stands before a parameter's name in the name of its field, so that no parameter can be
/// taken for a field of the page.
const FIELD_PREFIX: &str = "p.";

/// The field that says that a person confirmed.
const CONFIRM: &str = "confirm";

/// The parameter that names a factor; the editions write its case differently.
const FACTOR: &str = "PolId";

type Fields = BTreeMap<String, String>;

#[derive(Template)]
#[template(path = "commands.html")]
struct CommandsPage {
    shell: Shell,
    id: String,
    outlet: String,
    outlet_link: String,
    action: String,
    edition: String,
    may_order: bool,
    groups: Vec<Group>,
    /// Code and name of the outlet's factors, offered where a factor is typed.
    factors: Vec<(String, String)>,
    exchanges: Vec<ExchangeItem>,
    exchanges_link: String,
}

#[derive(Template)]
#[template(path = "command_confirm.html")]
struct ConfirmPage {
    shell: Shell,
    outlet: String,
    outlet_link: String,
    action: String,
    /// The list of commands, with this one open.
    back: String,
    cn: String,
    name: String,
    /// Label, standard name, field, value to send, value as people read it.
    parameters: Vec<Confirmed>,
    /// Secrets, entered here and nowhere before: a page never holds one.
    secrets: Vec<Input>,
}

/// A parameter to be confirmed.
struct Confirmed {
    label: String,
    name: String,
    field: String,
    value: String,
    shown: String,
}

/// Commands of one part of the standard.
struct Group {
    title: String,
    commands: Vec<Command>,
}

/// One command with its form.
struct Command {
    cn: String,
    name: String,
    intrusive: bool,
    open: bool,
    inputs: Vec<Input>,
    button: String,
}

/// One field of a form.
struct Input {
    field: String,
    name: String,
    label: String,
    /// `number`, `time`, `choice`, `text`, `secret`, or `later` for what the next page asks.
    kind: &'static str,
    value: String,
    hint: String,
    min: i64,
    max: i64,
    chars: u32,
    /// Value, the value in words, and whether it is chosen.
    choices: Vec<(String, String, bool)>,
    optional: bool,
    /// A factor's code is typed here.
    factor: bool,
}

/// What the pages are made from.
struct Read {
    id: OutletId,
    edition: String,
    forms: Vec<CommandForm>,
    exchanges: Vec<ExchangeRow>,
}

async fn read(visit: &Visit, id: &str) -> Result<Read, BackendError> {
    let id = OutletId::new(id);
    visit
        .read(move |backend, actor| {
            let device = backend.outlet(actor, &id)?.device;
            Ok(Read {
                edition: device.map_or_else(String::new, |d| d.edition.to_string()),
                forms: backend.commands(actor, &id)?,
                exchanges: backend.exchanges(actor, Some(&id))?,
                id,
            })
        })
        .await
}

fn address(id: &OutletId) -> String {
    format!("{}/commands", outlet_link(id.as_str()))
}

fn name(visit: &Visit, form: &CommandForm) -> String {
    let name = visit.words.pick(&form.label_zh, Some(&form.label_en));
    name.to_owned()
}

/// The page, with one command open and what was typed into it.
fn view(visit: &Visit, read: &Read, open: Option<&str>, typed: &Fields) -> CommandsPage {
    let (eyes, words) = (visit.eyes(), visit.words);
    let command = |form: &CommandForm| {
        let chosen = open == Some(form.cn.as_str());
        let nothing = Fields::new();
        let typed = if chosen { typed } else { &nothing };
        let inputs = form.parameters.iter();
        Command {
            cn: form.cn.clone(),
            name: name(visit, form),
            intrusive: form.intrusive,
            open: chosen,
            inputs: inputs
                .map(|p| input(visit, &read.id, p, typed, form.intrusive))
                .collect(),
            button: words.t(if form.intrusive {
                "command-check"
            } else {
                "command-send"
            }),
        }
    };
    let groups = ["settings", "data", "control"].map(|group| Group {
        title: words.code("command-group", group),
        commands: read
            .forms
            .iter()
            .filter(|form| command_group(&form.cn) == group)
            .map(command)
            .collect(),
    });
    CommandsPage {
        shell: Shell::new(visit, "exchanges"),
        id: read.id.to_string(),
        outlet: eyes.outlet_words(&read.id),
        outlet_link: outlet_link(read.id.as_str()),
        action: address(&read.id),
        edition: read.edition.clone(),
        may_order: visit.may(Permission::Command),
        groups: groups
            .into_iter()
            .filter(|group| !group.commands.is_empty())
            .collect(),
        factors: visit
            .registry
            .outlets
            .get(&read.id)
            .map_or_else(Vec::new, |outlet| {
                let codes = outlet.factors.keys();
                let named = codes.map(|c| (c.to_string(), eyes.factor(Some(outlet), c).name));
                named.collect()
            }),
        exchanges: read
            .exchanges
            .iter()
            .take(EXCHANGES_SHOWN_MAX)
            .map(|row| ExchangeItem::new(&eyes, row))
            .collect(),
        exchanges_link: format!("/exchanges?outlet={}", crate::url::encode(read.id.as_str())),
    }
}

fn field(parameter: &CommandParameter) -> String {
    format!("{FIELD_PREFIX}{}", parameter.name)
}

/// A field with what was typed, else with its preset; a secret is never filled in.
fn input(
    visit: &Visit,
    outlet: &OutletId,
    parameter: &CommandParameter,
    typed: &Fields,
    intrusive: bool,
) -> Input {
    let words = visit.words;
    let field = field(parameter);
    let value = typed.get(&field).unwrap_or(&parameter.preset);
    let mut input = Input {
        name: parameter.name.clone(),
        label: words
            .pick(&parameter.label_zh, Some(&parameter.label_en))
            .to_owned(),
        kind: parameter.kind.as_str(),
        value: value.clone(),
        hint: String::new(),
        min: 0,
        max: 0,
        chars: 0,
        choices: Vec::new(),
        optional: parameter.optional,
        factor: parameter.name.eq_ignore_ascii_case(FACTOR),
        field,
    };
    let chars = |max: u32| words.count("command-chars", max);
    match &parameter.kind {
        ParameterKind::Number { min, max } => {
            (input.min, input.max) = (*min, *max);
            let bounds = [("min", min.to_string()), ("max", max.to_string())];
            let bounds = bounds.each_ref().map(|(k, v)| (*k, v.as_str()));
            input.hint = words.with("command-bounds", &bounds);
        }
        ParameterKind::Choice(values) => {
            let eyes = visit.eyes();
            let words = |v: &str| shown_value(&eyes, outlet, v);
            let choices = values.iter().map(|v| (v.clone(), words(v), v == value));
            input.choices = choices.collect();
        }
        ParameterKind::Text(max) => {
            input.chars = *max;
            input.hint = chars(*max);
        }
        ParameterKind::Secret(max) => {
            input.chars = *max;
            input.hint = chars(*max);
            input.value = String::new();
            if intrusive {
                input.kind = "later";
            }
        }
        ParameterKind::Time => {
            if let Some(at) = device_time(value) {
                input.value = at.format("%Y-%m-%dT%H:%M:%S").to_string();
            }
        }
    }
    input
}

/// `GET /outlets/{id}/commands?cn=`.
pub(super) async fn page(visit: Visit, Path(id): Path<String>, Query(query): Params) -> Page {
    let read = read(&visit, &id).await.map_err(|e| visit.failed(&e))?;
    let open = query.get("cn").map(String::as_str);
    Ok(html(&view(&visit, &read, open, &Fields::new())))
}

/// Parameters as typed: the times of a browser become those of the standard; what is no time stays
/// as it is and is refused by its name.
fn typed_parameters(form: Option<&CommandForm>, fields: &Fields) -> Fields {
    let given = fields.iter().filter_map(|(field, value)| {
        let name = field.strip_prefix(FIELD_PREFIX)?;
        let is_time = form.is_some_and(|form| {
            let mut parameters = form.parameters.iter();
            parameters.any(|p| p.name == name && p.kind == ParameterKind::Time)
        });
        let local = LOCAL_TIME_FORMATS
            .iter()
            .filter(|_| is_time)
            .find_map(|format| NaiveDateTime::parse_from_str(value, format).ok());
        let value = local.map_or_else(
            || value.clone(),
            |at| at.format(DEVICE_TIME_FORMAT).to_string(),
        );
        Some((name.to_owned(), value))
    });
    given.collect()
}

/// The forms without what is asked on the page that confirms.
fn without_secrets(forms: &[CommandForm]) -> Vec<CommandForm> {
    let mut forms = forms.to_vec();
    for form in forms.iter_mut().filter(|form| form.intrusive) {
        form.parameters
            .retain(|p| !matches!(p.kind, ParameterKind::Secret(_)));
    }
    forms
}

/// `POST /outlets/{id}/commands`: sends, or asks again what acts on the site.
pub(super) async fn order(
    visit: Visit,
    Path(id): Path<String>,
    Form(fields): Form<Fields>,
) -> Page {
    visit
        .require(Permission::Command)
        .map_err(|e| visit.failed(&e))?;
    let read = read(&visit, &id).await.map_err(|e| visit.failed(&e))?;
    let cn = fields.get("cn").map_or("", |cn| cn.trim());
    let form = read.forms.iter().find(|form| form.cn == cn);
    let params = typed_parameters(form, &fields);
    let asks = form.filter(|form| form.intrusive);
    let confirmed = fields.get(CONFIRM).is_some_and(|yes| yes == "yes");
    if let (Some(form), false) = (asks, confirmed) {
        let open = without_secrets(&read.forms);
        return match checked_order(read.id.clone(), &open, cn, &params) {
            Ok(order) => Ok(html(&confirm(&visit, &read.id, form, &order.params))),
            Err(error) => Err(again(&visit, &read, cn, &error, &fields)),
        };
    }
    let outcome = match checked_order(read.id.clone(), &read.forms, cn, &params) {
        Ok(order) => visit.app.backend.send_command(&visit.actor, order).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(receipt) => Ok(saved(&format!("/exchanges/{}", receipt.seq), receipt.seq)),
        Err(error) => Err(again(&visit, &read, cn, &error, &fields)),
    }
}

fn confirm(
    visit: &Visit,
    id: &OutletId,
    form: &CommandForm,
    given: &[(String, String)],
) -> ConfirmPage {
    let words = visit.words;
    let parameters = form.parameters.iter().filter_map(|parameter| {
        let (_, value) = given.iter().find(|(name, _)| *name == parameter.name)?;
        Some(Confirmed {
            label: words
                .pick(&parameter.label_zh, Some(&parameter.label_en))
                .to_owned(),
            name: parameter.name.clone(),
            field: field(parameter),
            shown: shown_value(&visit.eyes(), id, value),
            value: value.clone(),
        })
    });
    let secret = |p: &&CommandParameter| matches!(p.kind, ParameterKind::Secret(_));
    let secrets = form.parameters.iter().filter(secret);
    ConfirmPage {
        shell: Shell::new(visit, "exchanges"),
        outlet: visit.eyes().outlet_words(id),
        outlet_link: outlet_link(id.as_str()),
        action: address(id),
        back: format!("{}?cn={}#c{}", address(id), form.cn, form.cn),
        cn: form.cn.clone(),
        name: name(visit, form),
        secrets: secrets
            .map(|p| input(visit, id, p, &Fields::new(), false))
            .collect(),
        parameters: parameters.collect(),
    }
}

/// The page again with what was typed and why it was refused.
fn again(visit: &Visit, read: &Read, cn: &str, error: &BackendError, fields: &Fields) -> Response {
    if matches!(error, BackendError::NotFound | BackendError::Forbidden) {
        return visit.failed(error);
    }
    let empty = refused("unknown-command", "?");
    let error = if cn.is_empty() && !read.forms.is_empty() {
        &empty
    } else {
        error
    };
    let mut page = view(visit, read, Some(cn), fields);
    page.shell.notice = Some(visit.refusal(error));
    (status_of(error), html(&page)).into_response()
}
