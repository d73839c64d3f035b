//! What must hold for every input, as plain functions: cargo-fuzz calls them through
//! `fuzz_targets/`, and an ordinary test (`protocols/tests/fuzz.rs`) through the corpus.
//!
//! A target panics when something is wrong; that is its only output.

use cems_protocols::hj212::{
    Action, BuildOptions, CrcVerdict, Edition, FieldView, FrameBuilder, FrameView, Framer, Framing,
    Limits, Message, RawFrame, Session, SessionConfig, Sm4Key, Step, ValueView, answer, content,
    crc_hj212, decipher, encipher, frame_at, header_at, parse, parse_with_key,
};
use cems_protocols::instrument::{
    Certainty, Group, Map, Place, Point, Protocol, Role, Timing, Value,
};
use cems_protocols::modbus::{
    self, Kind, Order, Register, Table, check_answer, decode, encode, plan,
};
use rust_decimal::Decimal;
use smol_str::SmolStr;

/// A target with the name of its corpus.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 4] = [
    ("framing", framing),
    ("segment", segment),
    ("sm4", sm4),
    ("modbus", modbus),
];

/// Longest input that a target looks at, bytes: a few frames, so that many runs fit a second.
const INPUT_BYTES_MAX: usize = 16 << 10;

/// The steps of a stream that arrives in pieces of `size` bytes and then ends.
fn steps(bytes: &[u8], limits: Limits, size: usize) -> Vec<Step> {
    let mut framer = Framer::new(limits);
    let mut steps = Vec::new();
    for piece in bytes.chunks(size.max(1)) {
        framer.push(piece);
        loop {
            match framer.next() {
                Step::Incomplete => break,
                step => steps.push(step),
            }
        }
    }
    loop {
        match framer.expire() {
            Step::Incomplete => break,
            step => steps.push(step),
        }
    }
    assert_eq!(framer.pending(), 0, "bytes stay behind");
    steps
}

fn bytes_of(step: &Step) -> &[u8] {
    match step {
        Step::Incomplete => &[],
        Step::Frame(frame) => &frame.bytes,
        Step::Garbage(garbage) => garbage,
    }
}

fn frames(bytes: &[u8]) -> impl Iterator<Item = RawFrame> {
    let steps = steps(bytes, Limits::default(), bytes.len());
    steps.into_iter().filter_map(|step| match step {
        Step::Frame(frame) => Some(frame),
        Step::Incomplete | Step::Garbage(_) => None,
    })
}

/// A stream: every byte comes out once and in order, however reads cut it, and frames come out
/// the same; a session gives the same bytes. The first byte chooses limits and the size of reads.
pub fn framing(data: &[u8]) {
    let Some((choice, stream)) = data.split_first() else {
        return;
    };
    let stream = &stream[..stream.len().min(INPUT_BYTES_MAX)];
    let limits = match choice & 3 {
        0 => Limits {
            segment_bytes_max: 200,
            buffer_bytes_max: 300,
        },
        _ => Limits::default(),
    };
    let size = usize::from(choice >> 2) + 1;
    let whole = steps(stream, limits, stream.len());
    let out: Vec<u8> = whole
        .iter()
        .flat_map(|step| bytes_of(step).to_vec())
        .collect();
    assert_eq!(out, stream, "bytes are not conserved");
    let pieces = steps(stream, limits, size);
    let only_frames = |steps: &[Step]| -> Vec<RawFrame> {
        let frame = |step: &Step| match step {
            Step::Frame(frame) => Some(frame.clone()),
            Step::Incomplete | Step::Garbage(_) => None,
        };
        steps.iter().filter_map(frame).collect()
    };
    let found = only_frames(&whole);
    assert_eq!(
        only_frames(&pieces),
        found,
        "reads of {size} bytes find other frames"
    );
    for frame in &found {
        assert_eq!(frame.segment_bytes().len(), frame.segment.len());
        assert_eq!(
            frame.len_ok,
            frame.declared_len == u32::try_from(frame.segment.len()).ok()
        );
        read(frame);
    }
    conversation(stream, limits, size);
}

/// A connection that is never out of patience gives every byte back.
fn conversation(stream: &[u8], limits: Limits, size: usize) {
    let mut session = Session::new(SessionConfig {
        limits,
        garbage_bytes_max: usize::MAX,
        ..SessionConfig::default()
    });
    let mut actions = Vec::new();
    for piece in stream.chunks(size) {
        actions.extend(session.on_bytes(0, piece));
    }
    actions.extend(session.on_close());
    let mut out = Vec::new();
    for action in actions {
        match action {
            Action::Frame(frame, _) => out.extend(frame.bytes),
            Action::Garbage(garbage) => out.extend(garbage),
            Action::Close(reason) => panic!("closed: {}", reason.as_str()),
        }
    }
    assert_eq!(out, stream, "the session loses bytes");
}

/// Everything that is done with a frame; an answer is always a sound frame.
fn read(frame: &RawFrame) -> Message {
    let message = parse(frame);
    let _ = content(&message);
    if let Some(answer) = answer(&message) {
        let back: Vec<_> = frames(&answer.bytes).collect();
        assert_eq!(back.len(), 1, "an answer is one frame");
        assert_eq!((back[0].crc, back[0].len_ok), (CrcVerdict::Hj212, true));
        assert_eq!(parse(&back[0]).cn(), answer.cn);
    }
    message
}

fn envelope(segment: &[u8]) -> Vec<u8> {
    let segment = &segment[..segment.len().min(9999)];
    let length = format!("##{:04}", segment.len());
    let code = format!("{:04X}\r\n", crc_hj212(segment));
    [length.as_bytes(), segment, code.as_bytes()].concat()
}

/// A data segment in a right envelope: read, written and read again, it says the same; the view
/// and the tolerant reader agree. Bytes without `CP=&&` are taken for a data area.
pub fn segment(data: &[u8]) {
    let data = &data[..data.len().min(9000)];
    let has_area = data.windows(5).any(|window| window == b"CP=&&");
    let segment = if has_area {
        data.to_vec()
    } else {
        let header = b"QN=20240520210700998;ST=31;CN=2051;PW=123456;MN=FICTION0000001;Flag=5;CP=&&";
        [header.as_slice(), data, b"&&"].concat()
    };
    let wire = envelope(&segment);
    let _ = header_at(&wire);
    for frame in frames(&wire) {
        let message = read(&frame);
        if let Some(view) = frame_at(&frame.bytes) {
            agree(&view, &message);
        }
        let Some(again) = written(&message) else {
            continue;
        };
        // What was odd in the first text is not in the second, which then stays as it is.
        let Some(third) = written(&again) else {
            panic!("what was written cannot be written again: {again:?}");
        };
        assert_eq!(again.items, third.items);
        assert_eq!(again.header, third.header);
        assert_eq!(again.edition, third.edition);
        if message.findings.is_empty() && !message.header.is_split() {
            assert_eq!(message.items, again.items);
            assert_eq!(message.header, again.header);
        }
    }
}

/// The message written in its own edition and read back; `None` when it cannot be written.
fn written(message: &Message) -> Option<Message> {
    let header = &message.header;
    if message.encrypted || message.edition == Edition::Unknown || header.is_split() {
        return None;
    }
    let (st, cn) = (header.st.as_deref()?, header.cn.as_deref()?);
    let mut builder = FrameBuilder::new(message.edition, st, cn)
        .rf(header.rf)
        .flag(header.flag?)
        .items(
            message
                .items
                .iter()
                .filter(|item| !item.fields.is_empty())
                .cloned(),
        );
    if header.flag? & 2 != 0 || header.pnum.is_some() || header.pno.is_some() {
        return None;
    }
    if let Some(qn) = &header.qn {
        builder = builder.qn(qn);
    }
    if let Some(pw) = &header.pw {
        builder = builder.pw(pw);
    }
    if let Some(mn) = &header.mn {
        builder = builder.mn(mn);
    }
    let wire = builder.build(&BuildOptions::default()).ok()?;
    let mut back: Vec<_> = frames(&wire).collect();
    if back.len() != 1 || back[0].how != Framing::Length {
        // A text between `//` may quote a whole frame with its right code.
        return None;
    }
    let frame = back.remove(0);
    assert_eq!((frame.crc, frame.len_ok), (CrcVerdict::Hj212, true));
    Some(parse(&frame))
}

fn agree(view: &FrameView<'_>, message: &Message) {
    let header = &message.header;
    assert_eq!(view.crc, message.crc);
    assert_eq!(view.header.qn, header.qn.as_deref());
    assert_eq!(view.header.cn, header.cn.as_deref());
    assert_eq!(view.header.mn, header.mn.as_deref());
    assert_eq!(view.header.flag, header.flag);
    let values = message.items.iter().flat_map(|item| &item.fields);
    let count = values.filter(|(_, value)| !value.is_empty()).count();
    let valued = |field: &FieldView<'_>| !matches!(field.value(), ValueView::Empty);
    let seen = view.fields().filter(valued).count();
    // The tolerant reader stops at its bound of items.
    assert!(
        seen == count || message.items.len() >= 2500,
        "{seen} fields, not {count}"
    );
}

/// Cipher text: the first 16 bytes are a key; the rest is opened as a stream, and is enciphered as
/// a data area and comes back.
pub fn sm4(data: &[u8]) {
    let Some((key, rest)) = data.split_first_chunk::<16>() else {
        return;
    };
    let key = Sm4Key::new(*key);
    let rest = &rest[..rest.len().min(9000)];
    for frame in frames(rest) {
        let _ = decipher(&frame, &key);
        let _ = content(&parse_with_key(&frame, Some(&key)));
    }
    let header =
        b"QN=20240520210700998;ST=31;CN=2051;PW=123456;MN=010000A8900016F000169DC0;Flag=9;\
        CP=&&";
    let clear = envelope(&[header.as_slice(), rest, b"&&"].concat());
    let cipher = encipher(&clear, &key).expect("a right envelope can be enciphered");
    assert_eq!(cipher.len(), clear.len());
    let end = clear.len() - 6;
    let frame = RawFrame {
        segment: 6..end,
        declared_len: u32::try_from(end - 6).ok(),
        len_ok: true,
        crc_text: SmolStr::new(String::from_utf8_lossy(&clear[end..end + 4])),
        crc: CrcVerdict::Encrypted,
        how: Framing::Length,
        bytes: cipher,
    };
    match decipher(&frame, &key) {
        Some(opened) if !opened.printed => {
            assert_eq!(opened.segment, clear[6..end], "another text comes back");
            assert_eq!(opened.crc, CrcVerdict::Hj212);
        }
        // Cipher text that begins like the printed form by chance.
        Some(_) => assert!(frame.segment_bytes()[header.len()..].starts_with(b"{")),
        None => assert!(rest.len() < 16),
    }
    let _ = parse_with_key(&frame, Some(&key));
}

/// Answers of a device with a point of every kind. The first byte chooses the request; the rest
/// is the answer. Numbers that are believed come back when they are written.
pub fn modbus(data: &[u8]) {
    let Some((choice, pdu)) = data.split_first() else {
        return;
    };
    let map = map();
    let blocks = plan(&map, modbus::Limits::default());
    let block = &blocks[usize::from(*choice) % blocks.len()];
    let Ok(answer) = check_answer(block, pdu) else {
        return;
    };
    let readings = decode(&map, block, &answer).expect("a checked answer fits its block");
    assert_eq!(readings.len(), block.points.len(), "a point is lost");
    for reading in readings {
        let Place::Register(register) = map.points[reading.point].place else {
            panic!("a point without a register");
        };
        let is_float = matches!(register.kind, Kind::F32 | Kind::F64);
        if let (Ok(Value::Number { value, .. }), false) = (reading.value, is_float) {
            let words = encode(register, value).expect("what was read can be written");
            assert_eq!(words.len(), usize::from(register.kind.len()));
        }
    }
}

/// A map with a point of every kind in every order.
fn map() -> Map {
    let kinds = [
        Kind::U16,
        Kind::I16,
        Kind::U32,
        Kind::I32,
        Kind::F32,
        Kind::F64,
        Kind::Bcd16,
        Kind::Bcd32,
        Kind::Bits { first: 3, count: 5 },
        Kind::Text { registers: 4 },
    ];
    let mut points = Vec::new();
    let mut add = |table, address, kind, order| {
        points.push(Point {
            name: SmolStr::new(format!("p{}", points.len())),
            role: Role::Info,
            place: Place::Register(Register {
                table,
                address,
                kind,
                order,
            }),
            unit: None,
            scale: Decimal::ONE,
            offset: Decimal::ZERO,
            decimals: None,
            range: None,
            group: 0,
        });
    };
    for (table, orders) in [(Table::Holding, 0..2), (Table::Input, 2..4)] {
        let mut address = 0;
        for order in orders {
            for kind in kinds {
                add(table, address, kind, Order::NAMES[order].1);
                address += kind.len();
            }
        }
    }
    for address in [0, 3, 17] {
        add(Table::Coil, address, Kind::Bit, Order::Abcd);
        add(Table::Discrete, address, Kind::Bit, Order::Abcd);
    }
    Map {
        id: SmolStr::new("fuzz"),
        title_zh: String::new(),
        title_en: String::new(),
        source: String::new(),
        certainty: Certainty::Recalled,
        timing: Timing::default(),
        groups: vec![Group {
            name: SmolStr::new("all"),
            every_ms: None,
        }],
        points,
        rules: Vec::new(),
        protocol: Protocol::Modbus,
    }
}
