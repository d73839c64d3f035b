//! Turns of one alarm's life, allowed and refused.

use super::*;
use crate::model::{AlarmKind, AlarmSubject};

fn raised() -> AlarmRow {
    AlarmRow {
        id: AlarmId(7),
        kind: AlarmKind::NoData,
        priority: AlarmKind::NoData.priority(),
        subject: AlarmSubject::Outlet("dc-01".into()),
        enterprise: None,
        factor: None,
        limit: None,
        since: Timestamp(0),
        raised_at: Timestamp(1),
        updated_at: Timestamp(1),
        value: None,
        threshold: None,
        count: 1,
        active: true,
        returned_at: None,
        acknowledged: None,
        closed: None,
        previous: None,
        facts: [].into(),
        raised_seq: Seq(1),
        updated_seq: Seq(1),
    }
}

fn acknowledgement(by: &str) -> Acknowledgement {
    Acknowledgement {
        at: Timestamp(2),
        by: by.into(),
        note: String::new(),
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
