//! `cemsd key`: keys of enciphered lines. A key comes in on standard input and never goes out.

use crate::app::{Places, open_keys};
use crate::clock::Clock;
use crate::keys::{DeviceKey, KeyListing, KeyOwner};
use anyhow::{Context, bail};
use cems_config::Checked;
use cems_core::model::UtcOffset;
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// `cemsd key`
#[derive(Debug, clap::Args)]
pub struct KeyArgs {
    /// The configuration file.
    #[arg(long, short)]
    config: PathBuf,
    /// What to do.
    #[command(subcommand)]
    action: KeyAction,
}

/// What can be done with keys. An owner is `outlet/OUTLET`, or `uplink/UPLINK/OUTLET`.
#[derive(Debug, clap::Subcommand)]
pub enum KeyAction {
    /// List all keys by their fingerprints.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Put a key in force: 16 characters or 32 hexadecimal digits on standard input.
    Import {
        /// Whose key.
        owner: KeyOwner,
    },
    /// Print the fingerprint of the key in force, to compare it with the other end.
    Fingerprint {
        /// Whose key.
        owner: KeyOwner,
    },
}

/// Lists, imports or compares keys; a daemon that runs meanwhile sees an import at once.
///
/// # Errors
/// When the configuration has problems, the keys cannot be opened, or there is no such key.
pub fn run(args: &KeyArgs) -> anyhow::Result<ExitCode> {
    let checked = load(&args.config)?;
    let places = Places::of(&checked.settings.data_dir);
    crate::app::prepare_directory(&checked.settings.data_dir)?;
    let keys = open_keys(&checked.settings, &places)?;
    let mut out = std::io::stdout().lock();
    match &args.action {
        KeyAction::List { json: true } => {
            serde_json::to_writer(&mut out, &keys.list()?)?;
            writeln!(out)?;
        }
        KeyAction::List { json: false } => list(&keys.list()?, checked.registry.offset, &mut out)?,
        KeyAction::Import { owner } => {
            known(owner, &checked)?;
            let key = DeviceKey::from_text(&first_line()?)?;
            keys.put(owner, &key, Clock::Real.now())?;
            writeln!(out, "{owner} {}", key.fingerprint())?;
        }
        KeyAction::Fingerprint { owner } => match keys.in_force(owner)? {
            Some(dated) => writeln!(out, "{owner} {}", dated.key.fingerprint())?,
            None => bail!("{owner} has no key: import one"),
        },
    }
    Ok(ExitCode::SUCCESS)
}

fn load(file: &Path) -> anyhow::Result<Checked> {
    cems_config::load(file)
        .map_err(|problems| anyhow::anyhow!("{} is not sound:\n{problems}", file.display()))
}

/// A mistyped owner would wait for ever for frames.
fn known(owner: &KeyOwner, checked: &Checked) -> anyhow::Result<()> {
    let (uplink, outlet) = match owner {
        KeyOwner::Outlet(outlet) => (None, outlet),
        KeyOwner::Uplink { uplink, outlet } => (Some(uplink), outlet),
    };
    if !checked.registry.outlets.contains_key(outlet) {
        bail!("no outlet has the id {outlet}");
    }
    let uplinks = &checked.settings.uplinks;
    if let Some(uplink) = uplink
        && !uplinks.iter().any(|known| known.id == uplink.as_str())
    {
        bail!("no uplink has the id {uplink}");
    }
    Ok(())
}

fn first_line() -> anyhow::Result<String> {
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut line)
        .context("reading standard input")?;
    Ok(line)
}

fn list(keys: &[KeyListing], offset: UtcOffset, out: &mut impl Write) -> std::io::Result<()> {
    for key in keys {
        let now = if key.in_force { "in force" } else { "" };
        writeln!(
            out,
            "{:<32} {} since {} {now}",
            key.owner,
            key.fingerprint,
            offset.iso(key.since)
        )?;
    }
    Ok(())
}
