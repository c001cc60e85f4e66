#![allow(dead_code, reason = "each target uses a part of this")]

use std::sync::LazyLock;

use scan::rules::Rules;
use scan::{Criteria, Scope, Source, StateKey};

static RULES: LazyLock<Rules> = LazyLock::new(Rules::default);
static KEY: LazyLock<StateKey> = LazyLock::new(|| StateKey::new(b"key"));

pub fn read(upload: &[u8]) {
    read_drift(upload);
    read_list(upload, Source::Changes);
}

pub fn read_drift(upload: &[u8]) {
    read_list(upload, Source::Drift);
}

fn read_list(upload: &[u8], source: Source) {
    let scope = Scope { source, unmanaged: true, ..Scope::of_stack("s") };
    let _ = scan::read(upload, &scope, Criteria { rules: &RULES, key: &KEY });
}
