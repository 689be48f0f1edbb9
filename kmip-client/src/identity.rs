//! Who the client is and whom it believes: PEM files.

use crate::Error;
use rustls::client::WantsClientCert;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::sign::{CertifiedKey, SigningKey, SingleCertAndKey};
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, ServerConfig};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The files that a client is identified by, all PEM.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The CA certificates that the server's certificate must chain to.
    pub ca: PathBuf,
    /// The client's certificate, with the chain above it if there is one. `None` sends no certificate.
    pub certificate: Option<PathBuf>,
    /// The private key of the certificate.
    pub key: Option<PathBuf>,
}

impl Identity {
    /// The files of this name in a folder as `claviger demo` leaves it: `ca.pem`, `NAME.pem`, `NAME-key.pem`.
    #[must_use]
    pub fn in_folder(folder: &Path, name: &str) -> Self {
        Self {
            ca: folder.join("ca.pem"),
            certificate: Some(folder.join(format!("{name}.pem"))),
            key: Some(folder.join(format!("{name}-key.pem"))),
        }
    }

    /// Reads the files into a TLS configuration, which any number of connections may share.
    ///
    /// # Errors
    /// A file that cannot be read or holds something else; a certificate and key that do not fit.
    pub fn tls(&self) -> Result<Arc<ClientConfig>, Error> {
        let builder = self.builder()?;
        let configuration = match (&self.certificate, &self.key) {
            (Some(certificate), Some(key)) => {
                builder.with_client_auth_cert(certificates(certificate)?, private_key(key)?)?
            }
            _ => builder.with_no_client_auth(),
        };
        Ok(Arc::new(configuration))
    }

    /// The same with a private key that is no file: in a token or card, say. [`Identity::key`] is not looked at.
    ///
    /// # Errors
    /// A file that cannot be read or holds something else; no certificate; a certificate and key that do not fit.
    pub fn tls_by(&self, key: Arc<dyn SigningKey>) -> Result<Arc<ClientConfig>, Error> {
        let chain = certificates(self.certificate.as_deref().unwrap_or(Path::new("")))?;
        let certified = CertifiedKey::new(chain, key);
        certified.keys_match()?;
        let resolver = Arc::new(SingleCertAndKey::from(certified));
        Ok(Arc::new(self.builder()?.with_client_cert_resolver(resolver)))
    }

    /// What a client listens with: it shows its certificate, and lets in whoever its authorities vouch for.
    ///
    /// # Errors
    /// A file that cannot be read or holds something else; no certificate; a certificate and key that do not fit.
    pub fn tls_of_endpoint(&self) -> Result<Arc<ServerConfig>, Error> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates(&self.ca)? {
            roots.add(certificate)?;
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build();
        let verifier = verifier.map_err(|why| rustls::Error::General(why.to_string()))?;
        let none = Path::new("");
        let chain = certificates(self.certificate.as_deref().unwrap_or(none))?;
        let key = private_key(self.key.as_deref().unwrap_or(none))?;
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain, key)?;
        Ok(Arc::new(config))
    }

    fn builder(&self) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, Error> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates(&self.ca)? {
            roots.add(certificate)?;
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        Ok(ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
            .with_root_certificates(roots))
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let bytes = read(path)?;
    let parsed: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match parsed {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(Error::Pem {
            path: path.to_owned(),
            expected: "certificate",
        }),
    }
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, Error> {
    let bytes = kmip_ttlv::Secret::new(read(path)?);
    PrivateKeyDer::from_pem_slice(bytes.expose()).map_err(|_| Error::Pem {
        path: path.to_owned(),
        expected: "private key",
    })
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|source| Error::File {
        path: path.to_owned(),
        source,
    })
}
