//! Pairs the elements of two arrays.

use std::collections::{BTreeMap, HashMap};

use crate::equality::{Attribute, canonical};
use crate::json::Json;

/// Fields that distinguish the elements of a list.
const NATURAL_KEYS: [&str; 27] = [
    "key",
    "name",
    "id",
    "sid",
    "Sid",
    "arn",
    "from_port",
    "to_port",
    "protocol",
    "ip_protocol",
    "port",
    "type",
    "direction",
    "priority",
    "rule_number",
    "rule_no",
    "device_name",
    "host",
    "hostname",
    "path",
    "mount_path",
    "container_name",
    "container_port",
    "volume_name",
    "index",
    "namespace",
    "ports",
];

/// Two elements to compare, or one without a counterpart.
#[derive(Debug)]
pub(super) struct Pair {
    pub was: Option<usize>,
    pub is: Option<usize>,
    /// Identifies the element independently of its index. It depends only on the actual side, if there is
    /// one.
    pub anchor: String,
}

/// Removes equal elements from both arrays and pairs the rest: by natural key first, then in order.
pub(super) fn pairs(left: &[Json], right: &[Json], at: Attribute<'_>) -> Vec<Pair> {
    let (mut gone, mut came) = unmatched(left, right, at);
    let mut pairs = Vec::new();
    let mut pair = |was: Option<usize>, is: Option<usize>| {
        let anchor = anchor(was.map(|was| &left[was]), is.map(|is| &right[is]), right.len(), at);
        pairs.push(Pair { was, is, anchor });
    };
    if gone.len() > 1 || came.len() > 1 {
        let mut by_key: HashMap<String, usize> = HashMap::new();
        for is in &came {
            natural_key(&right[*is], at).map(|key| by_key.entry(key).or_insert(*is));
        }
        gone.retain(|was| {
            let is = natural_key(&left[*was], at).and_then(|key| by_key.remove(&key));
            if let Some(is) = is {
                pair(Some(*was), Some(is));
                came.retain(|other| *other != is);
            }
            is.is_none()
        });
    }
    for position in 0..gone.len().max(came.len()) {
        pair(gone.get(position).copied(), came.get(position).copied());
    }
    pairs
}

/// Returns the indexes of the elements that have no counterpart.
fn unmatched(left: &[Json], right: &[Json], at: Attribute<'_>) -> (Vec<usize>, Vec<usize>) {
    let mut places: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let text = |item: &Json| canonical(item, at);
    for (index, item) in right.iter().enumerate().rev() {
        places.entry(text(item)).or_default().push(index);
    }
    // An empty element does not count.
    places.remove("");
    let gone = (0..left.len())
        .filter(|index| {
            let text = text(&left[*index]);
            !text.is_empty() && places.get_mut(&text).and_then(Vec::pop).is_none()
        })
        .collect();
    let mut came: Vec<usize> = places.into_values().flatten().collect();
    came.sort_unstable();
    (gone, came)
}

fn anchor(was: Option<&Json>, is: Option<&Json>, actual_length: usize, at: Attribute<'_>) -> String {
    match (was, is) {
        (_, Some(is)) if is.is_scalar() => "*".into(),
        (_, Some(is)) => natural_key(is, at).unwrap_or_else(|| match actual_length {
            1 => "*".into(),
            _ => without_defaults(is, at),
        }),
        (Some(was), None) => {
            format!("-{}", natural_key(was, at).unwrap_or_else(|| without_defaults(was, at)))
        }
        (None, None) => String::new(),
    }
}

fn natural_key(item: &Json, at: Attribute<'_>) -> Option<String> {
    let key: Vec<String> = NATURAL_KEYS
        .iter()
        .filter_map(|name| {
            let text = canonical(item.get(name)?, at.named(name));
            (!text.is_empty()).then(|| format!("{name}={text}"))
        })
        .collect();
    (!key.is_empty()).then(|| key.join(";"))
}

/// Returns the element without the defaults that a newer provider may add to it.
fn without_defaults(item: &Json, at: Attribute<'_>) -> String {
    match item {
        Json::Object(fields) => {
            let set = fields.iter().filter(|(_, value)| **value != Json::Bool(false));
            canonical(&Json::Object(set.map(|(key, value)| (key.clone(), value.clone())).collect()), at)
        }
        other => canonical(other, at),
    }
}
