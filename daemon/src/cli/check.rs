//! `cemsd check`: everything wrong with a configuration, at once.

use super::lang::LangArg;
use cems_config::{Checked, Lang, Problems};
use serde_json::json;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// `cemsd check`
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    /// The configuration file.
    file: PathBuf,
    /// Language of the problems; without it the one of the environment (LC_ALL, LC_MESSAGES, LANG).
    #[arg(long, value_enum)]
    lang: Option<LangArg>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Checks and reports.
///
/// # Errors
/// When standard output fails.
pub fn run(args: &CheckArgs) -> anyhow::Result<ExitCode> {
    let lang = args.lang.unwrap_or_else(LangArg::of_environment);
    match cems_config::load(&args.file) {
        Ok(checked) => sound(args, lang, &checked),
        Err(problems) => unsound(args, lang.into(), &problems),
    }
}

fn sound(args: &CheckArgs, lang: LangArg, checked: &Checked) -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    let (enterprises, outlets) = (
        checked.registry.enterprises.len(),
        checked.registry.outlets.len(),
    );
    let warnings: Vec<_> = checked
        .warnings
        .iter()
        .map(|w| w.render(lang.into()))
        .collect();
    if args.json {
        let summary = json!({
            "ok": true,
            "enterprises": enterprises,
            "outlets": outlets,
            "sha256": checked.digest,
            "warnings": warnings,
        });
        writeln!(out, "{summary}")?;
        return Ok(ExitCode::SUCCESS);
    }
    let file = args.file.display();
    match lang {
        LangArg::Zh => {
            warnings
                .iter()
                .try_for_each(|warning| writeln!(out, "警告：{warning}"))?;
            writeln!(
                out,
                "{file} 无误：{enterprises} 家排污单位，{outlets} 个排放口"
            )?;
        }
        LangArg::En => {
            warnings
                .iter()
                .try_for_each(|warning| writeln!(out, "warning: {warning}"))?;
            writeln!(
                out,
                "{file} is sound: {enterprises} enterprises, {outlets} outlets"
            )?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn unsound(args: &CheckArgs, lang: Lang, problems: &Problems) -> anyhow::Result<ExitCode> {
    if args.json {
        let list: Vec<_> = problems
            .0
            .iter()
            .map(|problem| problem.render(lang))
            .collect();
        writeln!(
            std::io::stdout(),
            "{}",
            json!({"ok": false, "problems": list})
        )?;
    } else {
        writeln!(std::io::stderr(), "{}", problems.render(lang))?;
    }
    Ok(ExitCode::FAILURE)
}
