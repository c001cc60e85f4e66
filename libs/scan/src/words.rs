/// Splits a name into words in lower case: `ingressCIDRBlock`, `ingress-cidr-block` and `Ingress.Cidr_Block`
/// all become `ingress`, `cidr`, `block`.
pub fn words(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().collect();
    let mut words = Vec::new();
    let mut word = String::new();
    for (index, letter) in letters.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|index| letters.get(index));
        let after = letters.get(index + 1);
        let is_lower = |letter: Option<&char>| letter.is_some_and(|letter| letter.is_lowercase());
        let begins_word = letter.is_uppercase()
            && (before.is_some_and(|before| before.is_lowercase() || before.is_numeric())
                || (before.is_some_and(|before| before.is_uppercase()) && is_lower(after)));
        if (begins_word || !letter.is_alphanumeric()) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if letter.is_alphanumeric() {
            word.extend(letter.to_lowercase());
        }
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
