//! Other notations of a known secret.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

/// Returns every notation of a secret that is long enough to search for inside other texts.
pub(super) fn spellings(secret: &str) -> Vec<String> {
    let mut spellings = vec![secret.to_owned()];
    let escaped = serde_json::Value::from(secret).to_string();
    let escaped = &escaped[1..escaped.len() - 1];
    let twice = serde_json::Value::from(escaped).to_string();
    spellings.push(escaped.into());
    spellings.push(twice[1..twice.len() - 1].into());
    // Go and JavaScript escape these characters for HTML.
    let html = [("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026")]
        .iter()
        .fold(escaped.to_owned(), |text, (letter, code)| text.replace(letter, code));
    spellings.push(html);
    spellings.push(percent_encoded(secret, "%20"));
    spellings.push(percent_encoded(secret, "+"));
    spellings.extend(base64_of(secret.as_bytes()));
    spellings.sort_unstable();
    spellings.dedup();
    spellings.retain(|spelling| spelling.chars().count() >= 8 || spelling == secret);
    spellings
}

fn percent_encoded(secret: &str, space: &str) -> String {
    let encode = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        b' ' => space.into(),
        _ => format!("%{byte:02X}"),
    };
    secret.bytes().map(encode).collect()
}

/// Returns the base64 of a secret, alone or inside a longer text. The first and last letters depend on the
/// surrounding text, so they are left out.
fn base64_of(secret: &[u8]) -> Vec<String> {
    let mut texts = Vec::new();
    for engine in [&STANDARD, &URL_SAFE] {
        for shift in 0..3 {
            let shifted = [vec![0; shift], secret.to_vec()].concat();
            let encoded = engine.encode(&shifted);
            let start = [0, 2, 3][shift];
            let end = shifted.len() / 3 * 4 + [0, 1, 2][shifted.len() % 3];
            if let Some(inside) = encoded.get(start..end.max(start)) {
                texts.push(inside.to_owned());
            }
        }
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_found_wherever_it_begins() {
        for around in ["", "a", "ab", "abc", "user:"] {
            let encoded = STANDARD.encode(format!("{around}hunter2-hunter2{around}"));
            let found =
                spellings("hunter2-hunter2").iter().any(|spelling| encoded.contains(spelling.as_str()));
            assert!(found, "{encoded}");
        }
    }
}
