//! `cemsd rebuild`: the projections anew from the journal, compared with the old ones byte for
//! byte. The daemon must not run on the directory meanwhile.

use super::verify::progress_bar;
use crate::app::Places;
use crate::intake::Interpreter;
use crate::journal::{Journal, Options, Reader};
use crate::pipeline::Pipeline;
use crate::store::{self, SqliteStore};
use anyhow::{Context, ensure};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// `cemsd rebuild`
#[derive(Debug, clap::Args)]
pub struct RebuildArgs {
    /// The data directory.
    dir: PathBuf,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Rebuilds, compares, and puts the new projections in the place of the old ones.
///
/// # Errors
/// When the directory is in use or cannot be read or written.
pub fn run(args: &RebuildArgs) -> anyhow::Result<ExitCode> {
    let places = Places::of(&args.dir);
    ensure!(
        places.journal().is_dir(),
        "{} holds no journal; name the data directory of a daemon",
        args.dir.display()
    );
    // Opening it takes the directory's lock and mends what a crash left.
    let (journal, _) = Journal::open(&places.journal(), Options::new(Arc::new(|| 0)))
        .context("opening the journal; the daemon must not run meanwhile")?;
    let old = places.projections();
    let fresh = with_suffix(&old, "rebuild");
    let canonical_old = with_suffix(&old, "old-canonical");
    let canonical_new = with_suffix(&old, "new-canonical");
    for path in [&fresh, &canonical_old, &canonical_new] {
        remove(path)?;
    }
    complete(&places, &old)?;
    let position = build(&places, &fresh)?;
    store::canonicalise(&fresh, &canonical_new).context("writing the new projections")?;
    let compared = if old.exists() {
        store::canonicalise(&old, &canonical_old).context("reading the old projections")?;
        Some(std::fs::read(&canonical_old)? == std::fs::read(&canonical_new)?)
    } else {
        None
    };
    let differing = if compared == Some(false) {
        differing_tables(&canonical_old, &canonical_new)?
    } else {
        Vec::new()
    };
    let digest = store::digest(&canonical_new)?;
    remove(&fresh)?;
    store::replace(&old, &canonical_new).context("putting the new projections in place")?;
    journal.close();
    if differing.is_empty() {
        remove(&canonical_old)?;
    }
    report(args, position, compared, &differing, &digest)
}

/// Brings the old projections up to the journal's end, so that both tell the same time.
fn complete(places: &Places, old: &Path) -> anyhow::Result<()> {
    if old.exists() {
        build(places, old)?;
    }
    Ok(())
}

fn build(places: &Places, path: &Path) -> anyhow::Result<u64> {
    let last = Reader::open(&places.journal())?.last_seq()?;
    let store = SqliteStore::open(path)
        .context("opening projections")?
        .store;
    let stop = Arc::new(AtomicBool::new(false));
    let mut pipeline = Pipeline::new(store, places.journal(), Interpreter, stop)?;
    let bar = progress_bar(last);
    pipeline.catch_up(&mut |seq| bar.set_position(seq.0))?;
    bar.finish_and_clear();
    let position = pipeline.position().seq.0;
    pipeline
        .into_store()
        .checkpoint()
        .context("closing projections")?;
    Ok(position)
}

/// Removes a database with what SQLite leaves beside it; nothing there is no error.
fn remove(path: &Path) -> anyhow::Result<()> {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        match std::fs::remove_file(&name) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("removing {}", name.display()));
            }
            _ => {}
        }
    }
    Ok(())
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}

fn differing_tables(old: &Path, new: &Path) -> anyhow::Result<Vec<String>> {
    let (old, new) = (store::digest(old)?, store::digest(new)?);
    let differs = new
        .tables
        .iter()
        .filter(|table| !old.tables.contains(table));
    Ok(differs.map(|table| table.table.clone()).collect())
}

fn report(
    args: &RebuildArgs,
    position: u64,
    compared: Option<bool>,
    differing: &[String],
    digest: &store::Digest,
) -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    if args.json {
        let object = serde_json::json!({
            "position": position,
            "identical": compared,
            "differing_tables": differing,
            "digest": digest.total,
        });
        writeln!(out, "{object}")?;
    } else {
        let verdict = match compared {
            Some(true) => "byte-identical to the old ones".to_owned(),
            Some(false) => format!(
                "NOT identical to the old ones, which are kept beside them; tables: {}",
                differing.join(", ")
            ),
            None => "there were none before".to_owned(),
        };
        writeln!(out, "projections rebuilt to position {position}: {verdict}")?;
        writeln!(out, "digest {}", digest.total)?;
    }
    Ok(if compared == Some(false) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}
