/// Splits a name into words in lower case: `ingressCIDRBlock`, `ingress-cidr-block` and `Ingress.Cidr_Block`
/// all become `ingress`, `cidr`, `block`.
pub(crate) fn words(name: &str) -> Vec<String> {
    let mut letters = name.chars().peekable();
    let mut before: Option<char> = None;
    let mut words = Vec::new();
    let mut word = String::new();
    while let Some(letter) = letters.next() {
        let after = letters.peek();
        let begins_word = letter.is_uppercase()
            && before.is_some_and(|before| {
                let is_last_capital =
                    before.is_uppercase() && after.is_some_and(|after| after.is_lowercase());
                before.is_lowercase() || before.is_numeric() || is_last_capital
            });
        if (begins_word || !letter.is_alphanumeric()) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if letter.is_alphanumeric() {
            word.extend(letter.to_lowercase());
        }
        before = Some(letter);
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn every_notation_of_a_name_has_the_same_words() {
        for name in ["ingressCIDRBlock", "ingress-cidr-block", "Ingress.Cidr_Block", "INGRESS_CIDR_BLOCK"] {
            assert_eq!(words(name), ["ingress", "cidr", "block"], "{name}");
        }
        assert_eq!(words("ipv6CidrBlock2"), ["ipv6", "cidr", "block2"]);
        assert!(words("_-.").is_empty());
    }
}
