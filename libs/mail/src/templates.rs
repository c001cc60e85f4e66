use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail, ensure};
use minijinja::value::{Serde, Value};
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;

use crate::builtin::{LAYOUT, MAILS, OPTIONAL};

const LAYOUT_NAME: &str = "layout";
const SUBJECT: &str = "Subject: ";

/// A mail without its addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// One line.
    pub subject: String,
    pub text: String,
    pub html: String,
}

/// The templates of all mails: the built-in ones, and those of the operator.
///
/// A mail has two files, `NAME.txt` and `NAME.html`, or `NAME.LANGUAGE.txt` and `NAME.LANGUAGE.html`. The first line of
/// the `.txt` file is `Subject: …`.
pub struct Templates(Environment<'static>);

impl Templates {
    /// Reads the templates of a folder in addition to the built-in ones.
    ///
    /// # Errors
    /// If a file of the folder is no template, is incomplete without another file, or uses a value that its mail does
    /// not have. The error names the file.
    pub fn load(folder: Option<&Path>) -> Result<Self> {
        let mut environment = Environment::new();
        // A value that is missing is an error, unless the template asks for it.
        environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        let mut templates = Self(environment);
        templates.add(LAYOUT_NAME, "html", LAYOUT.to_owned())?;
        for mail in MAILS {
            templates.add(mail.name, "txt", mail.text.to_owned())?;
            templates.add(mail.name, "html", mail.html.to_owned())?;
        }
        if let Some(folder) = folder {
            let in_folder = || format!("MAIL_TEMPLATES {}", folder.display());
            let added = templates.read(folder).with_context(in_folder)?;
            for stem in added {
                templates.check(&stem).with_context(in_folder)?;
            }
        }
        Ok(templates)
    }

    /// Renders a mail in a language such as `pt-BR`, or else `pt`, or else the default. In HTML, every value is escaped.
    ///
    /// # Errors
    /// If there is no such mail, or the template needs a value that is missing.
    pub fn render(&self, name: &str, language: Option<&str>, values: &impl Serialize) -> Result<Content> {
        let values = Value::from(Serde(values));
        let language = language.unwrap_or_default().to_ascii_lowercase();
        let mut language = language.as_str();
        loop {
            let stem = if language.is_empty() { name.to_owned() } else { format!("{name}.{language}") };
            if self.0.get_template(&format!("{stem}.txt")).is_ok() {
                return self.render_stem(&stem, &values);
            }
            ensure!(!language.is_empty(), "there is no mail {name}");
            language = language.rsplit_once('-').map_or("", |(shorter, _)| shorter);
        }
    }

    fn render_stem(&self, stem: &str, values: &Value) -> Result<Content> {
        let render = |ending: &str| -> Result<String> {
            let template = self.0.get_template(&format!("{stem}.{ending}"))?;
            template.render(values.clone()).map_err(|error| anyhow!("{stem}.{ending}: {error}"))
        };
        let subject = render("subject")?;
        Ok(Content {
            // A line break in a value does not end the subject.
            subject: subject.split_whitespace().collect::<Vec<_>>().join(" "),
            text: render("txt")?,
            html: render("html")?,
        })
    }

    /// Adds all templates of a folder, and returns the names of the mails without their endings.
    fn read(&mut self, folder: &Path) -> Result<Vec<String>> {
        let mut endings = BTreeMap::<String, Vec<&'static str>>::new();
        for entry in fs::read_dir(folder).context("cannot be read")? {
            let entry = entry.context("cannot be read")?;
            let Some(file) = entry.file_name().to_str().map(str::to_owned) else { continue };
            let Some((stem, ending)) = file.rsplit_once('.') else { continue };
            let Some(ending) = ["txt", "html"].into_iter().find(|known| *known == ending) else { continue };
            let name = mail_of(stem);
            let is_layout = name == LAYOUT_NAME && ending == "html";
            if !is_layout && !MAILS.iter().any(|mail| mail.name == name) {
                let known = MAILS.iter().map(|mail| mail.name).collect::<Vec<_>>().join(", ");
                bail!("{file}: there is no such mail; the names are {known}");
            }
            let source = fs::read_to_string(entry.path()).with_context(|| file.clone())?;
            let stem = stem.to_ascii_lowercase();
            self.add(&stem, ending, source).with_context(|| file.clone())?;
            if !is_layout {
                endings.entry(stem).or_default().push(ending);
            }
        }
        for (stem, found) in &endings {
            for ending in ["txt", "html"] {
                ensure!(found.contains(&ending), "{stem}.{ending} is missing beside {stem}.{}", found[0]);
            }
        }
        Ok(MAILS.iter().map(|mail| mail.name.to_owned()).chain(endings.into_keys()).collect())
    }

    fn add(&mut self, stem: &str, ending: &'static str, source: String) -> Result<()> {
        let mut add = |ending: &str, source: String| {
            let added = self.0.add_template_owned(format!("{stem}.{ending}"), source);
            // The error with its line, without the source around it.
            added.map_err(|error| anyhow!("{error}"))
        };
        if ending == "txt" {
            let (first, text) = source.split_once('\n').unwrap_or((&source, ""));
            let subject = first.trim_end().strip_prefix(SUBJECT);
            add("subject", subject.context("must begin with a line \"Subject: …\"")?.to_owned())?;
            add("txt", text.trim_start_matches(['\r', '\n']).to_owned())
        } else {
            add(ending, source)
        }
    }

    /// Renders a mail with the fewest and with the most values that it can have.
    fn check(&self, stem: &str) -> Result<()> {
        let values = MAILS.iter().find(|mail| mail.name == mail_of(stem)).map_or(&[][..], |mail| mail.values);
        let fewest = ["email", "public_url"].iter().chain(values).map(|name| (*name, "example"));
        let most = fewest.clone().chain(OPTIONAL.iter().map(|name| (*name, "example")));
        self.render_stem(stem, &Value::from_pairs(fewest))?;
        self.render_stem(stem, &Value::from_pairs(most)).map(drop)
    }
}

/// Returns the name of the mail in `NAME` or `NAME.LANGUAGE`.
fn mail_of(stem: &str) -> &str {
    stem.split_once('.').map_or(stem, |(name, _)| name)
}
