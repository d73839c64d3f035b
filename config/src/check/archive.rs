//! `[archive]`: files of sealed days.

use crate::report::{Report, say};
use crate::section::{Section, word};
use crate::settings::ArchiveSettings;
use crate::source::Loader;
use cems_core::model::Series;

/// Longest time a day may take to settle, hours: a quarter, after which it is reported.
const SETTLE_H_MAX: i64 = 92 * 24;
/// Longest time after which files are read back, days.
const READ_AFTER_D_MAX: i64 = 36_500;

pub(super) fn archive(main: &Section<'_>, loader: &Loader<'_>, r: &mut Report) -> ArchiveSettings {
    let mut out = ArchiveSettings::default();
    let Some(s) = main.section(r, "archive") else {
        return out;
    };
    if let Some(parquet) = s.boolean(r, "parquet") {
        out.parquet = parquet.value;
    }
    if let Some(n) = s.integer(r, "settle_h", 1..=SETTLE_H_MAX) {
        out.settle_h = n.value;
    }
    if let Some(directory) = s.text(r, "directory") {
        out.directory = Some(loader.beside_main(&directory.value));
    }
    if let Some(n) = s.integer(r, "read_after_d", 0..=READ_AFTER_D_MAX) {
        out.read_after_d = n.value;
    }
    let at = s.item("kinds").map(|item| item.at);
    if let Some(list) = s.texts(r, "kinds") {
        let words = Series::BY_DAYS.map(|series| (series.as_str(), series));
        out.kinds.clear();
        for got in &list {
            if let Some(series) = word(r, "kinds", got, &words)
                && !out.kinds.contains(&series)
            {
                out.kinds.push(series);
            }
        }
        if list.is_empty() {
            r.error(
                at.unwrap_or(s.at),
                say!(
                    "`kinds` names nothing to write",
                    "`kinds` 为空，没有可写的数据"
                ),
                say!(
                    "leave it out for all kinds, or write parquet = false",
                    "省略该键即写全部种类；不需要归档请写 parquet = false"
                ),
            );
        }
    }
    s.finish(r);
    out
}
