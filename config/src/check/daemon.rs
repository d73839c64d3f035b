//! Settings of the daemon itself.

use super::{archive, dialogue};
use crate::report::{At, Report, say};
use crate::section::{Got, Section, word};
use crate::settings::{
    ConsoleSettings, CrcVariant, Hj212Settings, JournalHash, JournalSettings, LogFormat, LogLevel,
    LogSettings, Settings, StationSettings,
};
use crate::source::Loader;
use cems_core::model::UtcOffset;
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

/// `[site]`.
pub(super) struct Site {
    pub(super) name: String,
    pub(super) offset: UtcOffset,
}

/// Name and clock of the site.
pub(super) fn site(main: &Section<'_>, r: &mut Report) -> Site {
    let mut site = Site {
        name: "污染源自动监控".to_owned(),
        offset: UtcOffset::default(),
    };
    let Some(s) = main.section(r, "site") else {
        return site;
    };
    if let Some(name) = s.text(r, "name") {
        site.name = name.value;
    }
    if let Some(text) = s.text(r, "utc_offset") {
        match offset(&text.value) {
            Some(offset) => site.offset = offset,
            None => {
                let value = &text.value;
                r.error(
                    text.at,
                    say!("not an offset from UTC: {value}", "不是 UTC 偏移：{value}"),
                    say!("write it like \"+08:00\"", "请写成 \"+08:00\" 的形式"),
                );
            }
        }
    }
    s.finish(r);
    site
}

fn offset(text: &str) -> Option<UtcOffset> {
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let two = |t: &str| {
        let digits = t.len() == 2 && t.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| t.parse::<i32>().ok()).flatten()
    };
    let minutes = two(minutes).filter(|m| *m < 60)?;
    UtcOffset::from_minutes(sign * (two(hours)? * 60 + minutes))
}

/// Everything but people.
pub(super) fn settings(main: &Section<'_>, loader: &Loader<'_>, r: &mut Report) -> Settings {
    let data_dir = main
        .text(r, "data_dir")
        .map_or("data".to_owned(), |got| got.value);
    let (hj212, intake_at) = hj212(main, loader, r);
    let (console, console_at) = console(main, r);
    if let Some(taken) = hj212.listen.iter().find(|a| collide(a, &console.listen)) {
        let port = taken.port();
        r.error(
            intake_at.or(console_at).unwrap_or(main.at),
            say!(
                "console and HJ 212 intake listen on the same port {port}",
                "控制台与 HJ 212 接收使用同一端口 {port}"
            ),
            say!("give one of them another port", "请为其中一个更换端口"),
        );
    }
    Settings {
        data_dir: loader.beside_main(&data_dir),
        hj212,
        console,
        journal: journal(main, r),
        archive: archive::archive(main, loader, r),
        log: log(main, r),
        users: Vec::new(),
        tokens: Vec::new(),
        uplinks: Vec::new(),
        station: StationSettings::default(),
        alarms: crate::alarms::builtin(),
        destinations: Vec::new(),
        channels: Vec::new(),
        routes: Vec::new(),
        quiet: Vec::new(),
    }
}

/// Two listeners collide on the same port of the same address, or of any address. Port 0 is
/// whatever is free.
fn collide(a: &SocketAddr, b: &SocketAddr) -> bool {
    let any = |ip: IpAddr| ip.is_unspecified();
    a.port() == b.port() && a.port() != 0 && (a.ip() == b.ip() || any(a.ip()) || any(b.ip()))
}

/// Intake settings, and where the addresses are written, if they are.
fn hj212(main: &Section<'_>, loader: &Loader<'_>, r: &mut Report) -> (Hj212Settings, Option<At>) {
    let mut out = Hj212Settings::default();
    let Some(s) = main.section(r, "hj212") else {
        return (out, None);
    };
    let at = s.item("listen").map(|item| item.at);
    if let Some(list) = s.texts(r, "listen") {
        out.listen = list
            .iter()
            .filter_map(|got| address(got, "0.0.0.0:9212", r))
            .collect();
        addresses(&list, r);
    }
    if let Some(n) = s.integer(r, "connections_max", 1..=100_000) {
        out.connections_max = n.value;
    }
    if let Some(n) = s.integer(r, "idle_timeout_s", 60..=604_800) {
        out.idle_timeout_s = n.value;
    }
    if let Some(n) = s.integer(r, "frame_timeout_s", 1..=600) {
        out.frame_timeout_s = n.value;
    }
    if let Some(n) = s.integer(r, "segment_bytes_max", 1_024..=9_999) {
        out.segment_bytes_max = n.value;
    }
    if let Some(list) = s.texts(r, "accept_crc") {
        out.accept_crc = crc(&list, &s, r);
    }
    if let Some(file) = s.text(r, "master_key_file") {
        out.master_key_file = Some(loader.beside_main(&file.value));
    }
    out.dialogue = dialogue::dialogue(&s, r);
    s.finish(r);
    (out, at)
}

fn crc(list: &[Got<String>], s: &Section<'_>, r: &mut Report) -> Vec<CrcVariant> {
    let mut out = Vec::new();
    for got in list {
        if let Some(variant) = word(r, "accept_crc", got, &CrcVariant::NAMES)
            && !out.contains(&variant)
        {
            out.push(variant);
        }
    }
    if list.is_empty() {
        r.error(
            s.at,
            say!(
                "`accept_crc` accepts nothing",
                "`accept_crc` 为空，任何帧都不会被接收"
            ),
            say!("at least [\"hj212\"]", "至少写 [\"hj212\"]"),
        );
    }
    out
}

/// An empty list is a station that takes no uploads of others.
fn addresses(list: &[Got<String>], r: &mut Report) {
    let mut seen = BTreeSet::new();
    for got in list {
        if !seen.insert(got.value.as_str()) {
            let value = &got.value;
            r.error(
                got.at,
                say!("address {value} is listed twice", "地址 {value} 重复"),
                say!("take one out", "请删除一个"),
            );
        }
    }
}

/// Console settings, and where its address is written, if it is.
fn console(main: &Section<'_>, r: &mut Report) -> (ConsoleSettings, Option<At>) {
    let mut out = ConsoleSettings::default();
    let Some(s) = main.section(r, "console") else {
        return (out, None);
    };
    let listen = s.text(r, "listen");
    if let Some(a) = listen
        .as_ref()
        .and_then(|got| address(got, "127.0.0.1:8080", r))
    {
        out.listen = a;
    }
    if let Some(n) = s.integer(r, "session_hours", 1..=720) {
        out.session_hours = n.value;
    }
    if let Some(b) = s.boolean(r, "secure_cookie") {
        out.secure_cookie = b.value;
    }
    out.public_url = s.text(r, "public_url").and_then(|got| public_url(&got, r));
    let at = listen.map(|got| got.at);
    if !out.listen.ip().is_loopback() && !out.secure_cookie {
        r.warn(
            at.unwrap_or(s.at),
            say!(
                "the console is open to the network without HTTPS",
                "控制台对网络开放，但未使用 HTTPS"
            ),
            say!(
                "put an HTTPS proxy in front and set secure_cookie = true",
                "请在前面设置 HTTPS 代理，并写 secure_cookie = true"
            ),
        );
    }
    s.finish(r);
    (out, at)
}

/// Where people reach the console.
fn public_url(got: &Got<String>, r: &mut Report) -> Option<String> {
    let url = got.value.trim_end_matches('/');
    let host = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    let fine = host.is_some_and(|host| {
        !host.is_empty()
            && host
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-._~:/[]".contains(&b))
    });
    if !fine {
        let value = &got.value;
        r.error(
            got.at,
            say!("not an address on the web: {value}", "不是网址：{value}"),
            say!(
                "such as \"https://cems.example\", without a query",
                "如 \"https://cems.example\"，不含查询参数"
            ),
        );
    }
    fine.then(|| url.to_owned())
}

fn journal(main: &Section<'_>, r: &mut Report) -> JournalSettings {
    let mut out = JournalSettings::default();
    if let Some(s) = main.section(r, "journal") {
        let words = [("sm3", JournalHash::Sm3), ("sha256", JournalHash::Sha256)];
        if let Some(hash) = s.word(r, "hash", &words) {
            out.hash = hash.value;
        }
        s.finish(r);
    }
    out
}

fn log(main: &Section<'_>, r: &mut Report) -> LogSettings {
    let mut out = LogSettings::default();
    if let Some(s) = main.section(r, "log") {
        let formats = [("text", LogFormat::Text), ("json", LogFormat::Json)];
        if let Some(format) = s.word(r, "format", &formats) {
            out.format = format.value;
        }
        let levels = [
            ("error", LogLevel::Error),
            ("warn", LogLevel::Warn),
            ("info", LogLevel::Info),
            ("debug", LogLevel::Debug),
            ("trace", LogLevel::Trace),
        ];
        if let Some(level) = s.word(r, "level", &levels) {
            out.level = level.value;
        }
        s.finish(r);
    }
    out
}

fn address(got: &Got<String>, example: &str, r: &mut Report) -> Option<SocketAddr> {
    let parsed = got.value.parse::<SocketAddr>().ok();
    if parsed.is_none() {
        let value = &got.value;
        let hint = if value.parse::<IpAddr>().is_ok() {
            say!(
                "add the port: \"{value}:9212\"",
                "请加上端口，如 \"{value}:9212\""
            )
        } else {
            say!(
                "an IP address and a port, such as \"{example}\"",
                "写 IP 地址和端口，如 \"{example}\""
            )
        };
        r.error(
            got.at,
            say!("not an address: {value}", "不是网络地址：{value}"),
            hint,
        );
    }
    parsed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets() {
        let minutes = |t: &str| offset(t).map(UtcOffset::minutes);
        assert_eq!(minutes("+08:00"), Some(480));
        assert_eq!(minutes("-03:30"), Some(-210));
        for bad in [
            "", "8", "+8:00", "+08:60", "+24:00", "08:00", "+08", "＋08:00",
        ] {
            assert_eq!(minutes(bad), None, "{bad}");
        }
    }
}
