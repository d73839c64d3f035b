//! The fuzz targets over their corpus, and for a bounded time over random changes of it.
//!
//! The targets are `tests/fuzz/`; libFuzzer finds more (`README.md`, "Fuzzing"), this runs
//! everywhere. A run prints its seed; `CEMS_FUZZ_SEED` repeats it, `CEMS_FUZZ_S` makes it longer.

#[path = "../../tests/fuzz/src/targets.rs"]
#[expect(
    unreachable_pub,
    reason = "the same file is a public module of the fuzz crate"
)]
mod targets;

use std::collections::hash_map::RandomState;
use std::fs;
use std::hash::{BuildHasher, Hasher};
use std::panic::catch_unwind;
use std::path::Path;
use std::time::{Duration, Instant};

use targets::{TARGETS, Target};

/// Time given to each target, seconds: enough for tens of thousands of inputs.
const TARGET_S: u64 = 4;
/// Changes made to one seed of the corpus at most.
const CHANGES_MAX: u64 = 6;
/// Longest input made, bytes.
const INPUT_BYTES_MAX: usize = 4096;

/// Bytes that frames are cut and read by.
const MARKS: [&[u8]; 18] = [
    b"##",
    b"##0100",
    b"&&",
    b"CP=&&",
    b"\r\n",
    b";",
    b",",
    b"=",
    b"-Rtd=",
    b"-Flag=N",
    b"//",
    b"DataTime=20240520210600",
    b"Flag=9;",
    b"QN=",
    b"{0xE4,0x",
    b"}",
    b"1C80",
    b"\0",
];

/// Xorshift: the same seed, the same inputs.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound.max(1)).expect("a length fits");
        usize::try_from(self.next() % bound).expect("below a length")
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[4]
    }
}

/// The files of a target's corpus, by name.
fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let place = own.join("../tests/fuzz/corpus").join(target);
    let mut files: Vec<_> = fs::read_dir(&place)
        .unwrap_or_else(|error| panic!("{}: {error}", place.display()))
        .map(|entry| {
            let entry = entry.expect("a directory entry can be read");
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, fs::read(entry.path()).expect("a seed can be read"))
        })
        .collect();
    files.sort();
    assert!(files.len() > 5, "the corpus of {target} is gone");
    files
}

/// A seed with some changes.
fn changed(seeds: &[(String, Vec<u8>)], random: &mut Random) -> Vec<u8> {
    let mut input = seeds[random.below(seeds.len())].1.clone();
    let count = random.next() % CHANGES_MAX + 1;
    for _ in 0..count {
        let at = random.below(input.len() + 1);
        let to = (at + random.below(24)).min(input.len());
        match random.below(8) {
            0 => drop(input.drain(at..to)),
            1 => input.insert(at, random.byte()),
            2 if at < input.len() => input[at] = random.byte(),
            3 if at < input.len() => input[at] ^= 1 << random.below(8),
            4 => drop(input.splice(at..at, MARKS[random.below(MARKS.len())].iter().copied())),
            5 => drop(input.splice(at..to, MARKS[random.below(MARKS.len())].iter().copied())),
            6 => {
                let copied = input[at..to].to_vec();
                let place = random.below(input.len() + 1);
                drop(input.splice(place..place, copied));
            }
            _ => {
                let other = &seeds[random.below(seeds.len())].1;
                let from = random.below(other.len() + 1);
                input.truncate(at);
                input.extend_from_slice(&other[from..]);
            }
        }
    }
    input.truncate(INPUT_BYTES_MAX);
    input
}

/// Runs an input; a panic is told with the input, ready to become a file of the corpus.
fn run((name, target): Target, input: &[u8], what: &str) {
    if catch_unwind(|| target(input)).is_err() {
        let hex: String = input.iter().map(|byte| format!("{byte:02x}")).collect();
        panic!("target {name}, {what}; the input in hex: {hex}");
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

#[test]
fn the_corpus_passes() {
    for (name, target) in TARGETS {
        for (file, input) in corpus(name) {
            run((name, target), &input, &file);
        }
    }
}

#[test]
fn random_changes_of_the_corpus_pass() {
    // Another seed each time, told by `run` when it finds something.
    let fresh = RandomState::new().build_hasher().finish();
    let seed = number("CEMS_FUZZ_SEED").unwrap_or(fresh).max(1);
    let time = Duration::from_secs(number("CEMS_FUZZ_S").unwrap_or(TARGET_S));
    for (name, target) in TARGETS {
        let seeds = corpus(name);
        let mut random = Random(seed);
        let start = Instant::now();
        let mut inputs = 0u64;
        while start.elapsed() < time {
            let input = changed(&seeds, &mut random);
            run(
                (name, target),
                &input,
                &format!("CEMS_FUZZ_SEED={seed}, input {inputs}"),
            );
            inputs += 1;
        }
        assert!(
            inputs > 50,
            "{name}: {inputs} inputs in {time:?} are too few to mean anything"
        );
    }
}
