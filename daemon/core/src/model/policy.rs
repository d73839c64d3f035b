//! The policy (值守规则): how alarms are ranked, delayed and answered, and who is told what.
//!
//! Like the registry it is data, journalled when it takes force; the past keeps what judged it.
//! Addresses and secrets are not in it: the journal holds neither.

use super::access::{Access, Role};
use super::alarm::{AlarmKind, Priority};
use super::duty::DutyBook;
use super::ids::{ChannelId, EnterpriseId, RegionId, UserId};
use super::message::MessageReason;
use crate::lang::Lang;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Everything that decides who must do what about what happens.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// How alarms are ranked and answered.
    pub alarms: AlarmPolicy,
    /// Who is told what, through which channel.
    pub notify: NotifyPolicy,
    /// Duties with a clock, and the working days they are counted by.
    #[serde(default)]
    pub duties: Arc<DutyBook>,
    /// People who can be told and who answer.
    pub people: BTreeMap<UserId, Person>,
}

/// A person as messages and the roster know them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Name shown.
    pub name: String,
    /// Role and scope.
    pub access: Access,
    /// Language of messages to them.
    pub lang: Lang,
    /// Channels for which the settings hold an address of theirs.
    pub channels: BTreeSet<ChannelId>,
}

/// What it costs when an alarm of a kind goes unanswered (后果).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Consequence {
    /// A nuisance; nothing is lost.
    Minor,
    /// Data that count are lost, or a rule is near to being broken.
    Moderate,
    /// A rule is broken.
    Major,
    /// Harm outside, or a broken limit of law.
    Severe,
}

/// How soon an answer still helps (响应时间).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Response {
    /// Within minutes.
    Immediate,
    /// Within the hour.
    Prompt,
    /// Within the shift.
    Shift,
    /// Within the day.
    Day,
}

impl Consequence {
    /// Every consequence, least first.
    pub const ALL: [Consequence; 4] = [Self::Minor, Self::Moderate, Self::Major, Self::Severe];

    /// The name in files and text keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Minor => "minor",
            Self::Moderate => "moderate",
            Self::Major => "major",
            Self::Severe => "severe",
        }
    }
}

impl Response {
    /// Every response, soonest first.
    pub const ALL: [Response; 4] = [Self::Immediate, Self::Prompt, Self::Shift, Self::Day];

    /// The name in files and text keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Immediate => "immediate",
            Self::Prompt => "prompt",
            Self::Shift => "shift",
            Self::Day => "day",
        }
    }

    /// Minutes it allows where no policy says otherwise.
    pub fn minutes(self) -> u32 {
        match self {
            Self::Immediate => 10,
            Self::Prompt => 60,
            Self::Shift => 480,
            Self::Day => 1_440,
        }
    }
}

/// Why alarms of a kind are suppressed by design (IEC 62682: 设计抑制).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SuppressedBy {
    /// The outlet is marked stopped.
    Stopped,
    /// A maintenance or calibration of the equipment is marked.
    Maintenance,
}

impl SuppressedBy {
    /// Every reason.
    pub const ALL: [SuppressedBy; 2] = [Self::Stopped, Self::Maintenance];

    /// The name in files, rows and text keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Maintenance => "maintenance",
        }
    }
}

/// How alarms are ranked and answered (ISA-18.2 / IEC 62682).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmPolicy {
    /// Priority by consequence and response.
    pub matrix: BTreeMap<Consequence, BTreeMap<Response, Priority>>,
    /// Rules of kinds.
    pub kinds: BTreeMap<AlarmKind, KindRule>,
    /// Who is told when nobody acknowledges, by priority; steps in order of time.
    pub escalation: BTreeMap<Priority, Vec<EscalationStep>>,
    /// When an alarm chatters.
    pub chatter: ChatterRule,
    /// When silent outlets are one outage of a line.
    pub outage: OutageRule,
    /// Minutes that each response allows; what is not named has [`Response::minutes`].
    #[serde(default)]
    pub respond_min: BTreeMap<Response, u32>,
}

impl AlarmPolicy {
    /// How urgent an alarm of a kind is: by the matrix, else by the list of kinds.
    pub fn priority(&self, kind: AlarmKind) -> Priority {
        let by_matrix = self
            .kinds
            .get(&kind)
            .and_then(|rule| self.matrix.get(&rule.consequence)?.get(&rule.response));
        by_matrix.copied().unwrap_or_else(|| kind.priority())
    }

    /// How soon an alarm of a kind should be acknowledged, min; `None` where no rule is known.
    pub fn answer_within_min(&self, kind: AlarmKind) -> Option<u32> {
        let response = self.kinds.get(&kind)?.response;
        let said = self.respond_min.get(&response).copied();
        Some(said.unwrap_or_else(|| response.minutes()))
    }
}

/// Rule of one kind of alarm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KindRule {
    /// Row of the matrix.
    pub consequence: Consequence,
    /// Column of the matrix.
    pub response: Response,
    /// The condition must hold this long, s.
    pub on_delay_s: u32,
    /// It must be gone this long, s.
    pub off_delay_s: u32,
    /// It is gone only when the value is this far inside its bound, % of the bound.
    pub deadband_pct: Decimal,
    /// Share of the bound from which it counts as near, %; only for kinds that warn.
    pub share_pct: Option<Decimal>,
    /// An acknowledgement lasts this long while the condition holds, min; `None`: until the end.
    pub ack_expires_min: Option<u32>,
    /// What suppresses it.
    pub suppressed_by: BTreeSet<SuppressedBy>,
    /// `false`: the kind is out of service (退出服务); it is kept but tells nobody.
    pub in_service: bool,
}

/// One step of an escalation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EscalationStep {
    /// Minutes after the alarm was raised (or re-armed).
    pub after_min: u32,
    /// Who is told, within their scope.
    pub roles: BTreeSet<Role>,
}

/// When an alarm chatters (抖动): it is then held until it has been quiet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatterRule {
    /// Raised so often ...
    pub raises: u32,
    /// ... within this time, min.
    pub window_min: u32,
    /// Held until the condition has been gone this long, min.
    pub quiet_min: u32,
}

/// When silent outlets are one outage of a line (线路中断) rather than each its own alarm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutageRule {
    /// At least so many outlets of one enterprise or region ...
    pub outlets_min: u32,
    /// ... and at least this share of those that send, % ...
    pub share_pct: u32,
    /// ... fell silent within this time of each other, s.
    pub window_s: u32,
}

impl Default for ChatterRule {
    /// ISA-18.2: three times a minute is chattering; minute data make it three in half an hour.
    fn default() -> Self {
        Self {
            raises: 3,
            window_min: 30,
            quiet_min: 30,
        }
    }
}

impl Default for OutageRule {
    fn default() -> Self {
        Self {
            outlets_min: 3,
            share_pct: 60,
            window_s: 300,
        }
    }
}

/// Kinds of channels. One list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChannelKind {
    /// Mail to people.
    Mail,
    /// Text messages to people, through a gateway's webhook.
    Sms,
    /// A topic of an MQTT broker.
    Mqtt,
    /// A robot of a DingTalk group (钉钉群机器人).
    Dingtalk,
    /// A robot of a WeCom group (企业微信群机器人).
    Wecom,
    /// A robot of a Feishu group (飞书群机器人).
    Feishu,
    /// Generic signed JSON.
    Webhook,
    /// Prometheus Alertmanager.
    Alertmanager,
}

impl ChannelKind {
    /// Every kind.
    pub const ALL: [ChannelKind; 8] = [
        Self::Mail,
        Self::Sms,
        Self::Mqtt,
        Self::Dingtalk,
        Self::Wecom,
        Self::Feishu,
        Self::Webhook,
        Self::Alertmanager,
    ];

    /// The name in files, the API and text keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Sms => "sms",
            Self::Mqtt => "mqtt",
            Self::Dingtalk => "dingtalk",
            Self::Wecom => "wecom",
            Self::Feishu => "feishu",
            Self::Webhook => "webhook",
            Self::Alertmanager => "alertmanager",
        }
    }

    /// True when it reaches single people, by an address each of them has.
    pub fn is_personal(self) -> bool {
        matches!(self, Self::Mail | Self::Sms)
    }
}

/// Who is told what.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotifyPolicy {
    /// Channels by name.
    pub channels: BTreeMap<ChannelId, ChannelRule>,
    /// Routes; all that match apply, and nobody is told the same thing twice over one channel.
    pub routes: Vec<Route>,
    /// Times in which people are left alone.
    pub quiet: Vec<QuietHours>,
}

/// How a channel is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelRule {
    /// Its kind.
    pub kind: ChannelKind,
    /// Things for one recipient and one enterprise are gathered this long, s.
    pub group_wait_s: u32,
    /// Messages to one recipient in an hour; what is over it waits for a digest.
    pub per_hour_max: u32,
    /// A message not delivered this long after it was decided is a dead letter, min.
    pub deadline_min: u32,
}

/// Which days a rule speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Days {
    /// Every day.
    #[default]
    All,
    /// Monday to Friday.
    Weekdays,
    /// Saturday and Sunday.
    Weekends,
}

/// A part of the local day, minutes after midnight; `until` before `from` runs over midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayPart {
    /// First minute.
    pub from_min: u16,
    /// First minute that is outside again.
    pub until_min: u16,
}

/// One rule of who is told what. An empty set means: any.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// Its name in the settings.
    pub id: SmolStr,
    /// Through these channels.
    pub channels: BTreeSet<ChannelId>,
    /// For these reasons.
    pub reasons: BTreeSet<MessageReason>,
    /// For alarms of these kinds.
    pub kinds: BTreeSet<AlarmKind>,
    /// At least this urgent.
    pub priority: Option<Priority>,
    /// To people of these roles, within their scope.
    pub roles: BTreeSet<Role>,
    /// And to these people, within their scope.
    pub users: BTreeSet<UserId>,
    /// About things in these regions.
    pub regions: BTreeSet<RegionId>,
    /// About these enterprises.
    pub enterprises: BTreeSet<EnterpriseId>,
    /// On these days.
    pub days: Days,
    /// In this part of the day.
    pub hours: Option<DayPart>,
    /// Of duty officers only those on duty, when the roster names any.
    pub on_duty_only: bool,
}

/// A time in which people of a role are left alone unless it is urgent enough.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuietHours {
    /// Whom; an empty set means everyone.
    pub roles: BTreeSet<Role>,
    /// When.
    pub hours: DayPart,
    /// On which days it begins.
    pub days: Days,
    /// What is at least this urgent comes through.
    pub except: Priority,
}
