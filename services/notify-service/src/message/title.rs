//! The title of an event, in words.

use contracts::drift::Severity;

use super::payload::Payload;
use super::text::line;

/// The most characters of a name before the end of a title.
const MAX_NAME: usize = 60;

/// Returns the title of an event. An unknown type becomes its own title.
pub(super) fn title(event_type: &str, payload: Payload<'_>) -> String {
    let named = |text: &str, key: &str| match payload.text(key) {
        Some(name) => format!("{text} {}", line(name, MAX_NAME)),
        None => text.to_owned(),
    };
    let titled = |text: &str| text.to_owned();
    match event_type {
        "drift:created" => subject(&rated("drift", payload), payload),
        "drift:updated" => subject(&rated("drift changed", payload), payload),
        "drift:approved" => subject("Drift approved", payload),
        "drift:rejected" => subject("Drift rejected", payload),
        "drift:resolved" if payload.text("resolvedHow") == Some("deleted") => {
            subject("Drift deleted", payload)
        }
        "drift:resolved" => subject("Drift resolved", payload),
        "drift:deciding" => titled("A person is deciding on a drift"),
        "drift:commented" => titled("New comment on a drift"),
        "drift:uncommented" => titled("Comment on a drift deleted"),
        "drift:rules_changed" => format!("Rules changed to version {}", payload.number("version")),
        "alert:created" => {
            payload.text("title").map_or_else(|| subject(&rated("alert", payload), payload), str::to_owned)
        }
        "alert:read" => titled("Alert read"),
        "alert:all_read" => titled("All alerts read"),
        "alert:closed" => titled("Alert closed"),
        "stack:updated" => match payload.text("status") {
            Some(status) => format!("{} is {}", named("Stack", "stack"), line(status, MAX_NAME)),
            None => format!("{} changed", named("Stack", "stack")),
        },
        "stack:silent" => format!("{} is silent: its scan is overdue", named("Stack", "stack")),
        "stack:deleted" => format!("{} deleted", named("Stack", "stack")),
        "scan:stored" => scan(payload),
        "auth:user.registered" => titled("User signed up"),
        "auth:user.login" => titled("User logged in"),
        "auth:user.logout" => titled("User logged out"),
        "auth:user.invited" => titled("User invited"),
        "auth:email.verified" => titled("Email address verified"),
        "auth:session.terminated" => titled("Session ended by its user"),
        "auth:session.deleted" => titled("Session ended"),
        "auth:sessions.bulk_terminated" => format!("{} sessions ended at once", payload.number("count")),
        "notification:destination_failing" => format!("{} fails", named("Destination", "name")),
        "notification:destination_recovered" => format!("{} works again", named("Destination", "name")),
        "notification:events_missed" => named("Events may have been missed since", "since"),
        "notification:test" => titled("Test of a destination"),
        _ => words(event_type),
    }
}

/// Returns the text with the stack and the address of a drift.
fn subject(text: &str, payload: Payload<'_>) -> String {
    let mut title = text.to_owned();
    if let Some(stack) = payload.text("stack") {
        title += &format!(" in {}", line(stack, MAX_NAME));
    }
    if let Some(address) = payload.text("address") {
        title += &format!(": {address}");
    }
    title
}

/// Returns the text after the severity.
fn rated(text: &str, payload: Payload<'_>) -> String {
    match payload.word("severity") {
        Some(Severity::Critical) => format!("Critical {text}"),
        Some(Severity::Warning) => format!("Warning: {text}"),
        Some(Severity::Info) => format!("Info: {text}"),
        None => words(text),
    }
}

/// Returns the numbers of a scan, such as `41 new, 2 changed in prod-eu: 3 critical`.
fn scan(payload: Payload<'_>) -> String {
    let stack = line(payload.text("stack").unwrap_or("a stack"), MAX_NAME);
    if payload.text("completeness") == Some("failed") {
        return format!("Scan of {stack} refused");
    }
    let counts = [("created", "new"), ("changed", "changed"), ("resolved", "resolved")];
    let counts = counts.map(|(key, word)| (payload.number(key), word));
    let counts = counts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}"));
    let mut title = counts.collect::<Vec<_>>().join(", ");
    if title.is_empty() {
        title = "Nothing new".to_owned();
    }
    title += &format!(" in {stack}");
    match payload.number("createdCritical") {
        0 => title,
        critical => format!("{title}: {critical} critical"),
    }
}

/// Returns the name of a type as words: `Auth user updated`.
fn words(event_type: &str) -> String {
    let name = event_type.strip_prefix("auth:").unwrap_or(event_type).replace([':', '.', '_'], " ");
    let mut characters = name.chars();
    characters.next().into_iter().flat_map(char::to_uppercase).chain(characters).collect()
}
