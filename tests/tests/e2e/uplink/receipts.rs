//! What the station tells of its uploads: page by page, as a file and in gaps, held against what
//! the centres have seen.

use super::{ACROSS, Line, MINUTES, Scripted, frames, nothing_owed, records, tell};
use crate::Town;
use cems_tests::api::{Api, rows};
use cems_tests::city::{JIA_TOKEN, SUPERVISOR_TOKEN};
use cems_tests::time::Moment;
use cems_tests::wait::{until, until_within};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Minutes told while one line is cut: more than the old centre acknowledges in one go.
const MORE: i64 = 20;

/// A record as a frame names it: command and DataTime.
type Name = (String, String);

/// The station at the end of the story, with everyone around it.
pub(super) struct Story<'a> {
    pub(super) station: &'a Town,
    /// The line to the centre of our make.
    pub(super) line: &'a Line,
    pub(super) centre: &'a Town,
    pub(super) scripted: [(&'static str, &'a Scripted); 2],
    /// Data time of the first record.
    pub(super) from: Moment,
}

fn name(row: &Value) -> Name {
    let cn = match row["kind"].as_str() {
        Some("minute") => "2051",
        Some("hour") => "2061",
        other => panic!("nobody sends {other:?}"),
    };
    let start = row["start"].as_str().and_then(Moment::parse);
    (cn.to_owned(), start.expect("a time").digits())
}

impl Story<'_> {
    fn api(&self) -> Api {
        self.station.api_of(SUPERVISOR_TOKEN)
    }

    /// The query of the period of the whole story.
    fn span(&self) -> String {
        let until = self.from.plus_minutes(24 * 60);
        format!("from={}&until={until}", self.from)
    }

    /// Every receipt of a centre by record, read page by page; no record is told twice.
    async fn receipts(&self, uplink: &str, more: &str) -> BTreeMap<Name, Value> {
        let list = format!(
            "/api/v1/uplinks/receipts?uplink={uplink}&{}{more}",
            self.span()
        );
        let (mut all, mut page) = (BTreeMap::new(), list.clone());
        loop {
            let told = self.api().get(&page).await;
            for row in rows(&told["rows"]) {
                let again = all.insert(name(row), row.clone());
                assert!(again.is_none(), "told twice: {row:#}");
            }
            match told["older"].as_str() {
                Some(place) => page = format!("{list}&before={place}"),
                None => return all,
            }
        }
    }

    async fn open(&self, uplink: &str) -> usize {
        self.receipts(uplink, "&open=true").await.len()
    }

    /// After kills and cuts: one receipt for each record, at each centre, and nothing else.
    pub(super) async fn receipts_are_what_the_centres_have_seen(&self, count: usize) {
        for (uplink, scripted) in self.scripted {
            let told = self.receipts(uplink, "").await;
            let seen: BTreeSet<Name> = scripted.records().into_keys().collect();
            assert_eq!(told.len(), count, "{uplink}");
            assert_eq!(told.keys().cloned().collect::<BTreeSet<_>>(), seen);
            for row in told.values() {
                assert_eq!(row["state"], "acknowledged", "{row:#}");
                assert_eq!(row["answer"], "9014", "{row:#}");
                let times = row["times"].as_u64().expect("a count");
                assert_eq!(row["resent"], times > 1, "{row:#}");
            }
            assert_eq!(self.open(uplink).await, 0);
        }
        assert_eq!(self.receipts("centre", "").await.len(), count);
        let gaps = format!("/api/v1/uplinks/gaps?{}", self.span());
        assert_eq!(rows(&self.api().get(&gaps).await), &[] as &[Value]);
        let lines = self.api().get("/api/v1/uplinks").await;
        for uplink in rows(&lines) {
            let line = &uplink["lines"][0];
            assert_eq!(
                (&line["pending"], &line["lag_rows"]),
                (&0.into(), &0.into())
            );
            let acknowledged = line["today_acknowledged"].as_u64();
            assert!(acknowledged.is_some_and(|n| n > 0), "{uplink:#}");
        }
        self.the_file_has_them(count).await;
        let other = self.station.api_of(JIA_TOKEN);
        let lines = other.get("/api/v1/uplinks").await;
        assert!(lines[0]["address"].is_null(), "{lines:#}");
    }

    async fn the_file_has_them(&self, count: usize) {
        let file = format!(
            "/api/v1/uplinks/receipts/file?uplink=centre&{}",
            self.span()
        );
        let file = String::from_utf8(self.api().bytes(&file).await).expect("UTF-8");
        assert_eq!(file.lines().count(), count + 1, "{file}");
    }

    /// The line to one centre is pulled while records are formed. Nothing is killed: what is told
    /// is what the others have seen, sending by sending.
    pub(super) async fn what_is_cut_is_told_and_sent_again(&self) {
        let before: BTreeSet<Name> = self.receipts("old", "").await.into_keys().collect();
        self.line.lead(None);
        let told = frames(self.from, MINUTES..MINUTES + MORE);
        let more = told.len();
        let address = Arc::new(Mutex::new(self.station.daemon.hj212));
        tell(told, address, Duration::ZERO).await;
        until_within(ACROSS, "all but one centre to have it", async || {
            let open = (self.open("old").await, self.open("new").await);
            let have = self.receipts("old", "").await.len() == before.len() + more;
            if open == (0, 0) && have {
                Ok(())
            } else {
                Err((open, have))
            }
        })
        .await;
        for (uplink, scripted) in self.scripted {
            let seen = scripted.records();
            for (name, row) in self.receipts(uplink, "").await {
                if !before.contains(&name) {
                    let times = seen.get(&name).copied().map(u64::from);
                    assert_eq!(row["times"].as_u64(), times, "{uplink}: {row:#}");
                }
            }
        }
        let resent = self.receipts("old", "").await.into_iter();
        let resent = resent.filter(|(name, row)| !before.contains(name) && row["resent"] == true);
        assert!(resent.count() > 0, "one in 13 is not acknowledged at once");

        // The cut line took a record again and again, and nothing came back.
        let tried = until("a record to be lost with the line", async || {
            let open = self.receipts("centre", "&open=true").await;
            let sent = |(_, row): &(&Name, &Value)| row["state"] == "unanswered";
            let tried = open.iter().find(sent).map(|(name, _)| name.clone());
            if open.len() == more {
                tried.ok_or(0)
            } else {
                Err(open.len())
            }
        })
        .await;
        self.line.lead(Some(self.centre.daemon.hj212));
        nothing_owed(&self.station.data()).await;
        let told = self.receipts("centre", "").await;
        assert_eq!(told.len(), before.len() + more);
        assert!(told.values().all(|row| row["state"] == "acknowledged"));
        let row = &told[&tried];
        assert_eq!(row["resent"], true, "{row:#}");
        assert!(row["times"].as_u64() > Some(1), "{row:#}");
        let ours = records(&self.station.data());
        until("the centre to have it all", async || {
            let theirs = records(&self.centre.data());
            if theirs == ours {
                Ok(())
            } else {
                Err(theirs.len())
            }
        })
        .await;
    }
}
