//! The console's backend: what pages read comes from the projections, what people do goes into
//! the journal first.

mod access;
mod command;
mod desk;
mod destinations;
mod duties;
mod judgement;
mod post;
mod read;
mod reports;
mod scope;
mod uplinks;
mod write;

pub use access::{Access, hash_password};
pub use desk::Desk;
pub use destinations::Outbox;
pub use post::Post;
pub use uplinks::Uplinks;

use crate::archive::Shelf;
use crate::attachments::Attachments;
use crate::clock::Clock;
use crate::delivery::Delivery;
use crate::journal::Journal;
use crate::pipeline::Projected;
use crate::store::Readers;
use crate::switchboard::Switchboard;
use cems_core::explain::{Node, Question};
use cems_core::model::rows::{AuditRow, QuarantineRow, SupersededRow};
use cems_core::model::{
    AggregateRow, AlarmId, AlarmRow, ClueRow, ExchangeRow, FallbackId, FallbackRow, Level, Mark,
    MarkRow, Outlet, OutletId, QaRow, QaTest, QuarterRow, RecordKind, RecordRow, Registry,
    ReviewAction, ReviewRow, Seq, Timestamp,
};
use cems_dashboards::backend::{
    Actor, AlarmDetail, AlarmFilter, Backend, BackendError, Changes, CommandForm, CommandOrder,
    FallbackDetail, Health, LoginError, OutletDetail, Overview, ProjectionRow, RateRow, RatesOf,
    Receipt, Reply, ReportEntry, StationStatus, TakenBack, TaxRow, Upload,
};
use std::sync::Arc;

/// What the station side of the daemon shows; never waits for long.
pub type StationView = Arc<dyn Fn() -> StationStatus + Send + Sync>;

/// Trouble that is shown beside that of the books; never waits.
pub type Troubles = Arc<dyn Fn() -> Vec<String> + Send + Sync>;

/// The daemon as the console sees it.
pub struct ConsoleBackend {
    journal: Journal,
    projected: Arc<Projected>,
    readers: Readers,
    access: Access,
    clock: Clock,
    switchboard: Arc<Switchboard>,
    station: StationView,
    troubles: Troubles,
    attachments: Attachments,
    post: Post,
    outbox: Outbox,
    delivery: Delivery,
    uplinks: Uplinks,
    shelf: Option<Shelf>,
}

/// The parts of the daemon behind the console.
pub struct ConsoleParts {
    /// Where what people do is written first.
    pub journal: Journal,
    /// The view of the projections.
    pub projected: Arc<Projected>,
    /// Read access to them.
    pub readers: Readers,
    /// Log-in.
    pub access: Access,
    /// The daemon's clock.
    pub clock: Clock,
    /// Orders to devices.
    pub switchboard: Arc<Switchboard>,
    /// Instruments and uplinks.
    pub station: StationView,
    /// Files that people attach.
    pub attachments: Attachments,
    /// Channels and messages.
    pub post: Post,
    /// Destinations of data and events.
    pub outbox: Outbox,
    /// Everything that leaves.
    pub delivery: Delivery,
    /// Centres that are uploaded to.
    pub uplinks: Uplinks,
    /// Files of sealed days, where there are any.
    pub shelf: Option<Shelf>,
    /// Trouble outside the books, one line each (English): it is shown, and the daemon is ready
    /// all the same.
    pub troubles: Troubles,
}

impl ConsoleBackend {
    /// Puts the parts together.
    pub fn new(parts: ConsoleParts) -> Self {
        Self {
            journal: parts.journal,
            projected: parts.projected,
            readers: parts.readers,
            access: parts.access,
            clock: parts.clock,
            switchboard: parts.switchboard,
            station: parts.station,
            troubles: parts.troubles,
            attachments: parts.attachments,
            post: parts.post,
            outbox: parts.outbox,
            delivery: parts.delivery,
            uplinks: parts.uplinks,
            shelf: parts.shelf,
        }
    }

    /// The outlet if it exists and the actor may see it.
    fn visible(
        &self,
        actor: &Actor,
        id: &OutletId,
    ) -> Result<(Arc<Registry>, Outlet), BackendError> {
        let registry = self.projected.registry();
        let outlet = registry
            .outlets
            .get(id)
            .ok_or(BackendError::NotFound)?
            .clone();
        if !scope::access(actor).covers(&registry, &outlet) {
            return Err(BackendError::NotFound);
        }
        Ok((registry, outlet))
    }
}

/// A store that cannot be read now is no fault of the request.
fn unavailable(error: impl std::fmt::Display) -> BackendError {
    tracing::error!(%error, "reading the projections failed");
    BackendError::Unavailable(error.to_string())
}

impl Backend for ConsoleBackend {
    fn registry(&self) -> Arc<Registry> {
        self.projected.registry()
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn health(&self) -> Health {
        let journal = self.journal.health();
        crate::telemetry::journal_stalled(journal.stalled.is_some());
        let mut problems = Vec::new();
        if let Some(cause) = &journal.stalled {
            problems.push(format!(
                "journal: nothing can be stored, loggers wait: {cause}"
            ));
        }
        if let Some(cause) = self.projected.problem() {
            problems.push(format!("projections stand still: {cause}"));
        }
        let ready = problems.is_empty();
        problems.extend((self.troubles)());
        Health {
            ready,
            problems,
            journal_seq: journal.last_seq,
            projected_seq: self.projected.position().borrow().seq.0,
            connections: crate::telemetry::connections(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    fn metrics(&self) -> String {
        crate::telemetry::render(&self.health())
    }

    fn overview(&self, actor: &Actor) -> Result<Overview, BackendError> {
        self.read_overview(actor)
    }

    fn outlet(&self, actor: &Actor, id: &OutletId) -> Result<OutletDetail, BackendError> {
        self.read_outlet(actor, id)
    }

    fn records(
        &self,
        actor: &Actor,
        id: &OutletId,
        kind: RecordKind,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<RecordRow>, BackendError> {
        let (registry, _) = self.visible(actor, id)?;
        let Some(shelf) = &self.shelf else {
            let rows = self.readers.records(id, kind, from, until);
            return rows.map_err(unavailable);
        };
        let books = (&self.readers, registry.offset);
        let young = self.clock.now().plus_ms(-shelf.read_after_ms);
        let archive = &shelf.archive;
        archive
            .records(books, (id, kind), (from, until), young)
            .map_err(unavailable)
    }

    fn aggregates(
        &self,
        actor: &Actor,
        id: &OutletId,
        level: Level,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<AggregateRow>, BackendError> {
        self.visible(actor, id)?;
        self.readers
            .aggregates(id, level, from, until)
            .map_err(unavailable)
    }

    fn alarms(&self, actor: &Actor, filter: &AlarmFilter) -> Result<Vec<AlarmRow>, BackendError> {
        self.read_alarms(actor, filter)
    }

    fn alarm(&self, actor: &Actor, id: AlarmId) -> Result<AlarmDetail, BackendError> {
        self.read_alarm(actor, id)
    }

    fn fallbacks(&self, actor: &Actor, open_only: bool) -> Result<Vec<FallbackRow>, BackendError> {
        self.read_fallbacks(actor, open_only)
    }

    fn fallback(&self, actor: &Actor, id: FallbackId) -> Result<FallbackDetail, BackendError> {
        self.read_fallback(actor, id)
    }

    fn quarantine(&self, actor: &Actor) -> Result<Vec<QuarantineRow>, BackendError> {
        self.read_quarantine(actor)
    }

    fn commands(&self, actor: &Actor, id: &OutletId) -> Result<Vec<CommandForm>, BackendError> {
        self.read_commands(actor, id)
    }

    fn exchanges(
        &self,
        actor: &Actor,
        outlet: Option<&OutletId>,
    ) -> Result<Vec<ExchangeRow>, BackendError> {
        self.read_exchanges(actor, outlet)
    }

    fn exchange(&self, actor: &Actor, id: Seq) -> Result<ExchangeRow, BackendError> {
        self.read_exchange(actor, id)
    }

    fn station(&self, actor: &Actor) -> Result<StationStatus, BackendError> {
        Ok(self.read_station(actor))
    }

    fn send_command<'a>(
        &'a self,
        actor: &'a Actor,
        order: CommandOrder,
    ) -> Reply<'a, Result<Receipt, BackendError>> {
        Box::pin(self.order_command(actor, order))
    }

    fn superseded(
        &self,
        actor: &Actor,
        id: &OutletId,
        kind: RecordKind,
        start: Timestamp,
    ) -> Result<Vec<SupersededRow>, BackendError> {
        self.read_superseded(actor, id, kind, start)
    }

    fn explain(&self, actor: &Actor, question: &Question) -> Result<Node, BackendError> {
        self.read_explanation(actor, question)
    }

    fn marks(
        &self,
        actor: &Actor,
        outlet: Option<&OutletId>,
    ) -> Result<Vec<MarkRow>, BackendError> {
        self.read_marks(actor, outlet)
    }

    fn qa_tests(&self, actor: &Actor, outlet: &OutletId) -> Result<Vec<QaRow>, BackendError> {
        self.read_tests(actor, outlet)
    }

    fn reviews(&self, actor: &Actor, outlet: &OutletId) -> Result<Vec<ReviewRow>, BackendError> {
        self.read_reviews(actor, outlet)
    }

    fn quarters(&self, actor: &Actor, outlet: &OutletId) -> Result<Vec<QuarterRow>, BackendError> {
        self.read_quarters(actor, outlet)
    }

    fn clues(
        &self,
        actor: &Actor,
        outlet: Option<&OutletId>,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<ClueRow>, BackendError> {
        self.read_clues(actor, outlet, from, until)
    }

    fn rates(
        &self,
        actor: &Actor,
        of: Option<&RatesOf>,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<RateRow>, BackendError> {
        self.read_rates(actor, of, from, until)
    }

    fn projections(
        &self,
        actor: &Actor,
        outlet: Option<&OutletId>,
    ) -> Result<Vec<ProjectionRow>, BackendError> {
        self.read_projections(actor, outlet)
    }

    fn tax(
        &self,
        actor: &Actor,
        outlet: &OutletId,
        month: Timestamp,
    ) -> Result<Vec<TaxRow>, BackendError> {
        self.read_tax(actor, outlet, month)
    }

    fn attachment(
        &self,
        actor: &Actor,
        outlet: &OutletId,
        sha256: &str,
    ) -> Result<Upload, BackendError> {
        self.read_attachment(actor, outlet, sha256)
    }

    fn enter_mark<'a>(
        &'a self,
        actor: &'a Actor,
        mark: Mark,
        files: Vec<Upload>,
    ) -> Reply<'a, Result<Receipt, BackendError>> {
        Box::pin(self.enter_a_mark(actor, mark, files))
    }

    fn enter_qa_test<'a>(
        &'a self,
        actor: &'a Actor,
        test: QaTest,
        files: Vec<Upload>,
    ) -> Reply<'a, Result<Receipt, BackendError>> {
        Box::pin(self.enter_a_test(actor, test, files))
    }

    fn take_back<'a>(
        &'a self,
        actor: &'a Actor,
        what: TakenBack,
        outlet: OutletId,
        id: Seq,
        reason: String,
    ) -> Reply<'a, Result<Receipt, BackendError>> {
        Box::pin(self.take_an_entry_back(actor, what, outlet, id, reason))
    }

    fn review<'a>(
        &'a self,
        actor: &'a Actor,
        action: ReviewAction,
        files: Vec<Upload>,
    ) -> Reply<'a, Result<Receipt, BackendError>> {
        Box::pin(self.take_a_review_step(actor, action, files))
    }

    fn audit(&self, actor: &Actor, before: Option<Seq>) -> Result<Vec<AuditRow>, BackendError> {
        self.read_audit(actor, before)
    }

    fn submit_reports<'a>(
        &'a self,
        actor: &'a Actor,
        entries: Vec<ReportEntry>,
    ) -> Reply<'a, Result<Receipt, BackendError>> {
        Box::pin(self.enter_reports(actor, entries))
    }

    fn deliver_written<'a>(
        &'a self,
        actor: &'a Actor,
        fallback: FallbackId,
        note: String,
        files: Vec<Upload>,
    ) -> Reply<'a, Result<Receipt, BackendError>> {
        Box::pin(self.hand_in_written(actor, fallback, note, files))
    }

    fn decide_fallback<'a>(
        &'a self,
        actor: &'a Actor,
        outlet: OutletId,
        open: bool,
        note: String,
    ) -> Reply<'a, Result<Receipt, BackendError>> {
        Box::pin(self.decide(actor, outlet, open, note))
    }

    fn login<'a>(
        &'a self,
        user: &'a str,
        password: &'a str,
        peer: &'a str,
    ) -> Reply<'a, Result<String, LoginError>> {
        Box::pin(self.log_in(user, password, peer))
    }

    fn logout<'a>(&'a self, token: &'a str) -> Reply<'a, ()> {
        Box::pin(self.log_out(token))
    }

    fn session(&self, token: &str) -> Option<Actor> {
        self.access.session(token)
    }

    fn api_token(&self, token: &str) -> Option<Actor> {
        self.access.api_token(token)
    }

    fn changes(&self) -> tokio::sync::broadcast::Receiver<Changes> {
        self.projected.changes()
    }
}

/// The past through committed projections, for checks made before something is journalled.
struct Committed<'a>(&'a Readers);

impl Committed<'_> {
    fn with<T: Default>(
        &self,
        ask: impl FnOnce(&crate::store::Queries<'_>) -> Result<T, crate::store::StoreError>,
    ) -> T {
        self.0.read(ask).unwrap_or_else(|error| {
            tracing::error!(%error, "reading the projections failed");
            T::default()
        })
    }
}

crate::store::history::history_through_with!([] Committed<'_>);
