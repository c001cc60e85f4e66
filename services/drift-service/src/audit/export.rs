//! The export of the audit log: exactly the rows of a filtered list.

use actix_web::HttpResponse;
use actix_web::web::Data;
use chrono::{DateTime, Utc};
use http::{Admin, ApiError, ValidQuery};
use sea_orm::DbErr;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use super::entity::{self, Model};
use super::handlers::AuditView;
use crate::State;
use crate::error::DriftError;
use crate::export::{self, CsvWriter, File, Page, Pages, json_items, text};
use crate::text::storable;

const COLUMNS: [&str; 12] = [
    "id",
    "at",
    "actor",
    "action",
    "entity",
    "entityId",
    "from",
    "to",
    "reason",
    "changedFields",
    "requestId",
    "ownRequestId",
];

/// The format of an export of the audit log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum AuditFormat {
    Csv,
    /// A list of rows as the API returns them.
    Json,
}

/// The rows to export, newest first.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct AuditExportQuery {
    #[param(inline)]
    format: AuditFormat,
    entity_id: Option<Uuid>,
    #[validate(custom(function = "storable"))]
    action: Option<String>,
    /// Only actions of this user
    #[validate(custom(function = "storable"))]
    actor: Option<String>,
}

/// Exports the rows of the audit log as a file, newest first.
#[utoipa::path(get, path = "/api/v1/audit/export", operation_id = "export_drift_audit", tag = "audit",
    params(AuditExportQuery),
    responses((status = 200, description = "The file", content_type = "text/csv", body = String), (status = 503)),
    security(("bearer" = ["admin"])))]
pub async fn export_audit(
    state: Data<State>,
    Admin(caller): Admin,
    ValidQuery(query): ValidQuery<AuditExportQuery>,
) -> Result<HttpResponse, ApiError> {
    export::respond(state, &caller, query).await
}

impl Pages for AuditExportQuery {
    type Row = Model;
    type Place = (DateTime<Utc>, Uuid);

    fn file(&self) -> File {
        match self.format {
            AuditFormat::Csv => File { name: "audit.csv", media_type: "text/csv; charset=utf-8" },
            AuditFormat::Json => File { name: "audit.json", media_type: "application/json" },
        }
    }

    async fn read(&self, page: Page<'_, Self::Place>) -> Result<Vec<Model>, DbErr> {
        let (action, actor) = (self.action.as_deref(), self.actor.as_deref());
        entity::page(page.database, self.entity_id, action, actor, page.after, page.limit).await
    }

    fn place_of(&self, row: &Model) -> Self::Place {
        (row.at, row.id)
    }

    fn begin(&self) -> Result<Vec<u8>, DriftError> {
        match self.format {
            AuditFormat::Csv => {
                let mut writer = CsvWriter::new();
                writer.line(&COLUMNS)?;
                writer.finish()
            }
            AuditFormat::Json => Ok(b"[".into()),
        }
    }

    fn write(&self, rows: Vec<Model>, is_first: bool) -> Result<Vec<u8>, DriftError> {
        match self.format {
            AuditFormat::Csv => {
                let mut writer = CsvWriter::new();
                for row in &rows {
                    writer.line(&cells(row)?)?;
                }
                writer.finish()
            }
            AuditFormat::Json => json_items(rows.into_iter().map(AuditView::from), is_first),
        }
    }

    fn end(&self) -> &'static [u8] {
        match self.format {
            AuditFormat::Csv => b"",
            AuditFormat::Json => b"]\n",
        }
    }
}

fn cells(row: &Model) -> Result<[String; COLUMNS.len()], DriftError> {
    let changed_fields: Vec<String> = serde_json::from_str(&row.changed_fields)?;
    Ok([
        row.id.to_string(),
        row.at.to_rfc3339(),
        row.actor.clone(),
        row.action.clone(),
        row.entity.clone(),
        row.entity_id.to_string(),
        text(row.from_status.as_ref()),
        text(row.to_status.as_ref()),
        text(row.reason.as_ref()),
        changed_fields.join("\n"),
        row.request_id.clone(),
        row.own_request_id.clone(),
    ])
}
