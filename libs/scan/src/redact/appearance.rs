//! Secrets with a recognisable form: published token formats, PEM keys, and credentials in URLs.

use std::borrow::Cow;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use regex::{Captures, Regex};

use super::hidden::HIDDEN;

/// A format: a text that each of its secrets contains, and the pattern. A format is listed once per text if
/// its secrets share no text. The group `s` is hidden, or the whole match if there is no such group.
const FORMATS: [(&str, &str); 104] = [
    ("-----BEGIN", r"(?s)-----BEGIN[ A-Z0-9]*PRIVATE KEY(?: BLOCK)?-----(?P<s>.*?)(?:-----END|\z)"),
    ("PuTTY-User-Key-File", r"(?s)PuTTY-User-Key-File(?P<s>.*)"),
    // The first bytes of DER: a sequence that starts with the version of a private key.
    ("MI", r"\bMII[A-Za-z0-9+/]{2}[AQgw]IBA[A-Za-z0-9+/=\s\\]{16,}"),
    ("MI", r"\bMIG[A-Za-z0-9+/](?:AgEA|AgEB)[A-Za-z0-9+/=\s\\]{16,}"),
    ("MC4CAQAw", r"\bMC4CAQAw[A-Za-z0-9+/=\s\\]{16,}"),
    ("MHcCAQEE", r"\bMHcCAQEE[A-Za-z0-9+/=\s\\]{16,}"),
    ("b3BlbnNzaC1rZXkt", r"\bb3BlbnNzaC1rZXkt[A-Za-z0-9+/=\s\\]{16,}"),
    ("AGE-SECRET-KEY-1", r"AGE-SECRET-KEY-1[0-9A-Z]{20,}"),
    ("://", r#"[A-Za-z][A-Za-z0-9+.\-]*://[^\s:/?#@"'<>]*:(?P<s>[^\s/?#"'<>]+)@"#),
    // A password with a slash that is not percent-encoded. Digits alone before the slash are a port, not a
    // password.
    (
        "://",
        r#"[A-Za-z][A-Za-z0-9+.\-]*://[^\s:/?#@"'<>]*:(?P<s>[^\s/@"'<>]*[^\d\s/@"'<>][^\s/@"'<>]*/[^\s@"'<>]*)@"#,
    ),
    ("earer", r#"(?i)\bbearer[ \t:=]+["']?(?P<s>[A-Za-z0-9\-._~+/]{6,}=*)"#),
    ("EARER", r#"(?i)\bbearer[ \t:=]+["']?(?P<s>[A-Za-z0-9\-._~+/]{6,}=*)"#),
    ("asic", r"(?i)\bbasic[ \t]+(?P<s>[A-Za-z0-9+/]{8,}={0,2})"),
    ("ASIC", r"(?i)\bbasic[ \t]+(?P<s>[A-Za-z0-9+/]{8,}={0,2})"),
    ("eyJ", r"\beyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}(?:\.[A-Za-z0-9_\-]*)*"),
    ("hooks.slack.com", r"hooks\.slack\.com/(?P<s>(?:services|workflows|triggers)/[A-Za-z0-9+/]{10,})"),
    ("/api/webhooks/", r"discord(?:app)?\.com/api/webhooks/(?P<s>[0-9]{10,}/[A-Za-z0-9_\-]{20,})"),
    ("webhook.office.com", r"webhook\.office\.com/(?P<s>[A-Za-z0-9@/\-]{20,})"),
    ("hooks.zapier.com", r"hooks\.zapier\.com/(?P<s>hooks/catch/[A-Za-z0-9/]{6,})"),
    ("AKIA", r"\bAKIA[A-Z0-9]{12,}\b"),
    ("ASIA", r"\bASIA[A-Z0-9]{12,}\b"),
    ("ABIA", r"\bABIA[A-Z0-9]{12,}\b"),
    ("ACCA", r"\bACCA[A-Z0-9]{12,}\b"),
    ("A3T", r"\bA3T[A-Z0-9]{13,}\b"),
    ("ABSK", r"\bABSK[A-Za-z0-9+/]{40,}={0,2}"),
    ("amzn.mws.", r"amzn\.mws\.[0-9a-f\-]{20,}"),
    ("AIza", r"\bAIza[0-9A-Za-z_\-]{30,}"),
    ("ya29.", r"\bya29\.[0-9A-Za-z_\-]{20,}"),
    ("GOCSPX-", r"\bGOCSPX-[0-9A-Za-z_\-]{20,}"),
    ("GOOG", r"\bGOOG[0-9A-Z]{10,}[0-9A-Za-z]{6,}"),
    ("Q~", r"[A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.\-]{30,}"),
    ("AzureAD", r"AzureAD[0-9A-Za-z]{20,}"),
    ("LTAI", r"\bLTAI[0-9A-Za-z]{12,}"),
    ("AKID", r"\bAKID[0-9A-Za-z]{13,}"),
    ("ghp_", r"\bghp_[0-9A-Za-z]{20,}"),
    ("gho_", r"\bgho_[0-9A-Za-z]{20,}"),
    ("ghu_", r"\bghu_[0-9A-Za-z]{20,}"),
    ("ghs_", r"\bghs_[0-9A-Za-z]{20,}"),
    ("ghr_", r"\bghr_[0-9A-Za-z]{20,}"),
    ("github_pat_", r"\bgithub_pat_[0-9A-Za-z_]{22,}"),
    ("gl", r"\bgl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|oas|soat|ffct|wt)-[0-9A-Za-z_\-.=]{16,}"),
    ("GR1348941", r"\bGR1348941[0-9A-Za-z_\-]{16,}"),
    ("ATATT3", r"\bATATT3[A-Za-z0-9_\-=]{20,}"),
    ("ATCTT3", r"\bATCTT3[A-Za-z0-9_\-=]{20,}"),
    ("ATBB", r"\bATBB[A-Za-z0-9]{20,}"),
    ("xox", r"\bxox[abeoprs](?:\.xox[bp])?-[0-9A-Za-z\-]{10,}"),
    ("xapp-", r"\bxapp-[0-9A-Za-z\-]{10,}"),
    ("sk_", r"\b[rs]k_(?:test|live|prod)_[0-9A-Za-z]{10,}"),
    ("rk_", r"\brk_(?:test|live|prod)_[0-9A-Za-z]{10,}"),
    ("whsec_", r"\bwhsec_[0-9A-Za-z+/=]{16,}"),
    ("sq0", r"\bsq0[a-z]{3}-[0-9A-Za-z_\-]{20,}"),
    ("EAAA", r"\bEAAA[0-9A-Za-z_\-+=]{50,}"),
    ("shp", r"\bshp(?:at|ca|pa|ss)_[0-9A-Fa-f]{20,}"),
    ("npm_", r"\bnpm_[0-9A-Za-z]{20,}"),
    ("pypi-", r"\bpypi-[0-9A-Za-z_\-]{20,}"),
    ("rubygems_", r"\brubygems_[0-9a-f]{20,}"),
    ("dckr_", r"\bdckr_(?:pat|oat)_[0-9A-Za-z_\-]{20,}"),
    ("SG.", r"\bSG\.[0-9A-Za-z_\-]{16,}\.[0-9A-Za-z_\-]{16,}"),
    ("key-", r"\bkey-[0-9a-f]{32}\b"),
    ("-us", r"\b[0-9a-f]{32}-us[0-9]{1,2}\b"),
    ("xkeysib-", r"\bxkeysib-[0-9a-f]{20,}[0-9A-Za-z\-]*"),
    ("SK", r"\bSK[0-9a-f]{32}\b"),
    ("do", r"\bdo[opr]_v1_[0-9a-f]{20,}"),
    ("HRKU-", r"\bHRKU-[0-9A-Za-z_\-]{20,}"),
    ("dapi", r"\bdapi[0-9a-f]{20,}(?:-[0-9])?"),
    ("NRAK-", r"\bNR(?:AK|II|JS|AL|SP|AA|RA)-[0-9A-Za-z]{16,}"),
    ("NR", r"\bNR(?:II|JS|AL|SP|AA|RA)-[0-9A-Za-z_\-]{16,}"),
    ("glc_", r"\bglc_[0-9A-Za-z+/]{20,}={0,3}"),
    ("glsa_", r"\bglsa_[0-9A-Za-z_]{20,}"),
    ("hv", r"\bhv[sbr]\.[0-9A-Za-z_\-]{20,}"),
    ("s.", r"\bs\.[0-9A-Za-z]{24}\b"),
    (".atlasv1.", r"\b[0-9A-Za-z]{10,}\.atlasv1\.[0-9A-Za-z_\-=]{40,}"),
    ("lin_api_", r"\blin_api_[0-9A-Za-z]{20,}"),
    ("ntn_", r"\bntn_[0-9A-Za-z]{20,}"),
    ("secret_", r"\bsecret_[0-9A-Za-z]{40,}"),
    ("sk-", r"\bsk-(?:proj-|svcacct-|admin-|ant-|or-)?[0-9A-Za-z_\-]{20,}"),
    ("hf_", r"\bhf_[0-9A-Za-z]{20,}"),
    ("pplx-", r"\bpplx-[0-9A-Za-z]{20,}"),
    (":AA", r"\b[0-9]{8,10}:AA[0-9A-Za-z_\-]{30,}"),
    ("dp.", r"\bdp\.(?:pt|st|ct|sa|scim|audit)\.[0-9A-Za-z._\-]{20,}"),
    ("pul-", r"\bpul-[0-9a-f]{20,}"),
    ("PMAK-", r"\bPMAK-[0-9a-f]{20,}-[0-9a-f]{20,}"),
    ("pscale_", r"\bpscale_(?:tkn|oauth|pw)_[0-9A-Za-z=._\-]{20,}"),
    ("sntry", r"\bsntry[su]_[0-9A-Za-z+/=_\-]{20,}"),
    ("dt0", r"\bdt0[a-z][0-9]{2}\.[0-9A-Z]{16,}\.[0-9A-Z]{40,}"),
    ("AKCp", r"\bAKCp[0-9A-Za-z]{30,}"),
    ("cmVmdGtu", r"\bcmVmdGtu[0-9A-Za-z]{30,}"),
    ("CCIPAT_", r"\bCCIPAT_[0-9A-Za-z]{10,}_[0-9a-f]{20,}"),
    ("CFPAT-", r"\bCFPAT-[0-9A-Za-z_\-]{20,}"),
    ("CLOJARS_", r"\bCLOJARS_[0-9a-z]{40,}"),
    ("tskey-", r"\btskey-(?:auth|api|client|scim|webhook)-[0-9A-Za-z\-]{16,}"),
    ("sbp_", r"\bsbp_[0-9a-f]{20,}"),
    ("nfp_", r"\bnfp_[0-9A-Za-z]{20,}"),
    ("ops_eyJ", r"\bops_eyJ[0-9A-Za-z+/=]{40,}"),
    ("sha256~", r"\bsha256~[0-9A-Za-z_\-]{30,}"),
    ("fo1_", r"\bfo1_[0-9A-Za-z_\-]{20,}"),
    ("fm", r"\bfm[12][ar]?_[0-9A-Za-z+/=]{40,}"),
    ("sk.eyJ", r"\bsk\.eyJ[0-9A-Za-z_\-]{20,}\.[0-9A-Za-z_\-]{10,}"),
    ("$2", r"\$2[abxy]\$[0-9]{2}\$[./0-9A-Za-z]{30,}"),
    ("$5$", r"\$5\$[./0-9A-Za-z=,]{2,}\$[./0-9A-Za-z$]{20,}"),
    ("$6$", r"\$6\$[./0-9A-Za-z=,]{2,}\$[./0-9A-Za-z$]{20,}"),
    ("$y$", r"\$y\$[./0-9A-Za-z=,]{2,}\$[./0-9A-Za-z$]{20,}"),
    ("$apr1$", r"\$apr1\$[./0-9A-Za-z]{2,}\$[./0-9A-Za-z]{16,}"),
    ("{SHA}", r"\{SHA\}[0-9A-Za-z+/=]{20,}"),
];

struct Formats {
    /// Finds the texts that the formats require.
    needed: AhoCorasick,
    patterns: Vec<Regex>,
}

static FORMATS_COMPILED: LazyLock<Formats> = LazyLock::new(|| {
    let compiled = FORMATS.iter().map(|(_, pattern)| Regex::new(pattern));
    let needed = AhoCorasick::builder()
        .match_kind(aho_corasick::MatchKind::Standard)
        .build(FORMATS.iter().map(|(needed, _)| needed));
    match (needed, compiled.collect()) {
        (Ok(needed), Ok(patterns)) => Formats { needed, patterns },
        _ => unreachable!("the formats are constants, and a test compiles them"),
    }
});

/// See [`compile_patterns`](super::compile_patterns).
pub(super) fn compile() {
    LazyLock::force(&FORMATS_COMPILED);
}

/// Hides texts that have the form of a secret.
pub(super) fn hide(text: &str) -> Cow<'_, str> {
    let formats = &*FORMATS_COMPILED;
    let mut text = Cow::Borrowed(text);
    if text.len() < 8 {
        return text;
    }
    let mut possible: Vec<usize> =
        formats.needed.find_overlapping_iter(text.as_ref()).map(|found| found.pattern().as_usize()).collect();
    possible.sort_unstable();
    possible.dedup();
    for format in possible {
        if let Cow::Owned(hidden) = formats.patterns[format].replace_all(&text, without_secret) {
            text = Cow::Owned(hidden);
        }
    }
    text
}

fn without_secret(found: &Captures<'_>) -> String {
    let whole = found.get_match();
    match found.name("s") {
        Some(secret) if secret.as_str() != HIDDEN => {
            let start = &whole.as_str()[..secret.start() - whole.start()];
            let end = &whole.as_str()[secret.end() - whole.start()..];
            format!("{start}{HIDDEN}{end}")
        }
        Some(_) => whole.as_str().into(),
        None => HIDDEN.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_texts_stay() {
        for text in [
            "https://example.com/path?x=1",
            "arn:aws:iam::123456789012:role/app",
            "sk",
            "basic plan",
            "key-value",
            "projects/p/zones/europe-west3-b",
            "s.example.com",
            "10.0.0.0/8",
            "https://user@example.com/",
            "bearer of news",
            "2026-11-01T06:00:00Z",
            "glossy-",
            "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUF",
        ] {
            assert_eq!(hide(text), text);
        }
    }

    #[test]
    fn a_password_in_a_url_is_hidden_alone() {
        assert_eq!(hide("postgres://app:hunter2@db:5432/x"), format!("postgres://app:{HIDDEN}@db:5432/x"));
        assert_eq!(hide("redis://:p@ss@h"), format!("redis://:{HIDDEN}@h"));
    }
}
