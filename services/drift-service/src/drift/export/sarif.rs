//! Drifts as SARIF 2.1.0, which code scanning reads.

use contracts::drift::{Kind, Severity};
use serde_json::{Value, json};

use crate::drift::DriftView;
use crate::text::encode_for_path;

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

/// The name of a stack as a relative URI, in which its slashes stay.
fn uri(stack: &str) -> String {
    let segments = stack.trim_start_matches('/').split('/');
    segments.map(encode_for_path).collect::<Vec<_>>().join("/")
}
