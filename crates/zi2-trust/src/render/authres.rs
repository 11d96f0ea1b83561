//! `Authentication-Results` for ZI2 (zi2.md §10, RFC 8601): a field of its own, without comments.

use zi2_chain::ChainResults;
use zi2_chain::arc::{self, ArcResult};
use zi2_chain::spf::{SpfIdentity, SpfResult};
use zi2_mail::{FieldError, FieldWriter, HostName, NewField};
use zi2_sig::dkim::SignatureFacts;
use zi2_sig::dkim2;

use crate::{Judgement, Spoof, Verdict};

/// The field for a judgement.
pub fn authentication_results(judgement: &Judgement, authserv_id: &HostName) -> Result<NewField, FieldError> {
    let mut parts = vec![format!("x-zi2={}", result_word(judgement.verdict))];
    if let Some(domain) = &judgement.from {
        parts.push(format!("header.d={domain}"));
    }
    if let Some(kid) = judgement.kid {
        parts.push(format!("header.s={kid}"));
    }
    parts.push(format!("policy.level={}", judgement.level.number()));
    parts.push(format!("policy.history={}", judgement.history.as_str()));
    parts.extend(judgement.via.iter().map(|domain| format!("policy.via={domain}")));
    if judgement.spoof != Spoof::No {
        parts.push(format!("policy.spoof={}", judgement.spoof.as_str()));
    }
    let mut writer = FieldWriter::new("Authentication-Results");
    writer.element(authserv_id.as_str())?.element(&parts.join(" "))?;
    Ok(writer.finish())
}

/// The field for the existing chain (RFC 8601 §2.7), DKIM2 where it was evaluated, without comments, which some readers
/// take for something else.
pub fn existing_chain(
    results: &ChainResults,
    dkim2: Option<&dkim2::Verdict>,
    authserv_id: &HostName,
) -> Result<NewField, FieldError> {
    let mut writer = FieldWriter::new("Authentication-Results");
    writer.element(authserv_id.as_str())?;
    let mut methods: Vec<String> = results.dkim.signatures.iter().map(dkim_result).collect();
    if methods.is_empty() {
        methods.push("dkim=none".to_owned());
    }
    methods.extend(results.spf.as_ref().map(spf_result));
    methods.extend(arc_result(&results.arc));
    methods.extend(dkim2.and_then(dkim2_result));
    methods.extend(
        results.dmarc.as_ref().map(|dmarc| format!("dmarc={} header.from={}", dmarc.outcome.as_str(), dmarc.domain)),
    );
    for method in methods {
        writer.element(&method)?;
    }
    Ok(writer.finish())
}

/// RFC 8601 §2.7.1. The local part of `i=` is the sender's to choose, so it is not copied.
fn dkim_result(signature: &SignatureFacts) -> String {
    let outcome = signature.outcome();
    let mut text = format!("dkim={}", outcome.result());
    if let Some(reason) = outcome.reason() {
        text.push_str(&format!(" reason={reason}"));
    }
    if let Some(domain) = signature.domain() {
        text.push_str(&format!(" header.d={domain}"));
    }
    if let Some(field) = signature.field() {
        let (selector, algorithm) = (field.selector(), field.algorithm().as_str());
        // RFC 6008 §4: the begin of b= tells signatures apart. Base64 has octets that need quotes.
        text.push_str(&format!(" header.s={selector} header.a={algorithm} header.b=\"{}\"", field.b_start()));
    }
    text
}

/// RFC 8617 §10.2. It has no word for what is not known now, and nothing is said of a message without a chain.
fn arc_result(arc: &ArcResult) -> Option<String> {
    match (arc.outcome(), &arc.chain) {
        (arc::Outcome::Pass, Some(chain)) => Some(format!("arc=pass header.oldest-pass={}", chain.oldest_pass())),
        (arc::Outcome::Fail, _) => {
            let reason = arc.reason.code().map(|code| format!(" reason={code}")).unwrap_or_default();
            Some(format!("arc=fail{reason}"))
        }
        _ => None,
    }
}

/// draft-gondwana-dkim2-authres: `header.d` is the first hop's domain, `header.i` the hop at which it failed. Nothing is
/// said of a message without a chain, nor of one whose envelope is not known. The draft's text of a failure can hold
/// addresses of the sender's choosing, so a word of a closed set stands for it.
fn dkim2_result(verdict: &dkim2::Verdict) -> Option<String> {
    if matches!(verdict.outcome, dkim2::Outcome::Absent | dkim2::Outcome::Unbound) {
        return None;
    }
    let mut text = format!("dkim2={}", verdict.result());
    if let Some(failure) = verdict.failure() {
        text.push_str(&format!(" reason={}", failure.code()));
    }
    let chain = verdict.chain();
    if let Some(first) = chain.and_then(|chain| chain.signatures().first()) {
        text.push_str(&format!(" header.d={}", first.domain()));
    }
    if let Some(hop) = verdict.failure().zip(chain).and_then(|(failure, chain)| failure.hop(chain)) {
        text.push_str(&format!(" header.i={hop}"));
    }
    Some(text)
}

/// RFC 8601 §2.7.2.
fn spf_result(spf: &SpfResult) -> String {
    let word = spf.verdict.as_str();
    match (&spf.domain, spf.identity) {
        (Some(domain), SpfIdentity::MailFrom) => format!("spf={word} smtp.mailfrom={domain}"),
        (Some(domain), SpfIdentity::Helo) => format!("spf={word} smtp.helo={domain}"),
        (None, _) => format!("spf={word}"),
    }
}

/// §10: the registered result words.
fn result_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail | Verdict::Tampered => "fail",
        Verdict::Missing => "none",
        Verdict::Expired => "policy",
        Verdict::TempError => "temperror",
    }
}

/// Whether an `Authentication-Results` value claims to be ours: its authserv-id is this one, in any letter case, after any
/// comments and white space, quoted or not. When in doubt the answer is yes: a field that may be taken for ours must go.
pub fn is_authserv_id(value: &[u8], ours: &str) -> bool {
    let Some(rest) = skip_comments(value) else { return true };
    let (id, quoted) = match rest.strip_prefix(b"\"") {
        Some(inner) => (inner.split(|b| *b == b'"').next().unwrap_or_default(), true),
        None => (rest.split(|b| b" \t\r\n;(".contains(b)).next().unwrap_or_default(), false),
    };
    let unescaped: Vec<u8> = id.iter().copied().filter(|b| !quoted || *b != b'\\').collect();
    let bare = unescaped.strip_suffix(b".").unwrap_or(&unescaped).trim_ascii();
    bare.eq_ignore_ascii_case(ours.as_bytes())
}

/// RFC 5322 §3.2.2 CFWS before the first word; nothing if a comment never ends.
fn skip_comments(value: &[u8]) -> Option<&[u8]> {
    let mut rest = value.trim_ascii_start();
    while rest.first() == Some(&b'(') {
        let mut depth = 0_usize;
        let mut escaped = false;
        let end = rest.iter().position(|b| {
            match (escaped, b) {
                (true, _) => escaped = false,
                (false, b'\\') => escaped = true,
                (false, b'(') => depth = depth.saturating_add(1),
                (false, b')') => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0
        })?;
        rest = rest.get(end.saturating_add(1)..)?.trim_ascii_start();
    }
    Some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_is_recognized_in_every_disguise() {
        for ours in [
            " mx.example.net; spf=pass",
            "mx.example.net",
            " MX.Example.NET 1; none",
            "\r\n\tmx.example.net;",
            " (a (nested) \\) comment) mx.example.net; x",
            " \"mx.example.net\"; x",
            " \"mx.\\example.net\"; x",
            " mx.example.net.; x",
            " mx.example.net(c); x",
            " (never ends",
        ] {
            assert!(is_authserv_id(ours.as_bytes(), "mx.example.net"), "{ours:?}");
        }
        for other in [" mx.example.org; spf=pass", " mx.example.net.evil.example; x", "", " (mx.example.net) other; x"]
        {
            assert!(!is_authserv_id(other.as_bytes(), "mx.example.net"), "{other:?}");
        }
    }
}
