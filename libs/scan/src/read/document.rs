//! The JSON documents of an upload: usually one, or several plans in sequence.

use std::borrow::Cow;
use std::collections::HashSet;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::foreign;
use crate::error::ScanError;

const MAX_DOCUMENTS: usize = 200_000;
const MAX_STACK_CHARS: usize = 256;

/// A JSON document, with the path of its module if the upload names it.
pub(super) struct Document<'a> {
    pub text: Cow<'a, str>,
    pub name: Option<String>,
}

/// A line of Terragrunt's log, which wraps the output of Terraform.
#[derive(Deserialize)]
struct LogLine {
    level: Option<String>,
    msg: Option<String>,
    prefix: Option<String>,
    #[serde(rename = "working-dir")]
    working_dir: Option<String>,
}

/// Splits an upload into documents. Byte-identical documents count once.
pub(super) fn split(text: &str) -> Result<Vec<Document<'_>>, ScanError> {
    let first = text.trim_start().as_bytes().first();
    if !matches!(first, Some(b'{' | b'[')) {
        let malformed = ScanError::Malformed { line: 1, column: 1 };
        return Err(foreign::name_of_text(text).map_or(malformed, ScanError::Unsupported));
    }
    let mut raws: Vec<&RawValue> = Vec::new();
    for raw in serde_json::Deserializer::from_str(text).into_iter::<&RawValue>() {
        match raw {
            Ok(raw) => raws.push(raw),
            Err(error) if raws.is_empty() => return prefixed(text).ok_or_else(|| refusal(text, &error)),
            Err(_) => return Err(ScanError::Unsupported(foreign::text_after())),
        }
        // Checked while reading, so that `raws` stays small. A JSON list in one document needs no such check:
        // the limit on plans bounds it.
        if raws.len() > MAX_DOCUMENTS {
            return Err(ScanError::TooManyEntries);
        }
    }
    if let [list] = raws.as_slice()
        && list.get().starts_with('[')
    {
        raws = serde_json::from_str(list.get())?;
    }
    let documents = raws.into_iter().map(|raw| unwrapped(raw.get())).collect();
    Ok(distinct(documents))
}

fn refusal(text: &str, error: &serde_json::Error) -> ScanError {
    let is_cut_off = error.is_eof();
    let named =
        if is_cut_off || text.trim_start().starts_with('{') { None } else { foreign::name_of_text(text) };
    named.map_or(ScanError::Malformed { line: error.line(), column: error.column() }, ScanError::Unsupported)
}

/// Splits lines of the form `[module] {…}`, as Terragrunt prints them.
fn prefixed(text: &str) -> Option<Vec<Document<'_>>> {
    let document = |line| {
        let (name, rest) = str::strip_prefix(line, "[")?.split_once(']')?;
        let json = &rest[rest.find('{')?..];
        serde_json::from_str::<&RawValue>(json).ok()?;
        Some(Document { text: Cow::Borrowed(json), name: module_name(name) })
    };
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines.into_iter().map(document).collect()
}

/// Returns the plan inside a line of Terragrunt's log, or the document unchanged.
fn unwrapped(text: &str) -> Document<'_> {
    let may_be_log = text.contains("\"msg\"") && !text.contains("\"resource_changes\":");
    let line = if may_be_log { serde_json::from_str::<LogLine>(text).ok() } else { None };
    match line {
        Some(LogLine { level: Some(_), msg: Some(msg), prefix, working_dir })
            if msg.trim_start().starts_with('{') =>
        {
            let name = prefix.or(working_dir).and_then(|name| module_name(&name));
            Document { text: Cow::Owned(msg), name }
        }
        _ => Document { text: Cow::Borrowed(text), name: None },
    }
}

fn module_name(path: &str) -> Option<String> {
    let name = path.trim().trim_start_matches("./").trim_matches('/');
    (!name.is_empty() && name != ".").then(|| name.into())
}

fn distinct(documents: Vec<Document<'_>>) -> Vec<Document<'_>> {
    if documents.len() < 2 {
        return documents;
    }
    let mut seen = HashSet::new();
    documents
        .into_iter()
        .filter(|document| seen.insert((document.text.clone().into_owned(), document.name.clone())))
        .collect()
}

/// Whether the name of a stack is a template for the names of the plans in an upload.
pub(super) fn is_template(stack: &str) -> bool {
    stack.contains("{n}") || stack.contains("{module}")
}

/// Returns the name of a plan's stack.
pub(super) fn stack_of(template: &str, module: Option<&str>, number: usize, count: usize) -> String {
    let number = number.to_string();
    let module = module.unwrap_or(&number);
    let name = match (is_template(template), count) {
        (true, _) => template.replace("{module}", module).replace("{n}", &number),
        (false, 1) => template.into(),
        (false, _) => format!("{template}/{module}"),
    };
    name.chars().filter(|letter| !letter.is_control()).take(MAX_STACK_CHARS).collect()
}
