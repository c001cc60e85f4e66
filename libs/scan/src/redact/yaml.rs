//! Secrets inside YAML text, such as the values of a Helm release. The form of the text is preserved: only
//! hidden scalars are replaced.

use std::collections::BTreeMap;
use std::ops::Range;

use saphyr_parser::{Event, Parser, Span};

use super::cover::Cover;
use super::hidden::HIDDEN;
use crate::json::Json;

const MAX_DEPTH: usize = 64;

enum Node {
    Scalar {
        value: String,
        span: Span,
    },
    List(Vec<Node>),
    /// Keys are scalars in all documents that matter here.
    Map(Vec<(String, Node)>),
    Alias,
}

/// Classifies a field by the cover above its object, the scalars of the object, and its key.
type CoverOf<'a> = &'a dyn Fn(Cover, &BTreeMap<String, Json>, &str) -> Cover;
/// Returns the text to show instead of a scalar; `None` if it contains no secret.
type Shown<'a> = &'a dyn Fn(Cover, &str) -> Option<String>;

/// Returns the text with its secrets hidden, if it is a YAML document of keys and values and contains any.
pub(super) fn hide(text: &str, cover_of: CoverOf<'_>, shown: Shown<'_>) -> Option<String> {
    if !text.contains('\n') || !text.contains(':') {
        return None;
    }
    let mut events = Parser::new_from_str(text);
    let mut edits: Vec<(Span, String)> = Vec::new();
    let mut has_keys = false;
    while let Some(event) = events.next_event() {
        let (event, span) = event.ok()?;
        if matches!(event, Event::MappingStart(..) | Event::SequenceStart(..) | Event::Scalar(..)) {
            let document = read(event, span, &mut events, 0)?;
            has_keys |= matches!(&document, Node::Map(_))
                || matches!(&document, Node::List(items) if items.iter().any(|item| matches!(item, Node::Map(_))));
            find(&document, Cover::None, cover_of, shown, &mut edits);
        }
    }
    if !has_keys || edits.is_empty() { None } else { splice(text, edits) }
}

fn read<'a>(
    event: Event<'a>,
    span: Span,
    events: &mut Parser<'a, saphyr_parser::StrInput<'a>>,
    depth: usize,
) -> Option<Node> {
    if depth > MAX_DEPTH {
        return None;
    }
    Some(match event {
        Event::Scalar(value, ..) => Node::Scalar { value: value.into_owned(), span },
        Event::SequenceStart(..) => {
            let mut items = Vec::new();
            loop {
                match events.next_event()?.ok()? {
                    (Event::SequenceEnd, _) => break Node::List(items),
                    (event, span) => items.push(read(event, span, events, depth + 1)?),
                }
            }
        }
        Event::MappingStart(..) => {
            let mut fields = Vec::new();
            loop {
                let key = match events.next_event()?.ok()? {
                    (Event::MappingEnd, _) => break Node::Map(fields),
                    (event, span) => read(event, span, events, depth + 1)?,
                };
                let (event, span) = events.next_event()?.ok()?;
                let value = read(event, span, events, depth + 1)?;
                let key = match key {
                    Node::Scalar { value, .. } => value,
                    _ => String::new(),
                };
                fields.push((key, value));
            }
        }
        _ => Node::Alias,
    })
}

fn find(node: &Node, cover: Cover, cover_of: CoverOf<'_>, shown: Shown<'_>, edits: &mut Vec<(Span, String)>) {
    match node {
        Node::Alias => {}
        Node::List(items) => items.iter().for_each(|item| find(item, cover, cover_of, shown, edits)),
        Node::Map(fields) => {
            let scalars: BTreeMap<String, Json> =
                fields.iter().map(|(key, value)| (key.clone(), scalar(value))).collect();
            for (key, value) in fields {
                find(value, cover_of(cover, &scalars, key), cover_of, shown, edits);
            }
        }
        Node::Scalar { value, span } => match shown(cover, value) {
            None => {}
            Some(text) if text == HIDDEN => edits.push((*span, text)),
            Some(text) => edits.push((*span, Json::String(text).to_text())),
        },
    }
}

fn scalar(node: &Node) -> Json {
    match node {
        Node::Scalar { value, .. } => Json::String(value.clone()),
        _ => Json::Null,
    }
}

fn splice(text: &str, edits: Vec<(Span, String)>) -> Option<String> {
    let places: Vec<usize> = text.char_indices().map(|(place, _)| place).chain([text.len()]).collect();
    let range = |span: &Span| -> Option<Range<usize>> {
        Some(*places.get(span.start.index())?..*places.get(span.end.index())?)
    };
    let mut spliced = text.to_owned();
    for (span, shown) in edits.into_iter().rev() {
        let range = range(&span)?;
        let ends_line = text.get(range.clone())?.ends_with('\n');
        spliced.replace_range(range, &format!("{shown}{}", if ends_line { "\n" } else { "" }));
    }
    Some(spliced)
}
