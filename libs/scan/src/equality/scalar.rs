//! Texts that mean the same although they are written differently.

use std::net::Ipv6Addr;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use chrono::{DateTime, SecondsFormat, Utc};

use super::Attribute;
use crate::json::{canonical_number, write_string};
use crate::words::words;

const MAX_NUMBER: usize = 20;
const DNS_WORDS: [&str; 15] = [
    "dns",
    "fqdn",
    "host",
    "hostname",
    "hosts",
    "hostnames",
    "domain",
    "domains",
    "zone",
    "record",
    "records",
    "cname",
    "rrdatas",
    "nameservers",
    "aliases",
];

/// Appends the canonical form of a text that is not empty and contains no JSON.
pub(super) fn write(value: &str, at: Attribute<'_>, text: &mut String) {
    // Providers change the types of attributes: "80" equals 80, but "1.10" does not equal 1.1.
    let first = value.as_bytes()[0];
    if (first.is_ascii_digit() || first == b'-')
        && value.len() <= MAX_NUMBER
        && is_number(value)
        && canonical_number(value) == value
    {
        return text.push_str(value);
    }
    write_string(&canonical(value, at), text);
}

fn is_number(value: &str) -> bool {
    let digits = value.strip_prefix('-').unwrap_or(value);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    all_digits(whole) && all_digits(fraction)
}

fn canonical(value: &str, at: Attribute<'_>) -> String {
    if let Some(arn) = value.strip_prefix("arn:") {
        // The ARN of a log group may have a suffix that stands for its streams.
        return format!("arn:{}", arn.strip_suffix(":*").unwrap_or(arn));
    }
    // Azure resource ids ignore case.
    if value.starts_with("/subscriptions/") || value.starts_with("/providers/") {
        return value.to_ascii_lowercase();
    }
    if let Some(link) = google_link(value) {
        return link.into();
    }
    if let Some(time) = time(value) {
        return time;
    }
    if let Some(address) = ipv6(value) {
        return address;
    }
    if is_dns_name(value) && names_dns(at) {
        return value.trim_end_matches('.').to_ascii_lowercase();
    }
    if let Some(decoded) = decoded(value, at) {
        return decoded;
    }
    value.into()
}

/// Returns the resource that a self link names.
fn google_link(value: &str) -> Option<&str> {
    let path = value.strip_prefix("https://")?;
    let (host, path) = path.split_once('/')?;
    let at = path.find("projects/")?;
    let is_api = host.ends_with("googleapis.com") && path[..at].len() < 32;
    is_api.then_some(&path[at..])
}

fn time(value: &str) -> Option<String> {
    let is_likely = value.len() >= 20 && value.as_bytes()[4] == b'-' && value.as_bytes()[10] == b'T';
    let time = is_likely.then(|| DateTime::parse_from_rfc3339(value).ok())??;
    Some(time.with_timezone(&Utc).to_rfc3339_opts(SecondsFormat::AutoSi, true))
}

fn ipv6(value: &str) -> Option<String> {
    let (address, prefix) =
        value.split_once('/').map_or((value, None), |(address, bits)| (address, Some(bits)));
    let is_likely = address.len() <= 39 && address.bytes().filter(|byte| *byte == b':').count() >= 2;
    let address: Ipv6Addr = is_likely.then(|| address.parse().ok())??;
    Some(prefix.map_or_else(|| address.to_string(), |bits| format!("{address}/{bits}")))
}

fn names_dns(at: Attribute<'_>) -> bool {
    let is_dns = |word: &String| DNS_WORDS.contains(&word.as_str());
    let type_words = || words(at.resource_type);
    words(at.name).iter().any(is_dns)
        || (matches!(at.name, "name" | "value" | "target")
            && type_words().iter().any(|word| is_dns(word) || word == "route53"))
}

/// Whether a text is a host name with at least one inner dot.
fn is_dns_name(value: &str) -> bool {
    let name = value.strip_suffix('.').unwrap_or(value);
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_*".contains(&byte))
    };
    value.len() <= 254 && name.contains('.') && name.split('.').all(is_label)
}

/// Decodes base64. Padding and line breaks mean nothing, and some attributes hold a text plain or encoded.
fn decoded(value: &str, at: Attribute<'_>) -> Option<String> {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &STANDARD,
        GeneralPurposeConfig::new()
            .with_decode_padding_mode(DecodePaddingMode::Indifferent)
            .with_decode_allow_trailing_bits(true),
    );
    // Splitting every name into words would take longer than all other comparisons.
    let name = at.name.to_ascii_lowercase();
    if !name.contains("64") && !name.contains("data") {
        return None;
    }
    let words = words(at.name);
    let has = |pair: [&str; 2]| words.windows(2).any(|two| two == pair);
    let is_script = has(["user", "data"]) || has(["custom", "data"]);
    if !is_script && !words.iter().any(|word| word == "base64" || word == "b64") {
        return None;
    }
    let compact: String = value.chars().filter(|letter| !letter.is_ascii_whitespace()).collect();
    let bytes = LENIENT.decode(compact).ok()?;
    Some(String::from_utf8(bytes).unwrap_or_else(|error| format!("{:02x?}", error.as_bytes())))
}
