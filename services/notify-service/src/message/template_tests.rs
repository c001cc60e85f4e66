use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

use super::examples::{EVIL, ID, URL, all_with, drift};
use super::template::{MAX_OUTPUT, MAX_SOURCE};
use super::{Facts, Template, TemplateError, context, slack};

fn values(stack: &str) -> Value {
    let event = drift("drift:created", json!({"stack": stack, "costImpactMonthly": 12.5, "region": null}));
    context(&event, &Facts::of(&event, Some(URL)))
}

fn render(source: &str) -> Result<String, TemplateError> {
    Template::parse(source)?.render(&values("prod-eu"))
}

#[test]
fn a_template_uses_the_facts_and_the_payload() {
    let source = "{{ type }} {{ at }} {{ account }} {{ title }} {{ severity }} {{ status }} {{ stack }} {{ link }} \
                  {{ payload.costImpactMonthly }} {{ payload.address|upper }}\
                  {% for field in fields if field.label == 'Type' %} {{ field.value }}{% endfor %}\
                  {% if severity == 'critical' and not is_over %} !{% endif %}";
    let expected = format!(
        "drift:created 2023-11-14T22:13:20Z acc_1 Critical drift in prod-eu: aws_instance.web[0] critical detected \
         prod-eu https://drift.example.com/#/drifts/{ID} 12.5 AWS_INSTANCE.WEB[0] aws_instance !"
    );
    assert_eq!(render(source).unwrap(), expected);
}

#[rstest]
#[case("[{{ payload.region }}]", "[]")]
#[case("[{{ nothing }}{{ nothing.at.all }}{{ payload.x.y[0] }}]", "[]")]
#[case("[{{ nothing|upper }}]", "[]")]
#[case("[{{ nothing|default('-') }}]", "[-]")]
#[case("[{% for x in nothing %}x{% endfor %}]", "[]")]
#[case("[{{ none }}]", "[]")]
fn a_missing_value_renders_as_nothing(#[case] source: &str, #[case] expected: &str) {
    assert_eq!(render(source).unwrap(), expected);
}

#[test]
fn a_template_renders_every_type_of_event() {
    let source = "{{ title }} {{ payload.address|lower }} {{ payload.created }} {{ stack|title }} {{ link }}";
    let template = Template::parse(source).unwrap();
    for event in all_with(EVIL) {
        template.render(&context(&event, &Facts::of(&event, None))).unwrap();
    }
}

#[rstest]
#[case("<!here> *{{ stack }}*")]
#[case("<!here> {{ '' ~ stack }}")]
#[case("<!here> {% set x %}{{ stack }}{% endset %}{{ x }}")]
#[case("<!here> {% autoescape false %}{{ stack }}{% endautoescape %}")]
#[case("<!here> {{ [stack] }} {{ {'a': stack} }}")]
#[case("<!here> {{ '%s'|format(stack) }}")]
#[case("<!here> {{ [stack, stack]|join('<b>') }}")]
#[case("<!here> {{ payload }}")]
#[case("<!here> {{ fields|map(attribute='value')|join }}")]
fn in_slack_a_value_mentions_nobody(#[case] source: &str) {
    let text = Template::parse(source).unwrap().render_for_slack(&values(EVIL)).unwrap();
    assert!(text.starts_with("<!here>"), "{text}");
    assert!(text.contains("!channel") && !text.contains("<!channel>") && !text.contains("<script"), "{text}");
}

#[test]
fn in_slack_the_text_of_the_template_stays_as_it_is() {
    let template = Template::parse("<{{ link }}|Open> & {{ stack }}").unwrap();
    let text = template.render_for_slack(&values("a&b")).unwrap();
    assert_eq!(text, format!("<https://drift.example.com/#/drifts/{ID}|Open> & a&amp;b"));
    assert_eq!(template.render(&values("a&b")).unwrap(), text.replace("&amp;", "&"));
    assert_eq!(slack::escape("a&b", 10), "a&amp;b");
}

#[rstest]
#[case("{% if %}")]
#[case("{{ title")]
#[case("{% endfor %}")]
#[case(&"(".repeat(4000))]
#[case(&format!("{{{{ {} }}}}", "(".repeat(4000)))]
#[case(&format!("{{{{ {}1 }}}}", "-".repeat(4000)))]
#[case(&format!("{{{{ {} }}}}", "[".repeat(4000)))]
#[case(&"{%if 1%}".repeat(500))]
#[case(&format!("{}{}", "{%if 1%}".repeat(200), "{%endif%}".repeat(200)))]
#[case(&format!("{{{{ 1{} }}}}", "+1".repeat(2000)))]
#[case(&format!("{{{{ {}1 }}}}", format!("{}(", "-".repeat(35)).repeat(110)))]
#[case(&format!("{{{{ {}1{} }}}}", "(".repeat(149), "+1".repeat(1900)))]
#[case(&format!("{{{{ a{} }}}}", "[0]".repeat(1300)))]
#[case(&format!("{{{{ a{} }}}}", "|upper".repeat(650)))]
#[case(&format!("{{{{ {}1 }}}}", "not ".repeat(1000)))]
fn any_source_is_parsed_or_refused(#[case] source: &str) {
    if let Err(error) = render(source) {
        assert!(matches!(error, TemplateError::Invalid(_)), "{error}");
    }
}

#[test]
fn an_error_says_what_is_wrong_and_where() {
    let error = render("a\n{% if %}").unwrap_err().to_string();
    assert!(error.starts_with("The template is not valid: ") && error.contains(":2"), "{error}");
    assert!(render("{{ title|nonsense }}").unwrap_err().to_string().contains("nonsense"));
}

#[test]
fn the_source_is_bounded() {
    assert_eq!(render(&"x".repeat(MAX_SOURCE)).unwrap().len(), MAX_SOURCE);
    let error = render(&"x".repeat(MAX_SOURCE + 1)).unwrap_err();
    assert_eq!(error.to_string(), "The template must have at most 4096 bytes.");
}

#[rstest]
#[case("{% for a in 'x' * 100 %}{% for b in 'x' * 1000 %}{{ title }}{% endfor %}{% endfor %}")]
#[case("{{ 'x' * 100000 }}")]
#[case("{% for c in title ~ title ~ title ~ title ~ title ~ title ~ title %}{{ payload }}{% endfor %}")]
fn the_output_is_bounded(#[case] source: &str) {
    let template = Template::parse(source).unwrap();
    for result in [template.render(&values("x")), template.render_for_slack(&values("x"))] {
        assert_eq!(result, Err(TemplateError::OutputTooLong));
    }
    assert_eq!(
        TemplateError::OutputTooLong.to_string(),
        format!("The template must render at most {MAX_OUTPUT} bytes.")
    );
}

#[rstest]
#[case("{% for a in 'x' * 1000 %}{% for b in 'x' * 1000 %}{% endfor %}{% endfor %}")]
#[case("{{ ('x' * 1000000000)|length }}")]
#[case("{% set x %}{% for a in 'x' * 10000 %}{{ payload }}{% endfor %}{% endset %}")]
#[case("{{ ('x' * 100000)|replace('x', 'y' * 100000)|length }}")]
fn the_work_is_bounded(#[case] source: &str) {
    assert_eq!(render(source), Err(TemplateError::TooManySteps));
}

#[rstest]
#[case::recursion("{% include 'template' %}")]
#[case::recursion("{% extends 'template' %}")]
#[case::recursion("{% for a in [1] recursive %}{{ loop([1]) }}{% endfor %}")]
#[case::no_files("{% include '/etc/passwd' %}")]
#[case::no_range("{{ range(1000000) }}")]
#[case::no_deep_value(
    "{% set ns = namespace(x=[]) %}{% for a in 'x' * 5000 %}{% set ns.x = [ns.x] %}{% endfor %}"
)]
#[case::no_debug("{{ debug() }}")]
#[case::no_safe("{{ title|safe }}")]
fn what_a_template_must_not_do_is_refused(#[case] source: &str) {
    let error = render(source).unwrap_err();
    assert!(matches!(error, TemplateError::Invalid(_) | TemplateError::TooManySteps), "{error}");
}

proptest! {
    #[test]
    fn no_source_panics_or_exceeds_its_bounds(
        tokens in prop::collection::vec(prop::sample::select(vec![
            "{{", "}}", "{%", "%}", "{#", "#}", " ", "title", "payload", "fields", "x", "if", "else", "endif", "for",
            "in", "endfor", "set", "=", "endset", "block", "endblock", "include", "'slack'", "with", "endwith", "|",
            "upper", "join", "map", "replace", "format", "(", ")", "[", "]", "{", "}", ",", ":", ".", "~", "*", "-",
            "+", "//", "%", "**", "not", "is", "defined", "1", "99999999999999999999", "0.5", "'", "\"", "ä", "\n",
            "loop", "recursive", "filter", "endfilter", "autoescape", "raw", "endraw", "do", "call", "<!channel>",
        ]), 0..60),
    ) {
        if let Ok(template) = Template::parse(&tokens.concat()) {
            for result in [template.render(&values(EVIL)), template.render_for_slack(&values(EVIL))] {
                prop_assert!(result.is_err() || result.unwrap().len() <= MAX_OUTPUT);
            }
        }
    }
}
