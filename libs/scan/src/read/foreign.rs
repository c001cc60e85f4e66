//! Recognises inputs that are not supported, so that the message can name what to send instead.

const SHOW: &str = "Save the plan with `terraform plan -out=plan` (or `tofu plan -out=plan`) and send the output of \
                    `terraform show -json plan`";

/// Returns the refusal for a file that is not text.
pub(super) fn name_of_bytes(bytes: &[u8]) -> Option<String> {
    let has = |text: &[u8]| bytes.windows(text.len()).take(64 * 1024).any(|window| window == text);
    let what = match bytes {
        [b'P', b'K', 3, 4, ..] if has(b"tfplan") => {
            return Some(
                "this is a binary plan file, as `terraform plan -out` writes it. Send the output of `terraform show -json` \
                 of it, in the folder where it was made"
                    .into(),
            );
        }
        [b'P', b'K', 3 | 5 | 7, ..] => "a zip archive",
        [0x28, 0xb5, 0x2f, 0xfd, ..] => "compressed with zstd",
        [0xfd, b'7', b'z', b'X', b'Z', ..] => "compressed with xz",
        [b'B', b'Z', b'h', ..] => "compressed with bzip2",
        [b'%', b'P', b'D', b'F', ..] => "a PDF",
        _ if bytes.iter().take(64 * 1024).any(|byte| *byte == 0) => "a binary file",
        _ => return None,
    };
    Some(format!("this is {what}, not a plan in JSON. {SHOW}; plain or gzip"))
}

/// Returns the refusal for text that is not JSON; `None` if it is not recognised.
pub(super) fn name_of_text(text: &str) -> Option<String> {
    if let Some(hint) = name_of_bytes(text.as_bytes()) {
        return Some(hint);
    }
    let start = text.trim_start();
    let head = &start[..start.floor_char_boundary(4096)];
    let lower = head.to_ascii_lowercase();
    let has = |any: &[&str]| any.iter().any(|part| lower.contains(part));
    let what = if lower.starts_with("<!doctype html")
        || lower.starts_with("<html")
        || has(&["<body", "<head>"])
    {
        "an HTML page, perhaps the login page or the error of a proxy"
    } else if lower.starts_with("<?xml") {
        "XML"
    } else if holds_json(text) {
        return Some(format!(
            "there is text before the JSON, as the wrapper of a CI step or a shell writes it: the upload does not begin \
             with the plan. Call the binary without its wrapper (for GitHub's setup-terraform: terraform_wrapper: false), \
             or write the plan to a file. {SHOW}"
        ));
    } else if has(&[
        "terraform will perform the following actions",
        "terraform used the selected providers",
        "opentofu will perform the following actions",
        "opentofu used the selected providers",
        "no changes. your infrastructure",
        "note: objects have changed outside of",
        "refreshing state...",
        "an execution plan has been generated",
    ]) {
        "the plan as text for people"
    } else if lower.starts_with("resource \"")
        || lower.starts_with("terraform {")
        || lower.starts_with("provider \"")
    {
        "configuration (HCL)"
    } else if lower.starts_with("digraph") {
        "the graph of `terraform graph`"
    } else if has(&["error:", "error loading", "failed to"]) {
        "the error message of a command"
    } else if lower.starts_with("---\n") || lower.starts_with("resources:") || lower.starts_with("kind:") {
        "YAML"
    } else {
        return None;
    };
    Some(format!("this is {what}, not a plan in JSON. {SHOW}"))
}

/// Whether a plan begins somewhere inside a text.
fn holds_json(text: &str) -> bool {
    text.contains("\"format_version\"")
        || text.contains("\"resource_drift\"")
        || text.contains("\"resource_changes\"")
}

/// Returns the refusal for text after the JSON.
pub(super) fn text_after() -> String {
    format!(
        "there is text around the JSON, as the wrapper of a CI step or a shell writes it. Call the binary without its \
         wrapper (for GitHub's setup-terraform: terraform_wrapper: false), or write the plan to a file. {SHOW}"
    )
}

pub(super) fn show_hint() -> &'static str {
    SHOW
}
