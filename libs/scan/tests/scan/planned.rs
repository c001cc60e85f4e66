//! Properties of a plan that is about to be applied: an undone drift is never missed.

use proptest::prelude::*;
use scan::rules::Rules;
use scan::{Criteria, Scan, Scope, Source, StateKey, Touch, read, touched_by};
use serde_json::{Map, Value, json};

use crate::store::Store;

const NAMES: [&str; 6] = ["size", "tags", "rules", "ips", "name", "policy"];

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0u8..4).prop_map(Value::from),
        "[ab]{0,2}".prop_map(Value::from),
        // A text that contains JSON.
        (0u8..3).prop_map(|value| json!({"Sid": "x", "a": value}).to_string().into()),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((prop::sample::select(&NAMES[..]), inner), 0..4).prop_map(|fields| {
                fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>().into()
            }),
        ]
    })
}

/// Generates the state of one resource.
fn state() -> impl Strategy<Value = Value> {
    prop::collection::vec(value(), NAMES.len()).prop_map(|values| {
        let mut state: Map<String, Value> = NAMES.iter().map(|name| (*name).to_owned()).zip(values).collect();
        state.insert("id".into(), "i-1".into());
        state.into()
    })
}

fn plan(list: &str, before: &Value, after: &Value, after_sensitive: &Value) -> Vec<u8> {
    let change =
        json!({"actions": ["update"], "before": before, "after": after, "after_sensitive": after_sensitive});
    let entry = json!({"address": "aws_x.y", "type": "aws_x", "change": change});
    json!({"format_version": "1.2", "complete": true, "errored": false, list: [entry]}).to_string().into()
}

/// Returns how a plan touches the drift between these two states, and whether the drift is another order only. Returns
/// `None` if there is no drift with a path that a decision covers.
fn touch(recorded: &Value, real: &Value, planned: &Value, sensitive: &Value) -> Option<(Touch, bool)> {
    let mut store = Store::new("");
    let drift = plan("resource_drift", recorded, real, &json!({}));
    store.ingest(&drift, &Scope::of_stack("s"), false).unwrap();
    let stored = store.live("s");
    if stored.first()?.decidable.as_ref()?.is_empty() {
        return None;
    }
    let (rules, key) = (Rules::default(), StateKey::new(b"a test key"));
    let scope = Scope { source: Source::Changes, is_planned: true, ..Scope::of_stack("s") };
    let upload = plan("resource_changes", real, planned, sensitive);
    let scans: Vec<Scan> = read(&upload, &scope, Criteria { rules: &rules, key: &key }).unwrap();
    let touch = touched_by(&scans[0], &stored).first().map_or(Touch::Resource, |touched| touched.touch);
    Some((touch, stored[0].difference.as_ref()?.contains("reordered")))
}

proptest! {
    #[test]
    fn a_plan_that_restores_the_recorded_state_undoes_the_drift(recorded in state(), real in state()) {
        if let Some((touch, _)) = touch(&recorded, &real, &recorded, &json!({})) {
            prop_assert_eq!(touch, Touch::Drift);
        }
    }

    #[test]
    fn a_plan_that_adopts_the_real_state_undoes_nothing(recorded in state(), real in state(), added in value()) {
        let mut planned = real.clone();
        planned["added"] = added;
        if let Some((touch, _)) = touch(&recorded, &real, &planned, &json!({})) {
            prop_assert_eq!(touch, Touch::Resource);
        }
    }

    /// The drift is in one attribute. The plan also changes another one.
    #[test]
    fn a_plan_that_restores_one_attribute_undoes_its_drift(
        recorded in state(), other in value(), planned in value(), name in prop::sample::select(&NAMES[..]),
    ) {
        let mut real = recorded.clone();
        real[name] = other;
        let mut restored = recorded.clone();
        restored["added"] = planned;
        if let Some((touch, is_order)) = touch(&recorded, &real, &restored, &json!({})) {
            // Beside other changes, another order does not count.
            prop_assert!(touch == Touch::Drift || is_order, "{touch:?}");
        }
    }

    #[test]
    fn a_plan_that_makes_values_sensitive_does_not_hide_that_it_undoes_a_drift(
        recorded in state(), real in state(), name in prop::sample::select(&NAMES[..]),
    ) {
        if let Some((touch, _)) = touch(&recorded, &real, &recorded, &json!({name: true})) {
            prop_assert!(touch >= Touch::Unclear);
        }
    }
}
