//! Puts the costs that Infracost estimates beside a plan into one upload.

use std::io::Read;

use anyhow::{Context, Result};
use flate2::read::MultiGzDecoder;
use serde::de::IgnoredAny;

use super::gzip::{GZIP_MAGIC, MAX_BYTES};

/// Returns an upload of a plan with its costs. Both may be gzip.
///
/// # Errors
/// If one of them is not exactly one JSON document.
pub(crate) fn beside(plan: Vec<u8>, costs: Vec<u8>) -> Result<Vec<u8>> {
    let plan = json(plan)
        .context("costs go with a plan in one JSON document, as `terraform show -json` prints it")?;
    let costs = json(costs).context("the costs must be the output of `infracost breakdown --format json`")?;
    Ok([b"{\"plan\":".as_slice(), &plan, b",\"infracost\":", &costs, b"}"].concat())
}

fn json(bytes: Vec<u8>) -> Result<Vec<u8>> {
    let bytes = if bytes.starts_with(&GZIP_MAGIC) {
        let mut unpacked = Vec::new();
        MultiGzDecoder::new(bytes.as_slice()).take(MAX_BYTES).read_to_end(&mut unpacked)?;
        unpacked
    } else {
        bytes
    };
    serde_json::from_slice::<IgnoredAny>(&bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::super::gzip::pack;
    use super::*;

    #[test]
    fn a_plan_and_its_costs_are_one_upload_and_both_are_json() {
        let upload = beside(pack(b"{\"a\": 1}\n".into()).unwrap(), b"{\"b\": 2}".into()).unwrap();
        let upload: serde_json::Value = serde_json::from_slice(&upload).unwrap();
        assert_eq!(upload, serde_json::json!({"plan": {"a": 1}, "infracost": {"b": 2}}));
        for (plan, costs) in [("{}\n{}", "{}"), ("{}", "no costs"), ("", "{}"), ("{}", "{},\"plan\":{}")] {
            assert!(beside(plan.into(), costs.into()).is_err(), "{plan} {costs}");
        }
    }
}
