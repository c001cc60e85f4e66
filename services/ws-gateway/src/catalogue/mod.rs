//! The catalogue: which channels are relayed, to which rooms and namespaces, under which schema.
//! Data, not code: the built-in routes are in `builtin.toml`, others come from a file.

mod event;
mod load;
mod own_rooms;
mod pattern;
mod reserved;
mod room;
mod route;
mod schema;
mod translate;

pub(crate) use event::Event;
pub(crate) use load::{Catalogue, CatalogueError};
pub(crate) use own_rooms::{account_room, own_rooms, session_room, user_room};
pub(crate) use reserved::is_reserved;
pub(crate) use translate::Translator;
