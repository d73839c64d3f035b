//! `cemsd decode`: any bytes in, one JSON object per frame out.

use crate::text::hex;
use anyhow::Context;
use cems_config::factors::{FactorTable, Sighting};
use cems_protocols::hj212::{
    self, Content, DataRecord, DataValue, Framer, Item, Limits, LocalTime, Message, RawFrame, Step,
};
use serde_json::{Map, Value, json};
use smol_str::SmolStr;
use std::io::{Read, Write};
use std::process::ExitCode;

/// Bytes taken from standard input at a time.
const READ_BYTES: usize = 64 * 1024;

/// `cemsd decode`
#[derive(Debug, clap::Args)]
pub struct DecodeArgs {
    /// Indent the objects for reading.
    #[arg(long)]
    pretty: bool,
}

/// Decodes standard input to the end.
///
/// # Errors
/// When standard input or output fails.
pub fn run(args: &DecodeArgs) -> anyhow::Result<ExitCode> {
    let stdout = std::io::stdout();
    let mut out = std::io::BufWriter::new(stdout.lock());
    let garbage = decode(&mut std::io::stdin().lock(), &mut out, args.pretty)?;
    out.flush()?;
    if garbage.bytes > 0 {
        writeln!(
            std::io::stderr(),
            "cemsd: {} bytes in {} places between frames are no frame",
            garbage.bytes,
            garbage.places
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Bytes that belong to no frame; line ends and blanks alone do not count.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Garbage {
    /// How many.
    pub bytes: usize,
    /// In how many places.
    pub places: usize,
}

/// Decodes a stream.
///
/// # Errors
/// When reading or writing fails.
pub fn decode(input: &mut dyn Read, out: &mut dyn Write, pretty: bool) -> anyhow::Result<Garbage> {
    let mut framer = Framer::new(Limits::default());
    let mut garbage = Garbage::default();
    let mut buffer = vec![0; READ_BYTES];
    loop {
        let n = match input.read(&mut buffer) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            read => read.context("reading standard input")?,
        };
        framer.push(&buffer[..n]);
        loop {
            let step = match framer.next() {
                Step::Incomplete if n == 0 => framer.expire(),
                step => step,
            };
            match step {
                Step::Incomplete => break,
                Step::Frame(frame) => {
                    let object = describe(&frame);
                    if pretty {
                        serde_json::to_writer_pretty(&mut *out, &object)?;
                    } else {
                        serde_json::to_writer(&mut *out, &object)?;
                    }
                    out.write_all(b"\n")?;
                }
                Step::Garbage(bytes) => {
                    if !bytes.iter().all(u8::is_ascii_whitespace) {
                        garbage.bytes += bytes.len();
                        garbage.places += 1;
                    }
                }
            }
        }
        if n == 0 {
            return Ok(garbage);
        }
    }
}

/// One frame as a JSON object.
pub fn describe(frame: &RawFrame) -> Value {
    let message = hj212::parse(frame);
    let header = &message.header;
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
    put("mn", json!(header.mn));
    put("cn", json!(header.cn));
    put("version", json!(message.edition.as_str()));
    put("crc", json!(message.crc.as_str()));
    put("len_ok", json!(message.len_ok));
    put("qn", json!(header.qn));
    put("st", json!(header.st));
    put("flag", json!(header.flag));
    put("pnum", json!(header.pnum));
    put("pno", json!(header.pno));
    put("resent", json!(header.rf));
    put("encrypted", json!(message.encrypted));
    put("declared_len", json!(frame.declared_len));
    put("actual_len", json!(frame.segment_bytes().len()));
    let codes: Vec<_> = message.findings.iter().map(|f| f.code.as_str()).collect();
    put("findings", json!(codes));
    let details: Vec<_> = message
        .findings
        .iter()
        .map(|f| {
            json!({
                "code": f.code.as_str(),
                "detail": f.detail,
                "zh": f.code.describe_zh(),
                "en": f.code.describe_en(),
            })
        })
        .collect();
    put("finding_details", json!(details));
    put("records", json!(records(&message)));
    match std::str::from_utf8(&frame.bytes) {
        Ok(text) => put("raw", json!(text)),
        Err(_) => {
            put("raw_hex", json!(hex(&frame.bytes)));
            put(
                "raw",
                json!(
                    frame
                        .bytes
                        .iter()
                        .map(|b| char::from(*b))
                        .collect::<String>()
                ),
            )
        }
    };
    Value::Object(object)
}

/// What a message says, as records with 2017 codes and units. A message whose data area holds
/// nothing has none.
fn records(message: &Message) -> Vec<Value> {
    let time = |time: &Option<LocalTime>| json!(time.map(|t| t.to_string()));
    let pairs = |list: &[(SmolStr, SmolStr)]| -> Value {
        list.iter()
            .map(|(n, v)| (n.to_string(), json!(v)))
            .collect::<Map<_, _>>()
            .into()
    };
    let one = |kind: &str, at: Value, items: Value| {
        vec![json!({"kind": kind, "time": at, "items": items})]
    };
    match hj212::content(message) {
        Content::Data(data) => vec![data_record(message, &data)],
        Content::Facility { time: at, states } => {
            let items: Map<_, _> = states
                .iter()
                .map(|s| (s.facility.to_string(), json!(s.state)))
                .collect();
            one("facility-state", time(&at), items.into())
        }
        Content::FacilityRunTime {
            time: at,
            run_times,
        } => {
            let items: Map<_, _> = run_times
                .iter()
                .map(|r| (r.facility.to_string(), json!(r.hours)))
                .collect();
            one("facility-run-time", time(&at), items.into())
        }
        Content::Boot {
            time: at,
            restart_time,
        } => one(
            "boot",
            time(&at),
            json!({"RestartTime": time(&restart_time)}),
        ),
        Content::Serial {
            time: at, serials, ..
        } => one("serial", time(&at), pairs(&serials)),
        Content::FieldInfo {
            time: at, infos, ..
        } => one("field-info", time(&at), pairs(&infos)),
        Content::AlarmEvent {
            time: at,
            values,
            alarm_type,
        } => {
            let mut items = pairs(&values);
            if let Value::Object(map) = &mut items {
                map.insert("AlarmType".into(), json!(alarm_type));
            }
            one("alarm-event", time(&at), items)
        }
        _ if message.items.is_empty() => Vec::new(),
        _ => one("fields", Value::Null, fields(&message.items)),
    }
}

fn fields(items: &[Item]) -> Value {
    items
        .iter()
        .flat_map(|item| {
            item.fields.iter().map(|(field, value)| {
                let name = if field.is_empty() {
                    item.name.to_string()
                } else {
                    format!("{}-{field}", item.name)
                };
                (name, json!(value))
            })
        })
        .collect::<Map<_, _>>()
        .into()
}

fn data_record(message: &Message, data: &DataRecord) -> Value {
    let values: Vec<_> = data
        .values
        .iter()
        .map(|value| data_value(message, value))
        .collect();
    json!({
        "kind": match data.kind {
            hj212::DataKind::Realtime => "realtime",
            hj212::DataKind::Minute => "minute",
            hj212::DataKind::Hour => "hour",
            hj212::DataKind::Day => "day",
        },
        "time": data.data_time.map(|t| t.to_string()),
        "values": values,
    })
}

/// A factor with its 2017 code, name and unit; figures as exact text, converted from 2005 units
/// where they changed (`sent` holds the original texts then).
fn data_value(message: &Message, value: &DataValue) -> Value {
    let table = FactorTable::builtin();
    let resolved = table.resolve(
        &value.code,
        Sighting {
            edition: message.edition.as_str(),
            ..Sighting::default()
        },
    );
    let known = table.get(resolved.code.as_str());
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| {
        object.insert(name.to_owned(), value);
    };
    put("factor", json!(resolved.code.as_str()));
    if resolved.code.as_str() != value.code {
        put("sent_as", json!(value.code));
    }
    if let Some(factor) = known {
        put("name_zh", json!(factor.name_zh));
        put("name_en", json!(factor.name_en));
        put("unit", json!(factor.unit));
    }
    let figures = [
        ("rtd", &value.rtd),
        ("min", &value.min),
        ("avg", &value.avg),
        ("max", &value.max),
        ("cou", &value.cou),
        ("zs_rtd", &value.zs_rtd),
        ("zs_min", &value.zs_min),
        ("zs_avg", &value.zs_avg),
        ("zs_max", &value.zs_max),
        ("data", &value.data),
        ("day_data", &value.day_data),
        ("night_data", &value.night_data),
    ];
    let mut sent = Map::new();
    for (name, text) in figures {
        let Some(text) = text else { continue };
        match resolved.multiplier.filter(|_| name != "cou") {
            Some(multiplier) => {
                sent.insert(name.to_owned(), json!(text));
                let value = text
                    .parse::<rust_decimal::Decimal>()
                    .ok()
                    .and_then(|value| value.checked_mul(multiplier));
                put(name, json!(value.map(|v| v.normalize().to_string())));
            }
            None => put(name, json!(text)),
        }
    }
    if !sent.is_empty() {
        put("sent", sent.into());
    }
    put("flag", json!(value.flag));
    if let Some(eflag) = &value.eflag {
        put("eflag", json!(eflag));
    }
    if let Some(time) = value.sample_time {
        put("sample_time", json!(time.to_string()));
    }
    for (name, text) in &value.extra {
        put(name, json!(text));
    }
    Value::Object(object)
}
