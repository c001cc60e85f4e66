//! Reads as much of a configuration's HCL as tells whether its folder is a root module.

/// The blocks of a file that matter.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Blocks {
    /// A `backend` or `cloud` block in a `terraform` block.
    pub has_backend: bool,
    pub has_provider: bool,
    /// A `terraform` or `include` block, as a unit of Terragrunt has one.
    pub is_unit: bool,
    /// The sources of `module` blocks that are paths of folders.
    pub local_sources: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'a> {
    Name(&'a str),
    /// The text between quotes, not unescaped.
    Text(&'a str),
    Open,
    Close,
    Equals,
    LineEnd,
    Other,
}

/// Reads a file. Text that is no HCL yields no blocks or wrong ones, but no error: the tool itself reports it.
pub(super) fn read(text: &str) -> Blocks {
    let mut blocks = Blocks::default();
    // The names of the open blocks, from the outermost one. Objects and calls count as blocks.
    let mut open: Vec<&str> = Vec::new();
    let mut first = "";
    let mut before = (Token::Other, Token::Other);
    let mut rest = text;
    while let Some(token) = next(&mut rest) {
        match token {
            Token::Open => {
                open.push(first);
                match open.as_slice() {
                    ["terraform", "backend" | "cloud"] => blocks.has_backend = true,
                    ["provider"] => blocks.has_provider = true,
                    ["terraform" | "include"] => blocks.is_unit = true,
                    _ => {}
                }
                first = "";
            }
            Token::Close => {
                open.pop();
                first = "";
            }
            // The header of a block is on one line, and has no `=`.
            Token::Equals | Token::LineEnd => first = "",
            Token::Name(name) if first.is_empty() => first = name,
            Token::Text(source) if open == ["module"] && before == (Token::Name("source"), Token::Equals) => {
                if source.starts_with("./") || source.starts_with("../") {
                    blocks.local_sources.push(source.into());
                }
            }
            Token::Name(_) | Token::Text(_) | Token::Other => {}
        }
        before = (before.1, token);
    }
    blocks
}

/// Takes the next token, and skips spaces and comments.
fn next<'a>(rest: &mut &'a str) -> Option<Token<'a>> {
    loop {
        *rest = rest.trim_start_matches(|letter: char| letter.is_whitespace() && letter != '\n');
        let skipped = if rest.starts_with('#') || rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else {
            break;
        };
        *rest = &rest[skipped..];
    }
    let is_name = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-');
    let length = match rest.chars().next()? {
        '{' => return Some(take(rest, 1, Token::Open)),
        '}' => return Some(take(rest, 1, Token::Close)),
        '\n' => return Some(take(rest, 1, Token::LineEnd)),
        '=' => return Some(take(rest, 1, Token::Equals)),
        '"' => {
            let (inside, length) = quoted(rest);
            return Some(take(rest, length, Token::Text(inside)));
        }
        '<' if rest.starts_with("<<") => return Some(take(rest, heredoc(rest), Token::Other)),
        letter if is_name(letter) => rest.find(|letter| !is_name(letter)).unwrap_or(rest.len()),
        letter => return Some(take(rest, letter.len_utf8(), Token::Other)),
    };
    let name = &rest[..length];
    Some(take(rest, length, Token::Name(name)))
}

fn take<'a>(rest: &mut &'a str, length: usize, token: Token<'a>) -> Token<'a> {
    *rest = &rest[length..];
    token
}

/// Returns the inside of the quoted text at the start, and its length with the quotes. A template in it may contain
/// quoted texts of its own.
fn quoted(text: &str) -> (&str, usize) {
    let mut templates = 0_usize;
    let mut in_template_text = false;
    let mut letters = text.char_indices().skip(1).peekable();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => {
                letters.next();
            }
            '$' | '%' if letters.peek().is_some_and(|(_, next)| *next == '{') && !in_template_text => {
                letters.next();
                templates += 1;
            }
            '{' if templates > 0 && !in_template_text => templates += 1,
            '}' if templates > 0 && !in_template_text => templates -= 1,
            '"' if templates > 0 => in_template_text = !in_template_text,
            '"' => return (&text[1..at], at + 1),
            _ => {}
        }
    }
    (&text[1..], text.len())
}

/// Returns the length of the heredoc at the start.
fn heredoc(text: &str) -> usize {
    let marker_at = if text.starts_with("<<-") { 3 } else { 2 };
    let line_end = text.find('\n').unwrap_or(text.len());
    let marker = text[marker_at..line_end].trim();
    if marker.is_empty() {
        return marker_at;
    }
    let mut length = line_end;
    for line in text[line_end..].split_inclusive('\n') {
        length += line.len();
        if line.trim() == marker {
            return length;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn blocks_are_told_from_comments_texts_and_attributes() {
        let read = |text: &str| {
            let Blocks { has_backend, has_provider, is_unit, .. } = read(text);
            (has_backend, has_provider, is_unit)
        };
        assert_eq!(read("terraform {\n  backend \"s3\" {}\n}"), (true, false, true));
        assert_eq!(read("terraform { required_version = \">= 1\"\n cloud { } }"), (true, false, true));
        assert_eq!(read("provider \"aws\" {\n region = \"eu-west-1\"\n}"), (false, true, false));
        assert_eq!(
            read("include \"root\" { path = find_in_parent_folders(\"root.hcl\") }"),
            (false, false, true)
        );
        for none in [
            "# provider \"aws\" {}\n// terraform { cloud {} }\n/* provider \"a\" {} */",
            "locals { a = \"provider \\\"x\\\" {}\" }",
            "locals {\n a = <<-EOT\n provider \"x\" {\n EOT\n}",
            "locals { a = \"${jsonencode({ b = \"}\" })} provider {\" }",
            "resource \"a\" \"b\" { provider = aws.west }",
            "resource \"a\" \"b\" {\n provider {\n }\n}",
            "variable \"terraform\" { default = { backend = {} } }",
            "module \"m\" {\n providers = { aws = aws.west }\n}",
            "",
            "\"",
            "<<",
            "<<EOT",
            "}}}{",
        ] {
            assert_eq!(read(none), (false, false, false), "{none}");
        }
    }

    #[test]
    fn local_modules_are_named_by_their_paths() {
        let text = r#"
            module "a" {
              source = "./modules/a" # local
              version = "1"
            }
            module "b" { source = "../b" }
            module "c" {
              source  = "hashicorp/consul/aws"
              options = { source = "./d" }
            }
            resource "x" "y" { source = "./e" }
        "#;
        assert_eq!(read(text).local_sources, ["./modules/a", "../b"]);
    }

    proptest! {
        #[test]
        fn any_text_is_read_to_its_end(text in "[a-z{}\"$%\\\\=<\n#/*é ]{0,80}") {
            read(&text);
        }
    }
}
