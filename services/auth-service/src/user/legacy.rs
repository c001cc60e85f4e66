//! Users of the replaced stacks.

use std::collections::{HashMap, HashSet};

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use contracts::Role;
use database::{IDS_PER_STATEMENT, Transaction, insert_chunked};
use legacy::{Accounts, ImportReport, Imported, Snapshot, SourceTime};
use sea_orm::entity::prelude::*;
use sea_orm::{Condition, IntoActiveModel, QuerySelect};
use serde::Deserialize;

use crate::audit::entity as audit_log;
use crate::compat::settings as user_settings;
use crate::password;
use crate::state::State;
use crate::user::email::Email;
use crate::user::entity::{self as user, Column, Entity, Model};
use crate::user::name::Name;

/// The names of ids that are not UUIDs, so that every import gives a user the same new id.
const NAMESPACE: Uuid = Uuid::from_u128(0x6f1c_7d3a_52ab_4d8f_9a57_2f0e_61c4_b1d9);

/// The tables of users: of the monolith, and of the auth microservice. Of two users with one address, the first of the
/// query is imported: active users come before others, and those who logged in last before those who did earlier.
const TABLES: [(&str, &str, &str); 2] = [
    (
        "users",
        "password_hash",
        r#"SELECT * FROM users AS u ORDER BY to_jsonb(u)->>'deleted_at' NULLS FIRST,
           to_jsonb(u)->>'is_active' DESC, to_jsonb(u)->>'last_login_at' DESC NULLS LAST, u.id"#,
    ),
    (
        "User",
        "password",
        r#"SELECT * FROM "User" AS u ORDER BY to_jsonb(u)->>'lastActivityAt' DESC NULLS LAST, u.id"#,
    ),
];

/// The open sessions of both.
const SESSIONS: [(&str, &str, &str); 2] = [
    (
        "sessions",
        "is_revoked",
        "SELECT count(*) AS count FROM sessions WHERE NOT is_revoked AND expires_at > now()",
    ),
    ("Session", "sessionToken", r#"SELECT count(*) AS count FROM "Session" WHERE "expiresAt" > now()"#),
];

/// A row of either table.
#[derive(Deserialize)]
struct LegacyUser {
    id: String,
    email: String,
    #[serde(alias = "password")]
    password_hash: Option<String>,
    name: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    role: Option<String>,
    is_active: Option<bool>,
    deleted_at: Option<SourceTime>,
    account_id: Option<String>,
    api_key_hash: Option<String>,
    settings: Option<serde_json::Value>,
    last_login_at: Option<SourceTime>,
    #[serde(rename = "lastActivityAt")]
    last_activity_at: Option<SourceTime>,
    #[serde(alias = "createdAt")]
    created_at: Option<SourceTime>,
    #[serde(alias = "updatedAt")]
    updated_at: Option<SourceTime>,
}

/// Imports the users that are not here yet, in one transaction that is not committed. Returns `None` if the source has
/// no users.
///
/// # Errors
/// If a database is unavailable, or a row cannot be read.
pub async fn import(state: &State, source: &Snapshot) -> Result<Imported> {
    let accounts = Accounts::read(source).await?;
    let (tx, now) = (state.database.begin().await?, state.platform.clock().now());
    tx.prefer_indexes().await?;
    let mut reports = Vec::new();
    for (table, column, query) in TABLES {
        if source.has_column(table, column).await? {
            let imported = import_table(&tx, source, query, &accounts, now).await;
            reports.push(imported.with_context(|| format!("the users in {table} cannot be imported"))?);
        }
    }
    let Some(last) = reports.last_mut() else { return Ok(None) };
    for (table, column, query) in SESSIONS {
        if source.has_column(table, column).await? {
            let open = source.count(query).await?;
            if open > 0 {
                let remark = "tables have open sessions, which end: their users log in once more";
                last.remark(remark, format!("{table}: {open}"));
            }
        }
    }
    Ok(Some((tx, reports)))
}

async fn import_table(
    tx: &Transaction,
    source: &Snapshot,
    query: &str,
    accounts: &Accounts,
    now: DateTime<Utc>,
) -> Result<ImportReport> {
    let mut report = ImportReport::of("users");
    let mut addresses = HashSet::new();
    let mut pages = source.read(query).await?;
    while let Some(page) = pages.next::<LegacyUser>(&mut report).await? {
        let mut rows = Vec::with_capacity(page.len());
        let mut settings = HashMap::new();
        for mut row in page {
            let page_settings = row.settings.take();
            let Some(row) = convert(row, accounts, now, &mut report) else { continue };
            if addresses.insert(row.email.clone()) {
                match page_settings {
                    Some(own) if own.to_string().len() > user_settings::MAX_BYTES => {
                        report.remark("have settings that are too large; not imported", row.email.clone());
                    }
                    Some(serde_json::Value::Object(own)) => {
                        settings.insert(row.id, own);
                    }
                    _ => {}
                }
                rows.push(row);
            } else {
                report.remark(
                    "have the address of another user once it is in lower case; not imported",
                    format!("{} ({})", row.email, row.id),
                );
            }
        }
        let rows = without_present(tx, rows, &mut report).await?;
        report.imported += rows.len() as u64;
        let audit = rows.iter().map(|row| audit_log::of_import(row.id, now)).collect();
        let settings = rows.iter().filter_map(|row| Some((row.id, settings.remove(&row.id)?)));
        let settings = settings.map(|(id, own)| user_settings::row(id, &own, now)).collect();
        insert_chunked(tx, rows.into_iter().map(|row| row.into_active_model().reset_all()).collect()).await?;
        insert_chunked::<audit_log::ActiveModel>(tx, audit).await?;
        insert_chunked::<user_settings::ActiveModel>(tx, settings).await?;
    }
    Ok(report)
}

/// Removes users that are here already, by id or by address.
async fn without_present(
    tx: &Transaction,
    rows: Vec<Model>,
    report: &mut ImportReport,
) -> Result<Vec<Model>> {
    let (mut ids, mut addresses) = (HashMap::new(), HashSet::new());
    for chunk in rows.chunks(IDS_PER_STATEMENT) {
        let known = Condition::any()
            .add(Column::Id.is_in(chunk.iter().map(|row| row.id)))
            .add(Column::Email.is_in(chunk.iter().map(|row| row.email.as_str())));
        let known = Entity::find().filter(known).select_only().columns([
            Column::Id,
            Column::Email,
            Column::UpdatedAt,
        ]);
        for (id, email, updated_at) in known.into_tuple::<(Uuid, String, DateTime<Utc>)>().all(tx).await? {
            ids.insert(id, updated_at);
            addresses.insert(email);
        }
    }
    let mut new = Vec::with_capacity(rows.len());
    for row in rows {
        if let Some(updated_at) = ids.get(&row.id) {
            report.present += 1;
            if row.updated_at > *updated_at {
                report
                    .remark("have changed in the old stack since they were imported; not updated", row.email);
            }
        } else if addresses.contains(&row.email) {
            report.remark("have the address of a user who is already here; not imported", row.email);
        } else {
            new.push(row);
        }
    }
    Ok(new)
}

fn convert(
    row: LegacyUser,
    accounts: &Accounts,
    now: DateTime<Utc>,
    report: &mut ImportReport,
) -> Option<Model> {
    let Ok(email) = Email::parse(&row.email) else {
        report.remark("have no usable address; not imported", format!("{} ({})", row.email, row.id));
        return None;
    };
    let who = email.as_str();
    if email.as_str() != row.email {
        report.remark("have an address with capitals or spaces, which are gone", row.email.clone());
    }
    if row.api_key_hash.is_some() {
        report.remark("had an API key, which ends; create service tokens instead", who);
    }
    let is_deleted = row.deleted_at.is_some();
    if is_deleted {
        report.remark("were deleted; they are disabled here", who);
    }
    let role = row.role.as_deref().unwrap_or_default();
    let role = role.to_lowercase().parse().unwrap_or_else(|_error| {
        report.remark("have a role that is unknown here; they are viewers", format!("{who}: {role}"));
        Role::Viewer
    });
    let password = row.password_hash.filter(|hash| password::is_bcrypt(hash)).unwrap_or_else(|| {
        report.remark("have no bcrypt hash; an operator sets a password with reset-password", who);
        password::unusable()
    });
    let created_at = row.created_at.map_or(now, |SourceTime(at)| at);
    let last_login_at = row.last_login_at.map(|SourceTime(at)| at);
    let name = name(row.name, row.first_name, row.last_name, &email);
    Some(Model {
        id: user_id(&row.id),
        search: user::search_text(&name, &email),
        name,
        email: email.into(),
        password,
        role,
        is_active: row.is_active.unwrap_or(true) && !is_deleted,
        account_id: row.account_id.as_deref().and_then(|id| accounts.get(id)),
        generation: 0,
        login_epoch: 0,
        last_login_at,
        email_verified_at: None,
        deleted_at: None,
        time_zone: None,
        language: None,
        notifications: None,
        last_activity_at: row.last_activity_at.map(|SourceTime(at)| at).or(last_login_at),
        created_at,
        updated_at: row.updated_at.map_or(created_at, |SourceTime(at)| at),
    })
}

/// Returns the id here of a user of the source: the same one if it is a UUID.
fn user_id(source: &str) -> Uuid {
    source.parse().unwrap_or_else(|_error| Uuid::new_v5(&NAMESPACE, source.as_bytes()))
}

/// Returns a valid name; the first part of the address if there is none.
fn name(full: Option<String>, first: Option<String>, last: Option<String>, email: &Email) -> String {
    let parts = [first.as_deref(), last.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let address = email.as_str().split('@').next().unwrap_or_default();
    [full.as_deref().unwrap_or_default(), parts.as_str(), address]
        .into_iter()
        .find_map(|name| {
            let line: String = name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            Name::try_from(line.trim().chars().take(100).collect::<String>()).ok()
        })
        .map_or_else(|| "User".into(), String::from)
}
