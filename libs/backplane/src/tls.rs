use std::fmt;

/// Certificates for `rediss://`, as PEM text. By default, the certificates of the platform are trusted, and the client
/// shows none.
#[derive(Clone, Default)]
pub struct Tls {
    /// Certificates to trust instead of those of the platform.
    pub authority: Option<Vec<u8>>,
    pub client: Option<ClientCertificate>,
}

/// The certificate with which a process proves its identity, and its key.
#[derive(Clone)]
pub struct ClientCertificate {
    pub certificate: Vec<u8>,
    pub key: Vec<u8>,
}

impl fmt::Debug for Tls {
    /// Leaves the key out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (authority, client) = (self.authority.is_some(), self.client.is_some());
        f.debug_struct("Tls").field("authority", &authority).field("client", &client).finish()
    }
}
