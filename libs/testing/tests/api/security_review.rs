use std::fs::read_to_string;
use std::path::Path;

/// Returns the tests that a text links to as `[name](../file)`, each with its file.
fn tests(text: &str) -> Vec<(&str, &str)> {
    let mut tests = Vec::new();
    for (before, after) in text.match_indices("](../").map(|(at, _)| text.split_at(at)) {
        let name = before.rsplit_once('[').unwrap().1.trim_matches('`');
        let file = after.trim_start_matches("](../").split_once(')').unwrap().0;
        tests.push((name, file));
    }
    tests
}

#[test]
fn every_line_of_the_security_review_names_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let document = read_to_string(root.join("docs/SECURITY.md")).unwrap();
    let mut lines = Vec::new();
    for row in document.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| line")) {
        let number: usize = row.split(" | ").next().unwrap().trim_start_matches("| ").parse().unwrap();
        let tests = tests(row);
        assert!(!tests.is_empty(), "line {number} names no test");
        for (name, file) in tests {
            let source = read_to_string(root.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
            let rust = [format!("fn {name}(")];
            let node = [format!("test('{name}'"), format!("describe('{name}'")];
            let forms = if file.ends_with(".rs") { &rust[..] } else { &node[..] };
            let is_there = forms.iter().any(|form| source.contains(form));
            assert!(is_there, "line {number}: {file} has no test {name}");
        }
        lines.push(number);
    }
    assert_eq!(lines, (1..=lines.len()).collect::<Vec<_>>(), "each line appears once, in order");
}
