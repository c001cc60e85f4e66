use serde_json::Value;

/// The texts that fill the blanks of a room's name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'a> {
    pub user_id: Option<&'a str>,
    pub account_id: Option<&'a str>,
    pub payload: &'a Value,
}

impl<'a> Fields<'a> {
    /// Returns a field by name: from the envelope, else from the payload.
    fn get(&self, name: &str) -> Option<&'a str> {
        let own = match name {
            "userId" => self.user_id,
            "accountId" => self.account_id,
            _ => None,
        };
        own.or_else(|| self.payload.get(name)?.as_str()).filter(|value| !value.is_empty())
    }
}

/// A room's name with blanks: `user:{userId}`, `account:{accountId|global}`, `user:{*}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RoomTemplate {
    before: String,
    blank: Option<Blank>,
    after: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Blank {
    source: Source,
    default: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Source {
    Field(String),
    Rest,
}

impl RoomTemplate {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let malformed = || format!("the room {text:?} is not a name with at most one {{blank}}");
        let Some((before, tail)) = text.split_once('{') else {
            if text.is_empty() || text.contains('}') {
                return Err(malformed());
            }
            return Ok(Self { before: text.into(), blank: None, after: String::new() });
        };
        let (inside, after) = tail.split_once('}').ok_or_else(malformed)?;
        let (name, default) = match inside.split_once('|') {
            Some((name, default)) => (name, Some(default.to_owned())),
            None => (inside, None),
        };
        if name.is_empty() || after.contains(['{', '}']) {
            return Err(malformed());
        }
        let source = if name == "*" { Source::Rest } else { Source::Field(name.into()) };
        Ok(Self { before: before.into(), blank: Some(Blank { source, default }), after: after.into() })
    }

    /// Returns the name of the room for a message; `None` if the field of a blank is absent and has no default.
    pub(super) fn fill(&self, fields: &Fields<'_>, rest: &str) -> Option<String> {
        let Some(blank) = &self.blank else {
            return Some(self.before.clone());
        };
        let value = match &blank.source {
            Source::Rest => Some(rest).filter(|rest| !rest.is_empty()),
            Source::Field(name) => fields.get(name),
        };
        let value = value.or(blank.default.as_deref())?;
        Some(format!("{}{value}{}", self.before, self.after))
    }
}
