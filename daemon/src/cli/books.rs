//! Commands that read the books of a data directory: they may run beside the daemon.

use super::lang::LangArg;
use crate::app::Places;
use crate::figures::{Books, on_books};
use crate::store::{Readers, StoreError};
use anyhow::{Context, ensure};
use cems_core::lang::Lang;
use cems_core::model::{Registry, Timestamp};
use std::path::{Path, PathBuf};

/// Where the books are and in which language to speak.
#[derive(Debug, clap::Args)]
pub struct BooksArgs {
    /// The data directory of a daemon, running or not.
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// Language; without it the one of the environment (LC_ALL, LC_MESSAGES, LANG).
    #[arg(long, value_enum)]
    pub lang: Option<LangArg>,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

impl BooksArgs {
    /// The language to speak.
    pub fn language(&self) -> Lang {
        self.lang.unwrap_or_else(LangArg::of_environment).into()
    }
}

/// The books of a data directory.
pub struct OpenBooks {
    /// Read access.
    pub readers: Readers,
    /// The registry in force.
    pub registry: Registry,
    /// Time of the last event.
    pub now: Timestamp,
}

impl OpenBooks {
    /// Asks on one committed state.
    ///
    /// # Errors
    /// Disk.
    pub fn ask<T>(
        &self,
        ask: impl FnOnce(&Books<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        on_books(&self.readers, (&self.registry, self.now), ask)
    }
}

/// Opens the books in `dir` for reading.
///
/// # Errors
/// When there are none, or they cannot be read.
pub fn open(dir: &Path) -> anyhow::Result<OpenBooks> {
    let projections = Places::of(dir).projections();
    ensure!(
        projections.is_file(),
        "{} holds no projections; name the data directory of a daemon that has run, or make them \
         with `cemsd rebuild`",
        dir.display()
    );
    let readers = Readers::open(&projections)
        .with_context(|| format!("opening {}", projections.display()))?;
    let position = readers.position()?.context("the books are empty")?;
    let (_, json) = readers
        .registry_json()?
        .context("no registry is in the books yet")?;
    let registry = serde_json::from_str(&json).context("the registry in the books")?;
    Ok(OpenBooks {
        readers,
        registry,
        now: position.at,
    })
}
