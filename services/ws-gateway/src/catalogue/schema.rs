use std::fmt;

use boon::{CompileError, Compiler, ErrorKind, SchemaIndex, Schemas, UrlLoader, ValidationError};
use serde_json::Value;

/// The name of the one document of a schema.
const DOCUMENT: &str = "urn:driftsentry:route";

/// A JSON Schema of a route's payload.
pub(super) struct PayloadSchema {
    schemas: Schemas,
    root: SchemaIndex,
}

/// A schema is one document. A reference to another one would read a file.
struct NoOtherDocument;

impl UrlLoader for NoOtherDocument {
    fn load(&self, _url: &str) -> Result<Value, Box<dyn std::error::Error>> {
        Err("a schema cannot refer to another document".into())
    }
}

impl PayloadSchema {
    pub(super) fn compile(schema: &Value) -> Result<Self, String> {
        let mut compiler = Compiler::new();
        compiler.use_loader(Box::new(NoOtherDocument));
        let mut schemas = Schemas::new();
        compiler.add_resource(DOCUMENT, schema.clone()).map_err(|error| invalid(&error))?;
        let root = compiler.compile(DOCUMENT, &mut schemas).map_err(|error| invalid(&error))?;
        Ok(Self { schemas, root })
    }

    /// Checks a payload. The error contains no value of the payload, because that may be personal data.
    pub(super) fn check(&self, payload: &Value) -> Result<(), String> {
        self.schemas.validate(payload, self.root).map_err(|error| without_values(&error))
    }
}

impl fmt::Debug for PayloadSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PayloadSchema").finish_non_exhaustive()
    }
}

fn invalid(error: &CompileError) -> String {
    format!("its schema is not valid: {error:#}")
}

/// Describes the first cause of an error.
fn without_values(error: &ValidationError<'_, '_>) -> String {
    if let Some(cause) = error.causes.first() {
        return without_values(cause);
    }
    let at = &error.instance_location;
    match (&error.kind, error.kind.keyword_path()) {
        (kind @ (ErrorKind::Type { .. } | ErrorKind::Required { .. }), _) => format!("at '{at}': {kind}"),
        (_, Some(keyword)) => format!("at '{at}': the value is not allowed by {keyword}"),
        (_, None) => format!("at '{at}': the value is not allowed"),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case(json!({"type": "object"}), json!(["secret"]), "at '': want object, but got array")]
    #[case(json!({"required": ["id"]}), json!({"x": "secret"}), "at '': missing properties 'id'")]
    #[case(json!({"properties": {"a": {"type": "string"}}}), json!({"a": 17}), "at '/a': want string, but got number")]
    #[case(json!({"properties": {"a": {"pattern": "^x"}}}), json!({"a": "secret"}), "at '/a': the value is not allowed by pattern")]
    #[case(json!({"properties": {"a": {"enum": [1, 2]}}}), json!({"a": "secret"}), "at '/a': the value is not allowed by enum")]
    #[case(json!({"properties": {"a": {"maximum": 3}}}), json!({"a": 17}), "at '/a': the value is not allowed by maximum")]
    fn an_error_names_the_place_but_no_value(
        #[case] schema: Value,
        #[case] payload: Value,
        #[case] error: &str,
    ) {
        let schema = PayloadSchema::compile(&schema).unwrap();
        assert_eq!(schema.check(&payload), Err(error.into()));
    }

    #[test]
    fn a_schema_may_name_its_draft() {
        for draft in
            ["http://json-schema.org/draft-07/schema#", "https://json-schema.org/draft/2020-12/schema"]
        {
            let schema = PayloadSchema::compile(&json!({"$schema": draft, "type": "object"})).unwrap();
            assert_eq!(
                (schema.check(&json!({})), schema.check(&json!(1)).is_err()),
                (Ok(()), true),
                "{draft}"
            );
        }
    }

    #[test]
    fn a_schema_may_refer_to_itself_but_to_no_other_document() {
        let own = json!({"$defs": {"id": {"type": "string"}}, "properties": {"id": {"$ref": "#/$defs/id"}}});
        let own = PayloadSchema::compile(&own).unwrap();
        assert_eq!((own.check(&json!({"id": "a"})), own.check(&json!({"id": 1})).is_err()), (Ok(()), true));
        for other in ["file:///etc/hostname", "https://example.com/schema.json"] {
            let error = PayloadSchema::compile(&json!({"$ref": other})).err().unwrap();
            assert!(error.contains("another document"), "{error}");
        }
        assert!(PayloadSchema::compile(&json!({"$ref": "other.json"})).is_err());
    }
}
