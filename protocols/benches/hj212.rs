//! Speed of reading HJ 212, beside crate `a` on the same frames in the same run.
//!
//! `cargo bench -p cems-protocols`. Each line is the best of many rounds: what the machine can do
//! when nothing else asks for it. `cargo test --benches` runs one round of each, for their checks.
#![expect(
    clippy::print_stdout,
    reason = "a benchmark's result is what it prints"
)]
#![expect(unsafe_code, reason = "counting allocations needs a global allocator")]
#![expect(clippy::unwrap_used, reason = "a benchmark stops at what cannot be")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use cems_protocols::hj212::{
    self, BuildOptions, Edition, FrameBuilder, Framer, Item, Limits, RawFrame, Step, ValueView,
    crc_hj212, frame_at,
};

/// Rounds of each measurement; the best one counts.
const ROUNDS: u32 = 300;
/// Bytes that one round reads at least, so that the clock's grain does not show.
const ROUND_BYTES: usize = 512 << 10;
/// Bytes of one read of a socket.
const CHUNK: usize = 64 << 10;

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: every call goes to the system's allocator unchanged; only a counter is added.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract, which is the system's own.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: the place came from `alloc` above with this layout.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static GLOBAL: Counting = Counting;

/// What one way of reading took.
struct Measured {
    /// Millionths of a nanosecond would not fit a display; this is bytes per microsecond.
    mb_per_s: u64,
    ns_per_frame: u64,
    allocations_per_frame: u64,
}

/// Best of the rounds. `read` takes one frame.
fn measure<T>(frames: &[T], bytes: usize, quick: bool, mut read: impl FnMut(&T)) -> Measured {
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    frames.iter().for_each(&mut read);
    let allocations = ALLOCATIONS.load(Ordering::Relaxed) - before;
    let (rounds, repeat) = match quick {
        true => (1, 1),
        false => (ROUNDS, ROUND_BYTES / bytes + 1),
    };
    let mut best = u64::MAX;
    for _ in 0..rounds {
        let start = Instant::now();
        for _ in 0..repeat {
            frames.iter().for_each(&mut read);
        }
        best = best.min(u64::try_from(start.elapsed().as_nanos()).unwrap().max(1));
    }
    let count = u64::try_from(frames.len() * repeat).unwrap();
    Measured {
        mb_per_s: u64::try_from(bytes * repeat * 1000).unwrap() / best,
        ns_per_frame: best / count,
        allocations_per_frame: allocations / u64::try_from(frames.len()).unwrap(),
    }
}

fn line(what: &str, measured: &Measured) {
    println!(
        "  {what:<44} {:>6} MB/s  {:>7} ns  {:>4} allocations",
        measured.mb_per_s, measured.ns_per_frame, measured.allocations_per_frame
    );
}

/// Ratio with one decimal.
fn ratio(fast: u64, slow: u64) -> String {
    let tenths = fast * 10 / slow.max(1);
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// Real-time frames of ten factors with value, folded value and flag; every value another.
fn ten_factors() -> Vec<String> {
    let mut seed = 1u64;
    let mut random = move |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) % below
    };
    let codes = [
        "a21026", "a21002", "a34013", "a19001", "a01011", "a01012", "a01013", "a01014", "a00000",
        "a21005",
    ];
    (0..256)
        .map(|number| {
            let items = codes.iter().map(|code| {
                let value = format!("{}.{:02}", random(400), random(100));
                let folded = format!("{}.{:03}", random(90), random(1000));
                let fields = [("Rtd", value.as_str()), ("ZsRtd", &folded), ("Flag", "N")];
                Item::factor(code, &fields)
            });
            let frame = FrameBuilder::new(Edition::V2017, "31", "2011")
                .qn(&format!("20240520210{:03}998", number))
                .pw("123456")
                .mn("010000A8900016F000169DC0")
                .answer_wanted(true)
                .data_time(&format!("2024052021{:02}00", number % 60))
                .items(items.collect::<Vec<_>>())
                .build(&BuildOptions::default())
                .unwrap();
            String::from_utf8(frame).unwrap()
        })
        .collect()
}

/// The frames of the file that all readers take.
fn from_the_file() -> Vec<String> {
    include_str!("../testdata/frames.jsonl")
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .filter(|row| row.get("encoding").is_none())
        .map(|row| row["frame"].as_str().unwrap().to_owned())
        .filter(|frame| a::parse_frame(frame).is_ok() && frame_at(frame.as_bytes()).is_some())
        .collect()
}

fn raw(frame: &str) -> RawFrame {
    let mut framer = Framer::default();
    framer.push(frame.as_bytes());
    match framer.expire() {
        Step::Frame(frame) => frame,
        other => panic!("no frame: {other:?}"),
    }
}

fn read_view(frame: &str) {
    let view = frame_at(frame.as_bytes()).unwrap();
    black_box(view.crc);
    for field in view.fields() {
        black_box((field.name(), field.part()));
        match field.value() {
            ValueView::Number(number) => drop(black_box(number)),
            ValueView::Time(time) => drop(black_box(time)),
            ValueView::Text(text) => drop(black_box(text)),
            ValueView::Empty => {}
        }
    }
}

fn reading(name: &str, frames: &[String], quick: bool) {
    let bytes = frames.iter().map(String::len).sum::<usize>();
    println!(
        "{name}: {} frames, {} bytes each",
        frames.len(),
        bytes / frames.len()
    );
    let peer = measure(frames, bytes, quick, |frame| {
        drop(black_box(a::parse_frame(frame)));
    });
    line("crate `a` 0.1.1, parse_frame", &peer);
    let view = measure(frames, bytes, quick, |frame| read_view(frame));
    line("view: code checked, decimals and times read", &view);
    let envelope = measure(frames, bytes, quick, |frame| {
        black_box(frame_at(frame.as_bytes()));
    });
    line("view: code and header alone", &envelope);
    let raws: Vec<RawFrame> = frames.iter().map(|frame| raw(frame)).collect();
    let parse = measure(&raws, bytes, quick, |frame| {
        drop(black_box(hj212::parse(frame)));
    });
    line("parse: owned message with findings", &parse);
    let content = measure(&raws, bytes, quick, |frame| {
        drop(black_box(hj212::content(&hj212::parse(frame))));
    });
    line("parse and content", &content);
    println!("  view / a = {}", ratio(view.mb_per_s, peer.mb_per_s));
    println!("  parse / a = {}\n", ratio(parse.mb_per_s, peer.mb_per_s));
    assert_eq!(view.allocations_per_frame, 0, "the view allocates");
}

/// The check code by the table, a byte at a time: the usual way.
fn crc_by_table(table: &[u16; 256], data: &[u8]) -> u16 {
    data.iter().fold(0xFFFF, |register: u16, byte| {
        let [high, _] = register.to_be_bytes();
        table[usize::from(high ^ byte)]
    })
}

fn codes(frames: &[String], quick: bool) {
    let table: [u16; 256] = std::array::from_fn(|index| {
        (0..8).fold(u16::try_from(index).unwrap(), |register, _| {
            (register >> 1) ^ if register & 1 == 1 { 0xA001 } else { 0 }
        })
    });
    let bytes = frames.iter().map(String::len).sum();
    println!("check code over the same frames");
    let plain = measure(frames, bytes, quick, |frame| {
        black_box(crc_by_table(&table, frame.as_bytes()));
    });
    line("a table look-up for each byte", &plain);
    let folded = measure(frames, bytes, quick, |frame| {
        black_box(crc_hj212(frame.as_bytes()));
    });
    line("folded in words", &folded);
    let modbus = measure(frames, bytes, quick, |frame| {
        black_box(hj212::crc_modbus(frame.as_bytes()));
    });
    line("CRC-16/MODBUS, which some loggers send", &modbus);
    for frame in frames {
        assert_eq!(
            crc_hj212(frame.as_bytes()),
            crc_by_table(&table, frame.as_bytes())
        );
    }
    println!(
        "  folded / table = {}\n",
        ratio(folded.mb_per_s, plain.mb_per_s)
    );
}

/// What comes out of a framer fed with these reads, in bytes.
fn framed(framer: &mut Framer, chunk: &[u8]) -> usize {
    let mut out = 0;
    framer.push(chunk);
    loop {
        match framer.next() {
            Step::Incomplete => return out,
            Step::Frame(frame) => out += black_box(frame).bytes.len(),
            Step::Garbage(garbage) => out += black_box(garbage).len(),
        }
    }
}

fn framing(frames: &[String], quick: bool) {
    println!("framing");
    let good = frames.concat().into_bytes().repeat(8);
    let mut seed = 7u64;
    let random: Vec<u8> = std::iter::repeat_with(|| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed.to_le_bytes()[3]
    })
    .take(64 * CHUNK)
    .collect();
    let text = b"GET /index.html HTTP/1.1\r\nHost: example.invalid\r\n\r\n".repeat(16_000);
    let streams = [
        ("good frames, reads of 64 KiB", &good, CHUNK),
        ("good frames, reads of 1460 bytes", &good, 1460),
        ("random bytes, reads of 64 KiB", &random, CHUNK),
        ("random bytes, reads of 1460 bytes", &random, 1460),
        ("another protocol's text, reads of 64 KiB", &text, CHUNK),
    ];
    for (name, stream, chunk) in streams {
        let chunks: Vec<&[u8]> = stream.chunks(chunk).collect();
        let mut framer = Framer::new(Limits::default());
        let mut out = 0u64;
        let measured = measure(&chunks, stream.len(), quick, |chunk| {
            out += u64::try_from(framed(&mut framer, chunk)).unwrap();
        });
        assert!(out > 0, "nothing came out");
        println!("  {name:<44} {:>6} MB/s", measured.mb_per_s);
    }
    println!();
}

fn main() {
    // cargo passes `--bench` to benchmarks, and nothing of the kind to tests.
    let quick = !std::env::args().any(|argument| argument == "--bench");
    let ten = ten_factors();
    reading("ten factors", &ten, quick);
    reading("frames of the file", &from_the_file(), quick);
    codes(&ten, quick);
    framing(&ten, quick);
}
