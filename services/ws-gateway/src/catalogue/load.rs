use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::pattern::ChannelPattern;
use super::route::{Route, RouteEntry};

const BUILT_IN: &str = include_str!("builtin.toml");

/// The routes, in the order in which they are tried.
#[derive(Debug)]
pub(crate) struct Catalogue {
    routes: Vec<Route>,
    subscribable: BTreeSet<String>,
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

impl Catalogue {
    /// The built-in routes and, before them, those of the file.
    pub(crate) fn load(extension: Option<&Path>) -> Result<Self, CatalogueError> {
        let mut catalogue = Self { routes: Vec::new(), subscribable: BTreeSet::new() };
        if let Some(path) = extension {
            let text = std::fs::read_to_string(path)
                .map_err(|source| CatalogueError::Read { path: path.into(), source })?;
            catalogue.extend(&path.display().to_string(), &text)?;
        }
        catalogue.extend("built in", BUILT_IN)?;
        Ok(catalogue)
    }

    /// The route of a channel; `None` if the channel is not relayed.
    pub(crate) fn route(&self, channel: &str) -> Option<&Route> {
        self.routes.iter().find(|route| route.channel().matches(channel))
    }

    /// Whether a client may ask for this room.
    pub(crate) fn is_subscribable(&self, room: &str) -> bool {
        self.subscribable.contains(room)
    }

    /// The channels to subscribe to, as patterns of `PSUBSCRIBE`; none lies within another.
    pub(crate) fn channels(&self) -> Vec<String> {
        let patterns: Vec<&ChannelPattern> = self.routes.iter().map(Route::channel).collect();
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

#[cfg(test)]
#[path = "catalogue_tests.rs"]
mod tests;
