//! TLS of channels: ring is the one provider, and the public authorities or those of a file are
//! trusted.

use anyhow::Context;
use cems_config::Secret;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;

/// A client that trusts the authorities in `ca`, or the public ones, and shows a certificate where
/// it is asked for one.
pub(crate) fn client(
    ca: Option<&str>,
    certificate: Option<&(String, Secret<String>)>,
) -> anyhow::Result<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .context("TLS versions")?
        .with_root_certificates(roots(ca)?);
    let Some((chain, key)) = certificate else {
        return Ok(builder.with_no_client_auth());
    };
    let chain = CertificateDer::pem_slice_iter(chain.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .context("the certificate file is not PEM")?;
    // The parser's error may show a part of the key.
    let key = PrivateKeyDer::from_pem_slice(key.0.as_bytes())
        .map_err(|_| anyhow::anyhow!("the key file holds no private key in PEM"))?;
    builder
        .with_client_auth_cert(chain, key)
        .context("certificate and key do not fit together")
}

fn roots(ca: Option<&str>) -> anyhow::Result<RootCertStore> {
    let Some(ca) = ca else {
        return Ok(webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect());
    };
    let mut store = RootCertStore::empty();
    for authority in CertificateDer::pem_slice_iter(ca.as_bytes()) {
        let authority = authority.context("the CA file is not PEM")?;
        store
            .add(authority)
            .context("the CA file holds a certificate that cannot be used")?;
    }
    anyhow::ensure!(!store.is_empty(), "the CA file holds no certificate");
    Ok(store)
}
