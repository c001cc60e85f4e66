//! A person's own template for the text of messages.
//!
//! A template is trusted to format and to mention, but the values of events are not: in Slack, each value is escaped,
//! while the text around the values stays as its author wrote it, such as `<!here> *{{ title }}*`. For all other
//! destinations a template renders plain text, which their messages escape as a whole.

use std::error::Error as _;
use std::{io, thread};

use minijinja::value::{Serde, Value as Context};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior};
use serde_json::{Value, json};
use thiserror::Error;

use super::facts::Facts;
use super::slack;
use crate::event::Event;

/// The most bytes of a template.
pub(super) const MAX_SOURCE: usize = 4 * 1024;
/// The most bytes that a template renders.
pub(super) const MAX_OUTPUT: usize = 16 * 1024;

/// The steps of one rendering. A step creates at most 64 bytes.
const FUEL: u64 = 20_000;
const MAX_RECURSION: usize = 50;

/// The parser recurses for each operator, of which a source may have thousands.
const PARSER_STACK: usize = 16 * 1024 * 1024;

const PLAIN: &str = "template";
const SLACK: &str = "slack";

#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TemplateError {
    #[error("The template must have at most {MAX_SOURCE} bytes.")]
    SourceTooLong,
    #[error("The template is not valid: {0}")]
    Invalid(String),
    #[error("The template must render at most {MAX_OUTPUT} bytes.")]
    OutputTooLong,
    #[error("The template takes more than {FUEL} steps: shorten its loops.")]
    TooManySteps,
}

/// A template, ready to render.
#[derive(Debug)]
pub struct Template(Environment<'static>);

impl Template {
    /// # Errors
    /// If the source is too long or no template. An error names the line.
    pub fn parse(source: &str) -> Result<Self, TemplateError> {
        if source.len() > MAX_SOURCE {
            return Err(TemplateError::SourceTooLong);
        }
        let source = source.to_owned();
        let parser = thread::Builder::new().stack_size(PARSER_STACK).spawn(|| compile(source));
        let parsed = parser.map(thread::JoinHandle::join);
        let Ok(Ok(environment)) = parsed else {
            return Err(TemplateError::Invalid("it cannot be parsed".to_owned()));
        };
        environment.map(Self).map_err(|error| explain(&error))
    }

    /// Renders plain text. A value that is missing renders as nothing.
    ///
    /// # Errors
    /// If the output or the work exceeds its limit, or a value has the wrong type.
    pub fn render(&self, context: &Value) -> Result<String, TemplateError> {
        self.render_named(PLAIN, context)
    }

    /// Renders a text for Slack, with all values escaped.
    ///
    /// # Errors
    /// As [`render`](Self::render).
    pub fn render_for_slack(&self, context: &Value) -> Result<String, TemplateError> {
        self.render_named(SLACK, context)
    }

    fn render_named(&self, name: &str, context: &Value) -> Result<String, TemplateError> {
        let mut output = Output::default();
        let template = self.0.get_template(name).map_err(|error| explain(&error))?;
        let rendered = template.render_captured_to(Context::from(Serde(context)), &mut output).map(drop);
        match rendered {
            Err(_) if output.is_full => Err(TemplateError::OutputTooLong),
            Err(error) => Err(explain(&error)),
            Ok(()) => Ok(String::from_utf8_lossy(&output.bytes).into_owned()),
        }
    }
}

/// Returns the values that a template may use.
pub fn context(event: &Event, facts: &Facts) -> Value {
    let fields = facts.fields.iter().map(|(label, value)| json!({"label": label, "value": value}));
    json!({
        "type": event.event_type,
        "at": event.at,
        "id": event.id,
        "account": event.account_id,
        "title": facts.title,
        "severity": facts.severity,
        "status": facts.status,
        "stack": facts.stack,
        "fields": fields.collect::<Vec<_>>(),
        "link": facts.link,
        "is_over": facts.is_over,
        "payload": event.payload,
    })
}

fn compile(source: String) -> Result<Environment<'static>, Error> {
    let mut environment = Environment::new();
    // A template that was written for one type of events must not fail for another.
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(MAX_RECURSION);
    // With a namespace, a loop could nest a value so deep that its end overflows the stack.
    for global in ["range", "debug", "namespace"] {
        environment.remove_global(global);
    }
    // Only the text of a template itself stays as it is.
    for filter in ["safe", "escape", "e"] {
        environment.remove_filter(filter);
    }
    environment.set_auto_escape_callback(|name| match name {
        SLACK => AutoEscape::Html,
        _ => AutoEscape::None,
    });
    environment.set_formatter(|out, state, value| {
        if value.is_none() || value.is_undefined() {
            Ok(())
        } else if state.name() == SLACK && !value.is_safe() {
            out.write_str(&slack::escape(&value.to_string(), usize::MAX)).map_err(Error::from)
        } else {
            write!(out, "{value}").map_err(Error::from)
        }
    });
    environment.add_template_owned(PLAIN, source.clone())?;
    environment.add_template_owned(SLACK, source)?;
    Ok(environment)
}

fn explain(error: &Error) -> TemplateError {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.kind() == ErrorKind::OutOfFuel {
            return TemplateError::TooManySteps;
        }
        cause = error.source().and_then(|source| source.downcast_ref());
    }
    TemplateError::Invalid(error.to_string())
}

/// Refuses bytes beyond [`MAX_OUTPUT`].
#[derive(Default)]
struct Output {
    bytes: Vec<u8>,
    is_full: bool,
}

impl io::Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > MAX_OUTPUT {
            self.is_full = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
