//! `/outlets/{id}/marks`: marks of an outlet and the form for the next one; `/marks`: all of them.

use super::entries::{EntryPage, Filled};
use super::judgement::{Fields, for_field, known, local_time, text};
use super::{Page, check_mark, html};
use crate::app::Visit;
use crate::backend::{
    Actor, Backend, BackendError, LIST_ROWS_MAX, Receipt, Reply, TakenBack, Upload,
};
use crate::refusal::refused;
use crate::view::judged::MarkItem;
use crate::view::section::{Choice, Section, Tab, data_tabs, factor_choices, outlet_tabs};
use crate::view::shell::Shell;
use askama::Template;
use cems_core::model::{FactorCode, Mark, MarkKind, MarkRow, Outlet, OutletId, Permission};

#[derive(Template)]
#[template(path = "marks.html")]
pub(super) struct MarksPage {
    shell: Shell,
    section: Option<Section>,
    tabs: Vec<Tab>,
    marks: Vec<MarkItem>,
    /// There are more than are listed.
    cut: bool,
    may_enter: bool,
    kinds: Vec<Choice>,
    factors: Vec<Choice>,
    form: Filled,
}

async fn read(visit: &Visit, outlet: Option<OutletId>) -> Result<Vec<MarkRow>, BackendError> {
    visit
        .read(move |backend, actor| backend.marks(actor, outlet.as_ref()))
        .await
}

/// `GET /marks`.
pub(super) async fn list(visit: Visit) -> Page {
    let rows = read(&visit, None).await.map_err(|e| visit.failed(&e))?;
    let eyes = visit.eyes();
    Ok(html(&MarksPage {
        shell: Shell::new(&visit, "data"),
        section: None,
        tabs: data_tabs(visit.words, "marks"),
        cut: rows.len() >= LIST_ROWS_MAX,
        marks: rows.iter().map(|row| MarkItem::new(&eyes, row)).collect(),
        may_enter: false,
        kinds: Vec::new(),
        factors: Vec::new(),
        form: Filled::default(),
    }))
}

fn factor_field(code: &FactorCode) -> String {
    format!("factor.{code}")
}

fn view(visit: &Visit, outlet: &Outlet, rows: &[MarkRow], mut form: Fields) -> MarksPage {
    let eyes = visit.eyes();
    let now = for_field(visit, visit.times.now);
    form.entry("until".to_owned()).or_insert(now);
    let kind = form.get("kind").cloned().unwrap_or_default();
    let kinds = MarkKind::ALL.into_iter().map(|of| Choice {
        value: of.as_str().to_owned(),
        label: visit.words.code("mark-kind", of.as_str()),
        chosen: of.as_str() == kind,
    });
    MarksPage {
        shell: Shell::new(visit, "outlets"),
        section: Some(Section::new(&eyes, outlet)),
        tabs: outlet_tabs(visit.words, outlet, "marks"),
        cut: rows.len() >= LIST_ROWS_MAX,
        marks: rows.iter().map(|row| MarkItem::new(&eyes, row)).collect(),
        may_enter: visit.may(Permission::EnterMark),
        kinds: kinds.collect(),
        factors: factor_choices(&eyes, outlet, |code| form.contains_key(&factor_field(code))),
        form: Filled::new(form),
    }
}

impl EntryPage for MarksPage {
    type Entry = Mark;
    const KIND: TakenBack = TakenBack::Mark;
    const TAB: &'static str = "marks";

    async fn shown(visit: &Visit, id: &OutletId, form: Fields) -> Result<Self, BackendError> {
        let rows = read(visit, Some(id.clone())).await?;
        Ok(view(visit, known(visit, id)?, &rows, form))
    }

    fn typed(visit: &Visit, outlet: &Outlet, form: &Fields) -> Result<Mark, BackendError> {
        let kind = text(form, "kind");
        let marked = outlet.factors.keys();
        let mark = Mark {
            outlet: outlet.id.clone(),
            kind: MarkKind::from_code(&kind).ok_or_else(|| refused("field-empty", "kind"))?,
            factors: marked
                .filter(|code| form.contains_key(&factor_field(code)))
                .cloned()
                .collect(),
            from: local_time(visit, form, "from")?,
            until: local_time(visit, form, "until")?,
            reason: text(form, "reason"),
            attachments: Vec::new(),
            by: visit.actor.user.clone(),
        };
        check_mark(&mark, &visit.registry, visit.times.now)?;
        Ok(mark)
    }

    fn enter<'a>(
        backend: &'a dyn Backend,
        actor: &'a Actor,
        entry: Mark,
        files: Vec<Upload>,
    ) -> Reply<'a, Result<Receipt, BackendError>> {
        backend.enter_mark(actor, entry, files)
    }

    fn parts(&mut self) -> (&mut Shell, &mut Filled) {
        (&mut self.shell, &mut self.form)
    }
}
