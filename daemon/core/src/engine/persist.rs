//! State between batches: written by `flush`, read by `restore`.

use super::alarms::Watch;
use super::context::ENGINE;
use super::state::{
    DUTIES_ROW, Live, NOTICES_ROW, OUTAGES_ROW, OutletState, POLICY_ROW, REGISTRY_ROW, ROSTER_ROW,
    SHARED_ROW, STRANGERS_ROW, WATCH_ROW,
};
use super::versions::VERSIONS_ROW;
use super::{Engine, deadlines};
use crate::model::rows::StateRow;
use crate::model::{AlarmId, OutletId, Output, SeriesDayRow};
use serde::Serialize;
use serde::de::DeserializeOwned;
use smol_str::SmolStr;
use std::sync::Arc;

/// A state row that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("engine state {name} is unreadable; rebuild the projections from the journal")]
pub struct RestoreError {
    /// Name of the row.
    pub name: SmolStr,
    /// What is wrong with its JSON.
    #[source]
    pub source: serde_json::Error,
}

fn read<T: DeserializeOwned>(row: &StateRow) -> Result<T, RestoreError> {
    serde_json::from_str(&row.json).map_err(|source| RestoreError {
        name: row.name.clone(),
        source,
    })
}

fn watch(row: &StateRow) -> Result<(AlarmId, Watch), RestoreError> {
    let number = row.name.trim_start_matches(WATCH_ROW);
    let number = number.parse().map_err(|_| RestoreError {
        name: row.name.clone(),
        source: serde::de::Error::custom("the name of the row holds no number"),
    })?;
    Ok((AlarmId(number), read(row)?))
}

pub(super) fn restore(rows: impl IntoIterator<Item = StateRow>) -> Result<Engine, RestoreError> {
    let mut engine = Engine::default();
    let (mut strangers, mut roster, mut planner, mut duties) = (None, None, None, None);
    let (mut watches, mut outages) = (Vec::new(), None);
    let mut versions = Vec::new();
    for row in rows {
        match row.name.as_str() {
            SHARED_ROW => engine.shared = read(&row)?,
            STRANGERS_ROW => strangers = Some(read(&row)?),
            POLICY_ROW => engine.policy = Some(Arc::new(read(&row)?)),
            NOTICES_ROW => planner = Some(read(&row)?),
            OUTAGES_ROW => outages = Some(read(&row)?),
            ROSTER_ROW => roster = Some(read(&row)?),
            DUTIES_ROW => duties = Some(read(&row)?),
            name if name.starts_with(WATCH_ROW) => watches.push(watch(&row)?),
            REGISTRY_ROW => engine.registry = Some(Arc::new(read(&row)?)),
            name if name.starts_with(VERSIONS_ROW) => {
                let id = name.trim_start_matches(VERSIONS_ROW);
                versions.push((OutletId::new(id), read(&row)?));
            }
            name => {
                let live = Live {
                    state: read::<OutletState>(&row)?,
                    ..Live::default()
                };
                engine.outlets.insert(OutletId::new(name), Box::new(live));
            }
        }
    }
    for (id, kept) in versions {
        engine.outlets.entry(id).or_default().versions = kept;
    }
    engine.shared.strangers = strangers.unwrap_or_default();
    engine.shared.roster = roster.unwrap_or_default();
    engine.shared.duties = duties.unwrap_or_default();
    engine.shared.outages = outages.unwrap_or_default();
    engine.shared.notices.planner = planner.unwrap_or_default();
    engine.shared.notices.planner.reindex();
    for (id, watch) in watches {
        engine.shared.book.desk.restore(id, watch);
    }
    if let Some(registry) = engine.registry.clone() {
        let book = engine.policy.clone().unwrap_or_default();
        engine.shared.duties.index(&book.duties, registry.offset);
        let ids: Vec<OutletId> = engine.outlets.keys().cloned().collect();
        for id in &ids {
            deadlines::renew_outlet(&mut engine, &registry, id);
        }
    }
    deadlines::renew_shared(&mut engine);
    Ok(engine)
}

pub(super) fn flush(engine: &mut Engine, out: &mut dyn FnMut(Output)) {
    engine.shared.book.flush(out);
    for ((series, day), seq) in std::mem::take(&mut engine.series_days) {
        out(Output::SeriesDay(SeriesDayRow { series, day, seq }));
    }
    for id in std::mem::take(&mut engine.touched) {
        let Some(live) = engine.outlets.get_mut(&id) else {
            continue;
        };
        for row in std::mem::take(&mut live.latest).into_values() {
            out(Output::Latest(row));
        }
        for mn in std::mem::take(&mut live.devices) {
            if let Some(row) = live.state.devices.get(&mn) {
                out(Output::Device(row.clone()));
            }
        }
        if std::mem::take(&mut live.versions_dirty) {
            let name = format!("{VERSIONS_ROW}{id}");
            write(&name, &live.versions, out);
        }
        if std::mem::take(&mut live.dirty) {
            write(id.as_str(), &live.state, out);
        }
    }
    for (id, watch) in engine.shared.book.desk.take_dirty() {
        let name = format!("{WATCH_ROW}{id}");
        match watch {
            Some(watch) => write(&name, watch, out),
            None => out(Output::StateRemoved(name.into())),
        }
    }
    if std::mem::take(&mut engine.shared.duties.dirty) {
        write(DUTIES_ROW, &engine.shared.duties, out);
    }
    if std::mem::take(&mut engine.shared.roster_dirty) {
        write(ROSTER_ROW, &engine.shared.roster, out);
    }
    if std::mem::take(&mut engine.shared.notices.dirty) {
        write(NOTICES_ROW, &engine.shared.notices.planner, out);
    }
    if std::mem::take(&mut engine.shared.outages.dirty) {
        write(OUTAGES_ROW, &engine.shared.outages, out);
    }
    if std::mem::take(&mut engine.policy_dirty) {
        write(POLICY_ROW, &engine.policy, out);
    }
    if std::mem::take(&mut engine.registry_dirty) {
        write(REGISTRY_ROW, &engine.registry, out);
    }
    if std::mem::take(&mut engine.shared.strangers.dirty) {
        write(STRANGERS_ROW, &engine.shared.strangers, out);
    }
    write(SHARED_ROW, &engine.shared, out);
}

/// Writes one state row. State consists of texts, numbers, lists and string-keyed maps, which
/// always have a JSON form; were it not so, the row would keep its last content and a restart
/// would be refused rather than go on from half a state.
fn write<T: Serialize>(name: &str, state: &T, out: &mut dyn FnMut(Output)) {
    let json = serde_json::to_string(state)
        .unwrap_or_else(|error| format!("{ENGINE}: state cannot be written: {error}"));
    out(Output::State(StateRow {
        name: SmolStr::new(name),
        json,
    }));
}
