//! Uploads to centres: `[[uplink]]` of the main file and of station files.

mod factor;

use super::{Taken, host_port, id, unknown};
use crate::report::{Report, say};
use crate::section::{Got, Section};
use crate::settings::{
    CrcVariant, RealtimeUpload, Secret, StationSettings, UPLINKS_MAX, Uplink, UplinkEdition,
    UplinkOutlet,
};
use crate::source::Loader;
use cems_core::model::{Medium, Outlet, OutletId, Registry};
use smol_str::SmolStr;
use std::ops::RangeInclusive;

/// Seconds to wait for an answer where nothing is said: the standard's figure for mobile networks.
const OVER_TIME_S: u32 = 10;
/// Repetitions where nothing is said: the same.
const RE_COUNT: u32 = 3;
/// Days of history owed where nothing is said: a month covers an outage anyone notices, and a new
/// centre's first look back.
const HISTORY_DAYS: u32 = 30;
/// History records a minute where nothing is said: a day's gap of minute data is served in a
/// quarter of an hour, at a tenth of what one connection can carry.
const HISTORY_PER_MIN: u32 = 240;
/// Seconds between heartbeats where nothing is said.
const HEARTBEAT_S: u32 = 60;
/// `RtdInterval` of HJ 212-2017.
const REALTIME_S: RangeInclusive<u32> = 30..=3_600;
/// Longest MN, PW or ST of anyone, bytes.
const FIELD_BYTES_MAX: usize = 48;

/// Reads every `[[uplink]]` and marks the outlets named as forwarded.
pub(super) fn uplinks(
    docs: &[&Section<'_>],
    registry: &mut Registry,
    station: &StationSettings,
    loader: &mut Loader<'_>,
    r: &mut Report,
) -> Vec<Uplink> {
    let mut taken = Taken::default();
    let mut out = Vec::new();
    let sections: Vec<Section<'_>> = docs.iter().flat_map(|d| d.sections(r, "uplink")).collect();
    for (n, s) in sections.into_iter().enumerate() {
        if n == UPLINKS_MAX {
            r.error(
                s.at,
                say!(
                    "more than {UPLINKS_MAX} uplinks",
                    "上传平台超过 {UPLINKS_MAX} 个"
                ),
                say!("let one centre pass data on", "请由其中一个平台转发"),
            );
        }
        out.extend(uplink(s, registry, &mut taken, loader, r));
    }
    for terms in out.iter_mut().flat_map(|uplink| &mut uplink.outlets) {
        let Some(outlet) = registry.outlets.get_mut(&terms.outlet) else {
            continue;
        };
        outlet.forward = true;
        // Means formed here have twelve places, of which a logger sends those of the factor; what
        // came from another logger goes on as it came.
        if station.instruments.iter().any(|i| i.outlet == terms.outlet) {
            factor::round_as_shown(terms, outlet);
        }
    }
    out
}

fn uplink(
    s: Section<'_>,
    registry: &Registry,
    taken: &mut Taken,
    loader: &mut Loader<'_>,
    r: &mut Report,
) -> Option<Uplink> {
    let id = id(&s, r);
    if let Some(id) = &id {
        taken.claim(r, ("uplink", "上传平台"), id);
    }
    let address = address(&s, r);
    let edition = edition(&s, r);
    let crc = s
        .word(r, "crc", &CrcVariant::NAMES)
        .map_or(CrcVariant::Hj212, |got| got.value);
    let number = |r: &mut Report, key, bounds, usual| {
        s.integer(r, key, bounds)
            .map_or(usual, |got: Got<u32>| got.value)
    };
    let over_time_s = number(r, "over_time_s", 1..=99, OVER_TIME_S);
    let re_count = number(r, "re_count", 1..=99, RE_COUNT);
    let history_days = number(r, "history_days", 1..=400, HISTORY_DAYS);
    let history_per_min = number(r, "history_per_min", 1..=6_000, HISTORY_PER_MIN);
    let heartbeat_s = heartbeat(&s, edition, r);
    let key = key(&s, edition, loader, r);
    let yes = |r: &mut Report, key, usual| s.boolean(r, key).map_or(usual, |got| got.value);
    let mut uplink = Uplink {
        id: SmolStr::new(id.as_ref().map_or("", |got| &got.value)),
        address: address.unwrap_or_default(),
        edition: edition.unwrap_or(UplinkEdition::V2017),
        crc,
        answer: yes(r, "answer", true),
        over_time_s,
        re_count,
        realtime: RealtimeUpload::All,
        minute: yes(r, "minute", true),
        hour: yes(r, "hour", true),
        day: yes(r, "day", true),
        history_days,
        history_per_min,
        heartbeat_s,
        allow_time_sync: yes(r, "allow_time_sync", false),
        key,
        outlets: Vec::new(),
    };
    let every = s.integer::<u32>(r, "realtime_s", 0..=i64::from(*REALTIME_S.end()));
    uplink.outlets = outlets(&s, &uplink, registry, loader, r);
    if let Some(every) = every {
        uplink.realtime = realtime(&every, &uplink.outlets, registry, r);
    }
    s.finish(r);
    id.map(|_| uplink)
}

/// Where the centre is.
fn address(s: &Section<'_>, r: &mut Report) -> Option<SmolStr> {
    let hint = || say!("such as \"10.1.2.3:9212\"", "如 \"10.1.2.3:9212\"");
    let got = s.need_text(r, "address", hint())?;
    Some(host_port(&got, hint(), r))
}

fn edition(s: &Section<'_>, r: &mut Report) -> Option<UplinkEdition> {
    if s.item("edition").is_none() {
        let hint = say!(
            "the edition of HJ 212 the centre speaks: \"2005\", \"2017\" or \"2025\"",
            "平台使用的 HJ 212 版本：\"2005\"、\"2017\" 或 \"2025\""
        );
        s.missing(r, "edition", hint);
        return None;
    }
    s.word(r, "edition", &UplinkEdition::NAMES)
        .map(|got| got.value)
}

/// Signs of life exist in 2025 only.
fn heartbeat(s: &Section<'_>, edition: Option<UplinkEdition>, r: &mut Report) -> Option<u32> {
    let got = s.integer::<u32>(r, "heartbeat_s", 0..=3_600);
    let new = edition.is_none_or(|edition| edition == UplinkEdition::V2025);
    match got {
        Some(got) if got.value > 0 && !new => {
            r.error(
                got.at,
                say!(
                    "`heartbeat_s` is of edition 2025",
                    "`heartbeat_s` 仅用于 2025 版"
                ),
                say!("take the line out", "请删除该行"),
            );
            None
        }
        Some(got) => (got.value > 0).then_some(got.value),
        None => new.then_some(HEARTBEAT_S),
    }
}

/// `key_file`: 32 hexadecimal digits or 16 characters.
fn key(
    s: &Section<'_>,
    edition: Option<UplinkEdition>,
    loader: &mut Loader<'_>,
    r: &mut Report,
) -> Option<Secret<[u8; 16]>> {
    let got = s.text(r, "key_file")?;
    if edition.is_some_and(|edition| edition != UplinkEdition::V2025) {
        r.error(
            got.at,
            say!("encryption is of edition 2025", "加密仅用于 2025 版"),
            say!("take the line out", "请删除该行"),
        );
    }
    let text = loader.text(&loader.beside_main(&got.value), r)?;
    let key = key_bytes(text.text.trim());
    if key.is_none() {
        let file = &got.value;
        // The text itself is a secret, even a wrong one.
        r.error(
            got.at,
            say!("{file} holds no SM4 key", "{file} 中没有 SM4 密钥"),
            say!(
                "32 hexadecimal digits, or 16 ASCII characters",
                "应为 32 位十六进制数字，或 16 个 ASCII 字符"
            ),
        );
    }
    key.map(Secret)
}

fn key_bytes(text: &str) -> Option<[u8; 16]> {
    if let Ok(bytes) = <[u8; 16]>::try_from(text.as_bytes()) {
        return text.is_ascii().then_some(bytes);
    }
    let digits = text.as_bytes();
    if digits.len() != 32 {
        return None;
    }
    let mut key = [0_u8; 16];
    for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
        let high = char::from(pair[0]).to_digit(16)?;
        let low = char::from(pair[1]).to_digit(16)?;
        *byte = u8::try_from(high * 16 + low).ok()?;
    }
    Some(key)
}

/// Real-time records can only be thinned out: there is nothing between those the station forms.
fn realtime(
    every: &Got<u32>,
    outlets: &[UplinkOutlet],
    registry: &Registry,
    r: &mut Report,
) -> RealtimeUpload {
    let seconds = every.value;
    if seconds == 0 {
        return RealtimeUpload::Never;
    }
    let (low, high) = (REALTIME_S.start(), REALTIME_S.end());
    if !REALTIME_S.contains(&seconds) {
        r.error(
            every.at,
            say!(
                "`realtime_s` is out of bounds: {seconds}",
                "`realtime_s` 超出范围：{seconds}"
            ),
            say!(
                "{low} to {high}, or 0 to send none",
                "{low} 至 {high}，或 0 表示不上传"
            ),
        );
    }
    for outlet in outlets {
        let formed = registry.outlets.get(&outlet.outlet);
        let formed = formed.and_then(|o| o.expectation.realtime_s);
        if formed.is_some_and(|formed| formed > 0 && seconds.is_multiple_of(formed)) {
            continue;
        }
        let (id, formed) = (&outlet.outlet, formed.unwrap_or(0));
        r.error(
            every.at,
            say!(
                "{id} forms real-time records every {formed} s; {seconds} s is no multiple of it",
                "{id} 每 {formed} 秒形成实时数据，{seconds} 秒不是其倍数"
            ),
            say!(
                "an upload can only leave records out; change [expect] of the outlet, or this",
                "上传只能抽取已有数据；请修改该排放口的 [expect]，或修改此处"
            ),
        );
    }
    RealtimeUpload::Every(seconds)
}

fn outlets(
    s: &Section<'_>,
    uplink: &Uplink,
    registry: &Registry,
    loader: &mut Loader<'_>,
    r: &mut Report,
) -> Vec<UplinkOutlet> {
    let mut taken = Taken::default();
    let mut mns = Taken::default();
    let mut out = Vec::new();
    let list = s.sections(r, "outlet");
    if list.is_empty() {
        s.missing(
            r,
            "outlet",
            say!(
                "at least one [[uplink.outlet]]",
                "至少写一个 [[uplink.outlet]]"
            ),
        );
    }
    for entry in list {
        let hint = say!("the id of an outlet", "填排放口标识");
        let name = entry.need_text(r, "outlet", hint);
        if let Some(name) = &name {
            taken.claim(r, ("outlet of this uplink", "该平台的排放口"), name);
        }
        let known = name.as_ref().and_then(|name| {
            let found = registry.outlets.get(name.value.as_str());
            if found.is_none() {
                let ids = registry.outlets.keys().map(OutletId::as_str);
                unknown(r, ("outlet", "排放口"), name, ids);
            }
            found
        });
        let mn = field(&entry, "mn", r);
        if let Some(mn) = &mn {
            mns.claim(r, ("MN of this uplink", "该平台的 MN"), mn);
        }
        let password = password(&entry, loader, r);
        let st = field(&entry, "st", r);
        if let Some(outlet) = known {
            out.push(UplinkOutlet {
                outlet: outlet.id.clone(),
                mn: mn.map_or_else(
                    || SmolStr::new(outlet.mn.as_str()),
                    |got| SmolStr::new(got.value),
                ),
                password: Secret(SmolStr::new(password.unwrap_or_default())),
                st: st.map_or_else(|| usual_st(outlet), |got| SmolStr::new(got.value)),
                factors: factor::factors(&entry, outlet, uplink.edition, r),
            });
        } else {
            // Asked for, so that they are not unknown keys.
            let _ = (entry.item("factors"), entry.item("decimals"));
        }
        entry.finish(r);
    }
    out
}

/// HJ 212-2017 table 5: stack gas 31, waste water 32.
fn usual_st(outlet: &Outlet) -> SmolStr {
    SmolStr::new_static(match outlet.medium {
        Medium::Gas => "31",
        Medium::Water => "32",
    })
}

/// A text that goes into the header of a frame.
fn field(s: &Section<'_>, key: &'static str, r: &mut Report) -> Option<Got<String>> {
    let got = s.text(r, key)?;
    fits(&got, key, r).then_some(got)
}

/// Whether a text can stand in a frame; the text is not repeated, it may be a password.
fn fits(got: &Got<String>, key: &str, r: &mut Report) -> bool {
    let fine = got.value.len() <= FIELD_BYTES_MAX
        && got
            .value
            .bytes()
            .all(|b| b.is_ascii_graphic() && !b";,&#=".contains(&b));
    if !fine {
        r.error(
            got.at,
            say!(
                "`{key}` cannot stand in a frame of HJ 212",
                "`{key}` 不能写入 HJ 212 报文"
            ),
            say!(
                "at most {FIELD_BYTES_MAX} ASCII characters without blanks and `;` `,` `&` `#` `=`",
                "最多 {FIELD_BYTES_MAX} 个 ASCII 字符，不含空格和 `;` `,` `&` `#` `=`"
            ),
        );
    }
    fine
}

fn password(s: &Section<'_>, loader: &mut Loader<'_>, r: &mut Report) -> Option<String> {
    let plain = s.text(r, "password");
    let file = s.text(r, "password_file");
    let got = match (plain, file) {
        (Some(_), Some(second)) => {
            r.error(
                second.at,
                say!("the password is given in two ways", "密码重复设置"),
                say!(
                    "either `password` or `password_file`",
                    "`password` 与 `password_file` 只能选一个"
                ),
            );
            return None;
        }
        (Some(plain), None) => plain,
        (None, Some(file)) => {
            let text = loader.text(&loader.beside_main(&file.value), r)?;
            file.map(|_| text.text.trim().to_owned())
        }
        (None, None) => {
            let hint = say!(
                "what the centre gave for this MN, or `password_file`",
                "填平台为该 MN 分配的密码，或用 `password_file`"
            );
            s.missing(r, "password", hint);
            return None;
        }
    };
    fits(&got, "password", r).then_some(got.value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_as_digits_and_as_characters() {
        let digits = "30313233343536373839414243444546";
        assert_eq!(key_bytes(digits), Some(*b"0123456789ABCDEF"));
        assert_eq!(key_bytes("0123456789ABCDEF"), Some(*b"0123456789ABCDEF"));
        for bad in [
            "",
            "0123",
            "zz313233343536373839414243444546",
            "十六个字节密",
        ] {
            assert_eq!(key_bytes(bad), None, "{bad}");
        }
    }
}
