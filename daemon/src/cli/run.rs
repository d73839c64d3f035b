//! `cemsd run`: the daemon.

use crate::app::{App, Start};
use crate::clock::Clock;
use crate::telemetry;
use anyhow::bail;
use cems_config::Checked;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

/// `cemsd run`
#[derive(Debug, clap::Args)]
pub struct RunArgs {
    /// The configuration file.
    #[arg(long, short)]
    config: PathBuf,
}

/// Runs until SIGTERM or SIGINT; SIGHUP reads the registry anew.
///
/// # Errors
/// When the configuration has problems or the daemon cannot start.
pub async fn run(args: RunArgs) -> anyhow::Result<ExitCode> {
    let checked = load(&args.config)?;
    telemetry::start_logging(&checked.settings.log);
    for warning in &checked.warnings {
        tracing::warn!(%warning, "configuration");
    }
    let mut hangup = signal(SignalKind::hangup())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let app = App::start(Start {
        checked,
        clock: Clock::Real,
        demo: None,
    })
    .await?;
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            _ = hangup.recv() => reload(&app, &args.config).await,
        }
    }
    tracing::info!("stopping");
    app.stop().await?;
    Ok(ExitCode::SUCCESS)
}

/// A wrong file changes nothing: the registry in force stays.
async fn reload(app: &App, file: &Path) {
    match load(file) {
        Ok(checked) => {
            match app.reload(&checked).await {
                Ok(()) => {
                    tracing::info!("the registry was read anew; ports and users need a restart");
                }
                Err(error) => tracing::error!(%error, "the new registry could not be journalled"),
            }
            app.reload_station(&checked.settings.station);
        }
        Err(error) => tracing::error!(%error, "the registry stays as it was"),
    }
}

fn load(file: &Path) -> anyhow::Result<Checked> {
    match cems_config::load(file) {
        Ok(checked) => Ok(checked),
        Err(problems) => bail!("{} is not sound:\n{problems}", file.display()),
    }
}
