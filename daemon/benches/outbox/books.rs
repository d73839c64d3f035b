//! Projections with the rows of a city, and a log of them that can be written again and again.

use crate::rows::{self, BEGIN, Rows};
use cems_core::model::{
    Enterprise, OutgoingRow, Outlet, Output, RecordKind, Registry, Seq, Series, Timestamp,
};
use cems_daemon::clock::Clock;
use cems_daemon::notify::RegistryView;
use cems_daemon::store::{Position, Readers, SqliteStore, Store};
use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::Arc;

/// All there is.
pub(crate) const SPAN: (Timestamp, Timestamp) = (BEGIN, Timestamp(BEGIN.0 + 86_400_000));
/// Records of one transaction.
const AT_ONCE: usize = 1_000;

/// The books of a daemon that writes nothing else.
pub(crate) struct Books {
    directory: tempfile::TempDir,
    store: RefCell<SqliteStore>,
    registry: Arc<Registry>,
    seq: RefCell<u64>,
}

impl Books {
    pub(crate) fn new(outlets: usize, rows: &Rows) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("projections.db");
        let mut store = SqliteStore::open(&path).unwrap().store;
        for (n, some) in rows.records.chunks(AT_ONCE).enumerate() {
            store.begin().unwrap();
            for (_, row) in some {
                store.apply(&Output::Record(row.clone())).unwrap();
            }
            commit(&mut store, u64::try_from(n).unwrap() + 1);
        }
        store.checkpoint().unwrap();
        Self {
            seq: RefCell::new(u64::try_from(rows.records.len()).unwrap()),
            registry: Arc::new(registry(outlets)),
            store: RefCell::new(store),
            directory,
        }
    }

    /// A line of the log for each record, in the order in which they came; gives the last.
    pub(crate) fn log(&self, rows: &Rows) -> u64 {
        let (mut store, mut seq) = (self.store.borrow_mut(), self.seq.borrow_mut());
        for some in rows.records.chunks(AT_ONCE) {
            store.begin().unwrap();
            for (_, row) in some {
                *seq += 1;
                let line = OutgoingRow {
                    seq: Seq(*seq),
                    n: 0,
                    at: row.start,
                    outlet: row.outlet.clone(),
                    what: Series::Record(RecordKind::Minute),
                    start: row.start,
                };
                store.apply(&Output::Outgoing(line)).unwrap();
            }
            commit(&mut store, *seq);
        }
        *seq
    }

    /// What a line of the log adds to the file, bytes.
    pub(crate) fn line_bytes(&self, rows: &Rows) -> u64 {
        let size = || {
            self.store.borrow_mut().checkpoint().unwrap();
            std::fs::metadata(self.directory.path().join("projections.db")).map(|file| file.len())
        };
        let before = size().unwrap();
        self.log(rows);
        (size().unwrap() - before) / u64::try_from(rows.records.len()).unwrap()
    }

    /// The next destination knows nothing of the last.
    pub(crate) fn forget(&self) {
        for end in ["", "-wal", "-shm"] {
            let mut path = self.outbox().into_os_string();
            path.push(end);
            // The two others are there only while it is open.
            let _ = std::fs::remove_file(path);
        }
    }

    pub(crate) fn outbox(&self) -> PathBuf {
        self.directory.path().join("outbox.db")
    }

    pub(crate) fn readers(&self) -> Readers {
        self.store.borrow().readers().unwrap()
    }

    pub(crate) fn registry(&self) -> RegistryView {
        let registry = Arc::clone(&self.registry);
        Arc::new(move || Arc::clone(&registry))
    }

    /// The evening of the day.
    pub(crate) fn clock(&self) -> Clock {
        Clock::simulated(SPAN.1, 1)
    }
}

fn commit(store: &mut SqliteStore, seq: u64) {
    let position = Position {
        seq: Seq(seq),
        at: BEGIN,
    };
    store.commit(position).unwrap();
}

/// Stacks that look alike, through the checks of real settings.
fn registry(outlets: usize) -> Registry {
    let text = "[[region]]\nid = \"example-north\"\nname = \"示例\"\n\
         [[enterprise]]\nid = \"e\"\nname = \"示例\"\nregion = \"example-north\"\n\
         [[outlet]]\nid = \"o\"\nenterprise = \"e\"\nname = \"示例\"\nmedium = \"gas\"\nmn = \"o\"\n\
         any_password = true\nprofile = \"hj75-2017\"\npermit = \"示例\"\n\
         auxiliary = [\"a19001\", \"a01012\"]\n\
         gas = { area_m2 = 20, reference_o2_pct = 6 }\n\
         factor = [{ code = \"a21026\", range = 500, limit_hour = 50 }]\n";
    let mut city = cems_config::load_str(&[("bench.toml", text)])
        .unwrap_or_else(|problems| panic!("{problems}"))
        .registry;
    let stack = city.outlets.values().next().unwrap().clone();
    let works = city.enterprises.values().next().unwrap().clone();
    city.outlets.clear();
    city.enterprises.clear();
    for n in 0..outlets {
        let (id, enterprise) = (rows::outlet_id(n), rows::owner(n).enterprise);
        let works = Enterprise {
            id: enterprise.clone(),
            ..works.clone()
        };
        city.enterprises.insert(enterprise.clone(), works);
        let outlet = Outlet {
            id: id.clone(),
            mn: id.as_str().into(),
            enterprise,
            ..stack.clone()
        };
        city.outlets.insert(id, outlet);
    }
    city
}
