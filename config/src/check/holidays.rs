//! The working-day calendar of one year: a file with its holidays and make-up days.

use super::dates;
use crate::report::{Report, say};
use crate::section::{Got, Section};
use cems_core::lang::Text;
use cems_core::model::{CalendarYear, Day, Holiday};
use std::collections::BTreeSet;

/// Years that a calendar may be about.
const YEARS: std::ops::RangeInclusive<i64> = 2000..=2100;
/// Most holidays of a year; the law has seven.
const HOLIDAYS_MAX: usize = 40;
/// Longest break: Spring Festival has nine days, twice that is a slip of the pen.
const BREAK_DAYS_MAX: u32 = 18;
/// A notice reaches back into the year before by so many days at most, with New Year's Day.
const REACH_BACK_DAYS: u32 = 10;

/// Reads a file.
pub(super) fn year(s: &Section<'_>, r: &mut Report) -> Option<(Got<i32>, CalendarYear)> {
    if s.item("year").is_none() {
        s.missing(r, "year", say!("such as year = 2027", "如：year = 2027"));
    }
    let year = s.integer::<i32>(r, "year", YEARS);
    let hint = say!("the notice it was taken from", "填写放假安排通知");
    let source = s.need_text(r, "source", hint);
    let provisional = provisional(s, r);
    let number = year.as_ref().map(|got| got.value);
    let mut holidays: Vec<Holiday> = Vec::new();
    for holiday in s.sections(r, "holiday") {
        if let Some(read) = one(&holiday, number, holidays.last(), r) {
            holidays.push(read);
        }
        if holidays.len() > HOLIDAYS_MAX {
            r.error(
                holiday.at,
                say!(
                    "more than {HOLIDAYS_MAX} holidays",
                    "节日超过 {HOLIDAYS_MAX} 个"
                ),
                say!("one for each break", "每个假期写一项"),
            );
            break;
        }
        holiday.finish(r);
    }
    let make_up = make_up(s, number, &holidays, r);
    let year = year?;
    let calendar = CalendarYear {
        holidays,
        make_up,
        source: source.map(|got| got.value).unwrap_or_default(),
        provisional,
    };
    Some((year, calendar))
}

fn provisional(s: &Section<'_>, r: &mut Report) -> Option<Text> {
    let zh = s.text(r, "provisional_zh");
    let en = s.text(r, "provisional_en");
    let at = zh.as_ref().or(en.as_ref())?.at;
    if zh.is_none() || en.is_none() {
        r.error(
            at,
            say!(
                "what is provisional is said in one language only",
                "暂定原因只写了一种语言"
            ),
            say!(
                "write provisional_zh and provisional_en",
                "请同时写 provisional_zh 与 provisional_en"
            ),
        );
    }
    Some(Text::new(zh?.value, en?.value))
}

/// A day of the file's year, or of the last days before it.
fn within(
    item: &crate::section::Item<'_>,
    key: &str,
    year: Option<i32>,
    r: &mut Report,
) -> Option<Day> {
    let day = dates::day(item, key, r)?;
    let reach = day.plus(REACH_BACK_DAYS);
    if year.is_some_and(|year| day.year() != year && reach.year() != year) {
        r.error(
            item.at,
            say!("{day} is in another year", "{day} 不在该年份"),
            say!("one file for each year", "每个年份一个文件"),
        );
        return None;
    }
    Some(day)
}

fn one(
    s: &Section<'_>,
    year: Option<i32>,
    before: Option<&Holiday>,
    r: &mut Report,
) -> Option<Holiday> {
    let zh = s.need_text(r, "name_zh", say!("such as 春节", "如：春节"));
    let en = s.need_text(
        r,
        "name_en",
        say!("such as Spring Festival", "如：Spring Festival"),
    );
    let mut ends = [None, None];
    for (end, key) in ends.iter_mut().zip(["from", "to"]) {
        match s.item(key) {
            Some(item) => *end = within(&item, key, year, r),
            None => s.missing(
                r,
                key,
                say!(
                    "first and last day of the break, such as {key} = 2027-10-01",
                    "假期的首日与末日，如 {key} = 2027-10-01"
                ),
            ),
        }
    }
    let [Some(from), Some(to)] = ends else {
        return None;
    };
    if to < from || to > from.plus(BREAK_DAYS_MAX) {
        r.error(
            s.at,
            say!("a break from {from} to {to}", "假期为 {from} 至 {to}"),
            say!(
                "`to` is the last day, at most {BREAK_DAYS_MAX} days after `from`",
                "`to` 为末日，且距 `from` 不超过 {BREAK_DAYS_MAX} 天"
            ),
        );
        return None;
    }
    if before.is_some_and(|before| from <= before.to) {
        r.error(
            s.at,
            say!(
                "a break that begins on {from} is not after the one before it",
                "{from} 开始的假期不晚于前一假期"
            ),
            say!("in the order of the year", "请按时间顺序填写"),
        );
        return None;
    }
    Some(Holiday {
        name: Text::new(zh?.value, en?.value),
        from,
        to,
    })
}

fn make_up(
    s: &Section<'_>,
    year: Option<i32>,
    holidays: &[Holiday],
    r: &mut Report,
) -> BTreeSet<Day> {
    let mut days = BTreeSet::new();
    let Some(list) = s.item("make_up") else {
        let hint = say!(
            "a list, empty when there is none",
            "请写列表，没有则写空列表"
        );
        s.missing(r, "make_up", hint);
        return days;
    };
    for item in list.entries() {
        let Some(day) = within(&item, "make_up", year, r) else {
            continue;
        };
        let is_free = |holiday: &Holiday| holiday.from <= day && day <= holiday.to;
        let hint = say!(
            "make-up days are Saturdays and Sundays outside the breaks",
            "调休上班日是假期之外的周六、周日"
        );
        if day.weekday0() < 5 || holidays.iter().any(is_free) {
            let what = say!("{day} is no make-up day", "{day} 不能是调休上班日");
            r.error(item.at, what, hint);
        } else if !days.insert(day) {
            r.error(item.at, say!("{day} stands twice", "{day} 重复"), hint);
        }
    }
    days
}
