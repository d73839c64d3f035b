//! The house rules as an ordinary test: what a reviewer would say every time, said once.
//!
//! Each test collects every offence, then fails with the places and with what to do about them.
//! The rules look at text, so they see what lints cannot: data files, documents, file sizes.

mod crates;
mod documents;
mod grafana;
mod source;

use std::fmt::Write;
use std::path::{Path, PathBuf};

/// A file of the project.
struct File {
    /// Path from the project's root, with `/`.
    path: String,
    /// Size in bytes.
    bytes: u64,
    /// Its text; `None` when it is not UTF-8 or larger than [`TEXT_BYTES_MAX`].
    text: Option<String>,
}

/// Larger files are data; no rule about text applies to them.
const TEXT_BYTES_MAX: u64 = 4 << 20;
/// Directories that hold no work of ours.
const PASSED_OVER: [&str; 3] = ["target", ".git", "node_modules"];

impl File {
    fn is(&self, extension: &str) -> bool {
        Path::new(&self.path)
            .extension()
            .is_some_and(|e| e == extension)
    }

    fn within(&self, directory: &str) -> bool {
        self.path.split('/').any(|part| part == directory)
    }

    /// A Rust file that only tests use.
    fn is_test(&self) -> bool {
        self.path.starts_with("tests/")
            || self.within("tests")
            || self.path.ends_with("/tests.rs")
            || self.path.ends_with("/fixture.rs")
            || self.within("benches")
            || self.within("fuzz")
    }

    /// The text before the tests in the same file: the part that runs in the field.
    fn shipped(&self) -> &str {
        if self.is_test() {
            return "";
        }
        let text = self.text.as_deref().unwrap_or_default();
        text.split_once("#[cfg(test)]\nmod ")
            .map_or(text, |(before, _)| before)
    }
}

fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent()
        .expect("the tests lie in a directory of the project")
        .to_owned()
}

fn files() -> Vec<File> {
    let root = root();
    let mut found = Vec::new();
    walk(&root, &root, &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(
        found.len() > 50,
        "the walk found next to nothing under {}",
        root.display()
    );
    found
}

fn walk(root: &Path, directory: &Path, found: &mut Vec<File>) {
    let entries = std::fs::read_dir(directory).expect("a directory of the project can be listed");
    for entry in entries {
        let path = entry.expect("a directory entry can be read").path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        // Files come and go while others build; what is gone has no offence.
        let Ok(meta) = std::fs::symlink_metadata(&path) else {
            continue;
        };
        // In a linked working tree `.git` is a file.
        if PASSED_OVER.contains(&name.as_str()) {
            continue;
        }
        if meta.is_dir() {
            walk(root, &path, found);
        } else if meta.is_file() {
            let relative = path.strip_prefix(root).expect("walked down from the root");
            let text = (meta.len() <= TEXT_BYTES_MAX)
                .then(|| std::fs::read_to_string(&path).ok())
                .flatten();
            found.push(File {
                path: relative.to_string_lossy().replace('\\', "/"),
                bytes: meta.len(),
                text,
            });
        }
    }
}

/// Offences against one rule.
struct Offences {
    rule: &'static str,
    advice: &'static str,
    places: Vec<String>,
}

impl Offences {
    fn against(rule: &'static str, advice: &'static str) -> Self {
        Self {
            rule,
            advice,
            places: Vec::new(),
        }
    }

    fn add(&mut self, place: impl Into<String>) {
        self.places.push(place.into());
    }

    /// Looks for texts in lines; comments and documentation do not count as code.
    fn search(&mut self, file: &str, text: &str, wanted: &[&str]) {
        for (index, line) in text.lines().enumerate() {
            let code = line.trim_start();
            if code.starts_with("//") {
                continue;
            }
            for word in wanted {
                if code.contains(word) {
                    self.add(format!("{file}:{}: {word}", index + 1));
                }
            }
        }
    }

    #[track_caller]
    fn none(self) {
        if self.places.is_empty() {
            return;
        }
        let mut message = format!("{}\n", self.rule);
        for place in &self.places {
            let _ = writeln!(message, "  {place}");
        }
        panic!("{message}what to do: {}", self.advice);
    }
}
