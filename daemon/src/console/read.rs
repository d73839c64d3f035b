//! What pages show, read from the projections within the actor's scope.

use super::scope::{access, alarm_places, scope_of, seen, sees, sees_whole};
use super::{ConsoleBackend, unavailable};
use crate::figures::{Books, on_books};
use crate::store::{AlarmFilter as AlarmQuery, FallbackFilter};
use cems_core::model::record::Flag;
use cems_core::model::rows::{AuditRow, DeviceRow, LatestRow, QuarantineRow};
use cems_core::model::{
    AlarmId, AlarmKind, AlarmRow, AlarmSubject, FallbackId, FallbackRow, Level, Outlet, OutletId,
    Permission, Registry, Seq, Timestamp,
};
use cems_core::totals;
use cems_dashboards::backend::{
    Actor, AlarmDetail, AlarmFilter, AmountProgress, BackendError, FallbackDetail, LIST_ROWS_MAX,
    OutletDetail, OutletState, OutletSummary, Overview,
};
use std::collections::{BTreeMap, BTreeSet};

type Read<T> = Result<T, BackendError>;

impl ConsoleBackend {
    pub(super) fn read_overview(&self, actor: &Actor) -> Read<Overview> {
        let registry = self.projected.registry();
        let seen = seen(actor, &registry);
        let alarms = self.open_alarms(actor, &registry)?;
        let fallbacks = self.read_fallbacks(actor, true)?;
        let mut latest: BTreeMap<OutletId, Vec<LatestRow>> = BTreeMap::new();
        for row in self.readers.latest_all().map_err(unavailable)? {
            latest.entry(row.outlet.clone()).or_default().push(row);
        }
        let mut outlets = Vec::with_capacity(seen.len());
        let mut amounts = Vec::new();
        for outlet in &seen {
            let rows = latest.remove(&outlet.id).unwrap_or_default();
            if let Some(summary) = self.summary(&registry, outlet, rows, &alarms, &fallbacks)? {
                outlets.push(summary);
            }
            amounts.extend(self.amounts(&registry, outlet)?);
        }
        outlets.sort_by(|a, b| {
            let key =
                |s: &OutletSummary| (s.state, s.outlet.enterprise.clone(), s.outlet.id.clone());
            key(a).cmp(&key(b))
        });
        amounts.sort_by(|a, b| {
            b.share_pct
                .cmp(&a.share_pct)
                .then_with(|| a.outlet.cmp(&b.outlet))
        });
        Ok(Overview {
            outlets,
            alarms,
            fallbacks,
            amounts,
        })
    }

    pub(super) fn read_outlet(&self, actor: &Actor, id: &OutletId) -> Read<OutletDetail> {
        let (registry, outlet) = self.visible(actor, id)?;
        let latest = self.readers.latest(id).map_err(unavailable)?;
        let alarms = self.alarms_of(id, false)?;
        let open: Vec<_> = alarms
            .iter()
            .filter(|a| a.closed.is_none())
            .cloned()
            .collect();
        let fallbacks = self.fallbacks_of(id, false)?;
        let summary = self
            .summary(&registry, &outlet, latest, &open, &fallbacks)?
            .ok_or(BackendError::NotFound)?;
        Ok(OutletDetail {
            summary,
            device: self.device(&outlet)?,
            alarms,
            fallbacks,
            amounts: self.amounts(&registry, &outlet)?,
        })
    }

    pub(super) fn read_alarms(&self, actor: &Actor, filter: &AlarmFilter) -> Read<Vec<AlarmRow>> {
        let registry = self.projected.registry();
        let all_open = AlarmFilter {
            open_only: true,
            ..AlarmFilter::default()
        };
        if *filter == all_open {
            return self.open_alarms(actor, &registry);
        }
        let outlets = match &filter.outlet {
            Some(id) => Some(BTreeSet::from([self.visible(actor, id)?.1.id])),
            None => alarm_places(actor, &registry),
        };
        self.list_alarms(&AlarmQuery {
            open_only: filter.open_only,
            outlets,
            kind: filter.kind,
            priority: filter.priority,
            states: filter.states.clone(),
            region: filter.region.clone(),
            enterprise: filter.enterprise.clone(),
            covered_by: filter.covered_by,
            before: filter.before,
            limit: LIST_ROWS_MAX,
        })
    }

    pub(super) fn read_alarm(&self, actor: &Actor, id: AlarmId) -> Read<AlarmDetail> {
        let alarm = self
            .readers
            .alarm(id)
            .map_err(unavailable)?
            .ok_or(BackendError::NotFound)?;
        match &alarm.subject {
            AlarmSubject::Outlet(outlet) => {
                // An alarm of an outlet that left the registry stays visible to those who see all.
                if self.visible(actor, outlet).is_err() && !access(actor).sees_all() {
                    return Err(BackendError::NotFound);
                }
            }
            AlarmSubject::Enterprise(id) if sees_whole(actor, &self.projected.registry(), id) => {}
            AlarmSubject::Region(id) if actor.scope.regions.contains(id) => {}
            _ if access(actor).sees_all() => {}
            _ => return Err(BackendError::NotFound),
        }
        let history = self
            .readers
            .audit_of(&format!("alarm/{id}"))
            .map_err(unavailable)?;
        Ok(AlarmDetail { alarm, history })
    }

    pub(super) fn read_fallbacks(&self, actor: &Actor, open_only: bool) -> Read<Vec<FallbackRow>> {
        let registry = self.projected.registry();
        let outlets = scope_of(actor, &registry);
        let filter = FallbackFilter {
            open_only,
            outlets,
            limit: LIST_ROWS_MAX,
        };
        let mut rows = self.readers.fallbacks(&filter).map_err(unavailable)?;
        rows.sort_by_key(|row| {
            (
                row.closed_at.is_some(),
                row.next_due,
                std::cmp::Reverse(row.id),
            )
        });
        Ok(rows)
    }

    pub(super) fn read_fallback(&self, actor: &Actor, id: FallbackId) -> Read<FallbackDetail> {
        let fallback = self
            .readers
            .fallback(id)
            .map_err(unavailable)?
            .ok_or(BackendError::NotFound)?;
        if !sees(actor, &self.projected.registry(), &fallback.outlet) {
            return Err(BackendError::NotFound);
        }
        let reports = self.readers.reports_of_fallback(id).map_err(unavailable)?;
        Ok(FallbackDetail { fallback, reports })
    }

    pub(super) fn read_quarantine(&self, actor: &Actor) -> Read<Vec<QuarantineRow>> {
        let mut rows = self
            .readers
            .quarantine(LIST_ROWS_MAX)
            .map_err(unavailable)?;
        if !access(actor).sees_all() {
            let registry = self.projected.registry();
            let mine: BTreeSet<_> = seen(actor, &registry)
                .iter()
                .map(|o| o.mn.as_str().to_owned())
                .collect();
            rows.retain(|row| row.mn.as_ref().is_some_and(|mn| mine.contains(mn.as_str())));
        }
        Ok(rows)
    }

    pub(super) fn read_audit(&self, actor: &Actor, before: Option<Seq>) -> Read<Vec<AuditRow>> {
        if !actor.role.may(Permission::ViewAudit) {
            return Err(BackendError::Forbidden);
        }
        self.readers
            .audit(before, LIST_ROWS_MAX)
            .map_err(unavailable)
    }

    fn open_alarms(&self, actor: &Actor, registry: &Registry) -> Read<Vec<AlarmRow>> {
        let mut alarms = self.query_alarms(true, alarm_places(actor, registry), None)?;
        alarms.sort_by_key(|a| {
            (
                a.acknowledged.is_some(),
                !a.active,
                a.priority,
                a.raised_at,
                a.id,
            )
        });
        Ok(alarms)
    }

    fn alarms_of(&self, outlet: &OutletId, open_only: bool) -> Read<Vec<AlarmRow>> {
        self.query_alarms(open_only, Some(BTreeSet::from([outlet.clone()])), None)
    }

    fn query_alarms(
        &self,
        open_only: bool,
        outlets: Option<BTreeSet<OutletId>>,
        before: Option<AlarmId>,
    ) -> Read<Vec<AlarmRow>> {
        let query = AlarmQuery {
            open_only,
            outlets,
            before,
            limit: LIST_ROWS_MAX,
            ..AlarmQuery::default()
        };
        self.list_alarms(&query)
    }

    pub(super) fn list_alarms(&self, query: &AlarmQuery) -> Read<Vec<AlarmRow>> {
        self.readers.alarms(query).map_err(unavailable)
    }

    fn summary(
        &self,
        registry: &Registry,
        outlet: &Outlet,
        mut latest: Vec<LatestRow>,
        open_alarms: &[AlarmRow],
        fallbacks: &[FallbackRow],
    ) -> Read<Option<OutletSummary>> {
        let Some(enterprise) = registry.enterprises.get(&outlet.enterprise) else {
            return Ok(None);
        };
        latest.retain(|row| outlet.factors.contains_key(&row.factor));
        let device = self.device(outlet)?;
        let last_hour = self
            .readers
            .last_aggregate(&outlet.id, Level::Hour, true)
            .map_err(unavailable)?;
        let alarms: Vec<_> = open_alarms
            .iter()
            .filter(|a| concerns(a, &outlet.id))
            .collect();
        let in_fallback = fallbacks
            .iter()
            .any(|f| f.outlet == outlet.id && f.closed_at.is_none());
        let state = state(
            (registry, self.clock.now()),
            outlet,
            &latest,
            &alarms,
            in_fallback,
            device.is_some(),
        );
        Ok(Some(OutletSummary {
            outlet: outlet.clone(),
            enterprise: enterprise.clone(),
            state,
            last_seen: device.map(|device| device.last_seen),
            latest,
            last_hour,
            open_alarms: u32::try_from(alarms.len()).unwrap_or(u32::MAX),
        }))
    }

    /// Totals of the periods that run against their permitted amounts. A period without a row yet
    /// stands at zero.
    fn amounts(&self, registry: &Registry, outlet: &Outlet) -> Read<Vec<AmountProgress>> {
        let now = self.clock.now();
        let ask = |books: &Books<'_>| books.progress_of_outlet(outlet);
        let all = on_books(&self.readers, (registry, now), ask).map_err(unavailable)?;
        let rows = all.into_iter().map(|progress| AmountProgress {
            outlet: outlet.id.clone(),
            factor: progress.permitted.factor.clone(),
            period: progress.permitted.period,
            start: progress.start,
            share_pct: totals::used_pct(progress.permitted.amount_kg, progress.total_kg)
                .unwrap_or_default(),
            amount_kg: progress.total_kg,
            permitted_kg: progress.permitted.amount_kg,
        });
        Ok(rows.collect())
    }

    pub(super) fn fallbacks_of(
        &self,
        outlet: &OutletId,
        open_only: bool,
    ) -> Read<Vec<FallbackRow>> {
        let outlets = Some(BTreeSet::from([outlet.clone()]));
        let filter = FallbackFilter {
            open_only,
            outlets,
            limit: LIST_ROWS_MAX,
        };
        self.readers.fallbacks(&filter).map_err(unavailable)
    }

    /// The logger of an outlet as last seen under its present MN.
    fn device(&self, outlet: &Outlet) -> Read<Option<DeviceRow>> {
        let devices = self.readers.device(&outlet.id).map_err(unavailable)?;
        Ok(devices
            .into_iter()
            .find(|device| device.mn == outlet.mn.as_str()))
    }
}

fn concerns(alarm: &AlarmRow, outlet: &OutletId) -> bool {
    matches!(&alarm.subject, AlarmSubject::Outlet(id) if id == outlet)
}

/// The state of an outlet in one word: the worst that holds.
fn state(
    (registry, now): (&Registry, Timestamp),
    outlet: &Outlet,
    latest: &[LatestRow],
    alarms: &[&AlarmRow],
    in_fallback: bool,
    heard_of: bool,
) -> OutletState {
    let active = |kinds: &[AlarmKind]| alarms.iter().any(|a| a.active && kinds.contains(&a.kind));
    if active(&[
        AlarmKind::ExceedanceHour,
        AlarmKind::ExceedanceDay,
        AlarmKind::AmountExceeded,
    ]) {
        return OutletState::Exceeding;
    }
    if active(&[AlarmKind::NoData]) {
        return OutletState::Silent;
    }
    if in_fallback {
        return OutletState::Fallback;
    }
    if !heard_of {
        return OutletState::Waiting;
    }
    let pollutants: Vec<_> = latest
        .iter()
        .filter(|row| {
            outlet
                .factors
                .get(&row.factor)
                .is_some_and(|factor| factor.pollutant)
        })
        .collect();
    let stopped_flags = registry.profile_at(outlet, now).map_or_else(
        || vec![Flag::STOPPED.into()],
        |profile| profile.stopped_flags.clone(),
    );
    let stopped = |row: &&LatestRow| row.flag.as_ref().is_some_and(|f| stopped_flags.contains(f));
    if !pollutants.is_empty() && pollutants.iter().all(&stopped) {
        return OutletState::Stopped;
    }
    if active(&[AlarmKind::ImpossibleValue])
        || pollutants.is_empty()
        || pollutants.iter().any(|row| !row.valid && !stopped(row))
    {
        return OutletState::Invalid;
    }
    OutletState::Normal
}
