//! A backend with fictional data that shows every state, for pages and tests without a daemon.
//!
//! Actions change what it holds and are announced as the daemon would announce them, so that the
//! live pages and a browser test work against it. Its clock stands still at
//! 2026-03-18 14:32:10 +08:00.

mod answers;
mod books;
mod commands;
mod derivation;
mod desk;
mod destinations;
mod duties;
mod entering;
mod exchanges;
mod held;
mod owed;
mod post;
mod reckoning;
mod registry;
mod replays;
mod reporting;
mod rows;
mod rules;
mod serve;
mod station;
mod uplinks;
mod writing;

use crate::backend::{Actor, Change, Changes, Health, StationStatus};
use crate::{DemoAccount, DemoBanner};
use cems_core::model::{EnterpriseId, ExchangeState, OutletId, Registry, Role, Scope, Seq, UserId};
use held::Held;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::broadcast;

/// Password of every canned user.
pub const PASSWORD: &str = "demo";

/// Changes a slow page may fall behind before it is told to fetch everything.
const CHANGES_MAX: usize = 64;

/// The canned backend.
pub struct Canned {
    held: Mutex<Held>,
    changes: broadcast::Sender<Changes>,
}

impl Default for Canned {
    fn default() -> Self {
        Self::new()
    }
}

/// User name of each role's log-in.
fn user_of(role: Role) -> &'static str {
    match role {
        Role::DutyOfficer => "zhiban",
        Role::Supervisor => "zhuguan",
        Role::EnterpriseUser => "qiye",
        Role::Operator => "yunwei",
        Role::Inspector => "zhifa",
        Role::Auditor => "shenji",
        Role::Administrator => "guanli",
    }
}

/// Name shown of each role's log-in.
fn name_of(role: Role) -> &'static str {
    match role {
        Role::DutyOfficer => "值班员甲",
        Role::Supervisor => "主管乙",
        Role::EnterpriseUser => "企业用户丙",
        Role::Operator => "运维员丁",
        Role::Inspector => "执法员戊",
        Role::Auditor => "审计员己",
        Role::Administrator => "管理员庚",
    }
}

impl Canned {
    /// Fresh canned data.
    pub fn new() -> Self {
        let registry = registry::registry();
        let books = books::books(&registry);
        let book = owed::book();
        let held = Held {
            duties: owed::rows(&registry, &book),
            book: Arc::new(book),
            duty_files: owed::documents(),
            feeds: BTreeSet::new(),
            marks: books.marks,
            tests: books.tests,
            reviews: books.reviews,
            files: books.files,
            alarms: answers::alarms(&registry),
            fallbacks: answers::fallbacks(),
            reports: answers::reports(),
            audit: answers::audit(),
            shifts: desk::shifts(),
            hand_overs: desk::hand_overs(),
            services: desk::services(),
            exchanges: exchanges::exchanges(),
            station: station::station(),
            channels: post::channels(),
            messages: post::messages(),
            destinations: destinations::destinations(),
            refused_items: destinations::refused_items(),
            uplinks: uplinks::uplinks(),
            replays: replays::replays(),
            registry: Arc::new(registry),
            health: Health {
                ready: true,
                problems: Vec::new(),
                journal_seq: 184_210,
                projected_seq: 184_210,
                connections: 7,
                version: "0.1.0".to_owned(),
            },
            ended: Vec::new(),
            seq: 184_210,
        };
        Self {
            held: Mutex::new(held),
            changes: broadcast::channel(CHANGES_MAX).0,
        }
    }

    /// A banner that lists the canned log-ins.
    pub fn banner() -> DemoBanner {
        let accounts = Role::ALL.into_iter().map(|role| DemoAccount {
            user: user_of(role).to_owned(),
            password: PASSWORD.to_owned(),
            role,
        });
        DemoBanner {
            accounts: accounts.collect(),
            speed: 1,
        }
    }

    /// The session token of a role, as [`Backend::login`] gives it; also its API token.
    ///
    /// [`Backend::login`]: crate::backend::Backend::login
    pub fn token(role: Role) -> String {
        format!("canned-{role}")
    }

    /// Announces changes, as the daemon does after a commit.
    pub fn announce(&self, changes: &[Change]) {
        let seq = Seq(self.lock().seq);
        // Without a page there is nobody to tell.
        let _ = self.changes.send(Changes {
            seq,
            changes: changes.into(),
        });
    }

    /// Replaces the health.
    pub fn set_health(&self, health: Health) {
        self.lock().health = health;
        self.announce(&[Change::Health]);
    }

    /// Changes the registry, for tests with odd names.
    pub fn edit_registry(&self, edit: impl FnOnce(&mut Registry)) {
        edit(Arc::make_mut(&mut self.lock().registry));
        self.announce(&[Change::Registry]);
    }

    /// Replaces the station's status, for tests.
    pub fn set_station(&self, status: StationStatus) {
        self.lock().station = status;
        self.announce(&[Change::Health]);
    }

    /// Adds a step to an exchange, as if its device had answered. An exchange that is not there
    /// or is over stays as it is.
    pub fn advance(&self, id: Seq, what: &str, detail: &str, state: ExchangeState) {
        let moved = self.lock().step(id, what, detail, state);
        if let Some(outlet) = moved {
            self.announce(&[Change::Exchange(id, outlet)]);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        // Canned data have no invariant that a panicking test could break.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn actor(token: &str) -> Option<Actor> {
        let role = Role::from_name(token.strip_prefix("canned-")?)?;
        let scope = match role {
            Role::EnterpriseUser => Scope {
                enterprises: [EnterpriseId::new("yuntai")].into(),
                ..Scope::default()
            },
            Role::Operator => Scope {
                outlets: [OutletId::new("yt-01"), OutletId::new("hy-01")].into(),
                ..Scope::default()
            },
            _ => Scope::default(),
        };
        Some(Actor {
            user: UserId::new(user_of(role)),
            name: name_of(role).to_owned(),
            role,
            scope,
        })
    }
}
