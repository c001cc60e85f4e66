//! JSON values that keep every digit of their numbers.

mod number;
mod parse;
mod value;
mod write;

pub(crate) use number::canonical_number;
pub(crate) use value::Json;
pub(crate) use write::write_string;

/// Deepest nesting that a value may have.
pub(crate) const MAX_DEPTH: usize = 64;

/// The reason why a value cannot be parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    #[error("it nests deeper than {MAX_DEPTH} levels")]
    TooDeep,
    #[error("it is not valid JSON")]
    Invalid,
}
