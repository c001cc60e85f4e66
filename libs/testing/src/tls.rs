use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, date_time_ymd,
};
use uuid::Uuid;

/// The certificate authority of a test.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// A certificate and its key, as PEM text.
pub struct Identity {
    pub certificate: String,
    pub key: String,
}

impl Default for Authority {
    fn default() -> Self {
        let mut about = CertificateParams::default();
        about.distinguished_name = named(&format!("authority {}", Uuid::new_v4()));
        about.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let pem = about.self_signed(&key).expect("a certificate").pem();
        Self { issuer: Issuer::new(about, key), pem }
    }
}

impl Authority {
    /// Returns the certificate of the authority.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Issues a certificate for a host name, an IP address or a client.
    pub fn issue(&self, name: &str) -> Identity {
        self.sign(about(name))
    }

    /// Issues a certificate that expired years ago.
    pub fn issue_expired(&self, name: &str) -> Identity {
        let mut about = about(name);
        (about.not_before, about.not_after) = (date_time_ymd(2019, 1, 1), date_time_ymd(2020, 1, 1));
        self.sign(about)
    }

    fn sign(&self, about: CertificateParams) -> Identity {
        let key = KeyPair::generate().expect("a key");
        let certificate = about.signed_by(&key, &self.issuer).expect("a certificate").pem();
        Identity { certificate, key: key.serialize_pem() }
    }
}

fn about(name: &str) -> CertificateParams {
    let mut about = CertificateParams::new([name.to_owned()]).expect("a name");
    about.distinguished_name = named(name);
    about
}

fn named(name: &str) -> DistinguishedName {
    let mut named = DistinguishedName::new();
    named.push(DnType::CommonName, name);
    named
}

/// The files of a server with TLS.
pub(crate) struct TlsFiles {
    pub authority: PathBuf,
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl TlsFiles {
    /// Returns the settings of Redis that name the files.
    pub(crate) fn settings(&self) -> [(&'static str, String); 3] {
        [
            ("tls-cert-file", self.certificate.display().to_string()),
            ("tls-key-file", self.key.display().to_string()),
            ("tls-ca-cert-file", self.authority.display().to_string()),
        ]
    }

    pub(crate) fn write(folder: &Path, authority: &Authority, server: &Identity) -> Self {
        let write = |name: &str, text: &str| {
            let file = folder.join(name);
            fs::write(&file, text).expect("the folder is writable");
            file
        };
        Self {
            authority: write("ca.pem", &authority.pem),
            certificate: write("server.pem", &server.certificate),
            key: write("server.key", &server.key),
        }
    }
}
