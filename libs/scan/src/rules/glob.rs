use globset::{GlobBuilder, GlobMatcher};

/// Compiles a pattern in which only `*` and `?` are special: addresses contain brackets, quotes and
/// backslashes.
pub(super) fn glob(pattern: &str) -> Result<GlobMatcher, globset::Error> {
    let mut escaped = String::new();
    for letter in pattern.chars() {
        if matches!(letter, '[' | ']' | '{' | '}' | '\\' | '!') {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    Ok(GlobBuilder::new(&escaped).backslash_escape(true).build()?.compile_matcher())
}

/// The parts of a resource's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Address<'a> {
    /// Such as `module.a.module.b["x"]`; empty for the root module.
    pub module: &'a str,
    /// Such as `aws_instance.web[0]`.
    pub resource: &'a str,
    /// Such as `aws_instance.web`.
    pub without_index: &'a str,
    /// The part after the resource, in a rule `address.path`.
    pub path: Option<&'a str>,
}

impl<'a> Address<'a> {
    /// Splits an address: any number of `module.name`, then `type.name`. The rest is a path.
    pub(super) fn split(text: &'a str) -> Self {
        let ends: Vec<usize> = segment_ends(text).collect();
        let start = |index: usize| match index {
            0 => Some(0),
            _ => ends.get(index - 1).map(|end| end + 1).filter(|start| *start <= text.len()),
        };
        let segment = |index: usize| text.get(start(index)?..*ends.get(index)?);
        let mut first = 0;
        while segment(first) == Some("module") && segment(first + 1).is_some() {
            first += 2;
        }
        // A data source, or a resource with its mode in front.
        let resource_start = start(first).unwrap_or(text.len());
        let resource_end = ends.get(first + 1).copied().unwrap_or(text.len());
        let resource = text.get(resource_start..resource_end).unwrap_or_default();
        Self {
            module: text[..resource_start].trim_end_matches('.'),
            resource,
            without_index: resource.split_once('[').map_or(resource, |(name, _)| name),
            path: text.get(resource_end + 1..).filter(|path| !path.is_empty()),
        }
    }

    /// Returns the address of the resource without the path.
    pub(super) fn of_resource(text: &'a str, path: Option<&str>) -> &'a str {
        path.map_or(text, |path| text[..text.len() - path.len()].trim_end_matches('.'))
    }

    /// Iterates over the module and each module around it.
    pub(super) fn modules(self) -> impl Iterator<Item = &'a str> {
        let ends = segment_ends(self.module).collect::<Vec<_>>();
        let module = self.module;
        ends.into_iter().skip(1).step_by(2).filter_map(move |end| module.get(..end))
    }
}

/// Iterates over the ends of the dotted segments. Dots inside an index (`["a.b"]`) are no separators.
fn segment_ends(text: &str) -> impl Iterator<Item = usize> {
    let mut is_quoted = false;
    let mut is_escaped = false;
    text.char_indices()
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
        .chain([text.len()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_split_into_module_resource_and_path() {
        for (text, module, resource, path) in [
            ("aws_instance.web", "", "aws_instance.web", None),
            ("aws_instance.web.tags", "", "aws_instance.web", Some("tags")),
            (
                "module.app[\"a.b\"].aws_instance.web[0].tags.owner",
                "module.app[\"a.b\"]",
                "aws_instance.web[0]",
                Some("tags.owner"),
            ),
            ("module.a.module.b.*.*", "module.a.module.b", "*.*", None),
            ("module.legacy*", "module.legacy*", "", None),
            ("*", "", "*", None),
            ("", "", "", None),
        ] {
            let split = Address::split(text);
            assert_eq!((split.module, split.resource, split.path), (module, resource, path), "{text}");
        }
        let nested = Address::split("module.a.module.b.aws_x.y");
        assert_eq!(nested.modules().collect::<Vec<_>>(), ["module.a", "module.a.module.b"]);
    }
}
