//! A step-up over an open socket, as the gateway passes it to auth-service. The response is
//! [`StepUpAnswered`](crate::events::auth::StepUpAnswered).

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

/// The channel of the requests. Their messages are never logged, stored or relayed to sockets.
pub const STEP_UP_CHANNEL: &str = "gateway:step_up";
/// Time for which the gateway waits for the response. A later response reaches no client.
pub const STEP_UP_ANSWERED_WITHIN: Duration = Duration::from_secs(5);

const MAX_CODE_CHARS: usize = 16;
const MAX_ASSERTION_BYTES: usize = 16 * 1024;

/// A request of the gateway to raise the strength of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StepUpRequest {
    pub request_id: Uuid,
    pub user_id: Uuid,
    pub session_id: Uuid,
    /// The address of the socket's client.
    pub ip_address: IpAddr,
    #[serde(flatten)]
    pub proof: StepUpProof,
}

/// The proof in a step-up over a socket. Its `Debug` shows only the kind.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", try_from = "Fields")]
pub enum StepUpProof {
    Code(String),
    Assertion(Map<String, Value>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    code: Option<String>,
    assertion: Option<Map<String, Value>>,
}

impl TryFrom<Fields> for StepUpProof {
    type Error = &'static str;

    fn try_from(fields: Fields) -> Result<Self, Self::Error> {
        match (fields.code, fields.assertion) {
            (Some(code), None) if code.chars().count() <= MAX_CODE_CHARS => Ok(Self::Code(code)),
            (None, Some(assertion)) if size(&assertion) <= MAX_ASSERTION_BYTES => {
                Ok(Self::Assertion(assertion))
            }
            _ => Err("send either a code of at most 16 characters or an assertion of at most 16 KiB"),
        }
    }
}

impl fmt::Debug for StepUpProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Code(_) => "Code(…)",
            Self::Assertion(_) => "Assertion(…)",
        })
    }
}

fn size(assertion: &Map<String, Value>) -> usize {
    serde_json::to_string(assertion).map_or(usize::MAX, |text| text.len())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn request(proof: StepUpProof) -> StepUpRequest {
        let (ip_address, id) = ([192, 0, 2, 1].into(), Uuid::nil());
        StepUpRequest { request_id: id, user_id: id, session_id: id, ip_address, proof }
    }

    #[test]
    fn a_request_has_its_proof_beside_the_other_fields_and_reads_back() {
        let assertion = json!({ "id": "x", "response": { "signature": "y" } });
        for (proof, field, value) in [
            (StepUpProof::Code("123456".into()), "code", json!("123456")),
            (StepUpProof::Assertion(assertion.as_object().unwrap().clone()), "assertion", assertion),
        ] {
            let request = request(proof);
            let written = serde_json::to_string(&request).unwrap();
            assert_eq!(serde_json::from_str::<Value>(&written).unwrap()[field], value);
            assert_eq!(serde_json::from_str::<StepUpRequest>(&written).unwrap(), request);
        }
    }

    #[test]
    fn a_proof_is_one_code_or_one_assertion_and_bounded() {
        let read = |value: &Value| StepUpProof::deserialize(value).is_ok();
        let assertion = |length: usize| json!({ "assertion": { "id": "x".repeat(length) } });
        let frame = json!({ "id": "" }).to_string().len();
        assert!(read(&json!({ "code": "ä".repeat(16) })) && read(&assertion(16 * 1024 - frame)));
        for wrong in [
            json!({}),
            json!(null),
            json!("123456"),
            json!({ "code": "1".repeat(17) }),
            json!({ "code": 123_456 }),
            json!({ "code": null }),
            json!({ "code": "1", "assertion": {} }),
            json!({ "code": "1", "password": "x" }),
            json!({ "assertion": "x" }),
            json!({ "assertion": [] }),
            assertion(16 * 1024 - frame + 1),
        ] {
            assert!(!read(&wrong), "{wrong}");
        }
    }

    #[test]
    fn no_debug_output_shows_a_proof() {
        let code = request(StepUpProof::Code("123456".into()));
        let assertion = json!({ "id": "123456" }).as_object().unwrap().clone();
        let assertion = request(StepUpProof::Assertion(assertion));
        let shown = format!("{code:?} {assertion:?}");
        assert!(
            shown.contains("Code") && shown.contains("Assertion") && !shown.contains("123456"),
            "{shown}"
        );
    }
}
