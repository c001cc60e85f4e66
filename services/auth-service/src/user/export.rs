//! The export of all data that this service stores about a person.

use chrono::{DateTime, Utc};
use contracts::Role;
use contracts::events::auth::EndReason;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::audit::entity as audit_log;
use crate::audit::handlers::AuditEntry;
use crate::compat::settings as user_settings;
use crate::error::AuthError;
use crate::login::known_network as login_network;
use crate::service_token::entity as service_token;
use crate::session::device::Device;
use crate::session::entity as session;
use crate::state::State;
use crate::user::entity as user;
use crate::user::profile::Profile;

/// Maximum number of rows of the audit log.
const MAX_AUDIT_ROWS: usize = 10_000;
/// Maximum number of entries of each other list.
const MAX_ENTRIES: usize = 1_000;

/// The data about a person. Each list starts with the newest entry.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Export {
    exported_at: DateTime<Utc>,
    profile: Profile,
    /// Includes ended sessions that are still stored.
    sessions: Vec<ExportedSession>,
    /// The networks of the logins of the last 30 days.
    networks: Vec<ExportedNetwork>,
    /// The events that affected the person. The address is that of the person, or of whoever tried to log in as
    /// them; it is left out where an admin acted.
    audit_log: Vec<AuditEntry>,
    /// The service tokens that the person created, without the tokens themselves.
    service_tokens: Vec<ExportedToken>,
    /// The settings that pages stored for the person.
    #[schema(value_type = Object)]
    settings: Map<String, Value>,
    limits: ExportLimits,
}

/// The bounds of the export, and whether it reached one of them and so lacks older entries.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExportLimits {
    max_audit_rows: usize,
    max_entries_of_other_lists: usize,
    is_complete: bool,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExportedSession {
    id: Uuid,
    device_info: Device,
    ip_address: String,
    created_at: DateTime<Utc>,
    last_activity: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
    #[schema(value_type = Option<String>)]
    end_reason: Option<EndReason>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExportedNetwork {
    network: String,
    last_login_at: DateTime<Utc>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExportedToken {
    id: Uuid,
    name: String,
    #[schema(value_type = String)]
    role: Role,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    last_used_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
}

/// Collects the data about a person.
pub async fn export(state: &State, id: Uuid) -> Result<Export, AuthError> {
    let (db, one_more) = (&state.database, MAX_ENTRIES as u64 + 1);
    let profile = Profile::new(user::by_id(db, id).await?.ok_or(AuthError::UnknownCaller)?, None);
    let mut is_complete = true;
    let sessions = session::newest_of(db, id, one_more).await?;
    let sessions = cut(sessions, MAX_ENTRIES, &mut is_complete).into_iter().map(Into::into).collect();
    let networks = login_network::newest_of(db, id, one_more).await?;
    let networks = cut(networks, MAX_ENTRIES, &mut is_complete).into_iter().map(Into::into).collect();
    let tokens = service_token::created_by(db, id, one_more).await?;
    let service_tokens = cut(tokens, MAX_ENTRIES, &mut is_complete).into_iter().map(Into::into).collect();
    let audit = audit_log::page(db, Some(id), None, None, MAX_AUDIT_ROWS as u64 + 1).await?;
    let audit = cut(audit, MAX_AUDIT_ROWS, &mut is_complete).into_iter().map(without_address_of_admin);
    Ok(Export {
        exported_at: state.platform.clock().now(),
        profile,
        sessions,
        networks,
        audit_log: audit.map(AuditEntry::from).collect(),
        service_tokens,
        settings: user_settings::of(db, id).await?,
        limits: ExportLimits {
            max_audit_rows: MAX_AUDIT_ROWS,
            max_entries_of_other_lists: MAX_ENTRIES,
            is_complete,
        },
    })
}

fn cut<T>(mut rows: Vec<T>, most: usize, is_complete: &mut bool) -> Vec<T> {
    *is_complete &= rows.len() <= most;
    rows.truncate(most);
    rows
}

/// The address of an admin is no data about the person.
fn without_address_of_admin(row: audit_log::Model) -> audit_log::Model {
    let is_of_admin = row.actor_id.is_some_and(|actor| Some(actor) != row.user_id);
    let ip_address = row.ip_address.filter(|_| !is_of_admin);
    audit_log::Model { ip_address, ..row }
}

impl From<session::Model> for ExportedSession {
    fn from(row: session::Model) -> Self {
        Self {
            id: row.id,
            device_info: row.device_info,
            ip_address: row.ip_address,
            created_at: row.created_at,
            last_activity: row.last_activity,
            expires_at: row.expires_at,
            ended_at: row.revoked_at,
            end_reason: row.revoked_reason,
        }
    }
}

impl From<login_network::Model> for ExportedNetwork {
    fn from(row: login_network::Model) -> Self {
        Self { network: row.network, last_login_at: row.last_login_at }
    }
}

impl From<service_token::Model> for ExportedToken {
    fn from(row: service_token::Model) -> Self {
        Self {
            id: row.id,
            name: row.name,
            role: row.role,
            created_at: row.created_at,
            expires_at: row.expires_at,
            last_used_at: row.last_used_at,
            revoked_at: row.revoked_at,
        }
    }
}
