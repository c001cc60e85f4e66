use std::net::IpAddr;
use std::sync::Arc;

use actix_web::{HttpRequest, web};
use anyhow::Result;
use platform::Platform;

use crate::origin::origin_is_allowed;
use crate::proxies::Proxies;
use crate::{Cors, HttpConfig};

/// The HTTP settings of a process, checked and prepared. Handlers find it in the app data. Cheap to clone.
#[derive(Clone)]
pub struct Http {
    pub(crate) config: Arc<HttpConfig>,
    pub(crate) cors: Arc<Cors>,
    proxies: Arc<Proxies>,
}

impl Http {
    /// Checks the settings and prepares them for use by requests.
    ///
    /// # Errors
    /// If a setting is unsafe or malformed: one sentence that names the variable.
    pub fn new(mut config: HttpConfig, platform: &Platform) -> Result<Self> {
        config.resolve(platform.config())?;
        Ok(Self {
            cors: Arc::new(Cors::new(&config)),
            proxies: Arc::new(Proxies::new(config.trusted_proxies.clone())),
            config: Arc::new(config),
        })
    }

    fn of(request: &HttpRequest) -> Option<&Self> {
        request.app_data::<web::Data<Self>>().map(|http| &***http)
    }
}

/// Returns the address of the client (see [`ClientIp`](crate::ClientIp)); `None` if the connection has none.
pub fn client_ip(request: &HttpRequest) -> Option<IpAddr> {
    Http::of(request)?.proxies.client_ip(request)
}

/// Whether a page of the request's origin may make this request: see [`origin`](crate::origin).
pub fn is_from_own_origin(request: &HttpRequest) -> bool {
    Http::of(request).is_some_and(|http| origin_is_allowed(request.headers(), &http.config.cors_origin))
}
