use std::time::{Duration, Instant};

use super::*;
use crate::json::Json;
use crate::redact::{Redactor, Secrets};
use crate::resource_identity::StateKey;
use crate::rules::Rules;

#[test]
fn an_entry_is_given_up_at_the_deadline_s86() {
    let (rules, key, secrets) = (Rules::default(), StateKey::new(b"key"), Secrets::none());
    let redactor = Redactor::new(&secrets, &key);
    let context = Context {
        criteria: Criteria { rules: &rules, key: &key },
        redactor: &redactor,
        stack: "s",
        region: None,
        account: None,
        is_planned: false,
        deadline: None,
    };
    let state = |value: u8| Json::parse_text(&format!(r#"{{"size":{value}}}"#)).ok();
    let outcome = |context: Context<'_>| {
        let entry = Entry {
            expected: state(1),
            actual: state(2),
            ..Entry::new(Kind::Changed, "aws_x.y".into(), "aws_x".into())
        };
        assess(entry, context, &mut RuleUses::new())
    };
    assert!(matches!(outcome(context), Outcome::Drift(_)));
    let deadline = Instant::now().checked_sub(Duration::from_secs(1));
    assert!(matches!(outcome(Context { deadline, ..context }), Outcome::Late));
}
