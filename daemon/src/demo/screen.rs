//! What the demo tells the person at the terminal.

use super::feed::{Feeds, Running, Taker};
use super::people::Login;
use crate::clock::Clock;
use crate::simulate::tally::Tally;
use cems_core::model::UtcOffset;
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

/// What is up.
pub(super) struct Screen<'a> {
    pub(super) console: SocketAddr,
    pub(super) hj212: SocketAddr,
    pub(super) logins: &'a [Login],
    pub(super) dir: Option<&'a Path>,
    pub(super) speed: u32,
    pub(super) clock: &'a Clock,
    /// What takes the data, when it was asked for.
    pub(super) feeds: Option<&'a Feeds>,
}

impl Screen<'_> {
    /// For people.
    pub(super) fn print(&self) -> std::io::Result<()> {
        let mut out = std::io::stdout().lock();
        let now = UtcOffset::default().iso(self.clock.now());
        writeln!(out, "\n  http://{}   控制台 / console", self.console)?;
        writeln!(out, "  {}          HJ 212 (TCP)\n", self.hj212)?;
        writeln!(out, "  {:<16} {:<12} password", "role", "log-in")?;
        for login in self.logins {
            writeln!(
                out,
                "  {:<16} {:<12} {}",
                login.role.as_str(),
                login.user,
                login.password
            )?;
        }
        writeln!(
            out,
            "\n  看点 / what to look at\n  \
             - 超标：示例第一热电厂 2号机组 NOx 小时均值 / exceedance: power plant unit 2, NOx\n  \
             - 断数：示例印染厂 / silent outlet: dye works\n  \
             - 人工监测替代：示例西区污水处理厂，报送逾期 / fallback: west works, report overdue\n  \
             - 总量：示例集中供热公司 SO2 约为许可量的 92 % / total near its permit: heating, SO2\n"
        )?;
        if let Some(feeds) = self.feeds {
            print_feeds(&mut out, feeds)?;
        }
        let kept = self.dir.map_or_else(
            || "the data go away with the demo (--data DIR keeps them)".to_owned(),
            |dir| {
                format!(
                    "the data stay in {}; log-ins too, in demo-logins.txt",
                    dir.display()
                )
            },
        );
        writeln!(
            out,
            "  all data are simulated; simulated time {now}, {} x",
            self.speed
        )?;
        writeln!(out, "  {kept}\n  Ctrl-C stops\n")?;
        out.flush()
    }

    /// For scripts.
    pub(super) fn print_json(&self) -> std::io::Result<()> {
        let logins: Vec<_> = self
            .logins
            .iter()
            .map(|login| {
                serde_json::json!({
                    "role": login.role.as_str(),
                    "user": login.user,
                    "password": login.password,
                })
            })
            .collect();
        let object = serde_json::json!({
            "console": format!("http://{}", self.console),
            "hj212": self.hj212.to_string(),
            "simulated_time": UtcOffset::default().iso(self.clock.now()),
            "speed": self.speed,
            "logins": logins,
            "feed": self.feeds.map(feeds_json),
        });
        let mut out = std::io::stdout().lock();
        writeln!(out, "{object}")?;
        out.flush()
    }
}

/// Where data go out to, and what is missing.
fn print_feeds(out: &mut impl Write, feeds: &Feeds) -> std::io::Result<()> {
    writeln!(out, "  数据外送 / data go out to")?;
    for running in &feeds.running {
        let (zh, en) = running.taker.words();
        writeln!(out, "  - {zh} / {en}: {}", running.look())?;
    }
    for taker in &feeds.missing {
        let ((zh, en), packages) = (taker.words(), taker.packages());
        writeln!(
            out,
            "  - {zh}未安装 / {en}: not installed; sudo apt-get install {packages}"
        )?;
    }
    writeln!(out)
}

fn feeds_json(feeds: &Feeds) -> serde_json::Value {
    let of = |taker: Taker| feeds.running.iter().find(|running| running.taker == taker);
    let missing: Vec<_> = feeds.missing.iter().map(|taker| taker.name()).collect();
    serde_json::json!({
        "series": of(Taker::Series).map(|one| format!("http://127.0.0.1:{}", one.port)),
        "series_look": of(Taker::Series).map(Running::look),
        "mqtt": of(Taker::Broker).map(|one| format!("127.0.0.1:{}", one.port)),
        "mqtt_look": of(Taker::Broker).map(Running::look),
        "missing": missing,
    })
}

/// Before the past is written.
pub(super) fn announce(days: u32) -> std::io::Result<()> {
    writeln!(
        std::io::stderr(),
        "writing {days} days of simulated history ..."
    )
}

/// After it.
pub(super) fn done(entries: u64, took: Duration) -> std::io::Result<()> {
    let seconds = took.as_millis();
    writeln!(
        std::io::stderr(),
        "{entries} journal entries in {seconds} ms"
    )
}

/// At the end.
pub(super) fn goodbye(tally: &Tally) -> std::io::Result<()> {
    let counts = tally.counts();
    let text: Vec<String> = counts
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| format!("{name} {count}"))
        .collect();
    writeln!(std::io::stderr(), "stopping; stations: {}", text.join(", "))
}
