use crate::json::Json;

/// A tree that says which parts of a value are sensitive (or unknown). `true` covers the whole subtree;
/// `false`, `{}` and absence mean unmarked. Its arrays may be longer or shorter than the value's.
#[derive(Clone, Copy, Debug)]
pub struct Marks<'a>(Option<&'a Json>);

impl<'a> Marks<'a> {
    pub const NONE: Self = Self(None);

    pub fn new(tree: Option<&'a Json>) -> Self {
        Self(tree)
    }

    pub fn is_marked(self) -> bool {
        self.0 == Some(&Json::Bool(true))
    }

    /// Whether some part of the value may be marked.
    pub fn may_mark(self) -> bool {
        match self.0 {
            Some(Json::Bool(marked)) => *marked,
            Some(Json::Object(fields)) => !fields.is_empty(),
            Some(Json::Array(items)) => !items.is_empty(),
            _ => false,
        }
    }

    pub fn key(self, key: &str) -> Self {
        match self.0 {
            Some(Json::Object(fields)) => Self(fields.get(key)),
            _ => Self::NONE,
        }
    }

    pub fn index(self, index: usize) -> Self {
        match self.0 {
            Some(Json::Array(items)) => Self(items.get(index)),
            _ => Self::NONE,
        }
    }
}
