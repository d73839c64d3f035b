//! Commands to devices: what may be asked, the order of a person, and how exchanges went.

use super::scope::scope_of;
use super::write::allow;
use super::{ConsoleBackend, unavailable};
use crate::switchboard::{OrderError, Why};
use cems_core::model::{ExchangeRow, Outlet, OutletId, Permission, Seq};
use cems_dashboards::backend::{
    Actor, BackendError, CommandForm, CommandOrder, CommandParameter, LIST_ROWS_MAX, ParameterKind,
    Receipt, StationStatus,
};
use cems_protocols::hj212::{
    Edition, Order, ParamKind, Parameter, Presence, Request, RequestError, order, orders,
};

/// Longest text of a parameter that may be given several times, all values together.
const REPEATED_CHARS_MAX: u32 = 400;

impl ConsoleBackend {
    /// The edition that the device speaks, now or when it was last heard.
    fn edition_of(&self, outlet: &Outlet) -> Result<Option<Edition>, BackendError> {
        if let Some(edition) = self.switchboard.edition(&outlet.id) {
            return Ok(Some(edition));
        }
        let devices = self.readers.device(&outlet.id).map_err(unavailable)?;
        let last = devices
            .iter()
            .filter(|device| device.mn == outlet.mn.as_str())
            .max_by_key(|device| device.last_seen);
        let named = |name: &str| {
            let all = [Edition::V2005, Edition::V2017, Edition::V2025];
            let known = all.into_iter().find(|edition| edition.as_str() == name);
            known.unwrap_or(Edition::Unknown)
        };
        Ok(last.map(|device| named(&device.edition)))
    }

    pub(super) fn read_commands(
        &self,
        actor: &Actor,
        id: &OutletId,
    ) -> Result<Vec<CommandForm>, BackendError> {
        let (_, outlet) = self.visible(actor, id)?;
        let edition = self.edition_of(&outlet)?;
        Ok(edition.map_or_else(Vec::new, |edition| orders(edition).map(form).collect()))
    }

    pub(super) fn read_exchanges(
        &self,
        actor: &Actor,
        outlet: Option<&OutletId>,
    ) -> Result<Vec<ExchangeRow>, BackendError> {
        let only = match outlet {
            Some(outlet) => {
                self.visible(actor, outlet)?;
                Some([outlet.clone()].into())
            }
            None => scope_of(actor, &self.projected.registry()),
        };
        self.readers
            .exchanges(only.as_ref(), LIST_ROWS_MAX)
            .map_err(unavailable)
    }

    pub(super) fn read_exchange(
        &self,
        actor: &Actor,
        id: Seq,
    ) -> Result<ExchangeRow, BackendError> {
        let row = self.readers.exchange(id).map_err(unavailable)?;
        let row = row.ok_or(BackendError::NotFound)?;
        self.visible(actor, &row.outlet)?;
        Ok(row)
    }

    /// Instruments and uplinks, those of outlets the actor may see.
    pub(super) fn read_station(&self, actor: &Actor) -> StationStatus {
        let mut status = (self.station)();
        let sees = |outlet: &OutletId| self.visible(actor, outlet).is_ok();
        status.instruments.retain(|one| sees(&one.outlet));
        // An uplink carries several outlets: for those who see the whole site.
        if scope_of(actor, &self.projected.registry()).is_some() {
            status.uplinks.clear();
        }
        status
    }

    pub(super) async fn order_command(
        &self,
        actor: &Actor,
        order: CommandOrder,
    ) -> Result<Receipt, BackendError> {
        allow(actor, Permission::Command)?;
        let (_, outlet) = self.visible(actor, &order.outlet)?;
        let edition = self
            .edition_of(&outlet)?
            .ok_or_else(|| refused("not-connected-yet", order.outlet.as_str()))?;
        let request = request(&order, edition)?;
        if let Some(cause) = self.journal.health().stalled {
            return Err(BackendError::Unavailable(format!(
                "nothing was ordered: {cause}"
            )));
        }
        let by = (actor.user.as_str(), Why::Order);
        let ordered = self
            .switchboard
            .order(&order.outlet, edition, request, by)
            .await
            .map_err(|error| match error {
                OrderError::QueueFull(outlet) => refused("queue-full", outlet.as_str()),
                OrderError::Journal(error) => BackendError::Unavailable(error),
            })?;
        let receipt = Receipt {
            seq: ordered.id,
            at: ordered.at,
        };
        self.shown(receipt).await;
        Ok(receipt)
    }
}

/// The request of a filled form.
fn request(order_: &CommandOrder, edition: Edition) -> Result<Request, BackendError> {
    let known = order(&order_.cn, edition).ok_or_else(|| refused("unknown-command", &order_.cn))?;
    let params = spread(known, &order_.params);
    Request::from_params(&order_.cn, edition, &params).map_err(|error| match error {
        RequestError::NotInEdition { .. } => refused("unknown-command", &order_.cn),
        error => refused("bad-parameter", &error.to_string()),
    })
}

/// Parameters that may stand several times are entered as one text with commas; the requests have
/// them one after another, those that belong together beside each other.
fn spread(order: &Order, params: &[(String, String)]) -> Vec<(String, String)> {
    let repeats = |name: &str| {
        order.parameters.iter().any(|p| {
            p.name.eq_ignore_ascii_case(name)
                && matches!(p.presence, Presence::Repeated | Presence::AnyNumber)
        })
    };
    let (many, single): (Vec<_>, Vec<_>) = params.iter().partition(|(name, _)| repeats(name));
    let mut out: Vec<(String, String)> = single.into_iter().cloned().collect();
    let lists: Vec<(&String, Vec<&str>)> = many
        .iter()
        .map(|(name, text)| (name, text.split([',', '，']).map(str::trim).collect()))
        .collect();
    let longest = lists.iter().map(|(_, list)| list.len()).max().unwrap_or(0);
    for n in 0..longest {
        for (name, list) in &lists {
            if let Some(value) = list.get(n).filter(|value| !value.is_empty()) {
                out.push(((*name).clone(), (*value).to_owned()));
            }
        }
    }
    out
}

fn form(order: &'static Order) -> CommandForm {
    CommandForm {
        cn: order.cn.to_owned(),
        label_zh: order.zh.to_owned(),
        label_en: order.en.to_owned(),
        intrusive: order.intrusive,
        parameters: order.parameters.iter().map(parameter).collect(),
    }
}

fn parameter(parameter: &Parameter) -> CommandParameter {
    let many = matches!(parameter.presence, Presence::Repeated | Presence::AnyNumber);
    let label = |text: &str, more: &str| match many {
        true => format!("{text}{more}"),
        false => text.to_owned(),
    };
    CommandParameter {
        name: parameter.name.to_owned(),
        label_zh: label(parameter.zh, "（多个以逗号分隔）"),
        label_en: label(parameter.en, " (several with commas)"),
        kind: if many {
            ParameterKind::Text(REPEATED_CHARS_MAX)
        } else {
            kind(parameter.kind)
        },
        optional: matches!(parameter.presence, Presence::Optional | Presence::AnyNumber),
        preset: parameter.preset.to_owned(),
    }
}

fn kind(kind: ParamKind) -> ParameterKind {
    let chars = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    match kind {
        ParamKind::Number { min, max } => ParameterKind::Number {
            min: min.into(),
            max: max.into(),
        },
        ParamKind::Decimal => ParameterKind::Text(20),
        ParamKind::Time => ParameterKind::Time,
        ParamKind::HourMinute => ParameterKind::Text(4),
        ParamKind::HourMinuteSecond => ParameterKind::Text(6),
        ParamKind::Choice(list) => {
            ParameterKind::Choice(list.iter().map(|&one| one.to_owned()).collect())
        }
        ParamKind::Text { max } => ParameterKind::Text(chars(max)),
        ParamKind::Secret { len } => ParameterKind::Secret(chars(len)),
    }
}

fn refused(code: &str, detail: &str) -> BackendError {
    BackendError::Refused {
        code: code.to_owned(),
        detail: detail.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ordered(cn: &str, edition: Edition, params: &[(&str, &str)]) -> Result<Request, String> {
        let order = CommandOrder {
            outlet: "jia-1".into(),
            cn: cn.to_owned(),
            params: params
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        };
        request(&order, edition).map_err(|error| error.to_string())
    }

    #[test]
    fn every_request_of_the_catalogue_has_a_form() {
        for edition in [Edition::V2005, Edition::V2017, Edition::V2025] {
            let forms: Vec<CommandForm> = orders(edition).map(form).collect();
            assert!(forms.len() > 20, "{edition:?}: {}", forms.len());
            for form in forms {
                assert!(!form.label_zh.is_empty() && !form.label_en.is_empty());
            }
        }
    }

    #[test]
    fn a_number_is_read_in_the_edition_of_the_device() {
        let warn = ordered("1001", Edition::V2005, &[("WarnTime", "5")]);
        assert!(matches!(warn, Ok(Request::SetAlarmDelay { warn_time: 5 })));
        let none = ordered("1001", Edition::V2017, &[("WarnTime", "5")]).expect_err("2017");
        assert!(none.contains("unknown-command"), "{none}");
        let bad = ordered("1062", Edition::V2017, &[("RtdInterval", "5")]).expect_err("5 s");
        assert!(
            bad.contains("bad-parameter") && bad.contains("RtdInterval"),
            "{bad}"
        );
    }

    #[test]
    fn values_given_several_times_stand_beside_each_other() {
        let limits = ordered(
            "1022",
            Edition::V2005,
            &[
                ("PolId", "101, 102"),
                ("LowValue", "1,2"),
                ("UpValue", "3，4"),
            ],
        );
        let Ok(Request::SetAlarmLimits { limits }) = limits else {
            panic!("{limits:?}");
        };
        let list: Vec<_> = limits
            .iter()
            .map(|l| (l.pol_id.as_str(), l.low.as_str(), l.up.as_str()))
            .collect();
        assert_eq!(list, [("101", "1", "3"), ("102", "2", "4")]);
    }

    #[test]
    fn a_secret_is_not_repeated_in_a_refusal() {
        let bad =
            ordered("1072", Edition::V2017, &[("NewPW", "geheim-zu-lang")]).expect_err("long");
        assert!(!bad.contains("geheim"), "{bad}");
    }
}
