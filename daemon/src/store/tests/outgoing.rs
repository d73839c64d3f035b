//! The log of what goes out, and the audit trail read as a log.

use super::*;
use cems_core::model::time::DAY_MS;
use cems_core::model::{OutgoingRow, Series};

fn line(seq: u64, n: u32, day: i64) -> OutgoingRow {
    OutgoingRow {
        seq: Seq(seq),
        n,
        at: T0.plus_ms(day * DAY_MS),
        outlet: outlet("dc-01"),
        what: Series::ALL[n as usize % Series::ALL.len()],
        start: T0.plus_ms(day * DAY_MS - 60_000),
    }
}

#[test]
fn what_goes_out_is_read_in_order_behind_a_line() {
    let mut desk = Desk::new();
    let readers = desk.store.readers().unwrap();
    assert_eq!(readers.outgoing_bounds().unwrap(), None);
    assert_eq!(readers.outgoing_lag(Seq(0), 0, 10).unwrap(), (0, None));
    let rows: Vec<OutgoingRow> = [(3, 0), (3, 1), (5, 0), (5, 7), (5, 10)]
        .map(|(seq, n)| line(seq, n, 0))
        .into();
    let outputs: Vec<Output> = rows.iter().rev().cloned().map(Output::Outgoing).collect();
    desk.batch(5, &outputs);
    let ask = |seq: u64, n, limit| readers.outgoing_after(Seq(seq), n, limit).unwrap();
    assert_eq!(ask(0, 0, 100), rows);
    assert_eq!(ask(3, 1, 2), rows[2..4]);
    assert_eq!(ask(5, 7, 100), rows[4..]);
    assert_eq!(ask(5, 10, 100), []);
    let bounds = readers.outgoing_bounds().unwrap().unwrap();
    assert_eq!((bounds.first.seq, bounds.first.n), (Seq(3), 0));
    assert_eq!((bounds.last.seq, bounds.last.n), (Seq(5), 10));
    let lag = |seq, n, limit| readers.outgoing_lag(Seq(seq), n, limit).unwrap();
    assert_eq!(lag(3, 1, 100), (3, Some(T0)));
    assert_eq!(lag(3, 1, 2), (2, Some(T0)));
    assert_eq!(lag(5, 10, 100), (0, None));
}

#[test]
fn the_log_of_what_goes_out_forgets_after_its_span_and_only_then() {
    let mut desk = Desk::new();
    let old: Vec<Output> = (1..=10)
        .map(|seq| Output::Outgoing(line(seq, 0, 0)))
        .collect();
    desk.batch(10, &old);
    let left = |desk: &Desk| {
        let readers = desk.store.readers().unwrap();
        let rows = readers.outgoing_after(Seq(0), 0, 100).unwrap();
        rows.iter().map(|row| row.seq.0).collect::<Vec<_>>()
    };
    desk.batch(11, &[Output::Outgoing(line(11, 0, 30))]);
    assert_eq!(left(&desk).len(), 11, "30 days are kept");
    desk.batch(12, &[Output::Outgoing(line(12, 0, 31))]);
    assert_eq!(left(&desk), [3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
}

#[test]
fn events_are_read_in_order_behind_a_line() {
    let mut desk = Desk::new();
    let rows =
        [(2, 0), (2, 1), (2, 2), (4, 0)].map(|(seq, n)| samples::audit_row(seq, n, "alarm/1"));
    desk.batch(4, &rows.clone().map(Output::Audit));
    let readers = desk.store.readers().unwrap();
    let ask = |seq: u64, n, limit| readers.events_after(Seq(seq), n, limit).unwrap();
    assert_eq!(ask(0, 0, 100), rows);
    assert_eq!(ask(2, 1, 1), rows[2..3]);
    assert_eq!(ask(4, 0, 100), []);
    assert_eq!(readers.event(Seq(2), 1).unwrap(), Some(rows[1].clone()));
    assert_eq!(readers.event(Seq(2), 9).unwrap(), None);
    let bounds = readers.events_bounds().unwrap().unwrap();
    assert_eq!((bounds.last.seq, bounds.last.n), (Seq(4), 0));
    assert_eq!(readers.events_lag(Seq(2), 0, 100).unwrap().0, 3);
}
