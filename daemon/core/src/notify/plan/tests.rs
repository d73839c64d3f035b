//! Whatever is noted, forgotten and flushed, the planner knows when its first bucket is due.

use super::*;
use crate::model::policy::{ChannelRule, Days, NotifyPolicy};
use crate::model::{AlarmId, ChannelKind, EnterpriseId};
use proptest::prelude::*;

const HOOK: &str = "hook";

fn policy(per_hour_max: u32) -> Policy {
    let channel = ChannelRule {
        kind: ChannelKind::Webhook,
        group_wait_s: 30,
        per_hour_max,
        deadline_min: 60,
    };
    let route = Route {
        id: "all".into(),
        channels: [ChannelId::new(HOOK)].into(),
        reasons: BTreeSet::new(),
        kinds: BTreeSet::new(),
        priority: None,
        roles: BTreeSet::new(),
        users: BTreeSet::new(),
        regions: BTreeSet::new(),
        enterprises: BTreeSet::new(),
        days: Days::All,
        hours: None,
        on_duty_only: false,
    };
    Policy {
        notify: NotifyPolicy {
            channels: [(ChannelId::new(HOOK), channel)].into(),
            routes: vec![route],
            quiet: Vec::new(),
        },
        ..Policy::default()
    }
}

fn notice(alarm: u64, enterprise: u8) -> Notice {
    Notice {
        reason: MessageReason::AlarmRaised,
        about: About::Alarm(AlarmId(alarm)),
        priority: Priority::Normal,
        kind: None,
        outlet: None,
        enterprise: Some(EnterpriseId::new(format!("e-{enterprise}"))),
        region: None,
        roles: BTreeSet::new(),
    }
}

#[derive(Debug, Clone)]
enum Step {
    Note { alarm: u64, enterprise: u8 },
    Forget(u64),
    Wait(u32),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0u64..8, 0u8..4).prop_map(|(alarm, enterprise)| Step::Note { alarm, enterprise }),
        1 => (0u64..8).prop_map(Step::Forget),
        2 => (0u32..50).prop_map(Step::Wait),
        1 => Just(Step::Restart),
    ]
}

proptest! {
    #[test]
    fn the_first_due_time_is_that_of_the_buckets(
        per_hour_max in 1u32..4,
        steps in prop::collection::vec(step(), 0..60),
    ) {
        let policy = policy(per_hour_max);
        let people = People::of(&policy);
        let on_duty = BTreeSet::new();
        let scene = Scene {
            policy: &policy,
            people: &people,
            on_duty: &on_duty,
            offset: UtcOffset::default(),
        };
        let (mut planner, mut at) = (Planner::default(), Timestamp(0));
        for step in steps {
            match step {
                Step::Note { alarm, enterprise } => {
                    planner.note(&notice(alarm, enterprise), at, scene);
                }
                Step::Forget(alarm) => planner.forget(&[About::Alarm(AlarmId(alarm))]),
                Step::Wait(s) => {
                    at = at.plus_ms(i64::from(s) * SECOND_MS);
                    planner.flush(at, Seq(1), scene);
                    prop_assert!(planner.due().is_none_or(|due| due > at));
                }
                Step::Restart => {
                    let json = serde_json::to_string(&planner).unwrap();
                    let mut again: Planner = serde_json::from_str(&json).unwrap();
                    again.reindex();
                    prop_assert_eq!(&again, &planner);
                    planner = again;
                }
            }
            let first = planner.buckets.values().map(|bucket| bucket.due).min();
            prop_assert_eq!(planner.due(), first);
            prop_assert_eq!(planner.is_idle(), first.is_none());
        }
    }
}
