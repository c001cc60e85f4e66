//! Secrets that plain text assigns to a name: `PASSWORD=…`, `AccountKey=…;`, `?token=…`,
//! `X-Api-Key: …`, `--password …`.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::hidden::HIDDEN;
use super::names::{is_plain_value, is_secret_name};

static ASSIGNMENT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let name = r#"(?P<name>[A-Za-z_$][A-Za-z0-9_.\-]{0,127}(?: [A-Za-z][A-Za-z]{2,15}){0,2})"#;
    let value = r#"(?P<s>\\"[^"\\]*(?:\\")?|"(?:[^"\\]|\\.)*"?|'[^']*'?|[^\s"'][^\s;,&"'}\])]*)"#;
    Regex::new(&format!(r#"{name}(?P<between>\\?["']?[ \t]*(?::=|=>|=|:)[ \t]*){value}"#)).ok()
});

static ARGUMENT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?P<between>(?:^|\s)--?(?P<name>[A-Za-z][A-Za-z0-9_\-]{1,63})[ \t]+)(?P<s>"[^"]*"|'[^']*'|[^\s"'\-][^\s"']*)"#).ok()
});

/// Passwords that follow their name without a sign between, as in `.netrc`, `redis.conf` or mysql's `-p`.
static FOLLOWING: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let line = r"(?P<line>(?m:^)[ \t]*(?:password|passwd|requirepass|masterauth|secret|token)[ \t]+)(?P<s>\S+)[ \t]*(?m:$)";
    let netrc = r"(?P<netrc>\blogin\s+\S+\s+password\s+)(?P<n>\S+)";
    let mysql = r"(?P<mysql>\b(?:mysql|mysqldump|mysqladmin|mariadb)\b[^|;\n]*?\s-p)(?P<m>[^\s-]\S*)";
    Regex::new(&format!("{line}|{netrc}|{mysql}")).ok()
});

/// A text that each pattern of `FOLLOWING` requires.
const FOLLOWED: [&str; 6] = ["pass", "masterauth", "secret", "token", "mysql", "mariadb"];

/// URL parameters that carry a credential under a name that does not show it.
const QUERY_NAMES: [&str; 12] = [
    "sig",
    "signature",
    "code",
    "key",
    "auth",
    "x-amz-signature",
    "x-amz-credential",
    "x-goog-signature",
    "x-goog-credential",
    "access",
    "hash",
    "hmac",
];

static QUERY: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?P<between>[?&;](?P<name>[A-Za-z0-9_.\-]{1,64})=)(?P<s>[^&\s"'<>#;]{4,})"#).ok()
});

/// See [`compile_patterns`](super::compile_patterns).
pub(super) fn compile() {
    for pattern in [&ASSIGNMENT, &ARGUMENT, &FOLLOWING, &QUERY] {
        LazyLock::force(pattern);
    }
}

/// Hides values that a text assigns to secret names.
pub(super) fn hide(text: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    let has_sign = text.bytes().any(|byte| byte == b'=' || byte == b':');
    if has_sign {
        text = replace(text, &ASSIGNMENT, |name| is_secret_name(name) || is_signature(name));
    }
    if text.contains("://") && text.contains('=') {
        text = replace(text, &QUERY, |name| {
            let lower = name.to_ascii_lowercase();
            QUERY_NAMES.contains(&lower.as_str()) || is_secret_name(name)
        });
    }
    if text.contains('-') && text.contains(' ') {
        text = replace(text, &ARGUMENT, is_secret_name);
    }
    match &*FOLLOWING {
        Some(following) if text.contains([' ', '\t']) && FOLLOWED.iter().any(|word| text.contains(word)) => {
            hide_following(text, following)
        }
        _ => text,
    }
}

fn hide_following<'t>(text: Cow<'t, str>, following: &Regex) -> Cow<'t, str> {
    let hidden = following.replace_all(&text, |found: &Captures<'_>| {
        let start = ["line", "netrc", "mysql"].iter().find_map(|name| found.name(name));
        let secret = ["s", "n", "m"].iter().find_map(|name| found.name(name));
        match (start, secret) {
            (Some(start), Some(secret)) if !secret.as_str().starts_with("(sensitive") => {
                format!("{}{HIDDEN}", start.as_str())
            }
            _ => found.get(0).map_or("", |found| found.as_str()).to_owned(),
        }
    });
    match hidden {
        Cow::Owned(hidden) if hidden != *text => Cow::Owned(hidden),
        _ => text,
    }
}

fn is_signature(name: &str) -> bool {
    ["sharedaccesssignature", "sharedaccesskey", "x-functions-key", "ocp-apim-subscription-key"]
        .iter()
        .any(|signature| name.eq_ignore_ascii_case(signature))
}

fn replace<'t>(
    text: Cow<'t, str>,
    pattern: &LazyLock<Option<Regex>>,
    tells: impl Fn(&str) -> bool,
) -> Cow<'t, str> {
    let Some(pattern) = &**pattern else { return text };
    let hidden = pattern.replace_all(&text, |found: &Captures<'_>| {
        let whole = found.get(0).map_or("", |found| found.as_str());
        let part = |name| found.name(name).map_or("", |part| part.as_str());
        let secret = part("s");
        // The last word is tried too: in `and password=…`, only `password` is the name.
        let name = part("name");
        let last = name.rsplit(' ').next().unwrap_or(name);
        let bare = secret.trim_matches(|letter| matches!(letter, '"' | '\'' | '\\'));
        let is_hidden_already = secret.starts_with("(sensitive") || whole.contains("://");
        if !(tells(name) || tells(last)) || is_plain_value(bare) || is_hidden_already || is_number_about(bare)
        {
            return whole.to_owned();
        }
        format!("{}{HIDDEN}", &whole[..whole.len() - secret.len()])
    });
    match hidden {
        Cow::Borrowed(_) => text,
        Cow::Owned(hidden) if hidden == text => text,
        Cow::Owned(hidden) => Cow::Owned(hidden),
    }
}

/// Whether a text is a number of one or two digits, which is a length, a count or an age.
fn is_number_about(text: &str) -> bool {
    text.len() <= 2 && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_assigned_to_a_secret_name_is_hidden() {
        for (text, shown) in [
            ("PASSWORD=hunter2", "PASSWORD=(sensitive value)"),
            ("export DB_PASS='hunter2' X=1", "export DB_PASS=(sensitive value) X=1"),
            ("Server=db;User Id=sa;Password=hunter2;", "Server=db;User Id=sa;Password=(sensitive value);"),
            ("a=b;AccountKey=hunter2==;c=d", "a=b;AccountKey=(sensitive value);c=d"),
            ("https://h/p?token=hunter2&x=1", "https://h/p?token=(sensitive value)&x=1"),
            ("https://h/p?sv=2020&sig=hunter2", "https://h/p?sv=2020&sig=(sensitive value)"),
            ("X-Api-Key: hunter2", "X-Api-Key: (sensitive value)"),
            ("machine h login u password hunter2", "machine h login u password (sensitive value)"),
            ("requirepass hunter2\nport 1", "requirepass (sensitive value)\nport 1"),
            ("mysql -u root -phunter2 db", "mysql -u root -p(sensitive value) db"),
            ("run --password hunter2 --verbose", "run --password (sensitive value) --verbose"),
            (r#"{\"password\": \"hunter2\"}"#, r#"{\"password\": (sensitive value)}"#),
        ] {
            assert_eq!(hide(text), shown);
        }
    }

    #[test]
    fn other_values_stay() {
        for text in [
            "size=large",
            "secret_arn=arn:aws:x",
            "http_tokens=required",
            "minimum_password_length=12",
            "https://h/p?x=1&y=2",
            "2026-11-01T06:00:00Z",
            "password_policy: strict",
            "note: tokens: none",
            "the password must be long",
            "mysql -p db",
        ] {
            assert_eq!(hide(text), text);
        }
    }
}
