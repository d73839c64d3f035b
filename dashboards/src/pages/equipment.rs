//! `/outlets/{id}/tests`: tests of an outlet's equipment and the form for the next one.

use super::check_test;
use super::entries::{EntryPage, Filled};
use super::entry_rules::{decimal, pairs};
use super::judgement::{Fields, for_field, known, local_time, text};
use crate::app::Visit;
use crate::backend::{
    Actor, Backend, BackendError, LIST_ROWS_MAX, Receipt, Reply, TakenBack, Upload,
};
use crate::refusal::refused;
use crate::view::judged::TestItem;
use crate::view::section::{Choice, Section, Tab, factor_choices, outlet_tabs};
use crate::view::shell::Shell;
use askama::Template;
use cems_core::model::{FactorCode, Outlet, OutletId, Permission, QaKind, QaRow, QaTest};

#[derive(Template)]
#[template(path = "tests.html")]
pub(super) struct TestsPage {
    shell: Shell,
    section: Option<Section>,
    tabs: Vec<Tab>,
    tests: Vec<TestItem>,
    cut: bool,
    may_enter: bool,
    kinds: Vec<Choice>,
    factors: Vec<Choice>,
    form: Filled,
    /// The latest time a test can have, for the field.
    at_max: String,
}

fn view(visit: &Visit, outlet: &Outlet, rows: &[QaRow], mut form: Fields) -> TestsPage {
    let eyes = visit.eyes();
    let now = for_field(visit, visit.times.now);
    form.entry("at".to_owned()).or_insert_with(|| now.clone());
    let kind = form.get("kind").cloned().unwrap_or_default();
    let factor = form.get("factor").cloned().unwrap_or_default();
    let kinds = QaKind::ALL.into_iter().map(|of| Choice {
        value: of.as_str().to_owned(),
        label: visit.words.code("test-kind", of.as_str()),
        chosen: of.as_str() == kind,
    });
    TestsPage {
        shell: Shell::new(visit, "outlets"),
        section: Some(Section::new(&eyes, outlet)),
        tabs: outlet_tabs(visit.words, outlet, "tests"),
        cut: rows.len() >= LIST_ROWS_MAX,
        tests: rows.iter().map(|row| TestItem::new(&eyes, row)).collect(),
        may_enter: visit.may(Permission::EnterTest),
        kinds: kinds.collect(),
        factors: factor_choices(&eyes, outlet, |code| code.as_str() == factor),
        form: Filled::new(form),
        at_max: now,
    }
}

impl EntryPage for TestsPage {
    type Entry = QaTest;
    const KIND: TakenBack = TakenBack::QaTest;
    const TAB: &'static str = "tests";

    async fn shown(visit: &Visit, id: &OutletId, form: Fields) -> Result<Self, BackendError> {
        let asked = id.clone();
        let rows = visit
            .read(move |backend, actor| backend.qa_tests(actor, &asked))
            .await?;
        Ok(view(visit, known(visit, id)?, &rows, form))
    }

    fn typed(visit: &Visit, outlet: &Outlet, form: &Fields) -> Result<QaTest, BackendError> {
        let kind = text(form, "kind");
        let scale = text(form, "full_scale");
        let test = QaTest {
            outlet: outlet.id.clone(),
            factor: FactorCode::new(text(form, "factor")),
            kind: QaKind::from_code(&kind).ok_or_else(|| refused("field-empty", "kind"))?,
            at: local_time(visit, form, "at")?,
            pairs: pairs(&text(form, "pairs"))?,
            full_scale: if scale.is_empty() {
                None
            } else {
                Some(decimal(&scale)?)
            },
            note: text(form, "note"),
            attachments: Vec::new(),
            by: visit.actor.user.clone(),
            from_cn: None,
        };
        check_test(&test, &visit.registry, visit.times.now)?;
        Ok(test)
    }

    fn enter<'a>(
        backend: &'a dyn Backend,
        actor: &'a Actor,
        entry: QaTest,
        files: Vec<Upload>,
    ) -> Reply<'a, Result<Receipt, BackendError>> {
        backend.enter_qa_test(actor, entry, files)
    }

    fn parts(&mut self) -> (&mut Shell, &mut Filled) {
        (&mut self.shell, &mut self.form)
    }
}
