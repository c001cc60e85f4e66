use contracts::AccountId;
use heck::ToLowerCamelCase;
use validator::{Validate, ValidationError, ValidationErrorsKind};

use crate::{ApiError, FieldError};

/// Checks the rules of a type. The error names each field that breaks one.
pub(super) fn validated<T: Validate>(value: T) -> Result<T, ApiError> {
    match value.validate() {
        Ok(()) => Ok(value),
        Err(errors) => {
            let mut fields = Vec::new();
            collect("", &errors, &mut fields);
            fields.sort_by(|a, b| a.field.cmp(&b.field));
            Err(ApiError::invalid(fields))
        }
    }
}

fn collect(prefix: &str, errors: &validator::ValidationErrors, fields: &mut Vec<FieldError>) {
    for (name, kind) in errors.errors() {
        let path =
            if prefix.is_empty() { camel_case(name) } else { format!("{prefix}.{}", camel_case(name)) };
        match kind {
            ValidationErrorsKind::Field(errors) => fields.extend(errors.iter().map(|error| {
                let message = error.message.clone().unwrap_or_else(|| describe(error).into());
                FieldError { field: path.clone(), message: message.into_owned() }
            })),
            ValidationErrorsKind::Struct(errors) => collect(&path, errors, fields),
            ValidationErrorsKind::List(list) => {
                for (index, errors) in list {
                    collect(&format!("{path}[{index}]"), errors, fields);
                }
            }
        }
    }
}

fn describe(error: &ValidationError) -> String {
    let parameter = |name: &str| error.params.get(name).map(ToString::to_string);
    match (error.code.as_ref(), parameter("min"), parameter("max")) {
        ("length", Some(min), Some(max)) => format!("must have {min} to {max} characters"),
        ("length", None, Some(max)) => format!("must have at most {max} characters"),
        ("length", Some(min), None) => format!("must have at least {min} characters"),
        ("range", Some(min), Some(max)) => format!("must be from {min} to {max}"),
        ("email", ..) => "must be an email address".into(),
        (code, ..) => format!("is not valid ({code})"),
    }
}

/// Refuses ids that cannot be a user's account. For `#[validate(custom(…))]`.
pub fn is_account_id(id: &AccountId) -> Result<(), ValidationError> {
    if AccountId::is_valid(id) {
        return Ok(());
    }
    Err(ValidationError::new("account_id").with_message(AccountId::RULE.into()))
}

/// Names a field as it is on the wire: never `r#type`, as Rust spells a keyword.
fn camel_case(name: &str) -> String {
    name.trim_start_matches("r#").to_lower_camel_case()
}

/// Builds an error that names the field which serde could not read. The name comes from the path, or from
/// the message if the path lacks it.
pub(super) fn unreadable(path: &str, message: &str) -> ApiError {
    let named = ["unknown field `", "missing field `", "duplicate field `"].into_iter().find_map(|start| {
        let (_, rest) = message.split_once(start)?;
        rest.split_once('`').map(|(name, _)| name)
    });
    let message = message.split(" at line ").next().unwrap_or(message);
    let path = path.trim_start_matches('.');
    match named {
        Some(name) if path.is_empty() || path == name => ApiError::validation(name, message),
        Some(name) if !path.ends_with(name) => ApiError::validation(format!("{path}.{name}"), message),
        _ => ApiError::validation(if path.is_empty() { "body" } else { path }, message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_have_their_wire_names() {
        assert_eq!(camel_case("current_password"), "currentPassword");
        assert_eq!(camel_case("r#type"), "type");
        assert_eq!(
            unreadable(".", "unknown field `role`, expected `name`").message.split(':').next(),
            Some("role")
        );
        assert_eq!(unreadable("user.name", "invalid type").message.split(':').next(), Some("user.name"));
    }
}
