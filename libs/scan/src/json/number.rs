/// Returns the canonical form of a decimal number: equal numbers have equal texts.
pub(crate) fn canonical_number(text: &str) -> String {
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text),
    };
    // The common case: an integer is its own canonical form.
    if unsigned.bytes().all(|byte| byte.is_ascii_digit()) && !unsigned.starts_with('0') && unsigned.len() < 21
    {
        return text.into();
    }
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let Ok(exponent) = exponent.parse::<i32>() else { return text.into() };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));

    let all_digits = format!("{whole}{fraction}");
    let digits = all_digits.trim_start_matches('0').trim_end_matches('0');
    if digits.is_empty() {
        return "0".into();
    }
    let trailing_zeros = all_digits.len() - all_digits.trim_end_matches('0').len();
    let exponent = i64::from(exponent) - fraction.len() as i64 + trailing_zeros as i64;
    match exponent {
        0 => format!("{sign}{digits}"),
        1..=20 => format!("{sign}{digits}{}", "0".repeat(exponent as usize)),
        -20..=-1 => {
            let places = exponent.unsigned_abs() as usize;
            let padded = format!("{digits:0>width$}", width = places + 1);
            let (whole, fraction) = padded.split_at(padded.len() - places);
            format!("{sign}{whole}.{fraction}")
        }
        _ => format!("{sign}{digits}e{exponent}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_number_has_one_form() {
        for (text, canonical) in [
            ("100", "100"),
            ("1e2", "100"),
            ("1.0E+2", "100"),
            ("-0.0", "0"),
            ("0.10", "0.1"),
            ("-12.50", "-12.5"),
            ("5e-3", "0.005"),
            ("1e99", "1e99"),
            ("10e98", "1e99"),
        ] {
            assert_eq!(canonical_number(text), canonical, "{text}");
        }
    }

    proptest! {
        #[test]
        fn equal_floats_have_equal_forms(number in -1e12f64..1e12) {
            let canonical = canonical_number(&format!("{number:e}"));
            prop_assert_eq!(canonical.parse::<f64>().unwrap(), number);
            prop_assert_eq!(canonical_number(&canonical), canonical.clone());
        }
    }
}
