//! Where a logger has its readings from.

use super::channels::Channel;
use super::instrument::Poller;
use super::plant::{Means, Plant, Reading};
use super::tally::Tally;
use cems_core::model::Timestamp;
use rust_decimal::Decimal;

/// Flag of values while the link between instrument and logger is lost (HJ 212-2017 table 8).
const LINK_LOST: &str = "B";

/// A source of readings.
pub enum Source {
    /// The process itself.
    Plant(Plant),
    /// An instrument behind Modbus TCP.
    Instrument(Poller, &'static [Channel]),
}

impl Source {
    /// Readings of the instant; flagged B and zero when the instrument does not answer.
    pub async fn sample(&mut self, at: Timestamp, tally: &Tally) -> Vec<Reading> {
        match self {
            Self::Plant(plant) => plant.sample(at),
            Self::Instrument(poller, channels) => poller.sample().await.unwrap_or_else(|error| {
                failed(&error, tally);
                let lost = |c: &Channel| Reading {
                    code: c.code,
                    value: zero(c),
                    flag: LINK_LOST,
                };
                channels.iter().map(lost).collect()
            }),
        }
    }

    /// Averages of an interval; flagged B and zero when the instrument does not answer.
    pub async fn means(&mut self, start: Timestamp, minutes: u32, tally: &Tally) -> Vec<Means> {
        match self {
            Self::Plant(plant) => plant.means(start, minutes),
            Self::Instrument(poller, channels) => {
                poller.means(start, minutes).await.unwrap_or_else(|error| {
                    failed(&error, tally);
                    let lost = |c: &Channel| Means {
                        code: c.code,
                        min: zero(c),
                        avg: zero(c),
                        max: zero(c),
                        flag: LINK_LOST,
                    };
                    channels.iter().map(lost).collect()
                })
            }
        }
    }
}

fn zero(channel: &Channel) -> Decimal {
    Decimal::new(0, channel.decimals)
}

fn failed(error: &super::instrument::PollError, tally: &Tally) {
    Tally::one(&tally.polls_failed);
    tracing::debug!(%error, "instrument: poll failed");
}
