//! What a centre has set on one of its lines, kept over restarts.

use super::outbox::{Mailbox, Outbox};
use crate::store::StoreError;
use cems_config::{RealtimeUpload, Uplink, UplinkOutlet, sha256_hex};
use cems_core::model::Expectation;
use cems_protocols::hj212::Secret;
use cems_protocols::hj212::dialogue::Settings;
use std::collections::BTreeMap;

/// Settings of one line, and how far its clock was set off from the machine's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kept {
    /// Settings, with the time-out as the centre knows it.
    pub(super) settings: Settings,
    /// What the centre's SystemTime was ahead of our clock, ms (CN 1012).
    pub(super) clock_ahead_ms: i64,
    /// MN the centre has given (CN 1002, 2025).
    pub(super) mn: Option<String>,
    /// SHA-256 over what the settings file says. When that changes, the file goes before what
    /// the centre had set.
    file: String,
}

impl Kept {
    /// What the settings file says.
    pub(super) fn of_file(uplink: &Uplink, outlet: &UplinkOutlet, formed: &Expectation) -> Self {
        let mut settings = Settings::new(&outlet.password.0);
        settings.over_time_s = uplink.over_time_s;
        settings.re_count = uplink.re_count;
        let formed_s = formed.realtime_s.unwrap_or(0);
        settings.rtd_interval_s = match uplink.realtime {
            RealtimeUpload::Every(seconds) => seconds,
            RealtimeUpload::All | RealtimeUpload::Never => formed_s,
        };
        settings.min_interval_min = formed.minute_min.unwrap_or(0);
        settings.realtime = uplink.realtime != RealtimeUpload::Never;
        // Nothing here measures treatment facilities.
        settings.facility = false;
        settings.centre_address = uplink.address.to_string();
        let said = format!(
            "{:?} {} {} {:?} {:?} {} {}",
            uplink.realtime,
            uplink.over_time_s,
            uplink.re_count,
            formed.realtime_s,
            formed.minute_min,
            outlet.mn,
            outlet.password.0,
        );
        Self {
            settings,
            clock_ahead_ms: 0,
            mn: None,
            file: sha256_hex(&said),
        }
    }

    /// The same with what the centre had set.
    ///
    /// # Errors
    /// Disk or damage.
    pub(super) fn read(mut self, outbox: &Outbox, mailbox: &Mailbox) -> Result<Self, StoreError> {
        let kept = outbox.settings(mailbox)?;
        if kept.get("file") != Some(&self.file) {
            return Ok(self);
        }
        let settings = &mut self.settings;
        if let Some(password) = kept.get("password") {
            settings.password = Secret::new(password);
        }
        number(&kept, "over_time_s", &mut settings.over_time_s);
        number(&kept, "re_count", &mut settings.re_count);
        number(&kept, "rtd_interval_s", &mut settings.rtd_interval_s);
        number(&kept, "realtime", &mut settings.realtime);
        number(&kept, "clock_ahead_ms", &mut self.clock_ahead_ms);
        self.mn = kept.get("mn").cloned();
        Ok(self)
    }

    /// Names and values for [`Outbox::keep`].
    pub(super) fn to_keep(&self) -> Vec<(&'static str, String)> {
        let Settings {
            password,
            over_time_s,
            re_count,
            rtd_interval_s,
            realtime,
            ..
        } = &self.settings;
        let mut out = vec![
            ("file", self.file.clone()),
            ("password", password.reveal().to_owned()),
            ("over_time_s", over_time_s.to_string()),
            ("re_count", re_count.to_string()),
            ("rtd_interval_s", rtd_interval_s.to_string()),
            ("realtime", realtime.to_string()),
            ("clock_ahead_ms", self.clock_ahead_ms.to_string()),
        ];
        out.extend(self.mn.clone().map(|mn| ("mn", mn)));
        out
    }
}

/// Takes a value over if it can be read; what cannot is as if nobody had set it.
fn number<T: std::str::FromStr>(kept: &BTreeMap<String, String>, name: &str, into: &mut T) {
    if let Some(value) = kept.get(name).and_then(|text| text.parse().ok()) {
        *into = value;
    }
}
