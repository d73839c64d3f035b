//! `cemsd check`: everything wrong with a configuration, at once.

use super::lang::LangArg;
use cems_config::{Checked, Lang, Problems, Settings};
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
        let named = |(kind, _, ids): Named<'_>| json!({"kind": kind, "ids": ids});
        let summary = json!({
            "ok": true,
            "enterprises": enterprises,
            "outlets": outlets,
            "sha256": checked.digest,
            "warnings": warnings,
            "lines": lines(&checked.settings).map(named),
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
            for (_, (zh, _), ids) in lines(&checked.settings) {
                if !ids.is_empty() {
                    writeln!(out, "  {zh}：{}", ids.join("、"))?;
                }
            }
        }
        LangArg::En => {
            warnings
                .iter()
                .try_for_each(|warning| writeln!(out, "warning: {warning}"))?;
            writeln!(
                out,
                "{file} is sound: {enterprises} enterprises, {outlets} outlets"
            )?;
            for (_, (_, en), ids) in lines(&checked.settings) {
                if !ids.is_empty() {
                    writeln!(out, "  {en}: {}", ids.join(", "))?;
                }
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What comes in and what leaves besides loggers: kind, words, names as the settings have them.
type Named<'a> = (&'static str, (&'static str, &'static str), Vec<&'a str>);

fn lines(settings: &Settings) -> [Named<'_>; 5] {
    let station = &settings.station;
    let buses = station.buses.iter().map(|bus| bus.id.as_str());
    let sources = station.sources.iter().map(|source| source.id.as_str());
    let uplinks = settings.uplinks.iter().map(|uplink| uplink.id.as_str());
    let channels = settings.channels.iter().map(|channel| channel.id.as_str());
    let destinations = settings.destinations.iter().map(|to| to.id.as_str());
    [
        ("bus", ("读取总线", "buses that are read"), buses.collect()),
        (
            "source",
            ("MQTT 数据源", "brokers that bring readings"),
            sources.collect(),
        ),
        (
            "uplink",
            ("上级平台", "centres that get records"),
            uplinks.collect(),
        ),
        (
            "channel",
            ("消息渠道", "channels of messages"),
            channels.collect(),
        ),
        (
            "destination",
            ("数据去向", "destinations of data"),
            destinations.collect(),
        ),
    ]
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
