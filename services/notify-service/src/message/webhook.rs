//! The body of a generic webhook, in the shape that [Standard Webhooks] recommends.
//!
//! [Standard Webhooks]: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::event::Event;

pub fn body(event: &Event) -> Value {
    let mut body = json!({
        "type": event.event_type,
        "timestamp": event.at,
        "data": event.payload,
        "eventId": event.id,
    });
    if let Some(account) = &event.account_id {
        body["accountId"] = json!(account);
    }
    body
}

/// Returns one body for several events. The caller bounds their number.
pub fn digest_body(events: &[Event], at: DateTime<Utc>) -> Value {
    json!({
        "type": "notification.digest",
        "timestamp": at,
        "data": {"count": events.len(), "events": events.iter().map(body).collect::<Vec<_>>()},
    })
}

#[cfg(test)]
mod tests {
    use contracts::AccountId;

    use super::*;
    use crate::message::sample;

    #[test]
    fn a_body_has_the_payload_and_what_routes_it() {
        let mut event = sample();
        let plain = body(&event);
        assert_eq!(plain["type"], "drift:created");
        assert_eq!(plain["timestamp"], "1970-01-01T00:00:00Z");
        assert_eq!(plain["eventId"], event.id.to_string());
        assert_eq!(plain["data"], event.payload);
        assert!(plain.get("accountId").is_none() && plain.get("text").is_none());

        event.account_id = Some(AccountId::from("acc_1"));
        assert_eq!(body(&event)["accountId"], "acc_1");
    }

    #[test]
    fn a_digest_has_the_body_of_each_event() {
        let events = [sample(), sample()];
        let digest = digest_body(&events, events[0].at);
        assert_eq!(digest["type"], "notification.digest");
        assert_eq!(digest["data"]["count"], 2);
        assert_eq!(digest["data"]["events"][1], body(&events[1]));
    }
}
