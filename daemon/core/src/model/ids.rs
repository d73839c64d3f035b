//! Identities. Each kind is its own type, so that an outlet cannot be passed where an enterprise
//! is meant.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::fmt;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(SmolStr);

        impl $name {
            /// Wraps a text; the configuration crate checks form and uniqueness.
            pub fn new(text: impl AsRef<str>) -> Self {
                Self(SmolStr::new(text))
            }

            /// The text as it stands in files, pages and the API.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                self.as_str()
            }
        }
    };
}

macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Debug,
            Clone,
            Copy,
            PartialEq,
            Eq,
            PartialOrd,
            Ord,
            Hash,
            Default,
            Serialize,
            Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    };
}

text_id!(
    /// Enterprise (排污单位): the discharger.
    EnterpriseId
);
text_id!(
    /// Outlet (排放口 / 监测点): one stack or one discharge, the unit of every calculation.
    OutletId
);
text_id!(
    /// Administrative region (行政区) an enterprise belongs to.
    RegionId
);
text_id!(
    /// Factor (监测因子) by its HJ 212-2017 code, such as `a21026` or `w01018`; a code that the
    /// factor table does not know is kept as it was sent.
    FactorCode
);
text_id!(
    /// MN (设备唯一标识): identity of a data logger. Never validated against the printed form;
    /// real ones are 7 to 24 characters of any kind.
    Mn
);
text_id!(
    /// A person who logs in.
    UserId
);
text_id!(
    /// Identity of a limit within its outlet, as written in the permit file.
    LimitId
);
text_id!(
    /// A rule profile with its version, such as `hj75-2017@1`.
    ProfileId
);
text_id!(
    /// A row of the duties table (法定事项), as written in its file.
    DutyId
);
text_id!(
    /// An instance of a duty: `rule:subject:round`, such as `month-total:jia:2026-09`.
    DutyKey
);
text_id!(
    /// A channel for messages (通知渠道), as named in the settings.
    ChannelId
);
number_id!(
    /// An alarm (报警), numbered from 1 in the order raised.
    AlarmId
);
number_id!(
    /// A fallback (人工监测替代时段), numbered from 1 in the order opened.
    FallbackId
);
number_id!(
    /// A message (通知), numbered from 1 in the order decided.
    MessageId
);
number_id!(
    /// A manual report (人工监测数据报送), numbered from 1 in the order received.
    ReportId
);
number_id!(
    /// Position in the journal: 1, 2, 3, … without gaps.
    Seq
);
