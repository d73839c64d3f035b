//! When the certificates of the settings end: those we show, and the authorities we trust.

use cems_config::Settings;
use cems_core::model::Timestamp;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use smol_str::{SmolStr, format_smolstr};
use x509_cert::Certificate;
use x509_cert::der::Decode;

/// Certificates of one channel or destination that are watched; a bundle of authorities may hold
/// hundreds.
const PER_CHANNEL_MAX: usize = 16;

/// A certificate in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paper {
    /// Who uses it.
    pub part: SmolStr,
    /// Whose it is.
    pub name: String,
    /// When it ends.
    pub until: Timestamp,
}

/// The certificates of all channels and destinations. One that cannot be read is left out here: the
/// channel or the destination itself says what is wrong with it.
pub fn papers(settings: &Settings) -> Vec<Paper> {
    let mut all = Vec::new();
    for channel in &settings.channels {
        let part = format_smolstr!("channel {}", channel.id);
        all.extend(of(&part, &channel.means.certificates()));
    }
    for to in &settings.destinations {
        let part = format_smolstr!("destination {}", to.id);
        all.extend(of(&part, &to.means.certificates()));
    }
    all
}

fn of(part: &SmolStr, pems: &[&str]) -> Vec<Paper> {
    let mut all = Vec::new();
    for pem in pems {
        let certificates = CertificateDer::pem_slice_iter(pem.as_bytes());
        for der in certificates.take(PER_CHANNEL_MAX).flatten() {
            all.extend(read(part.clone(), &der));
        }
    }
    all
}

fn read(part: SmolStr, der: &[u8]) -> Option<Paper> {
    let certificate = Certificate::from_der(der).ok()?;
    let body = &certificate.tbs_certificate;
    let until = body.validity.not_after.to_unix_duration().as_millis();
    Some(Paper {
        part,
        name: body.subject.to_string(),
        until: Timestamp(i64::try_from(until).ok()?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A self-signed certificate for `broker.example`, valid until 2126.
    const PEM: &str = include_str!("testdata/broker.pem");

    #[test]
    fn name_and_end_are_read() {
        let der = CertificateDer::from_pem_slice(PEM.as_bytes()).expect("PEM");
        let paper = read("channel mqtt".into(), &der).expect("a certificate");
        assert_eq!(paper.name, "CN=broker.example");
        assert!(paper.until.0 > 4_800_000_000_000, "{paper:?}");
        assert_eq!(read("x".into(), b"nonsense"), None);
    }
}
