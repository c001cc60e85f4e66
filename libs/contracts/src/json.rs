use serde::de::DeserializeOwned;

const REPLACEMENT: &str = "\\ufffd";

/// Parses JSON as `JSON.stringify` may write it: an unpaired surrogate, which a Rust string cannot
/// hold, becomes U+FFFD.
///
/// # Errors
/// If the text is not valid JSON, or does not have the form of `T`.
pub fn parse_json<T: DeserializeOwned>(text: &str) -> serde_json::Result<T> {
    match mend_surrogates(text) {
        Some(mended) => serde_json::from_str(&mended),
        None => serde_json::from_str(text),
    }
}

/// Returns the text with the escape of each unpaired surrogate replaced, or `None` if there is none.
fn mend_surrogates(text: &str) -> Option<String> {
    // Most texts have no such escape and cost only one search.
    if !text.contains("\\u") {
        return None;
    }
    let mut mended: Option<String> = None;
    let (mut at, mut copied) = (0, 0);
    while let Some(offset) = text[at..].find('\\') {
        let escape = at + offset;
        let length = match surrogate(text, escape) {
            None => 2,
            Some(Half::High) if surrogate(text, escape + 6) == Some(Half::Low) => 12,
            Some(Half::High | Half::Low) => {
                let out = mended.get_or_insert_with(|| String::with_capacity(text.len()));
                out.push_str(&text[copied..escape]);
                out.push_str(REPLACEMENT);
                copied = escape + 6;
                6
            }
        };
        at = escape + length;
        // An escape at the end, or one that runs into a multi-byte character, is not JSON; the parser reports
        // it.
        if !text.is_char_boundary(at) {
            break;
        }
    }
    if let Some(out) = &mut mended {
        out.push_str(&text[copied..]);
    }
    mended
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Half {
    High,
    Low,
}

/// Returns the half of a surrogate pair that is escaped at this byte, if any.
fn surrogate(text: &str, at: usize) -> Option<Half> {
    let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
    match u16::from_str_radix(digits, 16).ok()? {
        0xd800..=0xdbff => Some(Half::High),
        0xdc00..=0xdfff => Some(Half::Low),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn read(json: &str) -> String {
        parse_json::<String>(json).unwrap()
    }

    #[test]
    fn an_unpaired_surrogate_becomes_the_replacement_character() {
        assert_eq!(read(r#""a\ud800b""#), "a\u{fffd}b");
        assert_eq!(read(r#""\uDC00""#), "\u{fffd}");
        assert_eq!(read(r#""\ud83d\ud83d\ude00""#), "\u{fffd}😀");
        assert_eq!(read(r#""\ud800\n""#), "\u{fffd}\n");
        assert_eq!(parse_json::<Value>(r#"{"\ud800":1}"#).unwrap()["\u{fffd}"], 1);
    }

    #[test]
    fn all_other_text_is_unchanged() {
        for text in
            [r#""plain""#, r#""\u00e9""#, r#""\ud83d\ude00""#, r#""\\ud800""#, r#""\\\\ud800 \u0041""#]
        {
            assert_eq!(mend_surrogates(text), None, "{text}");
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic() {
        for text in ["\\u", "\\ud800", "\\u\\", "\\é", "x\\ud8é0", "\"\\u00e9\\", "\\u0041\\😀"] {
            let _ = parse_json::<Value>(text);
        }
    }
}
