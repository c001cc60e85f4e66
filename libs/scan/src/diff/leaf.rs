use crate::json::Json;
use crate::path::Step;
use crate::sensitive_marks::Marks;

static NULL: Json = Json::Null;

/// The way in which a path differs. It is shown even if the values are hidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum How {
    Added,
    Removed,
    Changed,
    /// Equal elements in another order.
    Reordered,
}

/// A value with its marks.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    pub value: &'a Json,
    pub marks: Marks<'a>,
}

impl<'a> Side<'a> {
    /// Returns a side without marks.
    pub fn unmarked(value: &'a Json) -> Self {
        Self { value, marks: Marks::NONE }
    }

    pub(super) fn key(self, key: &str) -> Self {
        Self { value: self.value.get(key).unwrap_or(&NULL), marks: self.marks.key(key) }
    }

    pub(super) fn item(self, items: &'a [Json], index: usize) -> Self {
        Self { value: items.get(index).unwrap_or(&NULL), marks: self.marks.index(index) }
    }
}

/// One step into a value.
#[derive(Clone, Copy, Debug)]
pub(super) enum At<'a> {
    Root,
    Key(&'a str),
    Index { place: usize, anchor: &'a str },
}

/// Two values at one path, with everything above them.
#[derive(Clone, Copy, Debug)]
pub struct Node<'a> {
    pub(super) parent: Option<&'a Node<'a>>,
    pub(super) at: At<'a>,
    pub expected: Side<'a>,
    pub actual: Side<'a>,
    pub(super) unknown: Marks<'a>,
}

impl<'a> Node<'a> {
    pub fn parent(&self) -> Option<&'a Node<'a>> {
        self.parent
    }

    /// Returns the key that leads here, if the last step is a key.
    pub fn key(&self) -> Option<&'a str> {
        match self.at {
            At::Key(key) => Some(key),
            At::Root | At::Index { .. } => None,
        }
    }

    /// Iterates over this node and those above it, upwards.
    pub fn upwards(&self) -> impl Iterator<Item = Node<'a>> {
        std::iter::successors(Some(*self), |node| node.parent.copied())
    }

    /// Returns the nearest key: the name of the attribute.
    pub fn name(&self) -> &'a str {
        self.upwards().find_map(|node| node.key()).unwrap_or_default()
    }

    pub fn path(&self) -> Vec<Step> {
        let mut path: Vec<Step> = self
            .upwards()
            .filter_map(|node| match node.at {
                At::Root => None,
                At::Key(key) => Some(Step::Key(key.into())),
                At::Index { place, .. } => Some(Step::Index(place)),
            })
            .collect();
        path.reverse();
        path
    }

    pub(super) fn anchor(&self) -> String {
        let mut steps: Vec<&str> = self
            .upwards()
            .filter_map(|node| match node.at {
                At::Root => None,
                At::Key(key) => Some(key),
                At::Index { anchor, .. } => Some(anchor),
            })
            .collect();
        steps.reverse();
        steps.join("\u{1f}")
    }
}

/// A change, with access to the values and keys above it.
pub struct Leaf<'a> {
    pub node: &'a Node<'a>,
    pub how: How,
    pub resource_type: &'a str,
}

impl<'a> Leaf<'a> {
    pub fn expected(&self) -> &'a Json {
        self.node.expected.value
    }

    pub fn actual(&self) -> &'a Json {
        self.node.actual.value
    }
}
