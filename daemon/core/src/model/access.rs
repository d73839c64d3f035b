//! Who may what: roles, permissions and the part of the registry a person or a program sees.

use super::ids::{EnterpriseId, OutletId, RegionId};
use super::registry::{Outlet, Registry};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// Role (角色) of a person or an API token. Exactly one each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Duty officer of a centre (值班员): answers alarms.
    DutyOfficer,
    /// Supervisor of a centre (主管): answers alarms, decides, sees the audit trail.
    Supervisor,
    /// Staff of a discharger (排污单位用户): own outlets only, submits manual reports.
    EnterpriseUser,
    /// Operator of the equipment (运维人员): contracted outlets only, submits manual reports.
    Operator,
    /// Inspector (执法人员): reads what an on-site check needs.
    Inspector,
    /// Auditor (审计员): reads everything in scope, changes nothing.
    Auditor,
    /// Administrator (系统管理员): looks after the program; answers no alarm, reports no data.
    Administrator,
}

/// Something a role may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Permission {
    /// See outlets, values, alarms and fallbacks in scope.
    View,
    /// Acknowledge an alarm (确认).
    AcknowledgeAlarm,
    /// Close an alarm with a conclusion (关闭).
    CloseAlarm,
    /// Submit manual monitoring data (人工监测数据报送).
    SubmitManualReport,
    /// Enter marks and take own ones back (标记).
    EnterMark,
    /// Enter tests of the equipment (质控记录).
    EnterTest,
    /// Hand in the self-check of a quarter (有效性审核自查).
    SubmitReview,
    /// Decide on the validity review of a quarter (有效性审核).
    DecideReview,
    /// Open or end a fallback by decision (人工监测替代时段).
    DecideFallback,
    /// Complete duties with a clock that one's role owes, and open those that somebody has to
    /// enter (法定事项).
    CompleteDuty,
    /// Order a command from a device (反控).
    Command,
    /// Enter the roster, and take kinds of alarm out of service (值班管理).
    ManageDesk,
    /// Read the audit trail (审计).
    ViewAudit,
    /// See and change what runs the program.
    Administer,
}

impl Permission {
    /// Every permission.
    pub const ALL: [Permission; 14] = [
        Self::View,
        Self::AcknowledgeAlarm,
        Self::CloseAlarm,
        Self::SubmitManualReport,
        Self::EnterMark,
        Self::EnterTest,
        Self::SubmitReview,
        Self::DecideReview,
        Self::DecideFallback,
        Self::CompleteDuty,
        Self::Command,
        Self::ManageDesk,
        Self::ViewAudit,
        Self::Administer,
    ];
}

impl Role {
    /// Every role.
    pub const ALL: [Role; 7] = [
        Self::DutyOfficer,
        Self::Supervisor,
        Self::EnterpriseUser,
        Self::Operator,
        Self::Inspector,
        Self::Auditor,
        Self::Administrator,
    ];

    /// The name in files, the store and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DutyOfficer => "duty-officer",
            Self::Supervisor => "supervisor",
            Self::EnterpriseUser => "enterprise-user",
            Self::Operator => "operator",
            Self::Inspector => "inspector",
            Self::Auditor => "auditor",
            Self::Administrator => "administrator",
        }
    }

    /// The role of that name, or `None`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }

    /// True for staff of the authority or its centre, whose empty scope means everything; false
    /// for staff of a discharger or a contractor, whose empty scope means nothing.
    pub fn is_centre(self) -> bool {
        !matches!(self, Self::EnterpriseUser | Self::Operator)
    }

    /// What the role may do, always within its scope. Those who answer for the figures
    /// (enterprise, operator) do not answer the alarms, and those who run the program do neither.
    /// Devices are commanded from the centre's side only.
    pub fn may(self, permission: Permission) -> bool {
        use Permission as P;
        match self {
            Self::DutyOfficer => matches!(
                permission,
                P::View
                    | P::AcknowledgeAlarm
                    | P::CloseAlarm
                    | P::DecideFallback
                    | P::CompleteDuty
                    | P::Command
            ),
            Self::Supervisor => matches!(
                permission,
                P::View
                    | P::AcknowledgeAlarm
                    | P::CloseAlarm
                    | P::DecideFallback
                    | P::EnterTest
                    | P::DecideReview
                    | P::CompleteDuty
                    | P::Command
                    | P::ManageDesk
                    | P::ViewAudit
            ),
            Self::EnterpriseUser | Self::Operator => matches!(
                permission,
                P::View
                    | P::SubmitManualReport
                    | P::EnterMark
                    | P::EnterTest
                    | P::SubmitReview
                    | P::CompleteDuty
            ),
            Self::Inspector => matches!(permission, P::View | P::CompleteDuty),
            Self::Auditor => matches!(permission, P::View | P::ViewAudit),
            Self::Administrator => matches!(
                permission,
                P::View | P::Command | P::ViewAudit | P::Administer
            ),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The part of the registry someone sees: the union of what is listed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// Regions, with all their enterprises.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub regions: BTreeSet<RegionId>,
    /// Enterprises, with all their outlets.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub enterprises: BTreeSet<EnterpriseId>,
    /// Single outlets.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub outlets: BTreeSet<OutletId>,
}

impl Scope {
    /// True when nothing is listed; what that means depends on [`Role::is_centre`].
    pub fn is_empty(&self) -> bool {
        self.regions.is_empty() && self.enterprises.is_empty() && self.outlets.is_empty()
    }

    fn lists(&self, registry: &Registry, outlet: &Outlet) -> bool {
        self.outlets.contains(&outlet.id)
            || self.enterprises.contains(&outlet.enterprise)
            || registry
                .enterprises
                .get(&outlet.enterprise)
                .is_some_and(|e| self.regions.contains(&e.region))
    }
}

/// Role and scope together: every question of access is asked here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// What may be done.
    pub role: Role,
    /// Where.
    #[serde(default)]
    pub scope: Scope,
}

impl Access {
    /// True when the scope has no bounds: only then may things that belong to no outlet (unknown
    /// loggers, quarantine) be seen.
    pub fn sees_all(&self) -> bool {
        self.role.is_centre() && self.scope.is_empty()
    }

    /// True when `outlet` is in scope. The empty scope of a discharger or contractor covers
    /// nothing.
    pub fn covers(&self, registry: &Registry, outlet: &Outlet) -> bool {
        self.sees_all() || self.scope.lists(registry, outlet)
    }

    /// True when the role has `permission` and `outlet` is in scope.
    pub fn may_on(&self, permission: Permission, registry: &Registry, outlet: &Outlet) -> bool {
        self.role.may(permission) && self.covers(registry, outlet)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_match_serde() {
        for role in Role::ALL {
            assert_eq!(Role::from_name(role.as_str()), Some(role));
            let json = serde_json::to_string(&role).unwrap();
            assert_eq!(json, format!("\"{role}\""));
        }
        assert_eq!(Role::from_name("Supervisor"), None);
    }

    #[test]
    fn auditor_changes_nothing_and_everyone_sees() {
        use Permission as P;
        for role in Role::ALL {
            assert!(role.may(P::View), "{role}");
        }
        for p in [
            P::AcknowledgeAlarm,
            P::CloseAlarm,
            P::SubmitManualReport,
            P::DecideFallback,
        ] {
            assert!(!Role::Auditor.may(p));
            assert!(!Role::Administrator.may(p));
            assert!(!Role::Inspector.may(p));
        }
    }

    #[test]
    fn who_reports_the_figures_does_not_answer_their_alarms() {
        for role in Role::ALL {
            let both =
                role.may(Permission::SubmitManualReport) && role.may(Permission::AcknowledgeAlarm);
            assert!(!both, "{role}");
        }
    }

    #[test]
    fn devices_are_commanded_by_the_centre_alone() {
        let may: Vec<Role> = Role::ALL
            .into_iter()
            .filter(|role| role.may(Permission::Command))
            .collect();
        assert_eq!(
            may,
            [Role::DutyOfficer, Role::Supervisor, Role::Administrator]
        );
    }

    #[test]
    fn an_empty_scope_is_everything_for_a_centre_and_nothing_for_others() {
        for role in Role::ALL {
            let access = Access {
                role,
                scope: Scope::default(),
            };
            assert_eq!(access.sees_all(), role.is_centre(), "{role}");
        }
    }
}
