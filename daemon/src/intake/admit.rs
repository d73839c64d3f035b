//! Identity of a logger: MN, password and, where the registry says so, source address.

use crate::events::Verdict;
use crate::text::hex;
use cems_core::model::{Outlet, OutletId, Registry, UtcOffset};
use cems_protocols::hj212::{CrcVerdict, Message};
use sha2::{Digest, Sha256};
use smol_str::SmolStr;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Which loggers may come in, by MN. Made anew whenever the registry changes.
#[derive(Debug, Clone, Default)]
pub struct Directory {
    devices: BTreeMap<SmolStr, Device>,
    offset: UtcOffset,
}

#[derive(Debug, Clone)]
struct Device {
    outlet: OutletId,
    password_sha256: Option<SmolStr>,
    /// One that the logger was told to use; as right as the other.
    told_sha256: Option<SmolStr>,
    sources: Vec<IpAddr>,
}

impl Directory {
    /// The loggers of a registry. Addresses were checked by the configuration; one that does not
    /// parse would allow nothing, never everything.
    pub fn of(registry: &Registry) -> Self {
        let device = |outlet: &Outlet| Device {
            outlet: outlet.id.clone(),
            password_sha256: outlet.password_sha256.clone(),
            told_sha256: None,
            sources: outlet
                .allowed_sources
                .iter()
                .filter_map(|s| s.parse().ok())
                .collect(),
        };
        Self {
            devices: registry
                .outlets
                .values()
                .map(|outlet| (SmolStr::new(outlet.mn.as_str()), device(outlet)))
                .collect(),
            offset: registry.offset,
        }
    }

    /// The clock of the site, which its loggers keep.
    pub fn offset(&self) -> UtcOffset {
        self.offset
    }

    /// The logger of an outlet was told to use a password with this SHA-256 (hexadecimal).
    pub fn told(&mut self, outlet: &OutletId, sha256: &str) {
        for device in self.devices.values_mut() {
            if device.outlet == *outlet {
                device.told_sha256 = Some(SmolStr::new(sha256));
            }
        }
    }

    /// The outlet whose logger has this MN.
    pub fn outlet_of(&self, mn: &str) -> Option<&OutletId> {
        self.devices.get(mn).map(|device| &device.outlet)
    }

    /// How many loggers are known.
    pub fn len(&self) -> usize {
        self.devices.len()
    }

    /// True when no logger is known.
    pub fn is_empty(&self) -> bool {
        self.devices.is_empty()
    }
}

/// What intake goes by besides the directory.
#[derive(Debug, Clone)]
pub struct Admission {
    /// CRC variants that count as right.
    pub accepted_crc: Vec<CrcVerdict>,
}

impl Admission {
    /// Decides about a frame from `source`.
    ///
    /// The order is: can it be trusted at all (CRC), whose is it (MN), may it (password, address),
    /// can it be read (cipher text). A wrong CRC is never attributed: the MN in it may be damaged.
    pub fn decide(&self, message: &Message, source: IpAddr, directory: &Directory) -> Verdict {
        let encrypted = matches!(message.crc, CrcVerdict::Encrypted);
        if !encrypted && !self.accepted_crc.contains(&message.crc) {
            return Verdict::Crc;
        }
        let header = &message.header;
        let mn = header.mn.as_deref().unwrap_or_default();
        if header.cn.as_deref().unwrap_or_default().is_empty() || mn.is_empty() {
            return Verdict::Unreadable;
        }
        let Some(device) = directory.devices.get(mn) else {
            return if encrypted {
                Verdict::Encrypted { outlet: None }
            } else {
                Verdict::UnknownMn
            };
        };
        let outlet = device.outlet.clone();
        if let Some(expected) = &device.password_sha256 {
            let sent = header.pw.as_deref().unwrap_or_default();
            let sent = password_digest(sent);
            let told = device.told_sha256.as_ref();
            let right = same_digest(expected, &sent);
            if !right && told.is_none_or(|told| !same_digest(told, &sent)) {
                return Verdict::WrongPassword { outlet };
            }
        }
        if !device.sources.is_empty() && !device.sources.contains(&source.to_canonical()) {
            return Verdict::SourceAddress { outlet };
        }
        if encrypted {
            return Verdict::Encrypted {
                outlet: Some(outlet),
            };
        }
        Verdict::Accepted { outlet }
    }
}

/// SHA-256 of a logger's password, hexadecimal.
pub fn password_digest(password: &str) -> String {
    hex(&Sha256::digest(password.as_bytes()))
}

/// Compares hex digests without regard to case and without an early exit.
fn same_digest(a: &str, b: &str) -> bool {
    a.len() == b.len()
        && a.bytes().zip(b.bytes()).fold(0, |diff, (x, y)| {
            diff | (x.to_ascii_lowercase() ^ y.to_ascii_lowercase())
        }) == 0
}
