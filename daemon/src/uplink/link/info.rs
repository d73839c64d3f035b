//! Field information for a centre (现场机信息, CN 3020): what happened here, and how things stand.
//!
//! Codes are `i`, the class of device (1 instrument, 2 logger, 3 auxiliary), the kind (1 log,
//! 2 state, 3 parameter) and three characters (HJ 212-2017 table B.10). There are no parameters
//! that a centre could read here.

use super::super::translate::{instant, local};
use super::{Ending, Link};
use crate::store::blocking;
use cems_core::model::Timestamp;
use cems_core::model::rows::LatestRow;
use cems_core::model::time::DAY_MS;
use cems_protocols::hj212::LocalTime;

/// Most lines of a log in one answer: the newest of the span. A centre that wants more asks for
/// shorter spans.
const INFO_LINES_MAX: usize = 50;
/// Longest text of one line, bytes: the standard has 890 with the slashes.
const TEXT_BYTES_MAX: usize = 880;
/// Span of a log where the centre gives none.
const SPAN_MS: i64 = DAY_MS;

impl Link {
    /// Times and texts of an information code, oldest first; nothing for what is not known here.
    pub(super) async fn field_info(
        &self,
        pol_id: Option<&str>,
        info_id: &str,
        range: Option<(LocalTime, LocalTime)>,
    ) -> Result<Vec<(LocalTime, String)>, Ending> {
        let now = self.dialogue_now();
        let code = info_id.as_bytes();
        let state = |digit: &str| vec![(local(now, self.ground.offset), digit.to_owned())];
        Ok(match (code.get(1), code.get(2)) {
            (Some(_), Some(b'1')) => self.log(range).await?,
            // The logger runs; it is linked to this centre, or the centre could not ask.
            (Some(b'2'), Some(b'2')) if matches!(info_id, "i22001" | "i22003") => state("0"),
            (Some(b'1'), Some(b'2')) => self
                .instrument_state(pol_id, info_id)
                .await?
                .map_or_else(Vec::new, state),
            _ => Vec::new(),
        })
    }

    /// What was done at the outlet, with the daemon and on this line.
    async fn log(
        &self,
        range: Option<(LocalTime, LocalTime)>,
    ) -> Result<Vec<(LocalTime, String)>, Ending> {
        let offset = self.ground.offset;
        let now = self.ground.clock.now();
        let asked = range.and_then(|(b, e)| Some((instant(b, offset)?, instant(e, offset)?)));
        let (from, until) = asked.unwrap_or((now.plus_ms(-SPAN_MS), now));
        let until = Timestamp(until.0.saturating_add(999));
        let outlet = &self.terms.outlet;
        let objects = [
            "daemon".to_owned(),
            format!("outlet/{outlet}"),
            format!("uplink/{}/{outlet}", self.uplink.id),
        ];
        let readers = self.ground.readers.clone();
        let lines = blocking(move || {
            readers.read(|queries| {
                let mut lines = Vec::new();
                for object in &objects {
                    lines.extend(queries.audit_of(object)?);
                }
                Ok(lines)
            })
        })
        .await?;
        let mut lines: Vec<_> = lines
            .into_iter()
            .filter(|line| (from..=until).contains(&line.at))
            .collect();
        lines.sort_by_key(|line| (line.at, line.seq, line.n));
        let newest = lines.len().saturating_sub(INFO_LINES_MAX);
        Ok(lines
            .split_off(newest)
            .into_iter()
            .map(|line| {
                let text = sayable(&format!("{} {} {}", line.who, line.what, line.detail));
                (local(line.at, offset), format!("//{text}//"))
            })
            .collect())
    }

    /// State of the instrument behind a factor, from the flag of its newest value.
    async fn instrument_state(
        &self,
        pol_id: Option<&str>,
        info_id: &str,
    ) -> Result<Option<&'static str>, Ending> {
        let factor = pol_id.and_then(|sent| {
            self.terms
                .factors
                .iter()
                .find(|factor| factor.code == sent || factor.factor.as_str() == sent)
        });
        let Some(factor) = factor.map(|factor| factor.factor.clone()) else {
            return Ok(None);
        };
        let (readers, outlet) = (self.ground.readers.clone(), self.terms.outlet.clone());
        let latest = blocking(move || readers.latest(&outlet)).await?;
        let row = latest.into_iter().find(|row| row.factor == factor);
        Ok(row.and_then(|row| digit(info_id, &row)))
    }
}

/// HJ 212-2017 table B.10: `i12001` state, `i12002` link to the logger, `i12003` alarm.
fn digit(info_id: &str, row: &LatestRow) -> Option<&'static str> {
    let flag = row.flag.as_deref();
    match info_id {
        "i12001" => Some(match flag {
            Some("M") => "1",
            Some("D") => "2",
            Some("C") => "3",
            Some("F") => "9",
            _ => "0",
        }),
        "i12002" => Some(if flag == Some("B") { "1" } else { "0" }),
        "i12003" => Some(if matches!(flag, Some("D" | "T")) {
            "1"
        } else {
            "0"
        }),
        _ => None,
    }
}

/// A text that a log item can hold: no marks of the frame, no slashes in pairs, not too long.
fn sayable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let c = match c {
            '&' | '#' => ' ',
            '/' if out.ends_with('/') || out.is_empty() => ' ',
            c if c.is_control() => ' ',
            c => c,
        };
        if out.len() + c.len_utf8() > TEXT_BYTES_MAX {
            break;
        }
        out.push(c);
    }
    if out.ends_with('/') {
        out.pop();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_text_fits_between_its_slashes() {
        assert_eq!(sayable("a&&b##c\r\nd//e/"), "a  b  c  d/ e");
        assert_eq!(sayable("/etc/x"), " etc/x");
        let long = sayable(&"烟".repeat(1_000));
        assert!(long.len() <= TEXT_BYTES_MAX && long.ends_with('烟'));
    }
}
