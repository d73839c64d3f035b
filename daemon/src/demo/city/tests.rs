//! The cast is what the story needs.

use super::*;
use cems_core::model::Timestamp;
use std::collections::BTreeSet;

#[test]
fn the_cast_is_of_one_piece() {
    let story = Story::ending(Timestamp(1_795_104_000_000), 21);
    let cast = residents(&story);
    assert_eq!(cast.len(), 12);
    let mns: BTreeSet<_> = cast.iter().map(|r| r.station.mn.clone()).collect();
    assert_eq!(mns.len(), cast.len(), "every logger has its own MN");
    assert!(mns.iter().all(|mn| matches!(mn.len(), 14 | 24)));
    for resident in &cast {
        assert!(
            ENTERPRISES
                .iter()
                .any(|(id, ..)| *id == resident.enterprise)
        );
        for (code, _) in resident.permitted {
            assert!(
                resident
                    .channels()
                    .iter()
                    .any(|c| c.code == *code && c.is_pollutant())
            );
        }
        for (code, ..) in resident.limits {
            assert!(
                resident.channels().iter().any(|c| c.code == *code),
                "{code}"
            );
        }
    }
    for edition in [Edition::V2005, Edition::V2017, Edition::V2025] {
        assert!(cast.iter().any(|r| r.station.edition == edition));
    }
    // Stations that are `cemsd` speak every edition too, and one daemon speaks one of them.
    for edition in [Edition::V2005, Edition::V2017, Edition::V2025] {
        let own = |r: &&Resident| !r.foreign && r.station.edition == edition;
        assert!(cast.iter().any(|r| own(&r)), "{edition:?}");
    }
    for one in cast.iter().filter(|r| !r.foreign) {
        let mut others = cast
            .iter()
            .filter(|r| !r.foreign && r.enterprise == one.enterprise);
        assert!(others.all(|r| r.station.edition == one.station.edition));
    }
    for (id, region, ..) in ENTERPRISES {
        assert!(REGIONS.iter().any(|(own, _)| *own == region), "{id}");
        assert!(
            cast.iter().any(|r| r.enterprise == id),
            "{id} has an outlet"
        );
    }
    let strangers = guests(&cast);
    assert!(!mns.contains(&strangers[0].0.mn) && mns.contains(&strangers[1].0.mn));
}
