//! None of the probes may remain in what is stored, and each layer must be the only one that finds some of them.

use serde_json::Value;
use strum::IntoEnumIterator;

use super::corpus::{Sample, corpus};
use super::layers::{Layer, Layers};
use super::tests::secrets_of;
use super::*;
use crate::json::Json;
use crate::resource_identity::StateKey;
use crate::sensitive_marks::Marks;

/// Whether a part of the probe remains in anything that is stored of a sample.
fn leak(sample: &Sample, layers: Layers) -> bool {
    let parse = |value: &Value| Json::parse_text(&value.to_string()).unwrap();
    let (state, marks) = (parse(&sample.state), parse(&sample.marks));
    let (secrets, key) = (secrets_of(&sample.state, &sample.marks), StateKey::new(b"key"));
    let mut redactor = Redactor::new(&secrets, &key);
    redactor.layers = layers;
    let state = redactor.state(sample.resource_type, state, Marks::new(Some(&marks))).to_text();
    let shown = format!("{} {state}", redactor.address(&sample.address));
    [
        "zKx3Zp91",
        "zKx\\\"3Zp91",
        "zKx\\\\\\\"3Zp91",
        "ZKX",
        "Qv7&",
        "Qv7%26",
        "UXY3Jnp",
        "F2Nyb",
        "918273645",
        "/Qv7z/",
        "0a1b2c3d",
        "Q7KX3ZP2",
        "Qx9",
    ]
    .iter()
    .any(|probe| shown.contains(probe))
}

#[test]
fn no_probe_of_the_corpus_remains() {
    let corpus = corpus();
    assert!(corpus.len() > 400, "{}", corpus.len());
    let leaks: Vec<&str> =
        corpus.iter().filter(|sample| leak(sample, Layers::ALL)).map(|sample| sample.what.as_str()).collect();
    assert!(leaks.is_empty(), "{leaks:?}");
}

#[test]
fn each_layer_is_the_only_one_that_finds_some_probes() {
    let corpus = corpus();
    for layer in Layer::iter() {
        let leaks = corpus.iter().filter(|sample| leak(sample, Layers::ALL.without(layer))).count();
        assert!(leaks > 0, "{layer:?} finds nothing that no other layer finds");
    }
}
