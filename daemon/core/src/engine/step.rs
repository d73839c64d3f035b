//! Which part of the engine an event goes to.

use super::context::{Cx, Site};
use super::event::{Contact, Event, Input, Statement};
use super::history::History;
use super::state::{Live, Shared};
use super::watch::{control, device};
use super::{
    Engine, check, deadlines, duties, exchange, health, intake, judgement, messages, people,
    policy, records, registry, reports, sampling,
};
use crate::model::rows::{QuarantineRow, StatementRow};
use crate::model::{OutletId, Output, Registry, Timestamp, UtcOffset};
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Last millisecond of the year 9999. HJ 212 times have four-digit years, and a clock beyond would
/// make the engine count midnights for ever; later times count as this one.
const TIME_MAX: Timestamp = Timestamp(253_402_300_799_999);

/// The registry before the first one.
fn nothing() -> Arc<Registry> {
    Arc::new(Registry {
        site_name: String::new(),
        offset: UtcOffset::default(),
        regions: BTreeMap::new(),
        enterprises: BTreeMap::new(),
        outlets: BTreeMap::new(),
        profiles: BTreeMap::new(),
        special_periods: BTreeMap::new(),
    })
}

pub(super) fn step(
    engine: &mut Engine,
    input: Input,
    history: &dyn History,
    out: &mut dyn FnMut(Output),
) {
    let at = input.at.min(TIME_MAX).max(engine.shared.now);
    let in_force = engine.registry.clone().unwrap_or_else(nothing);
    let before = engine.policy.clone().unwrap_or_default();
    let rules = (in_force.as_ref(), before.as_ref());
    let mut cx = Cx::new((input.seq, engine.shared.now), history, rules, out);
    deadlines::run(engine, at, &mut cx);
    let after = match &input.event {
        Event::Policy(new) => Some(Arc::clone(new)),
        _ => None,
    };
    if let Some(after) = &after {
        cx.policy = after;
    }
    cx.at = at;
    engine.shared.now = at;
    engine.shared.seq = input.seq;
    if let Event::Registry(new) = &input.event {
        registry::takes_force(engine, new, &mut cx);
    } else {
        event(engine, input.event, &mut cx);
    }
    deadlines::settle(engine, &mut cx);
}

fn event(engine: &mut Engine, event: Event, cx: &mut Cx<'_>) {
    match event {
        // Handled before, because it changes what `cx` refers to.
        Event::Registry(_) | Event::Tick => {}
        Event::Record(contact, record) => {
            // The record says whose it is only through its contact; both must agree.
            let outlet = record.outlet.clone();
            let known = at_outlet(engine, &outlet, cx, |live, shared, site, cx| {
                records::accept(live, shared, site, (&contact, record), cx);
            });
            if !known {
                homeless(&contact, cx);
            }
        }
        Event::Statement(contact, statement) => {
            let known = at_outlet(engine, &contact.outlet, cx, |live, shared, site, cx| {
                records::seen(live, &contact, 0, cx);
                let tested = judgement::stated(live, shared, site, &statement, cx);
                control::tested(live, shared, site, tested, cx);
                device::stated(live, shared, site, &statement, cx);
                state(&contact, statement, cx);
            });
            if !known {
                homeless(&contact, cx);
            }
        }
        Event::SignOfLife(contact) => {
            at_outlet(engine, &contact.outlet, cx, |live, _, _, cx| {
                records::seen(live, &contact, 0, cx);
            });
        }
        Event::Refused(refusal) => refused(engine, refusal, cx),
        Event::ManualReport(report) => {
            let (by, outlet) = (report.by.clone(), report.outlet.clone());
            match check::manual_report(&report, cx.registry, cx.at) {
                Ok(()) => {
                    at_outlet(engine, &outlet, cx, |live, shared, site, cx| {
                        reports::enter(live, shared, site, report, cx);
                    });
                }
                Err(error) => {
                    let object = format!("outlet/{outlet}");
                    cx.audit(by.as_str(), "report.refused", object, error.to_string());
                }
            }
        }
        Event::AlarmAction(action) => people::act(&mut engine.shared, action, cx),
        Event::Policy(new) => policy::takes_force(engine, &new, cx),
        Event::AlarmService(order) => engine.shared.book.service(order, cx),
        Event::Shift(shift) => people::shift(&mut engine.shared, shift, cx),
        Event::HandOver(over) => people::hand_over(&mut engine.shared, over, cx),
        Event::DutyCompleted(entry) => duties::complete(&mut engine.shared, entry, cx),
        Event::DutyTakenBack(entry) => duties::take_back(&mut engine.shared, &entry, cx),
        Event::DutyOpened(entry) => duties::open_by_hand(&mut engine.shared, entry, cx),
        Event::Health(report) => health::reported(&mut engine.shared, report, cx),
        Event::FallbackDecision(decision) => match engine.check_fallback_decision(&decision) {
            Ok(()) => {
                let outlet = decision.outlet.clone();
                at_outlet(engine, &outlet, cx, |live, shared, site, cx| {
                    people::decide(live, shared, site, decision, cx);
                });
            }
            Err(error) => {
                let object = format!("outlet/{}", decision.outlet);
                let by = decision.by.as_str();
                cx.audit(by, "fallback.refused", object, error.to_string());
            }
        },
        Event::Mark(_)
        | Event::MarkWithdrawn(_)
        | Event::QaTest(_)
        | Event::QaWithdrawn(_)
        | Event::ReportWithdrawn(_)
        | Event::WrittenReport(_)
        | Event::Review(_) => judged(engine, event, cx),
        Event::Samples(set) => {
            let outlet = set.outlet.clone();
            at_outlet(engine, &outlet, cx, |live, shared, site, cx| {
                sampling::take(live, shared, site, set, cx);
            });
        }
        Event::Reported(record) => {
            let outlet = record.outlet.clone();
            at_outlet(engine, &outlet, cx, |live, shared, site, cx| {
                records::take(live, shared, site, record, cx);
            });
        }
        Event::Exchange(outlet, news) => exchange::news(&outlet, news, cx),
        Event::ChannelTest(test) => messages::test(&mut engine.shared, test, cx),
        Event::MessageFate(fate) => messages::fate(&fate, cx),
        Event::Audit(entry) => {
            let row = crate::model::rows::AuditRow {
                seq: cx.seq,
                n: cx.ordinal(),
                at: cx.at,
                who: entry.who,
                what: entry.what,
                object: entry.object,
                detail: entry.detail,
            };
            cx.emit(Output::Audit(row));
        }
    }
}

/// What bears on the data of an outlet.
fn judged(engine: &mut Engine, event: Event, cx: &mut Cx<'_>) {
    let (outlet, by) = match &event {
        Event::Mark(mark) => (mark.outlet.clone(), mark.by.clone()),
        Event::QaTest(test) => (test.outlet.clone(), test.by.clone()),
        Event::Review(action) => (action.outlet.clone(), action.by.clone()),
        Event::ReportWithdrawn(back) => (back.outlet.clone(), back.by.clone()),
        Event::WrittenReport(new) => (new.outlet.clone(), new.by.clone()),
        Event::MarkWithdrawn(back) | Event::QaWithdrawn(back) => {
            (back.outlet.clone(), back.by.clone())
        }
        _ => return,
    };
    let known = at_outlet(engine, &outlet, cx, |live, shared, site, cx| match event {
        Event::Mark(mark) => {
            judgement::mark(live, site, mark, cx);
            duties::marked(shared, cx);
            shared.book.recheck_outlet(&site.outlet.id, cx);
        }
        Event::MarkWithdrawn(back) => {
            let id = back.id;
            judgement::withdraw_mark(live, site, back, cx);
            duties::unmarked(shared, id, cx);
            shared.book.recheck_outlet(&site.outlet.id, cx);
        }
        Event::QaTest(test) => {
            let tested = (test.factor.clone(), test.kind);
            judgement::test(live, shared, site, (test, 0), cx);
            control::tested(live, shared, site, [tested], cx);
        }
        Event::QaWithdrawn(back) => {
            let rows = cx.history.qa_tests(back.id);
            let tested = rows.into_iter().map(|row| (row.test.factor, row.test.kind));
            judgement::withdraw_test(live, shared, site, back, cx);
            control::tested(live, shared, site, tested, cx);
        }
        Event::Review(action) => judgement::review(live, shared, site, action, cx),
        Event::ReportWithdrawn(back) => reports::withdraw(live, shared, site, back, cx),
        Event::WrittenReport(new) => reports::written(live, shared, site, new, cx),
        _ => {}
    });
    if !known {
        let object = format!("outlet/{outlet}");
        let detail = "the outlet is not in the registry".to_owned();
        cx.audit(by.as_str(), "entry.refused", object, detail);
    }
}

/// Runs `f` on an outlet of the registry and renews its deadlines; `false` when there is none.
fn at_outlet(
    engine: &mut Engine,
    id: &OutletId,
    cx: &mut Cx<'_>,
    f: impl FnOnce(&mut Live, &mut Shared, Site<'_>, &mut Cx<'_>),
) -> bool {
    let registry = cx.registry;
    let site = registry
        .outlets
        .get(id)
        .and_then(|outlet| Site::of(registry, outlet, cx.at));
    let (Some(live), Some(site)) = (engine.outlets.get_mut(id), site) else {
        return false;
    };
    f(live, &mut engine.shared, site, cx);
    if !engine.touched.contains(id) {
        engine.touched.insert(id.clone());
    }
    deadlines::renew_outlet(engine, registry, id);
    true
}

/// A frame for an outlet that left the registry between the door and the journal.
fn homeless(contact: &Contact, cx: &mut Cx<'_>) {
    let row = QuarantineRow {
        seq: cx.seq,
        n: cx.ordinal(),
        at: cx.at,
        reason: SmolStr::new_static("unknown-mn"),
        peer: contact.peer.clone(),
        mn: Some(contact.mn.as_str().into()),
        bytes: 0,
        excerpt: format!("outlet {} is not in the registry", contact.outlet),
    };
    cx.emit(Output::Quarantine(row));
}

fn state(contact: &Contact, statement: Statement, cx: &mut Cx<'_>) {
    let at = statement.at.unwrap_or(cx.at);
    for (name, value) in statement.items {
        cx.emit(Output::Statement(StatementRow {
            outlet: contact.outlet.clone(),
            cn: statement.cn.clone(),
            at,
            name,
            value,
            seq: cx.seq,
        }));
    }
}

fn refused(engine: &mut Engine, refusal: super::event::Refusal, cx: &mut Cx<'_>) {
    let registry = cx.registry;
    let id = refusal.outlet.clone();
    let site = id
        .as_ref()
        .and_then(|id| registry.outlets.get(id))
        .and_then(|outlet| Site::of(registry, outlet, cx.at));
    let live = id.as_ref().and_then(|id| engine.outlets.get_mut(id));
    let live = live.map(Box::as_mut);
    intake::refused(live.zip(site), &mut engine.shared, refusal, cx);
    if let (Some(id), Some(_)) = (id, site) {
        deadlines::renew_outlet(engine, registry, &id);
        engine.touched.insert(id);
    }
    deadlines::renew_shared(engine);
}
