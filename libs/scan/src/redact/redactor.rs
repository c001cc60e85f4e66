use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};

use super::cover::Cover;
use super::hidden::HIDDEN;
use super::layers::{Layer, Layers};
use super::secrets::{Secrets, url_parts};
use super::{appearance, assignments, embedded, names, pairs, types, yaml};
use crate::diff::Leaf;
use crate::json::Json;
use crate::path::Step;
use crate::resource_identity::StateKey;
use crate::sensitive_marks::Marks;

/// Maximum nesting of JSON texts inside JSON texts; a deeper one is not parsed.
const MAX_EMBEDDED: usize = 4;

/// Maximum number of remembered keys, and their maximum length in bytes.
const MAX_KNOWN: usize = 4096;
const MAX_KNOWN_BYTES: usize = 64;

/// Hides the secrets of one upload.
pub struct Redactor<'a> {
    secrets: &'a Secrets,
    key: &'a StateKey,
    pub(super) layers: Layers,
    known_names: RefCell<HashMap<String, bool>>,
    /// Keys without a secret. The same few keys are in every resource.
    plain_keys: RefCell<HashSet<String>>,
}

impl<'a> Redactor<'a> {
    /// Creates a redactor with all layers. `secrets` are the marked values of the upload; `key` tags hidden texts in
    /// identifying texts.
    pub fn new(secrets: &'a Secrets, key: &'a StateKey) -> Self {
        let layers = Layers::ALL;
        Self { secrets, key, layers, known_names: RefCell::default(), plain_keys: RefCell::default() }
    }

    /// Returns a state that may be stored and shown.
    pub fn state(&self, resource_type: &str, state: Json, marks: Marks<'_>) -> Json {
        let Json::Object(fields) = state else { return self.value(state, marks, Cover::None, 0) };
        if self.layers.has(Layer::Marks) && marks.is_marked() {
            return hidden();
        }
        let shape = shape(&fields);
        let field = |(key, value): (String, Json)| {
            let is_typed = self.layers.has(Layer::Types) && types::is_secret_attribute(resource_type, &key);
            let cover = if is_typed { Cover::Secret } else { self.cover_of(Cover::None, &shape, &key) };
            let value = self.value(value, marks.key(&key), cover, 0);
            (self.key(&key), value)
        };
        Json::Object(fields.into_iter().map(field).collect())
    }

    /// Returns a text that may be shown to people, such as a warning.
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.changed_at(text, 0).map_or(Cow::Borrowed(text), Cow::Owned)
    }

    /// Returns an identifying text, such as a key or an id. Different secrets leave different texts.
    pub fn key(&self, text: &str) -> String {
        if !self.layers.has(Layer::Keys) || self.plain_keys.borrow().contains(text) {
            return text.into();
        }
        let Some(shown) = self.changed_at(text, 0) else {
            let mut plain = self.plain_keys.borrow_mut();
            if text.len() <= MAX_KNOWN_BYTES && plain.len() < MAX_KNOWN {
                plain.insert(text.into());
            }
            return text.into();
        };
        let tag = self.key.tag(text);
        shown.replace(HIDDEN, &format!("{} {tag})", HIDDEN.trim_end_matches(')')))
    }

    /// Returns an address. Each of its indexes may be a secret as a whole.
    pub fn address(&self, address: &str) -> String {
        let mut shown = String::new();
        for (position, part) in address.split('"').enumerate() {
            if position > 0 {
                shown.push('"');
            }
            shown.push_str(&self.key(part));
        }
        self.key(&shown)
    }

    /// Returns a path whose keys may be shown.
    pub fn path(&self, path: &[Step]) -> Vec<Step> {
        let shown = |step: &Step| match step {
            Step::Key(key) => Step::Key(self.key(key)),
            Step::Index(index) => Step::Index(*index),
        };
        path.iter().map(shown).collect()
    }

    /// Whether the stored values cannot show a change, because a secret in it is hidden.
    pub fn hides(&self, leaf: &Leaf<'_>) -> bool {
        let node = leaf.node;
        let names_secret = node.upwards().any(|node| {
            let Some(key) = node.key() else { return false };
            let object = node.parent().map(|parent| {
                if parent.actual.value.is_empty() { parent.expected.value } else { parent.actual.value }
            });
            let is_top = node.parent().is_some_and(|parent| parent.parent().is_none());
            let beside = || matches!(object, Some(Json::Object(fields)) if pairs::is_value_key(key) && pairs::names_a_secret(fields));
            self.is_secret_name(key) || (is_top && types::is_secret_attribute(leaf.resource_type, key)) || beside()
        });
        let cover = if names_secret { Cover::Secret } else { Cover::None };
        let shown =
            [leaf.expected(), leaf.actual()].map(|value| self.value(value.clone(), Marks::NONE, cover, 0));
        let is_hidden = |value: &Json| value.as_str().is_some_and(|text| text.contains(HIDDEN));
        let whole = |value: &Json| value.as_str() == Some(HIDDEN);
        shown.iter().any(whole) || (shown[0] == shown[1] && is_hidden(&shown[0]))
    }

    fn value(&self, value: Json, marks: Marks<'_>, cover: Cover, depth: usize) -> Json {
        match value {
            Json::Null => Json::Null,
            _ if self.layers.has(Layer::Marks) && marks.is_marked() => hidden(),
            Json::Object(fields) => {
                let is_reference = cover == Cover::Secret && pairs::is_reference(&fields);
                let cover = if is_reference { Cover::None } else { cover };
                let shape = shape(&fields);
                let field = |(key, value): (String, Json)| {
                    let cover = self.cover_of(cover, &shape, &key);
                    let value = self.value(value, marks.key(&key), cover, depth);
                    (self.key(&key), value)
                };
                Json::Object(fields.into_iter().map(field).collect())
            }
            // A list of secrets is hidden as one secret, so that neither its length nor its sizes show.
            Json::Array(items)
                if cover == Cover::Secret
                    && items.iter().any(|item| self.hides_scalar(cover, item))
                    && items.iter().all(Json::is_scalar) =>
            {
                hidden()
            }
            Json::Array(items) => self.items(items, marks, cover, depth),
            Json::Bool(_) => value,
            Json::Number(digits) => {
                let is_copy = self.layers.has(Layer::Copies) && self.secrets.reaches(&digits);
                if cover == Cover::Secret || is_copy { hidden() } else { Json::Number(digits) }
            }
            Json::String(text) if self.hides_text(cover, &text) => hidden(),
            Json::String(text) => Json::String(self.changed_at(&text, depth).unwrap_or(text)),
        }
    }

    fn items(&self, items: Vec<Json>, marks: Marks<'_>, cover: Cover, depth: usize) -> Json {
        let mut follows_name = false;
        let mut shown = Vec::with_capacity(items.len());
        for (index, item) in items.into_iter().enumerate() {
            let cover = if follows_name { Cover::Secret } else { cover };
            follows_name =
                self.layers.has(Layer::Pairs) && item.as_str().is_some_and(pairs::announces_secret);
            shown.push(self.value(item, marks.index(index), cover, depth));
        }
        Json::Array(shown)
    }

    /// Returns the cover of a field, from its name, the name beside it, and the cover above the object.
    fn cover_of(&self, above: Cover, fields: &BTreeMap<String, Json>, key: &str) -> Cover {
        let beside =
            || self.layers.has(Layer::Pairs) && pairs::is_value_key(key) && pairs::names_a_secret(fields);
        // In `secret { secret_name }`, the compound name describes the secret, so the value is not one.
        let is_about = above == Cover::Secret
            && key.contains('_')
            && key.contains("secret")
            && !self.is_secret_name(key);
        let is_secret = (above == Cover::Secret && !is_about) || self.is_secret_name(key) || beside();
        if is_secret { Cover::Secret } else { Cover::None }
    }

    fn is_secret_name(&self, key: &str) -> bool {
        if !self.layers.has(Layer::Names) {
            return false;
        }
        if let Some(known) = self.known_names.borrow().get(key) {
            return *known;
        }
        let is_secret = names::is_secret_name(key);
        let mut known = self.known_names.borrow_mut();
        if key.len() <= MAX_KNOWN_BYTES && known.len() < MAX_KNOWN {
            known.insert(key.into(), is_secret);
        }
        is_secret
    }

    fn hides_scalar(&self, cover: Cover, value: &Json) -> bool {
        match value {
            Json::String(text) => self.hides_text(cover, text),
            Json::Number(_) => cover == Cover::Secret,
            _ => false,
        }
    }

    /// Whether a whole text is a secret because of its name.
    fn hides_text(&self, cover: Cover, text: &str) -> bool {
        cover == Cover::Secret && !names::is_plain_value(text)
    }

    /// Returns the text without the secrets in it; `None` if there are none.
    fn changed_at(&self, text: &str, depth: usize) -> Option<String> {
        let mut shown = Cow::Borrowed(text);
        if text.len() >= 8 && depth < MAX_EMBEDDED {
            if self.layers.has(Layer::Json)
                && let Some(hidden) =
                    embedded::hide(text, |value| self.value(value, Marks::NONE, Cover::None, depth + 1))
            {
                return (hidden != text).then_some(hidden);
            }
            if self.layers.has(Layer::Yaml)
                && let Some(hidden) = self.yaml(text)
            {
                shown = Cow::Owned(hidden);
            }
        }
        if self.layers.has(Layer::Assignments)
            && let Cow::Owned(hidden) = assignments::hide(&shown)
        {
            shown = Cow::Owned(hidden);
        }
        if self.layers.has(Layer::Appearance)
            && let Cow::Owned(hidden) = appearance::hide(&shown)
        {
            shown = Cow::Owned(hidden);
        }
        if self.layers.has(Layer::Copies)
            && let Some(hidden) = self.without_copies(&shown)
        {
            shown = Cow::Owned(hidden);
        }
        match shown {
            Cow::Owned(shown) if shown != text => Some(shown),
            _ => None,
        }
    }

    fn yaml(&self, text: &str) -> Option<String> {
        let cover = |above, fields: &_, key: &str| self.cover_of(above, fields, key);
        let shown = |cover, text: &str| {
            if self.hides_text(cover, text) { Some(HIDDEN.into()) } else { self.changed_at(text, 0) }
        };
        yaml::hide(text, &cover, &shown)
    }

    fn without_copies(&self, text: &str) -> Option<String> {
        if self.secrets.is_empty() || !self.secrets.reaches(text) {
            return None;
        }
        let shown = self.secrets.without(text);
        let parts: Vec<&str> = if shown.contains("://") { url_parts(&shown).collect() } else { Vec::new() };
        let weak: Vec<String> =
            parts.into_iter().filter(|part| self.secrets.is_one(part)).map(Into::into).collect();
        Some(weak.iter().fold(shown.clone(), |text, part| text.replace(part.as_str(), HIDDEN)))
    }
}

/// Returns the string fields of an object that has a value key: one of them may be the name of the value.
fn shape(fields: &BTreeMap<String, Json>) -> BTreeMap<String, Json> {
    let scalars = fields.iter().filter(|(_, value)| matches!(value, Json::String(_)));
    if fields.keys().any(|key| pairs::is_value_key(key)) {
        scalars.map(|(key, value)| (key.clone(), value.clone())).collect()
    } else {
        BTreeMap::new()
    }
}

fn hidden() -> Json {
    Json::String(HIDDEN.into())
}
