//! `[provenance]`: where each entry of a profile was read, and how sure that reading is, as
//! `key = "V2: standard and clause"`. A text at a table speaks for all entries in it.

use crate::report::{Report, Say, say};
use crate::section::{Got, Item, Section};
use crate::suggest;
use cems_core::model::{Profile, Provenance, Sure};
use smol_str::SmolStr;
use toml::de::DeValue;

/// Keys that say what the file is and judge nobody.
const HEADER: [&str; 5] = ["id", "title_zh", "title_en", "source", "provenance"];

/// Certainty, as files write it.
const SURE: [(&str, Sure); 3] = [("V", Sure::V), ("V2", Sure::V2), ("M", Sure::M)];

/// Reads the table into the profile and demands an answer for every key of the file.
pub(super) fn read(s: &Section<'_>, profile: &mut Profile, r: &mut Report) {
    let mut keys = Vec::new();
    leaves(s, "", &mut keys);
    keys.retain(|(key, _)| {
        let top = key.value.split('.').next().unwrap_or_default();
        !HEADER.contains(&top)
    });
    if s.item("provenance").is_none() {
        s.missing(r, "provenance", hint("hour_min_valid_minutes"));
        return;
    }
    let Some(table) = s.section(r, "provenance") else {
        return;
    };
    let mut told = Vec::new();
    leaves(&table, "", &mut told);
    for (key, item) in told {
        // One that cannot be read has been reported; that its entry has no source need not be, too.
        let read = item
            .text(r, &key.value)
            .and_then(|got| parse(&got, &key.value, r));
        let provenance = read.unwrap_or(Provenance {
            sure: Sure::M,
            source: String::new(),
        });
        about_something(&key, &keys, r);
        let key = SmolStr::new(key.value);
        profile.provenance.insert(key, provenance);
    }
    for (key, _) in &keys {
        if profile.provenance_of(&key.value).is_none() {
            let key_text = &key.value;
            r.error(
                key.at,
                say!(
                    "`{key_text}` does not say where it was read",
                    "`{key_text}` 未注明出处"
                ),
                hint(key_text),
            );
        }
    }
}

fn hint(key: &str) -> Say {
    say!(
        "in [provenance]: {key} = \"V2: standard and clause\"",
        "请在 [provenance] 中写 {key} = \"V2: 标准与条款\""
    )
}

/// The values of a table and of those in it, with their keys from the root, such as
/// `capture.min_pct`. A list is one value.
fn leaves<'a>(s: &Section<'a>, above: &str, out: &mut Vec<(Got<String>, Item<'a>)>) {
    for (name, item) in s.entries() {
        let key = name.map(|name| match above {
            "" => name,
            above => format!("{above}.{name}"),
        });
        let below = matches!(item.value, DeValue::Table(_))
            .then(|| s.table(&mut Report::default(), &key.value, &item))
            .flatten();
        match below {
            Some(below) => leaves(&below, &key.value, out),
            None => out.push((key, item)),
        }
    }
}

/// `V2: source`.
pub(in crate::check) fn parse(got: &Got<String>, key: &str, r: &mut Report) -> Option<Provenance> {
    let parts = got.value.split_once(':');
    let sure = parts.and_then(|(mark, _)| {
        let mut known = SURE.iter();
        known.find(|(name, _)| *name == mark).map(|(_, sure)| *sure)
    });
    let source = parts.map_or("", |(_, source)| source.trim());
    if sure.is_none() || source.is_empty() {
        r.error(
            got.at,
            say!(
                "`{key}`: a source begins with how sure it is",
                "`{key}`：出处须先写确信程度"
            ),
            say!(
                "\"V: \" read in the text itself, \"V2: \" in a secondary source, \"M: \" recalled",
                "\"V: \" 原文，\"V2: \" 二手资料，\"M: \" 凭记忆；其后写标准与条款"
            ),
        );
    }
    Some(Provenance {
        sure: sure?,
        source: source.to_owned(),
    })
}

/// A source must belong to a key, or to a table with keys in it.
fn about_something(told: &Got<String>, keys: &[(Got<String>, Item<'_>)], r: &mut Report) {
    let path = &told.value;
    let below = format!("{path}.");
    let names = || keys.iter().map(|(key, _)| key.value.as_str());
    if names().all(|key| key != path && !key.starts_with(&below)) {
        r.error(
            told.at,
            say!(
                "a source of `{path}`, which the file does not have",
                "文件中没有 `{path}`，却注明了出处"
            ),
            suggest::hint(path, names()),
        );
    }
}
