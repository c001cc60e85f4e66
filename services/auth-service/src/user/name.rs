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
        let is_name = (1..=MAX_CHARS).contains(&name.chars().count()) && !name.contains(char::is_control);
        if is_name { Ok(Self(name.to_owned())) } else { Err(NotAName) }
    }
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
        for typed in ["", "   ", "a\nb", "a\0b", &"a".repeat(101)] {
            assert_eq!(Name::try_from(typed.to_owned()), Err(NotAName), "{typed:?}");
        }
        assert_eq!(Name::try_from(format!(" {} ", "é".repeat(100))), Ok(Name("é".repeat(100))));
    }
}
