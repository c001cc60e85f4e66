//! The deliveries of events: one for each destination that wants an event.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use contracts::drift::Severity;
use database::Transaction;
use sea_orm::DbErr;
use uuid::Uuid;

use super::{entity, erase};
use crate::delivery::entity as delivery;
use crate::destination::entity as destination;
use crate::destination::rules::Matcher;
use crate::event::{EVENTS_MISSED, Event, Traits};
use crate::slack_app::link;

const DRIFT_CREATED: &str = "drift:created";
const SCAN_STORED: &str = "scan:stored";
const USER_DELETED: &str = "auth:user.deleted";

/// The compiled rules of destinations.
#[derive(Clone, Default)]
pub struct Matchers(Arc<Mutex<HashMap<Uuid, Compiled>>>);

/// Rules, and the version of their destination.
type Compiled = (i32, Arc<Matcher>);

impl Matchers {
    fn of(&self, destinations: &[destination::Wanting]) -> Vec<Arc<Matcher>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() > 2 * destinations.len() {
            let ids: HashSet<Uuid> = destinations.iter().map(|destination| destination.id).collect();
            known.retain(|id, _| ids.contains(id));
        }
        let matchers = destinations.iter().map(|destination| {
            let entry = known
                .entry(destination.id)
                .or_insert_with(|| (destination.version, Arc::new(Matcher::new(&destination.rules))));
            if entry.0 != destination.version {
                *entry = (destination.version, Arc::new(Matcher::new(&destination.rules)));
            }
            Arc::clone(&entry.1)
        });
        matchers.collect()
    }
}

/// The deliveries to store, and the events that they need.
#[derive(Default)]
struct Plan {
    events: Vec<entity::Model>,
    deliveries: Vec<delivery::New>,
    /// The earliest delivery of each destination.
    due: HashMap<Uuid, DateTime<Utc>>,
}

/// Stores the deliveries of events in their order, and returns their number.
pub(super) async fn fan_out(
    tx: &Transaction,
    matchers: &Matchers,
    events: &[Event],
    now: DateTime<Utc>,
    keep_for: TimeDelta,
) -> Result<usize, DbErr> {
    let destinations = destination::wanting(tx).await?;
    let matchers = matchers.of(&destinations);
    let mut last_states = last_states(tx, &destinations, events).await?;
    let mut plan = Plan::default();
    for event in events {
        let (subject, event_state) = (event.subject(), event.state());
        let mut is_wanted = false;
        for (destination, matcher) in destinations.iter().zip(&matchers) {
            // A log that was lost is read again from its beginning.
            if event.at < destination.created_at || !wants(destination, matcher, event) {
                continue;
            }
            if let (Some(state), true) = (&event_state, destination.schedule.skip_repeats) {
                let last = last_states.insert((destination.id, subject.clone()), state.clone());
                if last.as_ref() == Some(state) {
                    continue;
                }
            }
            is_wanted = true;
            let due_at = destination.schedule.due(event, &Traits::of(event), now);
            plan.due.entry(destination.id).and_modify(|due| *due = due_at.min(*due)).or_insert(due_at);
            plan.deliveries.push(delivery::New {
                destination_id: destination.id,
                event_id: event.id,
                subject: subject.clone(),
                due_at,
                // Counted from the first attempt.
                expires_at: due_at + keep_for,
            });
        }
        if is_wanted {
            plan.events.push(row(event, subject, event_state.unwrap_or_default(), now));
        }
    }
    let count = plan.deliveries.len();
    store(tx, plan, now).await?;
    for event in events.iter().filter(|event| event.event_type == USER_DELETED) {
        if let Some(user) = &event.user_id {
            erase::erase_user(tx, user).await?;
            link::erase_user(tx, user).await?;
        }
    }
    Ok(count)
}

/// Stores the deliveries of events for one destination anew, in the order of the events, whatever became of earlier ones.
/// The transaction holds the lock of the destination. Returns the number of deliveries.
pub async fn hand_over_again(
    tx: &Transaction,
    destination: &destination::Model,
    events: &[Event],
    now: DateTime<Utc>,
    keep_for: TimeDelta,
) -> Result<u64, DbErr> {
    let wanting = destination::Wanting {
        id: destination.id,
        version: destination.version,
        rules: destination.rules.clone(),
        schedule: destination.schedule.clone(),
        created_at: destination.created_at,
    };
    let matcher = Matcher::new(&wanting.rules);
    let mut plan = Plan::default();
    for event in events.iter().filter(|event| wants(&wanting, &matcher, event)) {
        let subject = event.subject();
        plan.deliveries.push(delivery::New {
            destination_id: destination.id,
            event_id: event.id,
            subject: subject.clone(),
            due_at: now,
            expires_at: now + keep_for,
        });
        plan.events.push(row(event, subject, event.state().unwrap_or_default(), now));
    }
    let ids: Vec<Uuid> = plan.events.iter().map(|event| event.id).collect();
    crate::delivery::delete_of(tx, destination.id, &ids).await?;
    let count = plan.deliveries.len() as u64;
    store(tx, plan, now).await?;
    Ok(count)
}

async fn store(tx: &Transaction, plan: Plan, now: DateTime<Utc>) -> Result<(), DbErr> {
    entity::insert(tx, plan.events).await?;
    delivery::insert(tx, plan.deliveries, now).await?;
    let mut by_time: HashMap<DateTime<Utc>, Vec<Uuid>> = HashMap::new();
    for (id, due) in plan.due {
        by_time.entry(due).or_default().push(id);
    }
    for (due, mut ids) in by_time {
        // In one order in every transaction, so that no two wait for each other.
        ids.sort_unstable();
        destination::wake(tx, &ids, due).await?;
    }
    Ok(())
}

fn row(event: &Event, subject: String, state: String, now: DateTime<Utc>) -> entity::Model {
    entity::Model {
        id: event.id,
        event_type: event.event_type.clone(),
        at: event.at,
        account_id: event.account_id.clone(),
        user_id: event.user_id.clone(),
        subject,
        state,
        payload: event.payload.to_string(),
        stored_at: now,
    }
}

fn wants(destination: &destination::Wanting, matcher: &Matcher, event: &Event) -> bool {
    if event.event_type == EVENTS_MISSED {
        return true;
    }
    // A destination that fails is not told so.
    let is_about_itself = event.event_type.starts_with("notification:")
        && event.text("id") == Some(destination.id.to_string().as_str());
    if is_about_itself {
        return false;
    }
    let traits = Traits::of(event);
    if !destination.schedule.group_by_scan {
        return matcher.wants(event, &traits);
    }
    match event.event_type.as_str() {
        DRIFT_CREATED => false,
        SCAN_STORED => matcher.wants(event, &traits) || stands_for_new_drifts(matcher, event, traits.stack),
        _ => matcher.wants(event, &traits),
    }
}

/// Whether a scan takes the place of the events about its new drifts. It tells only how many of them are critical, so
/// that the others count as warnings.
fn stands_for_new_drifts(matcher: &Matcher, event: &Event, stack: Option<&str>) -> bool {
    let number = |field| event.payload.get(field).and_then(serde_json::Value::as_u64).unwrap_or(0);
    let severity = if number("createdCritical") > 0 { Severity::Critical } else { Severity::Warning };
    let traits = Traits { severity: Some(severity), stack };
    number("created") > 0
        && matcher.wants(&Event { event_type: DRIFT_CREATED.into(), ..event.clone() }, &traits)
}

/// The states that were last sent to destinations that want no repeats.
async fn last_states(
    tx: &Transaction,
    destinations: &[destination::Wanting],
    events: &[Event],
) -> Result<HashMap<(Uuid, String), String>, DbErr> {
    let subjects: HashSet<String> =
        events.iter().filter(|event| event.state().is_some()).map(Event::subject).collect();
    let mut states = HashMap::new();
    if subjects.is_empty() {
        return Ok(states);
    }
    let subjects: Vec<String> = subjects.into_iter().collect();
    for destination in destinations.iter().filter(|destination| destination.schedule.skip_repeats) {
        for (subject, state) in delivery::last_states(tx, destination.id, &subjects).await? {
            states.insert((destination.id, subject), state);
        }
    }
    Ok(states)
}
