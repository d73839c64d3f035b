//! Destinations of data and events: `[[destination]]` of the main file and of the files that
//! `destinations` names.

use super::secret::{TOKEN, pem, secret};
use super::{Taken, id, reach, unknown};
use crate::report::{At, Report, say};
use crate::section::{Got, Section, word};
use crate::settings::{
    Broker, Channel, Corrections, DESTINATIONS_MAX, Destination, DestinationKind, DestinationMeans,
    InfluxServer, Means, MqttSource, OutletFilter,
};
use crate::source::Loader;
use cems_core::model::{EnterpriseId, Level, OutletId, RecordKind, RegionId, Registry, Series};
use smol_str::SmolStr;

/// Days after which a thing is given up where nothing is said: the longest, since series are kept
/// for years.
const GIVE_UP_AFTER_DAYS: u32 = 400;
/// Lines in a request where nothing is said: what the makers of InfluxDB recommend.
const BATCH_LINES: u32 = 5_000;
/// Who we are at a broker where nothing is said: not who the channel for messages is.
const CLIENT_ID: &str = "cemsd-data";

/// Reads every `[[destination]]` and marks the outlets whose data go out.
pub(super) fn destinations(
    docs: &[&Section<'_>],
    registry: &mut Registry,
    (channels, sources): (&[Channel], &[MqttSource]),
    loader: &mut Loader<'_>,
    r: &mut Report,
) -> Vec<Destination> {
    let mut taken = Taken::default();
    let mut brokers: Vec<(SmolStr, SmolStr)> = channels
        .iter()
        .filter_map(|channel| match &channel.means {
            Means::Mqtt(broker) => Some(identity(broker)),
            _ => None,
        })
        .collect();
    // Sources were compared with each other where they are read.
    let of_channels = brokers.len();
    for source in sources {
        if let Some(main) = docs.first() {
            alone(&source.broker, &brokers[..of_channels], main.at, r);
        }
        brokers.push(identity(&source.broker));
    }
    let mut out: Vec<Destination> = Vec::new();
    let sections = docs.iter().flat_map(|doc| doc.sections(r, "destination"));
    let sections: Vec<Section<'_>> = sections.collect();
    for (n, s) in sections.into_iter().enumerate() {
        if n == DESTINATIONS_MAX {
            r.error(
                s.at,
                say!(
                    "more than {DESTINATIONS_MAX} destinations",
                    "数据去向超过 {DESTINATIONS_MAX} 个"
                ),
                say!("let one of them pass data on", "请由其中一个转发"),
            );
        }
        let at = s.at;
        let read = destination(s, registry, &mut taken, loader, r);
        if let Some(DestinationMeans::Mqtt(broker)) = read.as_ref().map(|to| &to.means) {
            alone(broker, &brokers, at, r);
            brokers.push(identity(broker));
        }
        out.extend(read);
    }
    let fed: Vec<OutletId> = registry
        .outlets
        .values()
        .filter(|outlet| {
            let gets =
                |to: &Destination| !to.series.is_empty() && to.filter.takes(outlet, registry);
            out.iter().any(gets)
        })
        .map(|outlet| outlet.id.clone())
        .collect();
    for id in fed {
        if let Some(outlet) = registry.outlets.get_mut(&id) {
            outlet.feeds = true;
        }
    }
    out
}

/// Where a broker is, and who we are there.
fn identity(broker: &Broker) -> (SmolStr, SmolStr) {
    (broker.server.clone(), broker.client_id.clone())
}

/// A broker ends the older of two connections of one name, so two of ours would end each other for
/// ever.
fn alone(broker: &Broker, known: &[(SmolStr, SmolStr)], at: At, r: &mut Report) {
    let identity = identity(broker);
    if known.contains(&identity) {
        let (server, client_id) = &identity;
        r.error(
            at,
            say!(
                "{client_id} is connected to {server} already",
                "{client_id} 已用于连接 {server}"
            ),
            say!(
                "give each connection a `client_id` of its own",
                "请为每个连接填写不同的 `client_id`"
            ),
        );
    }
}

fn destination(
    s: Section<'_>,
    registry: &Registry,
    taken: &mut Taken,
    loader: &mut Loader<'_>,
    r: &mut Report,
) -> Option<Destination> {
    let id = id(&s, r);
    if let Some(id) = &id {
        taken.claim(r, ("destination", "数据去向"), id);
    }
    let filter = filter(&s, registry, r);
    let kind = kind(&s, r)?;
    let series = series(&s, kind, r);
    let events = events(&s, kind, r);
    if series.is_empty() && !events {
        r.error(
            s.at,
            say!("nothing goes there", "没有任何数据发往该处"),
            say!(
                "name `records`, `aggregates` or `events`",
                "请填写 `records`、`aggregates` 或 `events`"
            ),
        );
    }
    let give_up_after_days = s
        .integer(r, "give_up_after_days", 1..=i64::from(GIVE_UP_AFTER_DAYS))
        .map_or(GIVE_UP_AFTER_DAYS, |got: Got<u32>| got.value);
    let means = match kind {
        DestinationKind::Influx => influx(&s, loader, r).map(DestinationMeans::Influx),
        DestinationKind::Mqtt => {
            reach::broker(&s, CLIENT_ID, loader, r).map(DestinationMeans::Mqtt)
        }
    };
    s.finish(r);
    Some(Destination {
        id: SmolStr::new(id?.value),
        filter,
        series,
        events,
        give_up_after_days,
        means: means?,
    })
}

fn kind(s: &Section<'_>, r: &mut Report) -> Option<DestinationKind> {
    if s.item("kind").is_none() {
        let names = DestinationKind::ALL.map(DestinationKind::as_str).join(", ");
        s.missing(r, "kind", say!("one of {names}", "可取：{names}"));
        return None;
    }
    let words = DestinationKind::ALL.map(|kind| (kind.as_str(), kind));
    s.word(r, "kind", &words).map(|got| got.value)
}

/// Names of outlets, enterprises and regions, each of which must exist.
fn filter(s: &Section<'_>, registry: &Registry, r: &mut Report) -> OutletFilter {
    let mut out = OutletFilter::default();
    for name in s.texts(r, "outlets").unwrap_or_default() {
        let known = || registry.outlets.keys().map(|id| id.as_str());
        if !known().any(|id| id == name.value) {
            let known: Vec<&str> = known().collect();
            unknown(r, ("outlet", "排口"), &name, known);
        }
        out.outlets.insert(OutletId::new(&name.value));
    }
    for name in s.texts(r, "enterprises").unwrap_or_default() {
        let known: Vec<&str> = registry.enterprises.keys().map(|id| id.as_str()).collect();
        if !known.contains(&name.value.as_str()) {
            unknown(r, ("enterprise", "企业"), &name, known);
        }
        out.enterprises.insert(EnterpriseId::new(&name.value));
    }
    for name in s.texts(r, "regions").unwrap_or_default() {
        let known: Vec<&str> = registry.regions.keys().map(|id| id.as_str()).collect();
        if !known.contains(&name.value.as_str()) {
            unknown(r, ("region", "区域"), &name, known);
        }
        out.regions.insert(RegionId::new(&name.value));
    }
    out
}

/// What goes there: records and aggregates. Everything goes to series, which is what they are for;
/// to a broker whatever people and programs follow, without the real-time values of every station.
fn series(s: &Section<'_>, kind: DestinationKind, r: &mut Report) -> Vec<Series> {
    let records = RecordKind::ALL.map(|kind| (kind.as_str(), kind));
    let levels = Level::ALL.map(|level| (level.as_str(), level));
    let usual =
        |record: &RecordKind| kind == DestinationKind::Influx || *record != RecordKind::Realtime;
    let usual = RecordKind::ALL.into_iter().filter(usual).collect();
    let records = words(s, "records", &records, r).unwrap_or(usual);
    let levels = words(s, "aggregates", &levels, r).unwrap_or(Level::ALL.into());
    let named = |series: &Series| match series {
        Series::Record(kind) => records.contains(kind),
        Series::Aggregate(level) => levels.contains(level),
    };
    Series::ALL.into_iter().filter(named).collect()
}

fn words<T: Copy>(
    s: &Section<'_>,
    key: &'static str,
    known: &[(&'static str, T)],
    r: &mut Report,
) -> Option<Vec<T>> {
    let names = s.texts(r, key)?;
    let known = |name: &Got<String>| word(r, key, name, known);
    Some(names.iter().filter_map(known).collect())
}

fn events(s: &Section<'_>, kind: DestinationKind, r: &mut Report) -> bool {
    let got = s.boolean(r, "events");
    if kind == DestinationKind::Mqtt {
        return got.is_none_or(|got| got.value);
    }
    if let Some(got) = got
        && got.value
    {
        r.error(
            got.at,
            say!(
                "a database of series takes no events",
                "时序数据库不接收事件"
            ),
            say!(
                "take the line out; events go to kind = \"mqtt\"",
                "请删除该行；事件可发往 kind = \"mqtt\""
            ),
        );
    }
    false
}

fn influx(s: &Section<'_>, loader: &mut Loader<'_>, r: &mut Report) -> Option<InfluxServer> {
    let url = s.need_text(
        r,
        "url",
        say!(
            "such as \"https://influx.example:8086\"",
            "如 \"https://influx.example:8086\""
        ),
    );
    if let Some(url) = &url {
        reach::address(&url.value, url.at, ("data", "数据"), r);
        if url.value.contains('?') {
            r.error(
                url.at,
                say!("`url` is the root of the server", "`url` 只写服务器根地址"),
                say!("take what follows the ? out", "请删除 ? 及其后的内容"),
            );
        }
    }
    let bucket = s.need_text(
        r,
        "bucket",
        say!(
            "the bucket that takes the data; any name for VictoriaMetrics",
            "接收数据的存储桶；VictoriaMetrics 可写任意名称"
        ),
    );
    let org = s.text(r, "org");
    let token = secret(s, TOKEN, loader, r);
    let ca = pem(s, "ca_file", loader, r);
    let batch_lines = s
        .integer(r, "batch_lines", 1..=50_000)
        .map_or(BATCH_LINES, |got: Got<u32>| got.value);
    let gzip = s.boolean(r, "gzip").is_none_or(|got| got.value);
    let words = [
        ("replace", Corrections::Replace),
        ("later", Corrections::Later),
    ];
    let corrections = s.word(r, "corrections", &words);
    Some(InfluxServer {
        url: SmolStr::new(url?.value.trim_end_matches('/')),
        org: org.map_or(SmolStr::default(), |got| SmolStr::new(got.value)),
        bucket: SmolStr::new(bucket?.value),
        token: token.map(|got| got.value),
        ca,
        batch_lines,
        gzip,
        corrections: corrections.map_or(Corrections::Replace, |got| got.value),
    })
}
