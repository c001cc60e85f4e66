use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use backplane::{ClientCertificate, Tls};
use clap::Args;

/// The files with certificates for a Redis with TLS.
#[derive(Args, Clone, Debug, Default)]
pub struct RedisTlsConfig {
    /// File of certificates (PEM) to trust for rediss://, instead of those of the platform
    #[arg(long, env = "REDIS_TLS_CA_FILE", value_name = "FILE")]
    redis_tls_ca_file: Option<PathBuf>,

    /// Certificate (PEM) with which Redis recognizes this process
    #[arg(long, env = "REDIS_TLS_CERT_FILE", value_name = "FILE")]
    redis_tls_cert_file: Option<PathBuf>,

    /// Key of the certificate (PEM)
    #[arg(long, env = "REDIS_TLS_KEY_FILE", value_name = "FILE")]
    redis_tls_key_file: Option<PathBuf>,
}

impl RedisTlsConfig {
    /// Reads the files.
    ///
    /// # Errors
    /// If a file cannot be read, or only one of certificate and key is set; the message names the variable.
    pub(crate) fn read(&self) -> Result<Tls> {
        let read = |variable: &'static str, file: &Path| {
            std::fs::read(file).with_context(|| format!("{variable} {} cannot be read", file.display()))
        };
        let authority =
            self.redis_tls_ca_file.as_deref().map(|file| read("REDIS_TLS_CA_FILE", file)).transpose()?;
        let client = match (&self.redis_tls_cert_file, &self.redis_tls_key_file) {
            (Some(certificate), Some(key)) => Some(ClientCertificate {
                certificate: read("REDIS_TLS_CERT_FILE", certificate)?,
                key: read("REDIS_TLS_KEY_FILE", key)?,
            }),
            (None, None) => None,
            _ => bail!("REDIS_TLS_CERT_FILE and REDIS_TLS_KEY_FILE belong together: set both or neither"),
        };
        Ok(Tls { authority, client })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        redis: RedisTlsConfig,
    }

    fn refusal(arguments: &[&str]) -> String {
        let arguments = ["x"].iter().chain(arguments);
        format!("{:#}", Cli::parse_from(arguments).redis.read().unwrap_err())
    }

    #[test]
    fn an_unusable_file_is_named_with_its_variable() {
        let missing = refusal(&["--redis-tls-ca-file", "/nowhere/ca.pem"]);
        assert!(missing.contains("REDIS_TLS_CA_FILE /nowhere/ca.pem cannot be read"), "{missing}");
        let half = refusal(&["--redis-tls-cert-file", "/nowhere/client.pem"]);
        assert!(half.contains("REDIS_TLS_KEY_FILE"), "{half}");
        assert!(Cli::parse_from(["x"]).redis.read().unwrap().authority.is_none());
    }
}
