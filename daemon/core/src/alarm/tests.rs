//! Turns of one alarm's life, allowed and refused.

use super::*;
use crate::model::{AlarmKind, AlarmSubject};

fn raised() -> AlarmRow {
    let subject = AlarmSubject::Outlet("dc-01".into());
    AlarmRow::raised(AlarmId(7), AlarmKind::NoData, subject, Timestamp(1), Seq(1))
}

fn acknowledgement(by: &str) -> Acknowledgement {
    Acknowledgement {
        at: Timestamp(2),
        by: by.into(),
        note: String::new(),
        until: None,
    }
}

fn closure() -> Closure {
    Closure {
        at: Timestamp(9),
        by: "a".into(),
        conclusion: "done".into(),
    }
}

#[test]
fn the_first_acknowledgement_stays() {
    let mut row = raised();
    assert!(acknowledge(&mut row, acknowledgement("first"), Seq(2)));
    assert!(!acknowledge(&mut row, acknowledgement("second"), Seq(3)));
    assert_eq!(row.acknowledged.unwrap().by, "first".into());
    assert_eq!(row.updated_seq, Seq(2));
}

#[test]
fn closing_takes_the_return_and_the_acknowledgement_in_either_order() {
    let mut row = raised();
    assert_eq!(
        close(&mut row, closure(), Seq(2)),
        Err(LifecycleError::Active(row.id))
    );
    assert!(return_to_normal(&mut row, Timestamp(3), Seq(3)));
    assert!(!return_to_normal(&mut row, Timestamp(4), Seq(4)));
    assert_eq!(row.returned_at, Some(Timestamp(3)));
    assert_eq!(
        close(&mut row, closure(), Seq(5)),
        Err(LifecycleError::NotAcknowledged(row.id))
    );
    assert!(acknowledge(&mut row, acknowledgement("a"), Seq(6)));
    assert_eq!(close(&mut row, closure(), Seq(7)), Ok(()));
    assert_eq!(
        close(&mut row, closure(), Seq(8)),
        Err(LifecycleError::Closed(row.id))
    );
    assert_eq!(row.updated_seq, Seq(7));
}
