//! Texts of bounded length.

/// The most characters of a text that a template rendered, in a chat message.
pub(super) const MAX_CHAT_TEXT: usize = 3000;

/// Returns the text on one line, with at most `max` characters.
pub(crate) fn line(text: &str, max: usize) -> String {
    let mut line = String::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control() || turns(c)) {
        if line.len() > max * 4 {
            break;
        }
        if !word.is_empty() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    cut(&line, max)
}

/// Returns the text with at most `max` characters. An ellipsis replaces the rest.
pub(super) fn cut(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        None => text.to_owned(),
        Some(_) => text.chars().take(max.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// Returns the title of a digest.
pub(super) fn notifications(count: usize) -> String {
    format!("{count} notification{}", if count == 1 { "" } else { "s" })
}

/// Whether the character turns the direction of the text after it, so that people read another text.
fn turns(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::short("a b", 10, "a b")]
    #[case::breaks(" a\r\n\tb\u{0}c\u{202e}d ", 10, "a b c d")]
    #[case::exact("äöü", 3, "äöü")]
    #[case::long("äöüß", 3, "äö…")]
    #[case::empty("\n", 3, "")]
    fn a_line_has_no_breaks_and_a_bounded_length(
        #[case] text: &str,
        #[case] max: usize,
        #[case] expected: &str,
    ) {
        assert_eq!(line(text, max), expected);
    }

    #[test]
    fn a_long_text_is_cut() {
        assert_eq!(line(&"x ".repeat(1_000_000), 200).chars().count(), 200);
        assert_eq!(line(&"x".repeat(1_000_000), 200).chars().count(), 200);
    }
}
