//! Properties of sequences of scans.

use proptest::prelude::*;
use scan::Scope;
use serde_json::{Value, json};

use crate::store::{Counts, Store};

/// A resource with two attributes that matter, and noise around them.
#[derive(Clone, Debug)]
struct Resource {
    name: u8,
    size: u8,
    open: bool,
    /// Changes without effect: another etag, empty values, a reformatted text, an additional attribute.
    noise: [u8; 4],
}

fn resource() -> impl Strategy<Value = Resource> {
    (0u8..4, 0u8..3, any::<bool>(), any::<[u8; 4]>()).prop_map(|(name, size, open, noise)| Resource {
        name,
        size,
        open,
        noise,
    })
}

fn scans() -> impl Strategy<Value = Vec<Vec<Resource>>> {
    prop::collection::vec(prop::collection::vec(resource(), 0..5), 1..6)
}

impl Resource {
    fn entry(&self) -> Value {
        let [etag, empty, format, more] = self.noise;
        let text =
            ["{\"a\":1,\"b\":[]}", "{ \"a\": 1.0 }", "{\"b\":null,\n\"a\":1}"][usize::from(format % 3)];
        let state = |size: u8, open: bool, etag: u8| {
            let mut state = json!({"id": format!("i-{}", self.name), "size": size, "etag": etag, "text": text,
                "rules": [{"name": "a", "open": open}, {"name": "b", "open": false}]});
            state["nothing"] = [Value::Null, json!(""), json!([]), json!({})][usize::from(empty % 4)].clone();
            if more % 2 == 0 {
                state["added_by_an_upgrade"] = json!(false);
                state["rules"][0]["added"] = json!(false);
            }
            state
        };
        json!({"address": format!("aws_x.r{}", self.name), "type": "aws_x", "change": {"actions": ["update"],
            "before": state(9, false, 0), "after": state(self.size, self.open, etag)}})
    }
}

fn plan(resources: &[Resource]) -> Vec<u8> {
    let entries: Vec<Value> = resources.iter().map(Resource::entry).collect();
    json!({"format_version": "1.2", "complete": true, "resource_drift": entries}).to_string().into()
}

fn ingest(store: &mut Store, stack: &str, resources: &[Resource]) -> Counts {
    store.ingest(&plan(resources), &Scope::of_stack(stack), false).unwrap()
}

/// Returns the first resource of each name, as a scan counts them.
fn distinct(resources: &[Resource]) -> Vec<Resource> {
    let mut seen = [false; 4];
    resources
        .iter()
        .filter(|resource| !std::mem::replace(&mut seen[usize::from(resource.name)], true))
        .cloned()
        .collect()
}

proptest! {
    #[test]
    fn the_same_scan_again_changes_nothing(scans in scans()) {
        let mut store = Store::new("");
        for resources in scans {
            ingest(&mut store, "s", &resources);
            let before = format!("{:?}", store.rows);
            let again = ingest(&mut store, "s", &resources);
            prop_assert_eq!((again.created, again.changed, again.resolved), (0, 0, 0));
            prop_assert_eq!(before, format!("{:?}", store.rows));
        }
    }

    /// Decides on every drift of the first scan. Later scans keep the two values of each resource.
    #[test]
    fn a_decision_survives_everything_but_another_value(
        first in prop::collection::vec(resource(), 1..5),
        noises in prop::collection::vec((any::<[u8; 4]>(), any::<bool>()), 1..6),
    ) {
        let mut store = Store::new("");
        let first = distinct(&first);
        ingest(&mut store, "s", &first);
        for resource in &first {
            store.approve("s", &format!("aws_x.r{}", resource.name));
        }
        let rows = store.rows.len();
        for (noise, backwards) in noises {
            let mut scan: Vec<Resource> =
                first.iter().map(|resource| Resource { noise, ..resource.clone() }).collect();
            if backwards {
                scan.reverse();
            }
            ingest(&mut store, "s", &scan);
            prop_assert_eq!(store.rows.len(), rows);
            prop_assert!(store.rows.iter().all(|row| row.status == "approved"));
        }
        let mut changed = first[0].clone();
        changed.size = changed.size.wrapping_add(100);
        ingest(&mut store, "s", &[changed]);
        let follows = store.rows.last().and_then(|row| row.previous);
        prop_assert_eq!((store.rows.len(), follows), (rows + 1, Some(0)));
    }

    #[test]
    fn the_order_of_scans_of_disjoint_stacks_does_not_matter(one in scans(), other in scans()) {
        let run = |order: &[(&str, &Vec<Resource>)]| {
            let mut store = Store::new("");
            for (stack, resources) in order {
                ingest(&mut store, stack, resources);
            }
            let mut rows: Vec<String> = store
                .rows
                .iter()
                .map(|row| format!("{} {} {} {:?}", row.stack, row.status, row.stored.fingerprint, row.finding.difference))
                .collect();
            rows.sort();
            rows
        };
        let ones: Vec<_> = one.iter().map(|scan| ("one", scan)).collect();
        let others: Vec<_> = other.iter().map(|scan| ("other", scan)).collect();
        let first_one: Vec<_> = ones.iter().chain(&others).copied().collect();
        let mixed: Vec<_> = (0..ones.len().max(others.len()))
            .flat_map(|at| [others.get(at), ones.get(at)])
            .flatten()
            .copied()
            .collect();
        prop_assert_eq!(run(&first_one), run(&mixed));
    }

    /// Puts a probe under a mark, and copies of it into all texts of a plan.
    #[test]
    fn no_probe_remains_in_anything_stored(probe in "[A-Za-z]{3}[0-9][A-Za-z0-9]{6,16}", upper: bool) {
        let copy = if upper { probe.to_uppercase() } else { probe.clone() };
        let state = |n: u8| json!({"id": format!("id-{copy}"), "n": n, "secret_in": probe, "url": format!("https://h/{copy}?x"),
            copy.clone(): {"list": [copy]}, "text": json!({"inner": copy}).to_string(), "region": copy});
        let plan = json!({"format_version": "1.2", "complete": true, "resource_drift": [{
            "address": format!("aws_x.y[\"{copy}\"]"), "previous_address": format!("aws_x.z[\"{copy}\"]"), "type": "aws_x",
            "change": {"actions": ["update"], "before": state(1), "after": state(2), "before_sensitive": {"secret_in": true},
                "after_sensitive": {"secret_in": true}},
        }, {"address": format!("aws_x.{copy}"), "type": "aws_x", "change": {"actions": ["teleport"], "before": null, "after": null}}]});
        let mut store = Store::new("");
        let counts = store.ingest(plan.to_string().as_bytes(), &Scope::of_stack("s"), true).unwrap();
        let written = format!("{:?} {counts:?}", store.rows);
        prop_assert!(!written.to_lowercase().contains(&probe.to_lowercase()), "{}", written);
    }
}
