//! The catalogue: which channels are relayed, to which rooms and namespaces, under which schema.
//! Data, not code: the built-in routes are in `builtin.toml`, others come from a file.

mod pattern;
mod reserved;
mod room;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jsonschema::Validator;
use serde::Deserialize;
use serde_json::Value;

pub use reserved::{is_reserved, reserved};

use pattern::ChannelPattern;
use room::RoomTemplate;

const BUILT_IN: &str = include_str!("builtin.toml");

/// The routes, in the order in which they are tried.
#[derive(Debug)]
pub struct Catalogue {
    routes: Vec<Route>,
    subscribable: BTreeSet<String>,
}

/// What happens to the messages of the channels it matches.
#[derive(Debug)]
pub struct Route {
    channel: ChannelPattern,
    label: String,
    rooms: Vec<RoomTemplate>,
    pub root: Option<Shape>,
    pub dashboard: Option<Shape>,
    fields: Option<BTreeSet<String>>,
    schema: Option<Validator>,
}

/// What the blanks of a room's name are filled from.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    pub user_id: Option<&'a str>,
    pub account_id: Option<&'a str>,
    pub payload: &'a Value,
}

impl<'a> Fields<'a> {
    /// A text by name: of the envelope, else of the payload.
    fn get(&self, name: &str) -> Option<&'a str> {
        let own = match name {
            "userId" => self.user_id,
            "accountId" => self.account_id,
            _ => None,
        };
        own.or_else(|| self.payload.get(name)?.as_str()).filter(|value| !value.is_empty())
    }
}

/// How an event looks in a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    Payload,
    Envelope,
}

#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    #[error("cannot read the catalogue {}: {source}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("the catalogue {file} is not valid: {reason}")]
    Syntax { file: String, reason: toml::de::Error },
    #[error("the catalogue {file}, route {channel:?}: {reason}")]
    Route { file: String, channel: String, reason: String },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    subscribable: BTreeSet<String>,
    #[serde(default)]
    route: Vec<RouteEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RouteEntry {
    channel: String,
    rooms: Vec<String>,
    root: Option<Shape>,
    dashboard: Option<Shape>,
    fields: Option<BTreeSet<String>>,
    schema: Option<Value>,
}

impl Catalogue {
    /// The built-in routes and, before them, those of the file.
    pub fn load(extension: Option<&Path>) -> Result<Self, CatalogueError> {
        let mut catalogue = Self { routes: Vec::new(), subscribable: BTreeSet::new() };
        if let Some(path) = extension {
            let text = std::fs::read_to_string(path)
                .map_err(|source| CatalogueError::Read { path: path.into(), source })?;
            catalogue.extend(&path.display().to_string(), &text)?;
        }
        catalogue.extend("built in", BUILT_IN)?;
        Ok(catalogue)
    }

    /// The route of a channel, if it is relayed.
    pub fn route(&self, channel: &str) -> Option<&Route> {
        self.routes.iter().find(|route| route.channel.matches(channel))
    }

    /// Whether a client may ask for this room.
    pub fn is_subscribable(&self, room: &str) -> bool {
        self.subscribable.contains(room)
    }

    /// What to subscribe to, as patterns of `PSUBSCRIBE`; none lies within another.
    pub fn channels(&self) -> Vec<String> {
        let patterns: Vec<&ChannelPattern> = self.routes.iter().map(|route| &route.channel).collect();
        let mut channels: Vec<String> = patterns
            .iter()
            .filter(|one| !patterns.iter().any(|other| other.covers(one)))
            .map(|pattern| pattern.to_string())
            .collect();
        channels.sort();
        channels.dedup();
        channels
    }

    fn extend(&mut self, file: &str, text: &str) -> Result<(), CatalogueError> {
        let parsed: File =
            toml::from_str(text).map_err(|reason| CatalogueError::Syntax { file: file.into(), reason })?;
        self.subscribable.extend(parsed.subscribable);
        for entry in parsed.route {
            let channel = entry.channel.clone();
            let route = Route::compile(entry).map_err(|reason| CatalogueError::Route {
                file: file.into(),
                channel,
                reason,
            })?;
            self.routes.push(route);
        }
        Ok(())
    }
}

impl Route {
    fn compile(entry: RouteEntry) -> Result<Self, String> {
        let channel = ChannelPattern::parse(&entry.channel)?;
        if let Some(name) = reserved().find(|name| channel.matches(name)) {
            return Err(format!("{name} is a reserved event name"));
        }
        let rooms: Vec<RoomTemplate> =
            entry.rooms.iter().map(|room| RoomTemplate::parse(room)).collect::<Result<_, _>>()?;
        if rooms.is_empty() {
            return Err("it names no room".into());
        }
        let schema = match &entry.schema {
            Some(schema) => {
                Some(jsonschema::validator_for(schema).map_err(|e| format!("its schema is not valid: {e}"))?)
            }
            None => None,
        };
        let RouteEntry { root, dashboard, fields, .. } = entry;
        Ok(Self { label: channel.to_string(), channel, rooms, root, dashboard, fields, schema })
    }

    /// What its events are counted as: bounded, unlike their types.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The rooms that a message goes to, each once.
    pub fn rooms(&self, channel: &str, fields: &Fields<'_>) -> Vec<String> {
        let rest = self.channel.rest(channel);
        let mut rooms = Vec::with_capacity(self.rooms.len());
        for room in self.rooms.iter().filter_map(|template| template.fill(fields, rest)) {
            if !rooms.contains(&room) {
                rooms.push(room);
            }
        }
        rooms
    }

    /// What the schema has against a payload.
    pub fn check(&self, payload: &Value) -> Result<(), String> {
        match &self.schema {
            // Without the value: it may be anybody's data.
            Some(schema) => schema.validate(payload).map_err(|error| error.masked().to_string()),
            None => Ok(()),
        }
    }

    /// Takes out of a payload what may not be seen. True if there was something.
    pub fn prune(&self, payload: &mut Value) -> bool {
        let (Some(fields), Some(payload)) = (&self.fields, payload.as_object_mut()) else {
            return false;
        };
        let before = payload.len();
        payload.retain(|name, _| fields.contains(name));
        payload.len() < before
    }
}

#[cfg(test)]
mod tests;
