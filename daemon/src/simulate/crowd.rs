//! Many stations at once, to load a centre or to see how it bears what is met in the field.

use super::channels;
use super::client::{Client, Timing};
use super::noise::below;
use super::plant::{Plant, PlantKind};
use super::scenario::Scenario;
use super::schedule::Schedule;
use super::script::Script;
use super::stack::Outfall;
use super::station::{Quirks, Station};
use super::tally::Tally;
use crate::clock::Clock;
use anyhow::Context;
use cems_core::model::time::{MINUTE_MS, SECOND_MS};
use cems_core::model::{Medium, UtcOffset};
use cems_protocols::hj212::Edition;
use rust_decimal::Decimal;
use smol_str::{SmolStr, format_smolstr};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Messages each station keeps through an outage; thousands of stations share one memory.
const BUFFER: usize = 200;
/// Cross-section of every stack, m², and its reference oxygen, %.
const AREA_M2: u32 = 12;
const REFERENCE_O2: u32 = 6;

/// Which editions stations speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Editions {
    /// All the same.
    One(Edition),
    /// 2005, 2017 and 2025 in turn.
    Mixed,
}

/// Stations of a run. Number n has the same identity and figures in every run with a seed.
#[derive(Debug, Clone)]
pub struct Crowd {
    /// Where they send to.
    pub centre: SocketAddr,
    /// How many.
    pub stations: u32,
    /// What they speak.
    pub editions: Editions,
    /// Seconds between real-time records.
    pub interval_s: u32,
    /// Seed of their figures.
    pub seed: u64,
    /// Password of all.
    pub password: SmolStr,
    /// They wait for answers.
    pub wants_answer: bool,
    /// What they go through; `None`: nothing.
    pub scenario: Option<Scenario>,
}

/// What came of a run.
#[derive(Debug)]
pub struct Outcome {
    /// Stations that ran.
    pub stations: u32,
    /// How long.
    pub elapsed: Duration,
    /// What they counted together.
    pub tally: Arc<Tally>,
}

impl Outcome {
    /// A count by its name; 0 for a name there is not.
    pub fn count(&self, name: &str) -> u64 {
        self.tally
            .counts()
            .iter()
            .find(|(own, _)| *own == name)
            .map_or(0, |(_, count)| *count)
    }

    /// Percentiles of the time to an answer, ms; empty without answers.
    pub fn latencies_ms(&self) -> Vec<(&'static str, u64)> {
        let list = [("p50", 500), ("p90", 900), ("p99", 990), ("max", 1_000)];
        list.into_iter()
            .filter_map(|(name, permille)| {
                let ms = self.tally.latencies.percentile(permille)?.as_millis();
                Some((name, u64::try_from(ms).unwrap_or(u64::MAX)))
            })
            .collect()
    }
}

impl Crowd {
    /// Runs all stations until `end`.
    ///
    /// # Errors
    /// When the password holds characters that no frame can carry.
    pub async fn run(&self, end: impl Future<Output = ()>) -> anyhow::Result<Outcome> {
        let tally = Arc::new(Tally::default());
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let started = Instant::now();
        let now = Clock::Real.now();
        for number in 0..self.stations {
            let script = match &self.scenario {
                Some(scenario) => scenario.script(number, now)?,
                None => Script::default(),
            };
            let client = self.client(number, script, Arc::clone(&tally));
            // The rest are the same but for the number.
            if number == 0 {
                client
                    .station
                    .facilities(Clock::Real.now(), true)
                    .context("the password")?;
            }
            tasks.spawn(client.run(stop.clone()));
        }
        end_or_interrupt(end).await?;
        stop.cancel();
        tasks.close();
        tasks.wait().await;
        Ok(Outcome {
            stations: self.stations,
            elapsed: started.elapsed(),
            tally,
        })
    }

    fn edition(&self, number: u32) -> Edition {
        match self.editions {
            Editions::One(edition) => edition,
            Editions::Mixed => match number % 3 {
                0 => Edition::V2017,
                1 => Edition::V2005,
                _ => Edition::V2025,
            },
        }
    }

    fn kind(number: u32) -> PlantKind {
        let index = usize::try_from(number / 3).unwrap_or(0) % PlantKind::ALL.len();
        PlantKind::ALL
            .get(index)
            .copied()
            .unwrap_or(PlantKind::CoalBoiler)
    }

    fn mn(&self, number: u32) -> SmolStr {
        match self.edition(number) {
            Edition::V2005 => format_smolstr!("LOAD{number:010}"),
            _ => format_smolstr!("4C4F4144{number:016}"),
        }
    }

    fn client(&self, number: u32, script: Script, tally: Arc<Tally>) -> Client {
        let kind = Self::kind(number);
        let seed = self
            .seed
            .wrapping_mul(0x1_0001)
            .wrapping_add(u64::from(number));
        let outfall = match kind.medium() {
            Medium::Gas => Outfall::Stack {
                area_m2: Decimal::from(AREA_M2),
                reference_o2_pct: Decimal::from(REFERENCE_O2),
            },
            Medium::Water => Outfall::Discharge,
        };
        // Spread over the interval, as loggers are that were switched on one by one.
        let period = u64::from(self.interval_s.max(1)) * 1_000;
        let phase = below(seed, 0xF0A5, period.min(60_000));
        let phase_ms = i64::try_from(phase).unwrap_or(0) % (MINUTE_MS - SECOND_MS);
        Client {
            station: Station {
                mn: self.mn(number),
                password: self.password.clone(),
                edition: self.edition(number),
                wants_answer: self.wants_answer,
                outfall,
                channels: channels::of(kind),
                quirks: Quirks::default(),
                offset: UtcOffset::default(),
            },
            plant: Plant::new(kind, seed).with_script(script.clone()),
            schedule: Schedule {
                realtime_s: Some(self.interval_s),
                minute_min: Some(1),
                hour: true,
                day: true,
                housekeeping: true,
                phase_ms,
                offset: UtcOffset::default(),
            },
            script,
            centre: self.centre,
            clock: Clock::Real,
            since: Clock::Real.now(),
            timing: Timing {
                buffer: BUFFER,
                ..Timing::default()
            },
            tally,
        }
    }

    /// A registry in which the stations are known, as TOML. The password stands in it in clear:
    /// it is for tests.
    pub fn registry(&self) -> String {
        let mut text = String::from(
            "# Outlets of simulated stations.\n\n\
             [[region]]\nid = \"load\"\nname = \"模拟\"\n\n\
             [[enterprise]]\nid = \"load\"\nname = \"模拟排污单位\"\nregion = \"load\"\n\n",
        );
        for number in 0..self.stations {
            let kind = Self::kind(number);
            let (medium, profile) = match kind.medium() {
                Medium::Gas => ("gas", "hj75-2017"),
                Medium::Water => ("water", "hj356-2019"),
            };
            let (mn, password) = (self.mn(number), &self.password);
            let of = |pollutant: bool| {
                channels::of(kind)
                    .iter()
                    .filter(move |c| c.is_pollutant() == pollutant)
            };
            let auxiliary: Vec<String> = of(false).map(|c| format!("{:?}", c.code)).collect();
            let mut push = |part: std::fmt::Arguments<'_>| {
                text.write_fmt(part)
                    .expect("writing to a string cannot fail");
            };
            push(format_args!(
                "[[outlet]]\nid = \"load-{number}\"\nenterprise = \"load\"\n\
                 name = \"模拟排放口 {number}\"\nmedium = \"{medium}\"\nmn = \"{mn}\"\n\
                 password = {password:?}\nprofile = \"{profile}\"\nauxiliary = [{}]\n\n",
                auxiliary.join(", ")
            ));
            if kind.medium() == Medium::Gas {
                push(format_args!(
                    "[outlet.gas]\narea_m2 = {AREA_M2}\nreference_o2_pct = {REFERENCE_O2}\n\n"
                ));
            }
            for channel in of(true) {
                let range = Decimal::new(channel.range, channel.decimals).normalize();
                let code = channel.code;
                push(format_args!(
                    "[[outlet.factor]]\ncode = \"{code}\"\nrange = {range}\n\n"
                ));
            }
            push(format_args!(
                "[outlet.expect]\nrealtime_s = {}\nminute_min = 1\n\n",
                self.interval_s
            ));
        }
        text
    }
}

async fn end_or_interrupt(end: impl Future<Output = ()>) -> std::io::Result<()> {
    tokio::select! {
        () = end => Ok(()),
        interrupted = tokio::signal::ctrl_c() => interrupted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncReadExt;

    fn crowd(centre: SocketAddr, stations: u32) -> Crowd {
        Crowd {
            centre,
            stations,
            editions: Editions::Mixed,
            interval_s: 1,
            seed: 7,
            password: "123456".into(),
            wants_answer: true,
            scenario: None,
        }
    }

    #[test]
    fn a_daemon_that_is_given_the_registry_knows_every_station() {
        let crowd = crowd(SocketAddr::from(([127, 0, 0, 1], 1)), 24);
        let registry = crowd.registry();
        let checked = cems_config::load_str(&[
            ("main.toml", "registry = [\"r.toml\"]"),
            ("r.toml", &registry),
        ])
        .expect("sound");
        assert_eq!(checked.registry.outlets.len(), 24);
        for number in 0..24 {
            let mn = crowd.mn(number);
            assert!(
                checked
                    .registry
                    .outlets
                    .values()
                    .any(|o| o.mn.as_str() == mn),
                "{mn}"
            );
        }
    }

    #[tokio::test]
    async fn stations_connect_and_are_counted() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a free port");
        let address = listener.local_addr().expect("bound");
        let crowd = crowd(address, 6);
        let all_here = async {
            let mut peers = Vec::new();
            while peers.len() < 6 {
                let (mut stream, _) = listener.accept().await.expect("a station");
                // Each says something without being asked.
                let mut byte = [0];
                stream.read_exact(&mut byte).await.expect("a frame");
                assert_eq!(&byte, b"#");
                peers.push(stream);
            }
        };
        let outcome = crowd.run(all_here).await.expect("a sound password");
        assert_eq!(outcome.count("connected"), 6);
        assert!(outcome.count("sent") >= 6);
        assert!(outcome.latencies_ms().is_empty(), "nobody answered");
    }

    #[tokio::test]
    async fn an_impossible_password_is_said_at_once() {
        let mut crowd = crowd(SocketAddr::from(([127, 0, 0, 1], 1)), 2);
        crowd.password = "1;2".into();
        assert!(crowd.run(std::future::pending()).await.is_err());
    }
}
