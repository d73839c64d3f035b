//! Problems found in files: where, what is wrong, what to do about it, in Chinese and English.
//! Everything wrong is collected; nothing stops at the first problem.

use std::fmt;
use std::path::{Path, PathBuf};

/// Most problems and most warnings kept. Past it a file is not worth listing line by line; the
/// rest is counted, and [`Problems`] says how many were left out.
const PROBLEMS_MAX: usize = 500;

/// Language of a rendered problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lang {
    /// Simplified Chinese.
    #[default]
    Zh,
    /// English.
    En,
}

/// One thing wrong (or doubtful) in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file as it was named.
    pub file: PathBuf,
    /// Line, from 1; 0 when the problem is the file as a whole.
    pub line: usize,
    /// Column in characters, from 1; 0 when the problem is the file as a whole.
    pub column: usize,
    /// What is wrong, English.
    pub what: String,
    /// What is wrong, Chinese.
    pub what_zh: String,
    /// What to do, English.
    pub hint: String,
    /// What to do, Chinese.
    pub hint_zh: String,
}

impl Problem {
    /// `file:line:column: what`, then the hint on a line of its own.
    pub fn render(&self, lang: Lang) -> String {
        let (what, hint, word) = match lang {
            Lang::Zh => (&self.what_zh, &self.hint_zh, "提示"),
            Lang::En => (&self.what, &self.hint, "hint"),
        };
        let place = self.place();
        if hint.is_empty() {
            format!("{place}: {what}")
        } else {
            format!("{place}: {what}\n  {word}: {hint}")
        }
    }

    fn place(&self) -> String {
        if self.line == 0 {
            self.file.display().to_string()
        } else {
            format!("{}:{}:{}", self.file.display(), self.line, self.column)
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(Lang::En))
    }
}

/// Everything wrong with a set of files, in the order of the files. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    /// All problems, one after the other.
    pub fn render(&self, lang: Lang) -> String {
        let lines: Vec<String> = self.0.iter().map(|p| p.render(lang)).collect();
        lines.join("\n")
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(Lang::En))
    }
}

impl std::error::Error for Problems {}

/// A text in both languages.
#[derive(Debug, Clone)]
pub(crate) struct Say {
    pub(crate) en: String,
    pub(crate) zh: String,
}

impl Say {
    pub(crate) fn nothing() -> Self {
        Self {
            en: String::new(),
            zh: String::new(),
        }
    }
}

/// `say!("english {x}", "中文 {x}")`: both texts with inline arguments.
macro_rules! say {
    ($en:literal, $zh:literal) => {
        $crate::report::Say {
            en: format!($en),
            zh: format!($zh),
        }
    };
}
pub(crate) use say;

/// A place: which file, and how many bytes into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct At {
    pub(crate) file: usize,
    pub(crate) offset: usize,
}

struct Source {
    name: PathBuf,
    text: String,
}

/// Collects problems and warnings and knows the texts they point into.
#[derive(Default)]
pub(crate) struct Report {
    sources: Vec<Source>,
    problems: Vec<(At, Problem)>,
    warnings: Vec<(At, Problem)>,
    left_out: usize,
    /// A file could not be read or parsed: names it would have defined are not missed.
    pub(crate) incomplete: bool,
}

impl Report {
    /// Adds a file; problems refer to it by the number returned.
    pub(crate) fn add_source(&mut self, name: &Path, text: &str) -> usize {
        self.sources.push(Source {
            name: name.to_path_buf(),
            text: text.to_owned(),
        });
        self.sources.len() - 1
    }

    /// Something wrong at a place.
    pub(crate) fn error(&mut self, at: At, what: Say, hint: Say) {
        if self.problems.len() < PROBLEMS_MAX {
            let problem = self.problem(at, what, hint);
            self.problems.push((at, problem));
        } else {
            self.left_out += 1;
        }
    }

    /// Something doubtful at a place; the files are still usable.
    pub(crate) fn warn(&mut self, at: At, what: Say, hint: Say) {
        if self.warnings.len() < PROBLEMS_MAX {
            let problem = self.problem(at, what, hint);
            self.warnings.push((at, problem));
        }
    }

    /// Something wrong with a file as a whole, such as one that cannot be read.
    pub(crate) fn file_error(&mut self, name: &Path, what: Say, hint: Say) {
        let file = self.add_source(name, "");
        self.incomplete = true;
        let at = At { file, offset: 0 };
        let mut problem = self.problem(at, what, hint);
        problem.line = 0;
        problem.column = 0;
        self.problems.push((at, problem));
    }

    fn problem(&self, at: At, what: Say, hint: Say) -> Problem {
        let (line, column) = self.position(at);
        Problem {
            file: self
                .sources
                .get(at.file)
                .map(|s| s.name.clone())
                .unwrap_or_default(),
            line,
            column,
            what: what.en,
            what_zh: what.zh,
            hint: hint.en,
            hint_zh: hint.zh,
        }
    }

    fn position(&self, at: At) -> (usize, usize) {
        let Some(source) = self.sources.get(at.file) else {
            return (0, 0);
        };
        let before = source.text.get(..at.offset).unwrap_or(&source.text);
        let line = before.matches('\n').count() + 1;
        let column = before
            .rsplit('\n')
            .next()
            .unwrap_or_default()
            .chars()
            .count()
            + 1;
        (line, column)
    }

    /// `file:line` of a place, for hints that point at another place.
    pub(crate) fn place(&self, at: At) -> String {
        let name = self
            .sources
            .get(at.file)
            .map(|s| s.name.display().to_string());
        format!("{}:{}", name.unwrap_or_default(), self.position(at).0)
    }

    /// The place of a character (from 1) within a text value, where the file holds the value as
    /// it is, in single quotes; else the place of the value.
    pub(crate) fn within(&self, value: At, column: usize) -> At {
        let text = self.sources.get(value.file).map(|s| s.text.as_str());
        let inside = text
            .and_then(|text| text.get(value.offset..))
            .and_then(|rest| rest.strip_prefix('\''))
            .filter(|rest| !rest.starts_with("''"));
        let bytes = inside.map(|rest| {
            let before = rest.chars().take(column.saturating_sub(1));
            1 + before.map(char::len_utf8).sum::<usize>()
        });
        At {
            file: value.file,
            offset: value.offset + bytes.unwrap_or(0),
        }
    }

    pub(crate) fn has_errors(&self) -> bool {
        !self.problems.is_empty()
    }

    /// Problems (with a last line for those left out) and warnings, in the order of the files.
    pub(crate) fn into_parts(mut self) -> (Vec<Problem>, Vec<Problem>) {
        self.problems.sort_by_key(|(at, _)| *at);
        self.warnings.sort_by_key(|(at, _)| *at);
        let mut problems: Vec<Problem> = self.problems.into_iter().map(|(_, p)| p).collect();
        if let (Some(last), true) = (problems.last().cloned(), self.left_out > 0) {
            let n = self.left_out;
            let more = say!("and {n} more problems", "另有 {n} 个问题未列出");
            problems.push(Problem {
                what: more.en,
                what_zh: more.zh,
                hint: String::new(),
                hint_zh: String::new(),
                ..last
            });
        }
        (
            problems,
            self.warnings.into_iter().map(|(_, p)| p).collect(),
        )
    }
}
