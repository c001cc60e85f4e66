use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::pattern::ChannelPattern;
use super::reserved::reserved;
use super::room::{Fields, RoomTemplate};
use super::schema::PayloadSchema;

/// Decides who receives the messages of the matching channels, and in which shape.
#[derive(Debug)]
pub(crate) struct Route {
    channel: ChannelPattern,
    /// The label of the route's events in metrics: bounded, unlike their types.
    pub label: Arc<str>,
    rooms: Vec<RoomTemplate>,
    pub root: Option<Shape>,
    pub dashboard: Option<Shape>,
    fields: Option<BTreeSet<String>>,
    schema: Option<PayloadSchema>,
}

/// The shape of an event in a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Shape {
    Payload,
    Envelope,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RouteEntry {
    pub channel: String,
    rooms: Vec<String>,
    root: Option<Shape>,
    dashboard: Option<Shape>,
    fields: Option<BTreeSet<String>>,
    schema: Option<Value>,
}

impl Route {
    pub(crate) fn compile(entry: RouteEntry) -> Result<Self, String> {
        let channel = ChannelPattern::parse(&entry.channel)?;
        if let Some(name) = reserved().find(|name| channel.matches(name)) {
            return Err(format!("{name} is a reserved event name"));
        }
        let rooms: Vec<RoomTemplate> =
            entry.rooms.iter().map(|room| RoomTemplate::parse(room)).collect::<Result<_, _>>()?;
        if rooms.is_empty() {
            return Err("it names no room".into());
        }
        let schema = entry.schema.as_ref().map(PayloadSchema::compile).transpose()?;
        let RouteEntry { root, dashboard, fields, .. } = entry;
        Ok(Self { label: channel.to_string().into(), channel, rooms, root, dashboard, fields, schema })
    }

    pub(crate) fn channel(&self) -> &ChannelPattern {
        &self.channel
    }

    /// The rooms that a message goes to, each once.
    pub(crate) fn rooms(&self, channel: &str, fields: &Fields<'_>) -> Vec<String> {
        let rest = self.channel.rest(channel);
        let mut rooms = Vec::with_capacity(self.rooms.len());
        for room in self.rooms.iter().filter_map(|template| template.fill(fields, rest)) {
            if !rooms.contains(&room) {
                rooms.push(room);
            }
        }
        rooms
    }

    /// Checks a payload against the schema.
    pub(crate) fn check(&self, payload: &Value) -> Result<(), String> {
        self.schema.as_ref().map_or(Ok(()), |schema| schema.check(payload))
    }

    /// Removes the fields that are not listed. Returns true if there were some.
    pub(crate) fn prune(&self, payload: &mut Value) -> bool {
        let (Some(fields), Some(payload)) = (&self.fields, payload.as_object_mut()) else {
            return false;
        };
        let before = payload.len();
        payload.retain(|name, _| fields.contains(name));
        payload.len() < before
    }
}
