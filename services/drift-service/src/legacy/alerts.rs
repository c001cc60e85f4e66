use std::collections::HashSet;

use anyhow::{Context, Result};
use contracts::drift::{Severity, Status};
use contracts::events::alert::AlertType;
use legacy::{ImportReport, SourceTime};
use serde::Deserialize;
use uuid::Uuid;

use super::Import;
use crate::alert::entity::{self, Model};
use crate::alert::reads;
use crate::audit;
use crate::drift::live;

const QUERY: &str = "SELECT * FROM alerts AS a ORDER BY a.created_at DESC, a.id";

#[derive(Deserialize)]
struct LegacyAlert {
    id: Uuid,
    drift_id: Option<Uuid>,
    #[serde(rename = "type")]
    alert_type: Option<String>,
    severity: Option<String>,
    title: Option<String>,
    message: Option<String>,
    is_read: Option<bool>,
    read_at: Option<SourceTime>,
    read_by: Option<String>,
    created_at: Option<SourceTime>,
}

impl Import<'_> {
    pub(super) async fn import_alerts(&self) -> Result<ImportReport> {
        let mut report = ImportReport::of("alerts");
        let mut pages = self.source.read(QUERY).await.context("the alerts cannot be read")?;
        // A drift has one alert of each type here.
        let mut kinds = HashSet::new();
        while let Some(page) =
            pages.next::<LegacyAlert>(&mut report).await.context("the alerts cannot be read")?
        {
            let ids = page.iter().map(|row| row.id).collect::<Vec<_>>();
            let mut present = entity::existing(self.tx, &ids).await?;
            present.extend(audit::entity::deleted(self.tx, &ids).await?);
            report.present += present.len() as u64;
            let drifts = page.iter().filter_map(|row| row.drift_id).collect::<Vec<_>>();
            let undecided = live::with_status(self.tx, &drifts, Status::Detected).await?;
            let drifts = live::existing(self.tx, &drifts).await?;
            let taken = entity::types_of(self.tx, &drifts).await?;
            let (mut rows, mut read) = (Vec::new(), Vec::new());
            for row in page.into_iter().filter(|row| !present.contains(&row.id)) {
                let reader = row.read_by.clone();
                let mut alert = self.alert(row, &mut report);
                alert.drift_id = alert.drift_id.filter(|id| drifts.contains(id));
                if let Some(drift) = alert.drift_id
                    && (taken.contains(&(drift, alert.alert_type))
                        || !kinds.insert((drift, alert.alert_type)))
                {
                    report.remark("repeat an alert about their drift; not imported", alert.title);
                    continue;
                }
                // Here, a person reads an alert for themselves, and a decision closes it for everybody.
                let is_personal = alert.drift_id.is_none_or(|drift| undecided.contains(&drift));
                if let (true, Some(user_id), Some(read_at)) =
                    (alert.is_read && is_personal, reader, alert.read_at)
                {
                    read.push(reads::Model { alert_id: alert.id, user_id, read_at });
                    (alert.is_read, alert.read_at, alert.read_by) = (false, None, None);
                }
                rows.push(alert);
            }
            report.imported += rows.len() as u64;
            entity::insert(self.tx, &rows).await?;
            reads::insert(self.tx, read).await?;
        }
        Ok(report)
    }

    fn alert(&self, row: LegacyAlert, report: &mut ImportReport) -> Model {
        let title = self.text(row.title, 255).unwrap_or_default();
        let alert_type = row.alert_type.as_deref().unwrap_or_default();
        let alert_type = alert_type.to_lowercase().parse().unwrap_or_else(|_error| {
            report.remark(
                "have a type that is unknown here; they are drift_detected",
                format!("{title}: {alert_type}"),
            );
            AlertType::DriftDetected
        });
        let severity = row.severity.as_deref().unwrap_or_default();
        let severity = severity.to_lowercase().parse().unwrap_or_else(|_error| {
            report.remark(
                "have a severity that is unknown here; they are warnings",
                format!("{title}: {severity}"),
            );
            Severity::Warning
        });
        let created_at = row.created_at.map_or(self.now, |SourceTime(at)| at);
        let is_read = row.is_read.unwrap_or_default();
        Model {
            id: row.id,
            drift_id: row.drift_id,
            alert_type,
            severity,
            title,
            message: self.text(row.message, 2_000).unwrap_or_default(),
            created_at,
            is_read,
            read_at: is_read.then(|| row.read_at.map_or(created_at, |SourceTime(at)| at)),
            read_by: row.read_by.filter(|_| is_read),
            stack: row.drift_id.map(|_drift| super::drifts::STACK.into()),
            scan_id: None,
        }
    }
}
