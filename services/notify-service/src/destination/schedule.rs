//! The times at which a destination receives what it wants: at once, in digests, or after its quiet hours.

use chrono::{DateTime, TimeDelta, Utc};
use contracts::drift::Severity;
use http::ApiError;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};
use sea_orm::FromJsonQueryResult;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::event::{Event, Traits};

/// The events of which a person may learn in the console.
const NEWS: [&str; 2] = ["drift:created", "alert:created"];

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, FromJsonQueryResult)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Schedule {
    /// Minutes between digests, from 5 to 1,440: what happens meanwhile is sent as one message
    #[schema(minimum = 5, maximum = 1440)]
    pub digest_minutes: Option<i64>,
    /// Hours in which nothing is sent; what happens meanwhile is sent as one message at their end
    pub quiet_hours: Option<QuietHours>,
    /// Seconds, from 30 to 3,600, after which a new drift or alert is sent, unless until then an engineer or admin
    /// received it on an open socket that still answers
    #[schema(minimum = 30, maximum = 3600)]
    pub unless_received_seconds: Option<i64>,
    /// One message for each scan with new or changed drifts, instead of one for each new drift
    pub group_by_scan: bool,
    /// Leaves out events that do not change the status or severity that was last sent about a drift
    pub skip_repeats: bool,
}

/// Hours of each day in a time zone. If `from` is later than `to`, they span midnight.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct QuietHours {
    /// The first quiet minute, such as 22:00
    #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    pub from: String,
    /// The first minute after them, such as 07:00
    #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    pub to: String,
    /// Such as Europe/Berlin
    #[schema(max_length = 64)]
    pub time_zone: String,
    /// Sends events with the severity `critical` at once
    #[serde(default)]
    pub except_critical: bool,
}

impl Schedule {
    /// # Errors
    /// 400, which names the field.
    pub fn check(&self) -> Result<(), ApiError> {
        if self.digest_minutes.is_some_and(|minutes| !(5..=1_440).contains(&minutes)) {
            return Err(ApiError::validation("schedule.digestMinutes", "must be from 5 to 1440"));
        }
        if self.unless_received_seconds.is_some_and(|seconds| !(30..=3_600).contains(&seconds)) {
            return Err(ApiError::validation("schedule.unlessReceivedSeconds", "must be from 30 to 3600"));
        }
        if self.unless_received_seconds.is_some() && self.digest_minutes.is_some() {
            let message = "cannot be combined with digestMinutes";
            return Err(ApiError::validation("schedule.unlessReceivedSeconds", message));
        }
        let Some(quiet) = &self.quiet_hours else { return Ok(()) };
        for (field, text) in
            [("schedule.quietHours.from", &quiet.from), ("schedule.quietHours.to", &quiet.to)]
        {
            if time(text).is_none() {
                return Err(ApiError::validation(field, "must be a time such as 22:00"));
            }
        }
        if quiet.from == quiet.to {
            return Err(ApiError::validation("schedule.quietHours.to", "must differ from the beginning"));
        }
        if TimeZone::get(&quiet.time_zone).is_err() {
            return Err(ApiError::validation(
                "schedule.quietHours.timeZone",
                "must be a zone such as Europe/Berlin",
            ));
        }
        Ok(())
    }

    /// Returns the time at which an event is sent that happens now.
    pub fn due(&self, event: &Event, traits: &Traits<'_>, now: DateTime<Utc>) -> DateTime<Utc> {
        let wait = self.unless_received_seconds.filter(|_| self.waits_for_receipt(event)).unwrap_or(0);
        self.due_at_earliest(traits, now + TimeDelta::seconds(wait))
    }

    /// Whether the event is not sent if an engineer receives it over a socket.
    pub fn waits_for_receipt(&self, event: &Event) -> bool {
        self.unless_received_seconds.is_some() && NEWS.contains(&event.event_type.as_str())
    }

    fn due_at_earliest(&self, traits: &Traits<'_>, now: DateTime<Utc>) -> DateTime<Utc> {
        let is_critical = traits.severity == Some(Severity::Critical);
        let held = self.quiet_hours.as_ref().filter(|quiet| !(quiet.except_critical && is_critical));
        let after_quiet = held.and_then(|quiet| quiet.end(now)).unwrap_or(now);
        let interval = self.digest_minutes.map_or(0, |minutes| minutes * 60);
        if interval == 0 {
            return after_quiet;
        }
        let second = after_quiet.timestamp();
        let boundary = (second.div_euclid(interval) + 1) * interval;
        after_quiet + TimeDelta::seconds(boundary - second)
    }
}

impl QuietHours {
    /// Returns the end of the quiet hours, if `now` is in them.
    fn end(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let (from, to) = (time(&self.from)?, time(&self.to)?);
        let zone = TimeZone::get(&self.time_zone).ok()?;
        let local = Zoned::new(Timestamp::from_second(now.timestamp()).ok()?, zone);
        let at = local.time();
        let ends_today = match from < to {
            true if at >= from && at < to => true,
            false if at >= from => false,
            false if at < to => true,
            _ => return None,
        };
        let day = if ends_today { local.date() } else { local.date().checked_add(1.day()).ok()? };
        // An hour that the clocks skip ends when they go on.
        let end = day.to_datetime(to).to_zoned(local.time_zone().clone()).ok()?;
        DateTime::from_timestamp(end.timestamp().as_second(), 0)
    }
}

fn time(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let digits = |part: &str| (part.len() == 2).then(|| part.parse::<i8>().ok()).flatten();
    Time::new(digits(hour)?, digits(minute)?, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::event::event_of;

    fn due(schedule: serde_json::Value, severity: Option<Severity>, now: &str) -> String {
        let schedule: Schedule = serde_json::from_value(schedule).unwrap();
        schedule.check().unwrap();
        let traits = Traits { severity, stack: None };
        let event = event_of("drift:updated", json!({}));
        schedule.due(&event, &traits, now.parse().unwrap()).to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
    }

    #[test]
    fn digests_end_at_multiples_of_their_interval() {
        let hourly = json!({"digestMinutes": 60});
        assert_eq!(due(hourly.clone(), None, "2026-11-28T10:00:00Z"), "2026-11-28T11:00:00Z");
        assert_eq!(due(hourly, None, "2026-11-28T10:59:59Z"), "2026-11-28T11:00:00Z");
        assert_eq!(due(json!({}), None, "2026-11-28T10:59:59Z"), "2026-11-28T10:59:59Z");
    }

    #[test]
    fn quiet_hours_end_in_their_zone_also_when_the_clocks_change() {
        let quiet = |except| {
            json!({"quietHours":
                {"from": "22:00", "to": "07:00", "timeZone": "Europe/Berlin", "exceptCritical": except}})
        };
        for (now, expected) in [
            ("2026-11-28T20:59:59Z", "2026-11-28T20:59:59Z"),
            ("2026-11-28T21:00:00Z", "2026-11-29T06:00:00Z"),
            ("2026-11-29T05:59:59Z", "2026-11-29T06:00:00Z"),
            ("2026-11-29T06:00:00Z", "2026-11-29T06:00:00Z"),
            // In the night to the 29th of March, the clocks go forward; in the one to the 25th of October, back.
            ("2026-03-28T23:00:00Z", "2026-03-29T05:00:00Z"),
            ("2026-10-24T22:00:00Z", "2026-10-25T06:00:00Z"),
        ] {
            assert_eq!(due(quiet(false), None, now), expected, "{now}");
        }
        let night = "2026-11-28T23:00:00Z";
        assert_eq!(due(quiet(true), Some(Severity::Critical), night), night);
        assert_eq!(due(quiet(true), Some(Severity::Warning), night), "2026-11-29T06:00:00Z");
        let lunch = json!({"quietHours": {"from": "12:00", "to": "13:30", "timeZone": "UTC"}});
        assert_eq!(due(lunch.clone(), None, "2026-11-28T12:00:00Z"), "2026-11-28T13:30:00Z");
        assert_eq!(due(lunch, None, "2026-11-28T13:30:00Z"), "2026-11-28T13:30:00Z");
    }

    #[test]
    fn schedules_are_checked() {
        let quiet = |from: &str, to: &str, zone: &str| json!({"quietHours": {"from": from, "to": to, "timeZone": zone}});
        for bad in [
            json!({"digestMinutes": 4}),
            json!({"digestMinutes": 1441}),
            json!({"unlessReceivedSeconds": 29}),
            json!({"unlessReceivedSeconds": 60, "digestMinutes": 30}),
            quiet("24:00", "07:00", "UTC"),
            quiet("7:00", "08:00", "UTC"),
            quiet("07:00", "07:00", "UTC"),
            quiet("22:00", "07:00", "Europe/Nowhere"),
        ] {
            let schedule: Schedule = serde_json::from_value(bad.clone()).unwrap();
            assert!(schedule.check().is_err(), "{bad}");
        }
    }
}
