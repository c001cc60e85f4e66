//! Drifts as SARIF 2.1.0, which code scanning reads.

use contracts::drift::{Kind, Severity};
use serde_json::{Value, json};

use crate::drift::DriftView;

pub(super) const BEGIN: &[u8] = br#"{"$schema":"https://json.schemastore.org/sarif-2.1.0.json","version":"2.1.0","runs":[{"tool":{"driver":{"name":"DriftSentry","rules":[{"id":"changed","shortDescription":{"text":"A resource differs from its declaration."}},{"id":"missing","shortDescription":{"text":"A declared resource does not exist."}},{"id":"unmanaged","shortDescription":{"text":"A resource is not declared anywhere."}}]}},"results":[
"#;
pub(super) const END: &[u8] = b"]}]}\n";

/// One result. Its place is the stack, because a plan does not name the files of the declaration.
pub(super) fn result(drift: &DriftView) -> Value {
    let level = match drift.severity {
        Severity::Critical => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    };
    let what = match drift.kind {
        Kind::Changed => "differs from its declaration",
        Kind::Missing => "is missing",
        Kind::Unmanaged => "is not declared anywhere",
    };
    json!({
        "ruleId": drift.kind,
        "level": level,
        "message": {"text": format!("{} {what} (stack {}).", drift.address, drift.stack)},
        "locations": [{
            "physicalLocation": {"artifactLocation": {"uri": uri(&drift.stack)}},
            "logicalLocations": [{"fullyQualifiedName": drift.address, "kind": "resource"}],
        }],
        "partialFingerprints": {"driftId/v1": drift.id},
        "properties": {"status": drift.status, "resourceType": drift.resource_type, "detectedAt": drift.detected_at},
    })
}

/// The name of a stack as a relative URI.
fn uri(stack: &str) -> String {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.~/".contains(byte);
    let mut uri = String::new();
    for byte in stack.trim_start_matches('/').bytes() {
        if is_plain(&byte) {
            uri.push(char::from(byte));
        } else {
            uri += &format!("%{byte:02X}");
        }
    }
    uri
}
