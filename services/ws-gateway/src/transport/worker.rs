use std::sync::Arc;

use actix_web::HttpRequest;
use tokio_util::task::TaskTracker;

use super::connection::Services;
use crate::admission::Peer;

/// The state of the handlers of one worker thread.
pub(crate) struct Worker {
    pub services: Arc<Services>,
    /// Open sockets: the process waits for their last messages.
    pub farewells: TaskTracker,
}

impl Worker {
    /// The address of a request, and its tokens.
    pub(crate) fn peer(&self, request: &HttpRequest, query_token: Option<String>) -> Peer {
        let header_token = http::bearer(request).map(Into::into);
        Peer { query_token, header_token, ..self.address(request) }
    }

    /// The address of a request.
    pub(crate) fn address(&self, request: &HttpRequest) -> Peer {
        Peer { ip: http::client_ip(request), ..Peer::default() }
    }
}
