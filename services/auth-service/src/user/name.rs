use serde::Deserialize;
use utoipa::ToSchema;

const MAX_CHARS: usize = 100;

/// The name of a person or a machine: 1 to 100 characters on one line.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, min_length = 1, max_length = 100)]
pub struct Name(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must have 1 to {MAX_CHARS} characters and no control characters")]
pub struct NotAName;

impl TryFrom<String> for Name {
    type Error = NotAName;

    fn try_from(typed: String) -> Result<Self, NotAName> {
        let name = typed.trim();
        // Joiners belong to the writing of some languages.
        let is_refused = |c: char| c.is_control() || (is_hidden(c) && !matches!(c, '\u{200c}' | '\u{200d}'));
        let is_name = (1..=MAX_CHARS).contains(&name.chars().count()) && !name.contains(is_refused);
        if is_name { Ok(Self(name.to_owned())) } else { Err(NotAName) }
    }
}

/// Whether a character is invisible, or changes the direction of the text around it.
pub fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{e0000}'..='\u{e007f}')
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_bounded_and_on_one_line_s54() {
        for typed in ["", "   ", "a\nb", "a\0b", &"a".repeat(101), "a\u{202e}b", "\u{2066}\u{2069}"] {
            assert_eq!(Name::try_from(typed.to_owned()), Err(NotAName), "{typed:?}");
        }
        assert_eq!(Name::try_from(format!(" {} ", "é".repeat(100))), Ok(Name("é".repeat(100))));
    }
}
