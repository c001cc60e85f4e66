//! The catalogue: which channels are relayed, to which rooms and namespaces, under which schema.
//! Data, not code: the built-in routes are in `builtin.toml`, others come from a file.

mod event;
mod load;
mod own_rooms;
mod pattern;
mod reserved;
mod room;
mod route;
mod translate;

pub use event::Event;
pub use load::{Catalogue, CatalogueError};
pub use own_rooms::{account_room, own_rooms, session_room, user_room};
pub use reserved::is_reserved;
pub use translate::Translator;
