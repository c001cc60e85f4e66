use contracts::Role;
use http::Caller;
use uuid::Uuid;

/// The caller, as the audit records them.
#[derive(Clone, Debug)]
pub struct Actor {
    pub user_id: String,
    pub role: Role,
    /// The id of the request in the log: the client's, if it sent one.
    pub request_id: String,
    /// An id that this service gave to the request.
    pub own_request_id: String,
}

impl Actor {
    /// The service itself, for changes that no request caused.
    pub fn service() -> Self {
        let own_request_id = Uuid::now_v7().to_string();
        Self {
            user_id: "drift-service".into(),
            role: Role::Admin,
            request_id: own_request_id.clone(),
            own_request_id,
        }
    }
}

impl From<Caller> for Actor {
    fn from(caller: Caller) -> Self {
        let Caller { user_id, role, request_id, .. } = caller;
        Self { user_id, role, request_id: request_id.0, own_request_id: Uuid::now_v7().to_string() }
    }
}
