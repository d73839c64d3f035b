//! Settings of the daemon itself, checked.

mod archive;
mod destination;
mod dialogue;
mod notify;
mod source;
mod station;
mod uplink;

pub use archive::ArchiveSettings;
pub use destination::{
    Corrections, DESTINATIONS_MAX, Destination, DestinationKind, DestinationMeans, InfluxServer,
    OutletFilter,
};
pub use dialogue::{DialogueSettings, InitialSettings};
pub(crate) use notify::Usual;
pub use notify::{
    Broker, CHANNELS_MAX, Channel, Hook, Login, MailServer, Means, Protection, QUIET_MAX,
    ROUTES_MAX, SMS_FIELDS_MAX, SmsForm, SmsGateway,
};
pub use source::{
    JsonPath, MqttFactor, MqttReading, MqttSource, READINGS_MAX, ReadingForm,
    SOURCE_PAYLOAD_BYTES_MAX, SOURCES_MAX,
};
pub use station::{
    BUSES_MAX, Bus, BusTiming, Framing, INSTRUMENTS_MAX, Instrument, Line, Parity, SerialLine,
    StationSettings,
};
pub use uplink::{
    RealtimeUpload, Secret, UPLINKS_MAX, Uplink, UplinkEdition, UplinkFactor, UplinkOutlet,
};

use cems_core::lang::Lang;
use cems_core::model::policy::{AlarmPolicy, NotifyPolicy, QuietHours, Route};
use cems_core::model::{Access, ChannelKind, Person, Role, Scope, UserId};
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// Everything that is not registry.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Where journal and projections live; absolute, or relative to the working directory when
    /// the main file was named so.
    pub data_dir: PathBuf,
    /// HJ 212 intake.
    pub hj212: Hj212Settings,
    /// The console.
    pub console: ConsoleSettings,
    /// The journal.
    pub journal: JournalSettings,
    /// Files of sealed days.
    pub archive: ArchiveSettings,
    /// Logs.
    pub log: LogSettings,
    /// People who log in.
    pub users: Vec<User>,
    /// Programs that use the API.
    pub tokens: Vec<ApiToken>,
    /// Centres this station uploads to; none at a pure centre.
    pub uplinks: Vec<Uplink>,
    /// Where data and events go.
    pub destinations: Vec<Destination>,
    /// Lines and instruments this station reads; none at a pure centre.
    pub station: StationSettings,
    /// How alarms are ranked and answered.
    pub alarms: AlarmPolicy,
    /// Channels for messages, with their secrets.
    pub channels: Vec<Channel>,
    /// Who is told what through them.
    pub routes: Vec<Route>,
    /// When people are left alone.
    pub quiet: Vec<QuietHours>,
}

impl Settings {
    /// What decides who is told what; it holds neither addresses nor secrets.
    pub fn notify_policy(&self) -> NotifyPolicy {
        let rule = |channel: &Channel| (channel.id.clone(), channel.rule.clone());
        NotifyPolicy {
            channels: self.channels.iter().map(rule).collect(),
            routes: self.routes.clone(),
            quiet: self.quiet.clone(),
        }
    }

    /// The people as messages and the roster know them: without addresses.
    pub fn people(&self) -> BTreeMap<UserId, Person> {
        let reached = |user: &User| {
            let by = |channel: &&Channel| user.address(channel.rule.kind).is_some();
            let channels = self.channels.iter().filter(by);
            channels.map(|channel| channel.id.clone()).collect()
        };
        let person = |user: &User| Person {
            name: user.name.clone(),
            access: user.access(),
            lang: user.lang,
            channels: reached(user),
        };
        let entry = |user: &User| (user.id.clone(), person(user));
        self.users.iter().map(entry).collect()
    }
}

/// Ways of computing and printing the CRC of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CrcVariant {
    /// As HJ 212 annex A: high byte first, upper-case hex.
    Hj212,
    /// The same in lower case.
    Lowercase,
    /// The same with the bytes swapped.
    Swapped,
    /// CRC-16/MODBUS.
    Modbus,
    /// CRC-16/MODBUS with the bytes swapped.
    ModbusSwapped,
}

impl CrcVariant {
    /// Every variant with its name in files.
    pub const NAMES: [(&'static str, CrcVariant); 5] = [
        ("hj212", Self::Hj212),
        ("lowercase", Self::Lowercase),
        ("swapped", Self::Swapped),
        ("modbus", Self::Modbus),
        ("modbus-swapped", Self::ModbusSwapped),
    ];
}

/// HJ 212 intake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hj212Settings {
    /// Addresses listened on; empty: no uploads are taken, as at a station.
    pub listen: Vec<SocketAddr>,
    /// Most connections at a time; one more is closed at once and counted.
    pub connections_max: usize,
    /// A connection silent for this long is closed, seconds.
    pub idle_timeout_s: u32,
    /// A frame must be complete this long after its first byte, seconds.
    pub frame_timeout_s: u32,
    /// Longest data segment accepted, bytes.
    pub segment_bytes_max: usize,
    /// CRC variants accepted, in the order tried.
    pub accept_crc: Vec<CrcVariant>,
    /// What the centre asks of loggers by itself.
    pub dialogue: DialogueSettings,
    /// File of the master key under which device keys are sealed; `None`: `master.key` in the
    /// data directory. Better kept on another medium than the keys.
    pub master_key_file: Option<PathBuf>,
}

impl Default for Hj212Settings {
    fn default() -> Self {
        Self {
            listen: vec![SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 9212)],
            connections_max: 4_096,
            // Twice the longest reporting interval the standard allows (3600 s).
            idle_timeout_s: 7_200,
            frame_timeout_s: 30,
            // The length field has four digits; field devices go past the standard's 1024.
            segment_bytes_max: 9_999,
            accept_crc: CrcVariant::NAMES
                .iter()
                .map(|(_, variant)| *variant)
                .collect(),
            dialogue: DialogueSettings::default(),
            master_key_file: None,
        }
    }
}

/// The console.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsoleSettings {
    /// Address listened on.
    pub listen: SocketAddr,
    /// A log-in lasts this long, hours.
    pub session_hours: u32,
    /// Mark the session cookie `Secure` (needs HTTPS in front).
    pub secure_cookie: bool,
    /// Address under which people reach the console, without a slash at the end: links in messages
    /// begin with it. `None`: messages have no links.
    pub public_url: Option<String>,
}

impl Default for ConsoleSettings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080),
            session_hours: 12,
            secure_cookie: false,
            public_url: None,
        }
    }
}

/// Hash function of the journal's chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum JournalHash {
    /// SM3 (GB/T 32905).
    #[default]
    Sm3,
    /// SHA-256.
    Sha256,
}

/// The journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JournalSettings {
    /// Hash function of new files; a file keeps the one it began with.
    pub hash: JournalHash,
}

/// Form of the logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Least severity logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogLevel {
    /// Errors only.
    Error,
    /// And warnings.
    Warn,
    /// And what happens normally.
    #[default]
    Info,
    /// And details.
    Debug,
    /// And everything.
    Trace,
}

impl LogLevel {
    /// The name in files and filters.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// Logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LogSettings {
    /// Form.
    pub format: LogFormat,
    /// Least severity.
    pub level: LogLevel,
}

/// A person who logs in.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    /// Log-in name.
    pub id: UserId,
    /// Name shown beside what they did.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Argon2id hash of the password, PHC form.
    pub password_hash: String,
    /// Where they may do it.
    pub scope: Scope,
    /// Mail address, for messages.
    pub mail: Option<String>,
    /// Telephone number, for text messages.
    pub phone: Option<String>,
    /// Language of messages to them.
    pub lang: Lang,
}

/// Whether a text is a mail address, alone or as `Name <address>`. Rough: the mail server has the
/// last word.
pub(crate) fn mail_address(text: &str) -> bool {
    let bare = match text.split_once('<') {
        Some((_, rest)) => rest.strip_suffix('>'),
        None => Some(text),
    };
    bare.and_then(|bare| bare.split_once('@'))
        .is_some_and(|(local, host)| {
            let fine = |part: &str| {
                !part.is_empty() && part.bytes().all(|b| b.is_ascii_graphic() && b != b'<')
            };
            fine(local) && fine(host) && !host.contains('@') && !host.contains(',')
        })
}

impl User {
    /// The address a kind of channel reaches them at; `None` without one, and for channels that
    /// reach no single person.
    pub fn address(&self, kind: ChannelKind) -> Option<&str> {
        match kind {
            ChannelKind::Mail => self.mail.as_deref(),
            ChannelKind::Sms => self.phone.as_deref(),
            _ => None,
        }
    }

    /// Role and scope together.
    pub fn access(&self) -> Access {
        Access {
            role: self.role,
            scope: self.scope.clone(),
        }
    }
}

/// A program that uses the API.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiToken {
    /// Name of the token in the audit trail.
    pub id: SmolStr,
    /// SHA-256 of the token, lower-case hex.
    pub token_sha256: SmolStr,
    /// What it may do.
    pub role: Role,
    /// Where.
    pub scope: Scope,
}

impl ApiToken {
    /// Role and scope together.
    pub fn access(&self) -> Access {
        Access {
            role: self.role,
            scope: self.scope.clone(),
        }
    }
}

// Hashes stay out of logs: a weak password can be guessed from its hash.
impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User")
            .field("id", &self.id)
            .field("role", &self.role)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for ApiToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApiToken")
            .field("id", &self.id)
            .field("role", &self.role)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}
