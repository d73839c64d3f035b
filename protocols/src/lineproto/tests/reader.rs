//! A reader of line protocol, written from its published grammar and not from the writer. It takes
//! both readings of a backslash in names (as itself, or as an escape of a second one) and insists
//! that they agree.

use std::collections::BTreeMap;

/// A field as read.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Field {
    /// Digits as they stand.
    Number(String),
    /// With an `i` behind it.
    Integer(i64),
    /// In quotes.
    Text(String),
}

/// A line as read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Point {
    pub(super) measurement: String,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) fields: BTreeMap<String, Field>,
    pub(super) time: i64,
}

/// How a server reads a backslash in a name.
#[derive(Clone, Copy)]
enum Dialect {
    /// It escapes comma, equals sign and space; before anything else it is itself (InfluxDB).
    Plain,
    /// It escapes itself, too (VictoriaMetrics).
    Double,
}

struct Reader<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    dialect: Dialect,
}

impl Reader<'_> {
    /// A name up to one of `ends`, which stays.
    fn name(&mut self, ends: &[char]) -> String {
        let mut name = String::new();
        while let Some(&c) = self.rest.peek() {
            if ends.contains(&c) {
                break;
            }
            self.rest.next();
            let escapes: &[char] = match self.dialect {
                Dialect::Plain => &[',', '=', ' '],
                Dialect::Double => &[',', '=', ' ', '\\'],
            };
            match self.rest.peek() {
                Some(next) if c == '\\' && escapes.contains(next) => {
                    name.push(*next);
                    self.rest.next();
                }
                _ => name.push(c),
            }
        }
        name
    }

    fn eat(&mut self, c: char) -> bool {
        self.rest.next_if_eq(&c).is_some()
    }

    fn must(&mut self, c: char) {
        assert!(
            self.eat(c),
            "{c:?} is missing before {:?}",
            self.rest.peek()
        );
    }

    fn field(&mut self) -> Field {
        if self.eat('"') {
            let mut text = String::new();
            loop {
                match self.rest.next().expect("a closing quote") {
                    '"' => return Field::Text(text),
                    '\\' => match self.rest.next().expect("something behind a backslash") {
                        c @ ('"' | '\\') => text.push(c),
                        c => text.extend(['\\', c]),
                    },
                    c => text.push(c),
                }
            }
        }
        let digits = self.name(&[',', ' ']);
        match digits.strip_suffix('i') {
            Some(integer) => Field::Integer(integer.parse().expect("a whole number")),
            None => Field::Number(digits),
        }
    }

    fn point(mut self) -> Point {
        let measurement = self.name(&[',', ' ']);
        let mut tags = BTreeMap::new();
        while self.eat(',') {
            let key = self.name(&['=']);
            self.must('=');
            let value = self.name(&[',', ' ']);
            assert!(tags.last_key_value().is_none_or(|(last, _)| *last < key));
            tags.insert(key, value);
        }
        self.must(' ');
        let mut fields = BTreeMap::new();
        loop {
            let key = self.name(&['=']);
            self.must('=');
            let field = self.field();
            assert!(fields.insert(key, field).is_none());
            if !self.eat(',') {
                break;
            }
        }
        self.must(' ');
        let time = self.rest.collect::<String>().parse().expect("a time");
        Point {
            measurement,
            tags,
            fields,
            time,
        }
    }
}

/// All points of a text.
pub(super) fn read(text: &str) -> Vec<Point> {
    let reader = |line: &str, dialect| {
        let rest = line.chars().peekable();
        Reader { rest, dialect }.point()
    };
    let point = |line: &str| {
        let point = reader(line, Dialect::Plain);
        assert_eq!(point, reader(line, Dialect::Double), "two readings: {line}");
        point
    };
    text.lines().map(point).collect()
}
