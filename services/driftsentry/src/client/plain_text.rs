//! Escapes text for printing, because a plan may contain control codes that a terminal would execute.

use std::fmt::Write;

/// Returns the text with its control characters escaped.
pub(crate) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_harmful(letter) {
            let _ = write!(plain, "\\u{:04x}", u32::from(letter));
        } else {
            plain.push(letter);
        }
    }
    plain
}

/// Whether the character is a control character or changes the direction of text.
fn is_harmful(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{61c}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn printed_text_cannot_control_a_terminal_s76() {
        assert_eq!(plain("aws_x.y[\"ü\"]"), "aws_x.y[\"ü\"]");
        assert_eq!(
            plain("a\u{1b}[2Jb\u{9b}c\u{7}d\r\n\u{202e}e"),
            "a\\u001b[2Jb\\u009bc\\u0007d\\u000d\\u000a\\u202ee"
        );
    }
}
