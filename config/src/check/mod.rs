//! From parsed files to checked values. Placeholders stand in for what is missing or wrong, so
//! that everything else is still looked at; the result is used only when there was no problem.

mod access;
mod alarms;
mod archive;
mod bus;
mod daemon;
mod dates;
mod destination;
mod dialogue;
mod duty;
mod factor;
mod holidays;
mod instrument;
mod limit;
mod map;
mod mqtt_source;
mod notify;
mod outlet;
mod permitted;
mod profile;
mod reach;
mod registry;
mod rules;
mod secret;
mod special;
mod uplink;

use crate::profiles;
use crate::report::{At, Report, Say, say};
use crate::section::{Got, Section};
use crate::source::{Loader, Text};
use crate::{Settings, suggest};
use cems_core::model::{DutyBook, Profile, ProfileId, Registry, UtcOffset};
use cems_protocols::instrument::Map;
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::DeTable;

pub(crate) use alarms::alarm_rules;
pub(crate) use duty::Rows;
pub(crate) use map::map;
pub(crate) use profile::{families, profile};

/// What may stand in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The main file: settings, and anything a registry or users file may hold.
    Main,
    /// Regions, enterprises, outlets.
    Registry,
    /// Users and API tokens.
    Users,
    /// Lines and instruments of a station.
    Station,
    /// How alarms are ranked and answered.
    Alarms,
    /// Channels for messages and who is told what.
    Notify,
    /// Where data and events go.
    Destinations,
    /// One rule profile.
    Profile,
    /// Duties of somebody's own.
    Duties,
    /// The working-day calendar of one year.
    Holidays,
}

/// Reads and checks everything; `None` when the main file cannot be read at all.
pub(crate) fn all(
    main: &Path,
    loader: &mut Loader<'_>,
    r: &mut Report,
) -> Option<(Settings, Registry, DutyBook)> {
    let first = loader.text(main, r)?;
    let mut texts = vec![(Kind::Main, first)];
    for (kind, path) in named_files(&texts[0].1, loader, r) {
        if let Some(text) = loader.text(&path, r) {
            texts.push((kind, text));
        }
    }
    let parsed: Vec<(Kind, usize, Spanned<DeTable<'_>>)> = texts
        .iter()
        .filter_map(|(kind, text)| Some((*kind, text.file, parse(text, r)?)))
        .collect();
    let docs: Vec<(Kind, Section<'_>)> = parsed
        .iter()
        .map(|(kind, file, table)| (*kind, Section::root(*file, table)))
        .collect();
    if docs.first().is_none_or(|(kind, _)| *kind != Kind::Main) {
        return None;
    }
    let built = build(&docs, loader, r);
    for (_, root) in docs {
        root.finish(r);
    }
    Some(built)
}

/// `host:port`, looked up each time a connection is made.
fn host_port(got: &Got<String>, hint: Say, r: &mut Report) -> SmolStr {
    let fine = got.value.rsplit_once(':').is_some_and(|(host, port)| {
        let bare = host.starts_with('[') == host.ends_with(']');
        let one = host.starts_with('[') || !host.contains(':');
        let clean = !host.is_empty() && !host.contains(|c: char| c.is_whitespace() || c == '/');
        bare && one && clean && port.parse::<u16>().is_ok_and(|port| port > 0)
    });
    if !fine {
        let value = &got.value;
        r.error(
            got.at,
            say!("not a host and a port: {value}", "不是主机和端口：{value}"),
            hint,
        );
    }
    SmolStr::new(&got.value)
}

/// Parses a file; syntax mistakes are all reported, and such a file is not looked at further.
fn parse<'a>(text: &'a Text, r: &mut Report) -> Option<Spanned<DeTable<'a>>> {
    let (table, errors) = DeTable::parse_recoverable(&text.text);
    for error in &errors {
        let offset = error.span().map_or(text.text.len(), |s| s.start);
        let message = error.message();
        r.error(
            At {
                file: text.file,
                offset,
            },
            say!("not TOML: {message}", "TOML 语法错误：{message}"),
            say!(
                "texts stand in quotes, each key once, `key = value`",
                "文本加引号，每个键只写一次，格式为 `键 = 值`"
            ),
        );
    }
    if errors.is_empty() {
        Some(table)
    } else {
        r.incomplete = true;
        None
    }
}

/// The files the main file names, each once, in the order named.
fn named_files(main: &Text, loader: &Loader<'_>, r: &mut Report) -> Vec<(Kind, PathBuf)> {
    // Syntax mistakes are reported when the file is parsed for good.
    let (table, errors) = DeTable::parse_recoverable(&main.text);
    if !errors.is_empty() {
        return Vec::new();
    }
    let root = Section::root(main.file, &table);
    let mut seen = BTreeSet::new();
    let mut out = Vec::new();
    let kinds = [
        ("profiles", Kind::Profile),
        ("registry", Kind::Registry),
        ("users", Kind::Users),
        ("station", Kind::Station),
        ("duties", Kind::Duties),
        ("holidays", Kind::Holidays),
        ("alarms", Kind::Alarms),
        ("notify", Kind::Notify),
        ("destinations", Kind::Destinations),
    ];
    for (key, kind) in kinds {
        for name in root.texts(r, key).unwrap_or_default() {
            for path in loader.expand(&loader.beside_main(&name.value), r) {
                if seen.insert(path.clone()) {
                    out.push((kind, path));
                    continue;
                }
                let shown = path.display();
                r.error(
                    name.at,
                    say!("{shown} is named twice", "{shown} 被重复引用"),
                    say!("name each file once", "每个文件只引用一次"),
                );
            }
        }
    }
    out
}

fn build(
    docs: &[(Kind, Section<'_>)],
    loader: &mut Loader<'_>,
    r: &mut Report,
) -> (Settings, Registry, DutyBook) {
    let main = &docs[0].1;
    for key in [
        "profiles",
        "registry",
        "users",
        "station",
        "duties",
        "holidays",
        "alarms",
        "notify",
        "destinations",
    ] {
        // Already followed.
        let _ = main.item(key);
    }
    let site = daemon::site(main, r);
    let profiles = all_profiles(docs, site.offset, r);
    let mut lists = Vec::new();
    for (kind, root) in docs {
        if matches!(kind, Kind::Main | Kind::Registry) {
            lists.push(root);
        }
    }
    let mut registry = registry::registry(&lists, site, profiles, loader, r);
    let mut people = Vec::new();
    for (kind, root) in docs {
        if matches!(kind, Kind::Main | Kind::Users) {
            people.push(root);
        }
    }
    let (users, tokens) = access::people(&people, &registry, r);
    let settings = Settings {
        users,
        tokens,
        ..daemon::settings(main, loader, r)
    };
    let mut about_messages = Vec::new();
    for (kind, root) in docs {
        if matches!(kind, Kind::Main | Kind::Notify) {
            about_messages.push(root);
        }
    }
    let notify = notify::notify(&about_messages, &settings, &registry, loader, r);
    let mut lines = Vec::new();
    for (kind, root) in docs {
        if matches!(kind, Kind::Main | Kind::Station) {
            lines.push(root);
        }
    }
    let station = instrument::station(&lines, &registry, loader, r);
    let uplinks = uplink::uplinks(&lines, &mut registry, &station, loader, r);
    let outside = docs.iter();
    let outside = outside.filter(|(kind, _)| matches!(kind, Kind::Main | Kind::Destinations));
    let outside: Vec<&Section<'_>> = outside.map(|(_, root)| root).collect();
    let others = (&*notify.channels, &*station.sources);
    let destinations = destination::destinations(&outside, &mut registry, others, loader, r);
    let duties = duties(docs, &registry, r);
    let rules = docs.iter().filter(|(kind, _)| *kind == Kind::Alarms);
    let rules: Vec<&Section<'_>> = rules.map(|(_, root)| root).collect();
    (
        Settings {
            alarms: alarms::alarms(&rules, r),
            uplinks,
            destinations,
            station,
            channels: notify.channels,
            routes: notify.routes,
            quiet: notify.quiet,
            ..settings
        },
        registry,
        duties,
    )
}

/// The duties built in with what own files change, and the days they are counted by.
fn duties(docs: &[(Kind, Section<'_>)], registry: &Registry, r: &mut Report) -> DutyBook {
    let mut rows = crate::duties::read(registry.offset, r);
    let own: Vec<&Section<'_>> = docs
        .iter()
        .filter(|(kind, _)| matches!(kind, Kind::Main | Kind::Duties))
        .map(|(_, root)| root)
        .collect();
    rows.add_own(&own, registry, r);
    for (kind, root) in docs {
        if *kind == Kind::Holidays {
            rows.add_year(root, r);
        }
    }
    rows.book
}

/// Reads a register map from a file of its own, with the place of its beginning.
pub(crate) fn read_map(path: &Path, loader: &mut Loader<'_>, r: &mut Report) -> Option<(Map, At)> {
    let text = loader.text(path, r)?;
    let table = parse(&text, r)?;
    let root = Section::root(text.file, &table);
    let map = map(&root, r);
    let at = root.at;
    root.finish(r);
    map.map(|map| (map, at))
}

/// The built-in profiles and those of the directory named; one of the same name and version must
/// not differ, because past verdicts name it.
fn all_profiles(
    docs: &[(Kind, Section<'_>)],
    offset: UtcOffset,
    r: &mut Report,
) -> BTreeMap<ProfileId, Profile> {
    let mut own = BTreeMap::new();
    let mut found: BTreeMap<ProfileId, Profile> = profiles::builtin_at(offset)
        .into_iter()
        .map(|p| (p.id.clone(), p))
        .collect();
    for (kind, root) in docs {
        if *kind != Kind::Profile {
            continue;
        }
        let Some(read) = profile(root, offset, r) else {
            continue;
        };
        if found.get(&read.id).is_some_and(|known| *known != read) {
            let id = &read.id;
            r.error(
                root.at,
                say!(
                    "profile {id} exists with other content",
                    "规则集 {id} 已存在且内容不同"
                ),
                say!(
                    "raise the number after @; verdicts already given name the old one",
                    "请增大 @ 后的版本号；既有判定引用的是旧版本"
                ),
            );
        }
        own.insert(read.id.clone(), root.at);
        found.insert(read.id.clone(), read);
    }
    families(&found, &own, offset, r);
    found
}

/// Names already taken, to find duplicates.
#[derive(Default)]
pub(crate) struct Taken(BTreeMap<String, At>);

impl Taken {
    /// Takes a name; a problem when somebody has it. `what`: English and Chinese noun.
    pub(crate) fn claim(&mut self, r: &mut Report, what: (&str, &str), name: &Got<String>) {
        let Some(first) = self.0.insert(name.value.clone(), name.at) else {
            return;
        };
        let (en, zh) = what;
        let value = &name.value;
        let place = r.place(first);
        r.error(
            name.at,
            say!("{en} {value} exists twice", "{zh} {value} 重复"),
            say!("the other one is at {place}", "另一处在 {place}"),
        );
        self.0.insert(name.value.clone(), first);
    }
}

/// An id: letters, digits, `-`, `_`, `.`; at most 40 of them, because it stands in addresses and
/// file names.
pub(crate) fn id(s: &Section<'_>, r: &mut Report) -> Option<Got<String>> {
    const ID_CHARS_MAX: usize = 40;
    let hint = say!(
        "a short name of letters and digits, such as id = \"jia-1\"",
        "由字母和数字组成的短标识，如 id = \"jia-1\""
    );
    let got = s.need_text(r, "id", hint)?;
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if got.value.len() > ID_CHARS_MAX || !got.value.chars().all(fine) {
        let value = &got.value;
        r.error(
            got.at,
            say!("`id` cannot be \"{value}\"", "`id` 不能是 \"{value}\""),
            say!(
                "at most {ID_CHARS_MAX} letters, digits, `-`, `_` or `.`; names go into `name`",
                "最多 {ID_CHARS_MAX} 个字母、数字、`-`、`_` 或 `.`；名称写在 `name`"
            ),
        );
        return None;
    }
    Some(got)
}

/// A problem: a name that nothing has. Silent while a file could not be read, because it might
/// have defined it.
pub(crate) fn unknown<'a>(
    r: &mut Report,
    what: (&str, &str),
    name: &Got<String>,
    known: impl IntoIterator<Item = &'a str> + Clone,
) {
    if r.incomplete {
        return;
    }
    let (en, zh) = what;
    let value = &name.value;
    let mut hint = suggest::hint(value, known);
    if hint.en.is_empty() {
        hint = say!(
            "correct the id or define the {en}",
            "请更正标识，或先定义该{zh}"
        );
    }
    r.error(
        name.at,
        say!("no {en} has the id {value}", "没有标识为 {value} 的{zh}"),
        hint,
    );
}
