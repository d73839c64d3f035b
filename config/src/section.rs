//! Reading one TOML table: each key is asked for once, with its type; what is of another type is
//! a problem at its place, and what nobody asked for is an unknown key. Works on the parsed tree
//! with its spans, not through serde, because serde stops at the first mistake.

use crate::report::{At, Report, Say, say};
use crate::suggest;
use rust_decimal::Decimal;
use std::cell::RefCell;
use std::ops::RangeInclusive;
use std::str::FromStr;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Got<T> {
    pub(crate) value: T,
    pub(crate) at: At,
}

impl<T> Got<T> {
    pub(crate) fn map<U>(self, f: impl FnOnce(T) -> U) -> Got<U> {
        Got {
            value: f(self.value),
            at: self.at,
        }
    }
}

/// A value of any type, for keys that take several.
pub(crate) struct Item<'a> {
    pub(crate) at: At,
    pub(crate) value: &'a DeValue<'a>,
}

/// One table being read.
pub(crate) struct Section<'a> {
    pub(crate) at: At,
    /// Its name from the root of the file, such as `outlet.factor`; empty for the file itself.
    path: String,
    /// One of a list `[[…]]`.
    listed: bool,
    table: &'a DeTable<'a>,
    asked: RefCell<Vec<&'static str>>,
}

impl<'a> Section<'a> {
    /// The table of a whole file.
    pub(crate) fn root(file: usize, table: &'a Spanned<DeTable<'a>>) -> Self {
        Self::new(
            At { file, offset: 0 },
            String::new(),
            false,
            table.get_ref(),
        )
    }

    fn new(at: At, path: String, listed: bool, table: &'a DeTable<'a>) -> Self {
        Self {
            at,
            path,
            listed,
            table,
            asked: RefCell::new(Vec::new()),
        }
    }

    fn child(&self, at: At, key: &str, listed: bool, table: &'a DeTable<'a>) -> Self {
        let path = if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        };
        Self::new(at, path, listed, table)
    }

    /// How messages call it, English and Chinese.
    fn title(&self) -> Say {
        let path = &self.path;
        match (path.is_empty(), self.listed) {
            (true, _) => say!("the file", "文件"),
            (false, true) => say!("[[{path}]]", "[[{path}]] "),
            (false, false) => say!("[{path}]", "[{path}] "),
        }
    }

    fn place(&self, span: &std::ops::Range<usize>) -> At {
        At {
            file: self.at.file,
            offset: span.start,
        }
    }

    /// Any value under a key.
    pub(crate) fn item(&self, key: &'static str) -> Option<Item<'a>> {
        let mut asked = self.asked.borrow_mut();
        if !asked.contains(&key) {
            asked.push(key);
        }
        let value = self.table.get(key)?;
        Some(Item {
            at: self.place(&value.span()),
            value: value.get_ref(),
        })
    }

    /// A problem at the table: a key that must be there is not.
    pub(crate) fn missing(&self, r: &mut Report, key: &str, hint: Say) {
        let Say { en, zh } = self.title();
        r.error(
            self.at,
            say!("{en} has no `{key}`", "{zh}缺少 `{key}`"),
            hint,
        );
    }

    /// Every key with its value, whether somebody asked for it or not.
    pub(crate) fn entries(&self) -> Vec<(Got<String>, Item<'a>)> {
        let entry = |(name, value): (&'a Spanned<_>, &'a Spanned<DeValue<'a>>)| {
            let name: &Spanned<std::borrow::Cow<'a, str>> = name;
            let got = Got {
                value: name.get_ref().clone().into_owned(),
                at: self.place(&name.span()),
            };
            let at = self.place(&value.span());
            (
                got,
                Item {
                    at,
                    value: value.get_ref(),
                },
            )
        };
        self.table.iter().map(entry).collect()
    }

    /// The entries of the table under a key whose own keys are names, such as factor codes.
    pub(crate) fn named(&self, r: &mut Report, key: &'static str) -> Vec<(Got<String>, Item<'a>)> {
        let table = self.section(r, key);
        table.map(|table| table.entries()).unwrap_or_default()
    }

    /// A text; empty and blank ones are problems.
    pub(crate) fn text(&self, r: &mut Report, key: &'static str) -> Option<Got<String>> {
        self.item(key).and_then(|item| item.text(r, key))
    }

    /// A text that must be there.
    pub(crate) fn need_text(
        &self,
        r: &mut Report,
        key: &'static str,
        hint: Say,
    ) -> Option<Got<String>> {
        let item = self.item(key);
        if item.is_none() {
            self.missing(r, key, hint);
        }
        item.and_then(|item| item.text(r, key))
    }

    /// One text or a list of texts.
    pub(crate) fn texts(&self, r: &mut Report, key: &'static str) -> Option<Vec<Got<String>>> {
        let item = self.item(key)?;
        let DeValue::Array(list) = item.value else {
            return Some(item.text(r, key).into_iter().collect());
        };
        let mut out = Vec::new();
        for entry in list {
            let entry = Item {
                at: self.place(&entry.span()),
                value: entry.get_ref(),
            };
            out.extend(entry.text(r, key));
        }
        Some(out)
    }

    /// A yes or no.
    pub(crate) fn boolean(&self, r: &mut Report, key: &'static str) -> Option<Got<bool>> {
        let item = self.item(key)?;
        if let DeValue::Boolean(value) = item.value {
            return Some(Got {
                value: *value,
                at: item.at,
            });
        }
        item.wrong(r, key, say!("write true or false", "请写 true 或 false"));
        None
    }

    /// A whole number within bounds.
    pub(crate) fn integer<T>(
        &self,
        r: &mut Report,
        key: &'static str,
        bounds: RangeInclusive<i64>,
    ) -> Option<Got<T>>
    where
        T: TryFrom<i64>,
    {
        self.item(key)?.integer(r, key, bounds)
    }

    /// An exact number, whole or with a decimal point.
    pub(crate) fn decimal(&self, r: &mut Report, key: &'static str) -> Option<Got<Decimal>> {
        self.item(key)?.decimal(r, key)
    }

    /// One of a few words.
    pub(crate) fn word<T: Copy>(
        &self,
        r: &mut Report,
        key: &'static str,
        words: &[(&'static str, T)],
    ) -> Option<Got<T>> {
        let got = self.text(r, key)?;
        word(r, key, &got, words).map(|value| Got { value, at: got.at })
    }

    /// A table under a key.
    pub(crate) fn section(&self, r: &mut Report, key: &'static str) -> Option<Section<'a>> {
        let item = self.item(key)?;
        self.table(r, key, &item)
    }

    /// The table that a value of this table is.
    pub(crate) fn table(&self, r: &mut Report, name: &str, item: &Item<'a>) -> Option<Section<'a>> {
        let DeValue::Table(table) = item.value else {
            let hint = say!("write a table: [{name}]", "请写成表：[{name}]");
            item.wrong(r, name, hint);
            return None;
        };
        Some(self.child(item.at, name, false, table))
    }

    /// The tables of a list `[[key]]`.
    pub(crate) fn sections(&self, r: &mut Report, key: &'static str) -> Vec<Section<'a>> {
        self.item(key)
            .map(|item| self.tables(r, key, &item))
            .unwrap_or_default()
    }

    /// The tables of the list that a value of this table is.
    pub(crate) fn tables(&self, r: &mut Report, key: &str, item: &Item<'a>) -> Vec<Section<'a>> {
        let hint = || {
            say!(
                "write [[{key}]], once for each",
                "请写成 [[{key}]]，每项一个"
            )
        };
        let DeValue::Array(list) = item.value else {
            item.wrong(r, key, hint());
            return Vec::new();
        };
        let mut out = Vec::new();
        for entry in list {
            let at = self.place(&entry.span());
            match entry.get_ref() {
                DeValue::Table(table) => {
                    out.push(self.child(at, key, true, table));
                }
                value => Item { at, value }.wrong(r, key, hint()),
            }
        }
        out
    }

    /// The names under a key: a list of them, or a table with one table each for what is said
    /// about them.
    pub(crate) fn members(
        &self,
        r: &mut Report,
        key: &'static str,
    ) -> Option<Vec<(Got<String>, Option<Section<'a>>)>> {
        let item = self.item(key)?;
        let DeValue::Table(table) = item.value else {
            let names = self.texts(r, key).unwrap_or_default();
            return Some(names.into_iter().map(|name| (name, None)).collect());
        };
        let mut out = Vec::new();
        let table = self.child(item.at, key, false, table);
        for (got, item) in table.entries() {
            match item.value {
                DeValue::Table(said) => {
                    let said = table.child(item.at, &got.value, false, said);
                    out.push((got, Some(said)));
                }
                _ => {
                    let hint = say!("write a table: {{ }}", "请写成表：{{ }}");
                    item.wrong(r, &got.value, hint);
                }
            }
        }
        Some(out)
    }

    /// Every key that nobody asked for is a problem. Call once, at the end.
    pub(crate) fn finish(self, r: &mut Report) {
        let Say { en, zh } = self.title();
        let asked = self.asked.into_inner();
        for key in self.table.keys() {
            let name: &str = key.get_ref();
            if !asked.contains(&name) {
                r.error(
                    At {
                        file: self.at.file,
                        offset: key.span().start,
                    },
                    say!("unknown key `{name}` in {en}", "{zh}中有未知的键 `{name}`"),
                    suggest::hint(name, asked.iter().copied()),
                );
            }
        }
    }
}

/// Looks a word up in its list, or reports it with the nearest.
pub(crate) fn word<T: Copy>(
    r: &mut Report,
    key: &str,
    got: &Got<String>,
    words: &[(&'static str, T)],
) -> Option<T> {
    let found = words.iter().find(|(name, _)| *name == got.value);
    if found.is_none() {
        let sent = &got.value;
        r.error(
            got.at,
            say!(
                "`{key}` does not know \"{sent}\"",
                "`{key}` 不能取值 \"{sent}\""
            ),
            suggest::hint(sent, words.iter().map(|(name, _)| *name)),
        );
    }
    found.map(|(_, value)| *value)
}

impl Item<'_> {
    fn wrong(&self, r: &mut Report, key: &str, hint: Say) {
        let (en, zh) = kind(self.value);
        r.error(
            self.at,
            say!("`{key}` cannot be {en}", "`{key}` 不能是{zh}"),
            hint,
        );
    }

    pub(crate) fn text(&self, r: &mut Report, key: &str) -> Option<Got<String>> {
        let DeValue::String(text) = self.value else {
            self.wrong(r, key, say!("write a text in quotes", "请写带引号的文本"));
            return None;
        };
        if text.trim().is_empty() {
            r.error(
                self.at,
                say!("`{key}` is empty", "`{key}` 为空"),
                say!("fill it in or take the line out", "请填写，或删除该行"),
            );
            return None;
        }
        Some(Got {
            value: text.trim().to_owned(),
            at: self.at,
        })
    }

    pub(crate) fn integer<T>(
        &self,
        r: &mut Report,
        key: &str,
        bounds: RangeInclusive<i64>,
    ) -> Option<Got<T>>
    where
        T: TryFrom<i64>,
    {
        let (low, high) = (*bounds.start(), *bounds.end());
        let hint = say!(
            "write a whole number from {low} to {high}",
            "请写 {low} 到 {high} 之间的整数"
        );
        let DeValue::Integer(number) = self.value else {
            self.wrong(r, key, hint);
            return None;
        };
        let value = i64::from_str_radix(number.as_str(), number.radix()).ok();
        let fitting = value
            .filter(|v| bounds.contains(v))
            .and_then(|v| T::try_from(v).ok());
        if fitting.is_none() {
            let sent = number.as_str();
            r.error(
                self.at,
                say!(
                    "`{key}` is out of bounds: {sent}",
                    "`{key}` 超出范围：{sent}"
                ),
                hint,
            );
        }
        fitting.map(|value| Got { value, at: self.at })
    }

    pub(crate) fn decimal(&self, r: &mut Report, key: &str) -> Option<Got<Decimal>> {
        let number = match self.value {
            DeValue::Integer(n) if n.radix() == 10 => Decimal::from_str(n.as_str()).ok(),
            DeValue::Float(n) => exact(n.as_str()),
            _ => {
                let hint = say!("write a number without quotes", "请写不带引号的数字");
                self.wrong(r, key, hint);
                return None;
            }
        };
        if number.is_none() {
            r.error(
                self.at,
                say!(
                    "`{key}` is not an exact number",
                    "`{key}` 不是可精确表示的数"
                ),
                say!(
                    "at most 28 digits, such as 35 or 0.05",
                    "最多 28 位，如 35 或 0.05"
                ),
            );
        }
        number.map(|value| Got { value, at: self.at })
    }

    /// The entries of a list; a value that is no list stands for itself.
    pub(crate) fn entries(&self) -> Vec<Item<'_>> {
        match self.value {
            DeValue::Array(list) => list
                .iter()
                .map(|entry| Item {
                    at: At {
                        file: self.at.file,
                        offset: entry.span().start,
                    },
                    value: entry.get_ref(),
                })
                .collect(),
            value => vec![Item { at: self.at, value }],
        }
    }

    pub(crate) fn is_table(&self) -> bool {
        matches!(self.value, DeValue::Table(_))
    }

    pub(crate) fn is_list(&self) -> bool {
        matches!(self.value, DeValue::Array(_))
    }
}

fn exact(text: &str) -> Option<Decimal> {
    let plain = text.strip_prefix('+').unwrap_or(text);
    if plain.contains(['e', 'E']) {
        Decimal::from_scientific(plain).ok()
    } else {
        Decimal::from_str_exact(plain).ok()
    }
}

fn kind(value: &DeValue<'_>) -> (&'static str, &'static str) {
    match value {
        DeValue::String(_) => ("a text", "文本"),
        DeValue::Integer(_) => ("a whole number", "整数"),
        DeValue::Float(_) => ("a number with a point", "小数"),
        DeValue::Boolean(_) => ("true or false", "布尔值"),
        DeValue::Datetime(_) => ("a date or time", "日期时间"),
        DeValue::Array(_) => ("a list", "列表"),
        DeValue::Table(_) => ("a table", "表"),
    }
}
