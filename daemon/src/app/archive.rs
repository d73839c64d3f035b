//! Files of sealed days.

use super::{App, Places};
use crate::archive::{Archive, Keeper, Shelf, Trouble};
use crate::store::Readers;
use cems_config::Settings;
use cems_core::model::time::{DAY_MS, HOUR_MS};
use std::sync::Arc;

impl App {
    /// Sets the keeper of the files to work; `None` when no files are wanted.
    pub(super) fn start_archive(
        &self,
        settings: &Settings,
        places: &Places,
        readers: &Readers,
    ) -> Option<Shelf> {
        let wanted = &settings.archive;
        if !wanted.parquet {
            return None;
        }
        let directory = wanted.directory.clone();
        let archive = Archive::of(&directory.unwrap_or_else(|| places.parquet()));
        let trouble = Arc::new(Trouble::default());
        let keeper = Keeper {
            archive: archive.clone(),
            readers: readers.clone(),
            projected: Arc::clone(&self.projected),
            clock: self.clock.clone(),
            settle_ms: i64::from(wanted.settle_h) * HOUR_MS,
            series: wanted.kinds.clone(),
            trouble: Arc::clone(&trouble),
        };
        self.tasks.spawn(keeper.run(self.stop.clone()));
        Some(Shelf {
            archive,
            read_after_ms: i64::from(wanted.read_after_d) * DAY_MS,
            trouble,
        })
    }
}
