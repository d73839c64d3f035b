//! The layout is documented well enough for a third party: the Python script beside this
//! module shares no code with it and comes to the same result.

use std::process::{Command, Output};

use super::*;

fn script(dir: &Path) -> Option<Output> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/journal/verify_journal.py");
    Command::new("python3").arg(script).arg(dir).output().ok()
}

/// Whether this machine has Python with the hash; where it has not, the other tests stand
/// alone.
fn python_knows(hash: HashKind) -> bool {
    Command::new("python3")
        .args([
            "-c",
            &format!("import hashlib,sqlite3; hashlib.new('{}')", hash.name()),
        ])
        .output()
        .is_ok_and(|output| output.status.success())
}

#[test]
fn the_documented_layout_is_enough_to_verify_a_journal() {
    for hash in [HashKind::Sm3, HashKind::Sha256] {
        if !python_knows(hash) {
            println!("python3 with {} is not here; nothing compared", hash.name());
            continue;
        }
        let dir = tempfile::tempdir().unwrap();
        let mut options = options();
        options.hash = hash;
        let (journal, _) = Journal::open(dir.path(), options).unwrap();
        fill(&journal, 1, 60);
        journal.wait_sealed();
        let head = journal.head();
        journal.close();
        let output = script(dir.path()).unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{text}{error}");
        assert_eq!(
            text.trim_end(),
            format!("60 entries, head 60 {}", head.chain)
        );

        let newest = day_file(dir.path(), "2026-05-11");
        tamper(
            &newest,
            "UPDATE block SET chain = zeroblob(32) WHERE first_seq = 50",
        );
        let output = script(dir.path()).unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(text.contains("2026-05-11.db: entry 50"), "{text}");
    }
}
