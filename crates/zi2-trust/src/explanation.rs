//! The texts about reasons: one table, from which `zi2-cert explain` and the manual page `zi2-reasons(7)` are made.

use crate::Reason;
use crate::reason::{Explanation, Fault};

impl Reason {
    /// What is said about this reason.
    pub fn explanation(self) -> Explanation {
        let (fault, retryable, paragraph, people, admins, remedy) = row(self);
        Explanation { people, admins, remedy, paragraph, fault, retryable }
    }
}

type Row = (Fault, bool, &'static str, &'static str, &'static str, &'static str);

#[rustfmt::skip]
fn row(reason: Reason) -> Row {
    use Fault::{Here, Nobody, Sender, Transport};
    match reason {
        Reason::OkLocal => (Nobody, false, "zi2.md §9",
            "This server certified the message itself and both sides are hosted here.",
            "Verified with the local key store; submitted in this transaction or its nonce was issued here and unclaimed.",
            "Nothing to do."),
        Reason::OkPeer => (Nobody, false, "zi2.md §9",
            "The sending server is one this server has exchanged keys with.",
            "Verified with an exchanged key that the From domain also publishes.",
            "Nothing to do."),
        Reason::OkDns => (Nobody, false, "zi2.md §9",
            "The message comes from a server that the sender's domain names.",
            "Verified with a key from the From domain's DNS.",
            "Nothing to do."),
        Reason::OkHttps => (Nobody, false, "zi2.md §9",
            "The message comes from a server that the sender's domain names.",
            "Verified with a key from the document at the From domain's own HTTPS host.",
            "Nothing to do."),
        Reason::OkReturned => (Nobody, false, "zi2.md §9",
            "This server certified the message once, and it came back from outside.",
            "Verified with our own key, but not submitted here: every mail we sent verifies when somebody sends it back.",
            "Nothing to do. If it was submitted here, see `egress.issued_log` in zi2.toml(5)."),
        Reason::OkRestoredDkim2 => (Nobody, false, "zi2.md §11",
            "The message was changed after its certification, by a mailing list or whoever passed it on; the original is certified.",
            "DKIM2 verified in full and gave back a certified version that the author's domain signed; `via` names who changed it.",
            "Nothing to do. What they wrote is not certified: `covers` says what is. It counts for no history."),
        Reason::OkDelegatedArc => (Nobody, false, "zi2.md §11",
            "The message was changed after its certification, by forwarders that this server trusts; the first saw it valid.",
            "ARC passes, every sealer is in `chain.trusted_sealers`, and the oldest reports x-zi2=pass for this domain and key.",
            "Nothing to do. It counts for no history."),
        Reason::NoneAbsent => (Nobody, false, "zi2.md §7",
            "The message is not certified, and nothing says that it should be.",
            "There is no X-ZI2-Certified field and the From domain is not expected to certify.",
            "Nothing to do."),
        Reason::PolicyExpectedMissing => (Sender, false, "zi2.md §9",
            "The sender's domain certifies its mail, and this message is not certified: it may be forged.",
            "No X-ZI2-Certified field, but the From domain is hosted here, publishes p=enforce, or has certified within 30 days.",
            "If the message is genuine, find the server of that domain that does not sign. Otherwise nothing: it is marked."),
        Reason::HeaderSyntax => (Sender, false, "zi2.md §1, §2",
            "The message's header is malformed, so its certification counts for nothing.",
            "A line that is no field, a From, To or Message-ID that RFC 5322 does not allow, or a malformed X-ZI2-Certified field.",
            "The sending software must be fixed; `zi2-cert sign FILE` on its side names the place."),
        Reason::HeaderDuplicate => (Sender, false, "zi2.md §2",
            "The message repeats a header that may appear only once, which can show a reader something else than was checked.",
            "From, To, Cc, Subject, Date, Message-ID, another once-only field, or X-ZI2-Certified appears twice.",
            "The sending software must be fixed; `zi2-cert sign FILE` on its side names the field."),
        Reason::HeaderMissingField => (Sender, false, "zi2.md §2",
            "The message lacks a header that every message has.",
            "From, Date or Message-ID is missing.",
            "Sign after the MTA has added what is missing; the egress listener does so itself."),
        Reason::HeaderFromAmbiguous => (Sender, false, "zi2.md §2",
            "It is not clear who the sender is.",
            "From holds a group, a source route or more than one mailbox.",
            "Use one mailbox in From, and Sender or Reply-To for the others."),
        Reason::HeaderVersion => (Sender, false, "zi2.md §7",
            "The certification is of a version that this server does not know.",
            "v= is not 1.",
            "Update this software if a version 2 exists."),
        Reason::HeaderUncovered => (Sender, false, "zi2.md §1",
            "The certification leaves out a part that must be covered.",
            "h= does not name all of from, to, subject, date and message-id.",
            "The signing server must sign at least these fields."),
        Reason::DomainMismatch => (Sender, false, "zi2.md §7",
            "The certification is for another domain than the sender's.",
            "d= is not the From domain.",
            "The signing server must use the From domain as d=."),
        Reason::ClockFuture => (Sender, true, "zi2.md §7",
            "The certification is dated in the future.",
            "t= is more than 300 seconds ahead of this host's clock.",
            "Check the clock of both servers (`timedatectl`)."),
        Reason::ExpiredWindow => (Transport, false, "zi2.md §7",
            "The message was on its way for longer than its certification is valid.",
            "Everything holds, but t= is older than the window (`ingress.window`, default 24 h).",
            "Normal after a long delay in a queue. Widen `ingress.window` (1 h to 7 d) if it happens often."),
        Reason::KeyNotFound => (Sender, true, "zi2.md §6",
            "The sender's domain does not know the key that the message was certified with.",
            "No record with this kid at _zi2cert.<domain>, none that counts at _zi2cert.<kid>.<domain>, none by HTTPS.",
            "The domain's owner publishes the record: `zi2-cert dns show` prints it."),
        Reason::KeyUnauthorized => (Sender, true, "zi2.md §6",
            "A server certified the message, but the sender's domain did not say that it may.",
            "The key is held or offered by the server, but the From domain itself publishes nothing for this kid.",
            "The domain's owner publishes the key's record in its own DNS."),
        Reason::KeyRevoked => (Sender, false, "zi2.md §6",
            "The sender's domain has withdrawn the key that the message was certified with.",
            "The record with this kid has an empty p= and there is no live one.",
            "If the message is genuine, its server must sign with a new key."),
        Reason::DnsTooMany => (Sender, true, "zi2.md §6",
            "The sender's domain publishes too many keys.",
            "More than 4 live records with this kid.",
            "The domain's owner removes the records of keys no longer used."),
        Reason::DnsTimeout => (Transport, true, "zi2.md §7",
            "The sender's key could not be asked for in time.",
            "No DNS answer within the soft deadline (`ingress.deadline`) or the message's budget.",
            "Check this host's resolver (`dig TXT _zi2cert.<domain>`); the next message finds the key in the cache."),
        Reason::DnsServfail => (Transport, true, "zi2.md §7",
            "The sender's key could not be asked for.",
            "The resolver answered SERVFAIL.",
            "Ask the record by hand (`dig TXT _zi2cert.<domain>`); the domain's name servers may be broken."),
        Reason::DnsBogus => (Sender, true, "zi2.md §6",
            "The answer with the sender's key failed its own check.",
            "DNSSEC validation failed.",
            "The domain's owner repairs the DNSSEC signatures of the zone."),
        Reason::SignatureInvalid => (Sender, false, "zi2.md §7",
            "The certification is not genuine, or the message was changed on its way.",
            "No key of the domain with this kid verifies the signature.",
            "Compare the signed headers with what was sent; look for rewriting after the signing milter."),
        Reason::TamperedBody => (Transport, false, "zi2.md §7",
            "The sender's server certified this message with another text.",
            "The signature holds, the body hash does not: a mailing list, a footer, a re-encoding, or an attacker.",
            "Sign last, and set disable_mime_output_conversion=yes and smtp_line_length_limit=0 on the sending Postfix."),
        Reason::TamperedHeader => (Transport, false, "zi2.md §7",
            "The sender's server certified this message with other headers.",
            "The draft signature holds, the page signature over all headers does not.",
            "Look for a relay that rewrites Subject, Date, Cc or MIME fields."),
        Reason::ReplayNonce => (Transport, false, "zi2.md §8",
            "This certified message was sent to many people that it was not addressed to.",
            "More distinct envelope recipients outside To and Cc than `replay.allowance`.",
            "If the sender has large Bcc lists, raise `replay.allowance`."),
        Reason::TenantLoginMismatch => (Sender, false, "zi2.md §9",
            "The account that sent this message may not use this sender address.",
            "The authenticated login or client network is not allowed the From domain by the sender map.",
            "If it is legitimate, add the domain to the login's line in the sender map."),
        Reason::MessageNotSmtp => (Sender, false, "zi2.md §3",
            "The message cannot be carried unchanged, so it was not certified.",
            "The body holds a bare CR or LF, a NUL, or a line over 998 octets.",
            "The sending software must encode such content (quoted-printable or base64)."),
        Reason::KeyMissing => (Here, true, "zi2.md §6",
            "This server has no key to certify with.",
            "There is no usable private key, or none for this month.",
            "`zi2-cert keygen --domain DOMAIN`, then publish the record it prints; the daemon's log says why a key is refused."),
        Reason::StoreUnavailable => (Here, true, "zi2.md §8",
            "The check could not be completed here.",
            "The store could not say whether this certification was seen before.",
            "See the daemon's log; check free space and the mode of the store's folder."),
        Reason::InternalError => (Here, true, "zi2.md §7",
            "The check could not be completed here.",
            "A fault of this software; the message was delivered without a verdict.",
            "Please report it with the log line."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_own_code_and_full_texts() {
        let mut codes: Vec<_> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), Reason::ALL.len());
        for reason in Reason::ALL {
            assert_eq!(Reason::parse(reason.as_str()), Some(reason));
            let Explanation { people, admins, remedy, paragraph, .. } = reason.explanation();
            for text in [people, admins, remedy] {
                assert!(text.len() > 8 && text.ends_with(['.', ')']), "{reason:?}: {text}");
            }
            assert!(paragraph.starts_with("zi2.md §"), "{reason:?}");
        }
        assert_eq!(Reason::parse("ok"), None);
    }
}
