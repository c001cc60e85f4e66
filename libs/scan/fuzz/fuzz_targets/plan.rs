//! Fuzzes a plan with an entry that contains the input, as values or as the text of a value.

#![no_main]

mod common;

use common::read_drift;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((choice, bytes)) = bytes.split_first() else { return };
    let text = String::from_utf8_lossy(bytes);
    let (before, after) = text.split_at(text.floor_char_boundary(text.len() / 2));
    let as_text = |text: &str| format!("{{\"a\":{}}}", serde_json::Value::from(text));
    let (before, after) = match choice % 2 {
        0 => (before.to_owned(), after.to_owned()),
        _ => (as_text(before), as_text(after)),
    };
    let marks = if choice % 4 < 2 { "{}" } else { r#"{"a":true}"# };
    let plan = format!(
        r#"{{"format_version":"1.2","complete":true,"resource_drift":[{{"address":"aws_x.y","type":"aws_x","provider_name":"p",
        "change":{{"actions":["update"],"before":{before},"after":{after},"before_sensitive":{marks}}}}}]}}"#
    );
    read_drift(plan.as_bytes());
});
