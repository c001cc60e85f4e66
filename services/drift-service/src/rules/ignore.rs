use globset::{GlobBuilder, GlobMatcher};

use crate::scan::diff::Step;

/// `address[.path]`, both globs of `*` and `?`. A path also covers what is under it.
#[derive(Clone, Debug)]
pub struct IgnoreRule {
    address: GlobMatcher,
    path: Option<GlobMatcher>,
}

impl IgnoreRule {
    pub fn parse(rule: &str) -> Result<Self, globset::Error> {
        let (address, path) = split_address(rule);
        Ok(Self { address: glob(address)?, path: path.map(glob).transpose()? })
    }

    /// Whether it silences the resource, whatever happened to it.
    pub fn covers_resource(&self, address: &str) -> bool {
        self.path.is_none() && self.address.is_match(address)
    }

    /// Whether it silences a change at this path of the resource.
    pub fn covers_path(&self, address: &str, path: &[Step]) -> bool {
        let Some(covered) = &self.path else { return self.covers_resource(address) };
        self.address.is_match(address)
            && (1..=path.len()).any(|length| covered.is_match(dotted(&path[..length])))
    }
}

fn dotted(path: &[Step]) -> String {
    let steps: Vec<String> = path
        .iter()
        .map(|step| match step {
            Step::Key(key) => key.clone(),
            Step::Index(index) => index.to_string(),
        })
        .collect();
    steps.join(".")
}

/// Addresses hold brackets, quotes and backslashes; only `*` and `?` mean anything in a rule.
fn glob(pattern: &str) -> Result<GlobMatcher, globset::Error> {
    let mut escaped = String::new();
    for letter in pattern.chars() {
        if matches!(letter, '[' | ']' | '{' | '}' | '\\' | '!') {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    Ok(GlobBuilder::new(&escaped).backslash_escape(true).build()?.compile_matcher())
}

/// An address is any number of `module.name`, then `type.name`; what follows is the path.
fn split_address(rule: &str) -> (&str, Option<&str>) {
    let ends: Vec<usize> = segment_ends(rule).collect();
    let segment = |index: usize| {
        let start = if index == 0 { 0 } else { ends.get(index - 1)? + 1 };
        rule.get(start..*ends.get(index)?)
    };
    let mut name = 1;
    while segment(name - 1) == Some("module") {
        name += 2;
    }
    match ends.get(name) {
        Some(&end) if end < rule.len() => (&rule[..end], Some(&rule[end + 1..])),
        _ => (rule, None),
    }
}

/// Where the dotted segments end; dots inside an index (`["a.b"]`) separate nothing.
fn segment_ends(rule: &str) -> impl Iterator<Item = usize> {
    let mut is_quoted = false;
    let mut is_escaped = false;
    rule.char_indices()
        .filter(move |(_, letter)| {
            match letter {
                _ if is_escaped => is_escaped = false,
                '\\' => is_escaped = true,
                '"' => is_quoted = !is_quoted,
                '.' => return !is_quoted,
                _ => {}
            }
            false
        })
        .map(|(index, _)| index)
        .chain([rule.len()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(steps: &[&str]) -> Vec<Step> {
        steps.iter().map(|step| Step::Key((*step).into())).collect()
    }

    #[test]
    fn a_rule_is_split_where_the_address_ends() {
        for (rule, address, path) in [
            ("aws_instance.web", "aws_instance.web", None),
            ("aws_instance.web.tags", "aws_instance.web", Some("tags")),
            (
                "module.app[\"a.b\"].aws_instance.web[0].tags.owner",
                "module.app[\"a.b\"].aws_instance.web[0]",
                Some("tags.owner"),
            ),
            ("module.a.module.b.*.*", "module.a.module.b.*.*", None),
            ("module.legacy*", "module.legacy*", None),
            ("*", "*", None),
        ] {
            assert_eq!(split_address(rule), (address, path), "{rule}");
        }
    }

    #[test]
    fn a_rule_without_a_path_covers_everything_of_the_resource() {
        let rule = IgnoreRule::parse("aws_instance.*").unwrap();
        assert!(rule.covers_resource("aws_instance.web[0]"));
        assert!(rule.covers_path("aws_instance.web[0]", &path(&["ami"])));
        assert!(!rule.covers_resource("module.x.aws_instance.web"));
    }

    #[test]
    fn a_rule_with_a_path_covers_that_path_and_never_the_resource() {
        let rule = IgnoreRule::parse("aws_instance.web[0].tags").unwrap();
        assert!(rule.covers_path("aws_instance.web[0]", &path(&["tags", "owner"])));
        assert!(!rule.covers_path("aws_instance.web[0]", &path(&["tags_all"])));
        assert!(!rule.covers_path("aws_instance.web0", &path(&["tags"])));
        assert!(!rule.covers_resource("aws_instance.web[0]"));
    }
}
