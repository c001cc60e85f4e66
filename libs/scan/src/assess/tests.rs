use std::time::Duration;

use super::*;
use crate::redact::Secrets;

#[test]
fn an_entry_is_given_up_at_the_deadline_s86() {
    let (rules, key, secrets) = (Rules::default(), StateKey::new(b"key"), Secrets::none());
    let redactor = Redactor::new(&secrets, &key);
    let bench = Bench {
        judgement: Judgement { rules: &rules, key: &key },
        redactor: &redactor,
        stack: "s",
        region: None,
        account: None,
        deadline: None,
    };
    let state = |value: u8| Json::parse_text(&format!(r#"{{"size":{value}}}"#)).ok();
    let outcome = |bench: Bench<'_>| {
        let entry = Entry {
            expected: state(1),
            actual: state(2),
            ..Entry::new(Kind::Changed, "aws_x.y".into(), "aws_x".into())
        };
        assess(entry, bench, &mut RuleUses::new())
    };
    assert!(matches!(outcome(bench), Outcome::Drift(_)));
    let deadline = Instant::now().checked_sub(Duration::from_secs(1));
    assert!(matches!(outcome(Bench { deadline, ..bench }), Outcome::Late));
}
