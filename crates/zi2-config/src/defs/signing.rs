//! The settings of DKIM and DKIM2.

use super::{Def, Preset};
use crate::kind::{DAY, HOUR, Kind};

pub(super) const DKIM: &[Def] = &[
    Def {
        key: "sign",
        kind: Kind::Flag,
        preset: Preset::Value("false"),
        summary: "Sign outgoing mail with DKIM.",
        detail: "What may be certified is signed: the submitter must be allowed to use the From domain, and a key for that \
                 domain must be here. Publish the records first; zi2-cert doctor looks whether they are.",
    },
    Def {
        key: "dir",
        kind: Kind::Path,
        preset: Preset::Value("\"/etc/zi2/dkim\""),
        summary: "The directory of the keys: DOMAIN/SELECTOR.pem, each of which signs mail of its domain.",
        detail: "One RSA and one Ed25519 key of a domain make two signatures, which is best. Directories with mode 0700, files \
                 0400, as zi2-cert keygen --dkim makes them. To retire a key, give its file another ending.",
    },
    Def {
        key: "key_table",
        kind: Kind::Table,
        preset: Preset::Derived { from: "none", example: "\"/etc/opendkim/KeyTable\"" },
        summary: "A KeyTable of OpenDKIM, read as it is, for what dkim.dir cannot say.",
        detail: "The files it names follow the rules of dkim.dir. A table that holds keys itself must be as private.",
    },
    Def {
        key: "signing_table",
        kind: Kind::Table,
        preset: Preset::Derived { from: "none", example: "\"refile:/etc/opendkim/SigningTable\"" },
        summary: "The SigningTable of OpenDKIM that goes with it; refile: in front as in opendkim.conf.",
        detail: "Every line that matches signs, as with MultipleSignatures; a key whose domain is neither the From domain nor \
                 above it does not.",
    },
    Def {
        key: "canonicalization",
        kind: Kind::Word(&["relaxed/relaxed", "relaxed/simple", "simple/relaxed", "simple/simple"]),
        preset: Preset::Value("\"relaxed/relaxed\""),
        summary: "The canonicalization of header and body.",
        detail: "Relaxed survives servers that fold header fields anew or trim lines.",
    },
    Def {
        key: "expiry",
        kind: Kind::Span { min: 0, max: 365 * DAY },
        preset: Preset::Value("\"0s\""),
        summary: "How long signatures count; 0s is for ever.",
        detail: "Mail may wait five days in a queue and be looked at again later, so an expiry below 7d harms honest mail; few \
                 receivers look at it otherwise.",
    },
    Def {
        key: "sealed",
        kind: Kind::FieldNames,
        preset: Preset::Value(
            "[\"from\", \"to\", \"cc\", \"reply-to\", \"subject\", \"date\", \"message-id\", \"content-type\", \
             \"content-transfer-encoding\", \"mime-version\"]",
        ),
        summary: "Header fields that are signed, and of which none can be added afterwards.",
        detail: "From always is. Without egress.add_missing, Date and Message-ID are not sealed, since the MTA may add them.",
    },
    Def {
        key: "signed",
        kind: Kind::FieldNames,
        preset: Preset::Value("[\"sender\", \"in-reply-to\", \"references\"]"),
        summary: "Header fields that are signed where they are there.",
        detail: "X-ZI2-Certified always is, so that DKIM covers the certification.",
    },
];

pub(super) const DKIM2: &[Def] = &[
    Def {
        key: "sign",
        kind: Kind::Flag,
        preset: Preset::Value("false"),
        summary: "Sign outgoing mail with DKIM2.",
        detail: "With the keys of [dkim] and those of dkim2.dir. A DKIM2 signature names the envelope, so it must be made where \
                 the envelope is the one used: see dkim2.listen, and zi2-cert setup postfix.",
    },
    Def {
        key: "listen",
        kind: Kind::Listeners,
        preset: Preset::Value("[]"),
        summary: "Where the MTA hands over mail a last time, with the envelope it is sent with.",
        detail: "Written like egress.listen. [] signs on the egress listener: right only where no alias, map or Bcc changes \
                 the envelope afterwards. zi2-cert setup postfix prints the second smtpd that this listener is for.",
    },
    Def {
        key: "dir",
        kind: Kind::Path,
        preset: Preset::Value("\"/etc/zi2/dkim2\""),
        summary: "The directory of keys that sign DKIM2 alone: DOMAIN/SELECTOR.pem, also of ML-DSA-44.",
        detail: "They sign beside the keys of [dkim], any one of which is enough for a verifier. The default directory may be \
                 absent.",
    },
    Def {
        key: "hash",
        kind: Kind::Word(&["sha256", "sha512", "both"]),
        preset: Preset::Value("\"sha256\""),
        summary: "With what messages are hashed.",
        detail: "Every verifier knows both.",
    },
    Def {
        key: "draft",
        kind: Kind::Word(&["08", "09"]),
        preset: Preset::Value("\"08\""),
        summary: "The draft of draft-ietf-dkim-dkim2-spec that is followed.",
        detail: "",
    },
    Def {
        key: "hidden_recipients",
        kind: Kind::Word(&["skip", "sign"]),
        preset: Preset::Value("\"skip\""),
        summary: "What happens to a message for several, one of whom stands in neither To nor Cc.",
        detail: "A signature names all recipients to each of them. skip leaves the message unsigned; sign is for lists whose \
                 subscribers may know each other. With one recipient at a time, on dkim2.listen, nobody is named to another.",
    },
    Def {
        key: "feedback",
        kind: Kind::Word(&["none", "wanted", "through_here"]),
        preset: Preset::Value("\"none\""),
        summary: "Whether signatures ask for feedback.",
        detail: "wanted asks for it (f=feedback); through_here asks that feedback to earlier hops goes through this one too \
                 (f=feedhere).",
    },
    Def {
        key: "forward",
        kind: Kind::Flag,
        preset: Preset::Value("false"),
        summary: "Sign forwarded mail further, and keep what comes in with DKIM2 for that.",
        detail: "For servers with aliases that lead elsewhere, or with lists. A further signature needs the message as it came \
                 in; without it the message leaves with the signatures it has. Needs dkim2.listen, ingress.listen and chain.mode.",
    },
    Def {
        key: "exploded",
        kind: Kind::Flag,
        preset: Preset::Value("true"),
        summary: "Say in each further signature that there may be more copies.",
        detail: "An alias of several addresses is seen one recipient at a time, so it cannot be counted. Where each alias leads \
                 to one address, false lets receivers refuse a second copy. Several recipients in one signature always say so.",
    },
    Def {
        key: "bounces",
        kind: Kind::Word(&["off", "check", "reject"]),
        preset: Preset::Value("\"check\""),
        summary: "What is done about bounces, where mail is signed with DKIM2.",
        detail: "check signs those made here of mail that came with DKIM2, if Postfix shows them (internal_mail_filter_classes = \
                 bounce), and says in the log whether one that comes in signed is about mail sent from here; reject also refuses \
                 those that are not. Incoming ones need chain.mode.",
    },
    Def {
        key: "snapshots",
        kind: Kind::Path,
        preset: Preset::Value("\"/var/lib/zi2/snapshots\""),
        summary: "The directory of incoming messages that are kept for dkim2.forward.",
        detail: "Whole messages, readable by the account of the daemon alone.",
    },
    Def {
        key: "snapshot_expiry",
        kind: Kind::Span { min: HOUR, max: 14 * DAY },
        preset: Preset::Value("\"7d\""),
        summary: "How long such a message is kept: as long as one may wait in the queue.",
        detail: "After 14 days its signatures have expired.",
    },
    Def {
        key: "snapshot_megabytes",
        kind: Kind::Count { min: 1, max: 1_000_000 },
        preset: Preset::Value("1024"),
        summary: "How much disk they may take, in megabytes; beyond it the oldest go.",
        detail: "",
    },
];
