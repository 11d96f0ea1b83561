//! The table itself; the settings of DKIM and DKIM2 are its part in `signing.rs`. A setting is added here and in the struct of
//! its section, nowhere else.

use super::signing::{DKIM, DKIM2};
use super::{Def, Preset, Section};
use crate::kind::{DAY, HOUR, Kind, MINUTE, MS, SECOND};

pub(crate) const SECTIONS: &[Section] = &[
    Section { name: "server", summary: "Who this server is, and for whom it speaks.", defs: SERVER },
    Section { name: "keys", summary: "The private keys of this server.", defs: KEYS },
    Section { name: "egress", summary: "Outgoing mail: certifying.", defs: EGRESS },
    Section { name: "senders", summary: "Who may be certified as whom.", defs: SENDERS },
    Section { name: "dkim", summary: "Outgoing mail: DKIM signatures.", defs: DKIM },
    Section { name: "dkim2", summary: "Outgoing mail: DKIM2 signatures.", defs: DKIM2 },
    Section { name: "ingress", summary: "Incoming mail: verifying.", defs: INGRESS },
    Section { name: "chain", summary: "Incoming mail: SPF, DKIM, ARC, DMARC, DKIM2.", defs: CHAIN },
    Section { name: "replay", summary: "One certified message, delivered again and again.", defs: REPLAY },
    Section { name: "history", summary: "What past mail says about a key.", defs: HISTORY },
    Section { name: "dns", summary: "Where keys are looked up.", defs: DNS },
    Section { name: "store", summary: "Where replay and history are remembered.", defs: STORE },
    Section { name: "log", summary: "What is logged.", defs: LOG },
    Section { name: "metrics", summary: "Figures for monitoring.", defs: METRICS },
    Section { name: "limits", summary: "How much the daemon takes on.", defs: LIMITS },
];

const SERVER: &[Def] = &[
    Def {
        key: "sid",
        kind: Kind::Host,
        preset: Preset::Derived { from: "the full name of this host", example: "\"mail.example.com\"" },
        summary: "The name of this server in the certifications it makes.",
        detail: "Others look for its keys under this name, so it must be a public host name in full. Servers behind one \
                 name may share it.",
    },
    Def {
        key: "authserv_id",
        kind: Kind::Host,
        preset: Preset::Derived { from: "server.sid", example: "\"mail.example.com\"" },
        summary: "The name in the Authentication-Results fields written here.",
        detail: "Incoming fields that claim this name are removed: a milter that writes under the same name must come \
                 after this one.",
    },
    Def {
        key: "hosted",
        kind: Kind::Domains,
        preset: Preset::Value("[]"),
        summary: "The domains whose mail this server sends and receives.",
        detail: "Only mail from these is ever certified, and mail from these that comes in uncertified is suspicious. \
                 Subdomains are not included: name each.",
    },
    Def {
        key: "hosted_file",
        kind: Kind::Path,
        preset: Preset::Value("\"/etc/zi2/hosted\""),
        summary: "A file with more hosted domains, one a line.",
        detail: "# starts a comment. The default file may be absent; one that is named here must exist.",
    },
    Def {
        key: "user",
        kind: Kind::Account,
        preset: Preset::Value("\"zi2\""),
        summary: "The account to run as, when started as root.",
        detail: "Started as anybody else, the daemon stays who it is.",
    },
    Def {
        key: "group",
        kind: Kind::Account,
        preset: Preset::Derived { from: "the primary group of server.user", example: "\"zi2\"" },
        summary: "The group to run as, when started as root.",
        detail: "",
    },
];

const KEYS: &[Def] = &[
    Def {
        key: "dir",
        kind: Kind::Path,
        preset: Preset::Value("\"/etc/zi2/keys\""),
        summary: "The directory of the private keys: one file a key, named after it, as in zi2-cert-2026-04.key.",
        detail: "Mode 0700, files 0400, owned by the account the daemon runs as. When it holds no key, \
                 /etc/zi2-mail-guard/zi2-cert.key is used if that exists.",
    },
    Def {
        key: "kid",
        kind: Kind::Kid,
        preset: Preset::Derived {
            from: "the active key of `zi2-cert rotate`, or before a rotation the newest key whose month is not in the future",
            example: "\"zi2-cert-2026-04\"",
        },
        summary: "The key to certify with.",
        detail: "Set it to hold a rotation back; leave it out to let keys follow one another.",
    },
];

const EGRESS: &[Def] = &[
    Def {
        key: "listen",
        kind: Kind::Listeners,
        preset: Preset::Value("[\"unix:/run/zi2/egress.sock\"]"),
        summary: "Where the MTA hands over mail that goes out.",
        detail: "unix:PATH, inet:ADDRESS:PORT, or systemd:NAME for a socket that systemd passes on under that name. \
                 Whoever reaches it can have mail certified: keep it on this host. [] certifies nothing.",
    },
    Def {
        key: "form",
        kind: Kind::Word(&["combined", "draft", "page"]),
        preset: Preset::Value("\"combined\""),
        summary: "The form of the header field.",
        detail: "combined is read by verifiers of either text.",
    },
    Def {
        key: "on_mismatch",
        kind: Kind::Word(&["skip", "reject"]),
        preset: Preset::Value("\"skip\""),
        summary: "What happens to mail whose sender may not use its From domain.",
        detail: "skip lets it go out without certification; reject refuses it with 550 5.7.1. Either is logged and \
                 counted. Start with skip.",
    },
    Def {
        key: "add_missing",
        kind: Kind::Flag,
        preset: Preset::Value("true"),
        summary: "Add the Date and Message-ID that a client left out, before certifying.",
        detail: "Without them mail cannot be certified; an MTA that adds them afterwards comes too late.",
    },
    Def {
        key: "issued_log",
        kind: Kind::Flag,
        preset: Preset::Value("false"),
        summary: "Remember what was certified, so that an ingress listener with the same store can tell it.",
        detail: "Local mail then has level 3 (ABSOLUTE) where it comes in. Costs one row of the store for each message.",
    },
];

const SENDERS: &[Def] = &[
    Def {
        key: "own_domain",
        kind: Kind::Flag,
        preset: Preset::Value("true"),
        summary: "The login user@example.com may send as example.com, when that is hosted.",
        detail: "Set it to false when only the maps shall decide.",
    },
    Def {
        key: "map",
        kind: Kind::Paths,
        preset: Preset::Value("[\"/etc/zi2/senders\"]"),
        summary: "Files that say who may send as which domain.",
        detail: "One rule a line, see SENDERS. The default file may be absent; one that is named here must exist.",
    },
    Def {
        key: "postfix_maps",
        kind: Kind::Paths,
        preset: Preset::Value("[]"),
        summary: "Text sources of Postfix's smtpd_sender_login_maps, read as they are.",
        detail: "The text, without hash: or the like in front, not the .db file. A From address is looked up in full, \
                 then as @domain; address extensions and bare user names are not known here.",
    },
];

const INGRESS: &[Def] = &[
    Def {
        key: "listen",
        kind: Kind::Listeners,
        preset: Preset::Value("[\"unix:/run/zi2/ingress.sock\"]"),
        summary: "Where the MTA hands over mail that comes in.",
        detail: "Written like egress.listen. [] verifies nothing.",
    },
    Def {
        key: "mode",
        kind: Kind::Word(&["mark", "monitor"]),
        preset: Preset::Value("\"mark\""),
        summary: "Whether the result is written into the message.",
        detail: "mark removes forged result fields and writes ours; monitor changes nothing and only logs and counts.",
    },
    Def {
        key: "deadline",
        kind: Kind::Span { min: MS, max: 30 * SECOND },
        preset: Preset::Value("\"60ms\""),
        summary: "How long a message waits at its end for keys that are still being looked up.",
        detail: "Looking up starts with the header, so there is rarely anything to wait for. What comes later is kept for \
                 the next message.",
    },
    Def {
        key: "window",
        kind: Kind::Span { min: HOUR, max: 7 * DAY },
        preset: Preset::Value("\"24h\""),
        summary: "How old a certification may be.",
        detail: "A longer window remembers more for replay detection.",
    },
    Def {
        key: "page_name",
        kind: Kind::Word(&["fallback", "off"]),
        preset: Preset::Value("\"fallback\""),
        summary: "Whether the product page's DNS name counts.",
        detail: "fallback asks for _zi2cert.KID.DOMAIN when the draft's name has no such key.",
    },
];

const CHAIN: &[Def] = &[
    Def {
        key: "mode",
        kind: Kind::Word(&["mark", "evaluate", "off"]),
        preset: Preset::Value("\"mark\""),
        summary: "What is done with the existing chain, and with DKIM2.",
        detail: "mark evaluates it and writes the results into an Authentication-Results field of their own; evaluate only \
                 looks at them, for history, suspicion and mail that a list changed; off leaves the chain to others, and \
                 then DMARC is not known here, and no DKIM2 chain gives back what was certified.",
    },
    Def {
        key: "deadline",
        kind: Kind::Span { min: MS, max: 30 * SECOND },
        preset: Preset::Value("\"3s\""),
        summary: "How long a message waits at its end for the chain.",
        detail: "What is not answered by then is a temporary error.",
    },
    Def {
        key: "trusted_sealers",
        kind: Kind::Domains,
        preset: Preset::Value("[]"),
        summary: "Mailing lists and forwarders that are believed, by the domain in their ARC-Seal fields.",
        detail: "A certified message that was changed on its way then passes with level 1, if every sealer of its ARC chain \
                 stands here and the first reports that the certification was valid. Subdomains are not included: name \
                 each. Needs mode to be mark or evaluate.",
    },
];

const REPLAY: &[Def] = &[
    Def {
        key: "mode",
        kind: Kind::Word(&["off", "flag", "fail"]),
        preset: Preset::Value("\"fail\""),
        summary: "What is done about a certification that was seen before.",
        detail: "off does not look; flag reports it; fail counts the certification as failed.",
    },
    Def {
        key: "dkim2",
        kind: Kind::Word(&["off", "log", "fail"]),
        preset: Preset::Value("\"log\""),
        summary: "What is done about a second copy of a message with DKIM2, where no hop said that there are several.",
        detail: "off does not look; log logs and counts it; fail counts DKIM2 as failed. A server whose mail was accepted without \
                 learning of it sends the same again. Needs chain.mode.",
    },
    Def {
        key: "allowance",
        kind: Kind::Count { min: 0, max: 64 },
        preset: Preset::Value("20"),
        summary: "How many recipients that stand neither in To nor in Cc one message may reach.",
        detail: "Blind copies and aliases are legitimate.",
    },
    Def {
        key: "sync",
        kind: Kind::Flag,
        preset: Preset::Value("false"),
        summary: "Answer only when the disk has what was seen.",
        detail: "Without it a loss of power forgets the last moments; with it each message waits for the disk.",
    },
    Def {
        key: "capacity",
        kind: Kind::Count { min: 1_000, max: 1_000_000_000 },
        preset: Preset::Value("10000000"),
        summary: "How many certifications are remembered of one day.",
        detail: "Beyond that replays are not recognised, and the result says so.",
    },
];

const HISTORY: &[Def] = &[
    Def {
        key: "trusted",
        kind: Kind::Count { min: 1, max: 1_000_000 },
        preset: Preset::Value("5"),
        summary: "Valid certifications that make a key TRUSTED.",
        detail: "Over time: min_days and min_span must be reached too.",
    },
    Def {
        key: "min_days",
        kind: Kind::Count { min: 1, max: 365 },
        preset: Preset::Value("3"),
        summary: "On how many different days (UTC) they must have come.",
        detail: "",
    },
    Def {
        key: "min_span",
        kind: Kind::Span { min: 0, max: 365 * DAY },
        preset: Preset::Value("\"7d\""),
        summary: "How far apart the first and the last of them must be.",
        detail: "",
    },
    Def {
        key: "idle",
        kind: Kind::Span { min: DAY, max: 3650 * DAY },
        preset: Preset::Value("\"180d\""),
        summary: "Silence after which a key starts anew.",
        detail: "",
    },
    Def {
        key: "expected",
        kind: Kind::Span { min: 0, max: 365 * DAY },
        preset: Preset::Value("\"30d\""),
        summary: "How long after a valid certification the domain's next mail is expected to have one.",
        detail: "",
    },
];

const DNS: &[Def] = &[
    Def {
        key: "servers",
        kind: Kind::Servers,
        preset: Preset::Value("[]"),
        summary: "Resolvers to ask, as ADDRESS or ADDRESS:PORT.",
        detail: "Empty: those of /etc/resolv.conf. A validating resolver on this host is best.",
    },
    Def {
        key: "trust_ad",
        kind: Kind::Word(&["loopback", "always", "never"]),
        preset: Preset::Value("\"loopback\""),
        summary: "When a resolver's word that an answer is DNSSEC-secure is believed.",
        detail: "loopback believes resolvers on this host only: between here and any other the bit can be forged.",
    },
    Def {
        key: "timeout",
        kind: Kind::Span { min: 100 * MS, max: 30 * SECOND },
        preset: Preset::Value("\"2s\""),
        summary: "How long one question may take.",
        detail: "",
    },
    Def {
        key: "queries",
        kind: Kind::Count { min: 1, max: 1_000 },
        preset: Preset::Value("60"),
        summary: "How many questions one message may cause.",
        detail: "",
    },
];

const STORE: &[Def] = &[
    Def {
        key: "backend",
        kind: Kind::Word(&["sqlite", "memory"]),
        preset: Preset::Value("\"sqlite\""),
        summary: "What the store is made of.",
        detail: "memory forgets everything at a restart.",
    },
    Def {
        key: "path",
        kind: Kind::Path,
        preset: Preset::Value("\"/var/lib/zi2/zi2.db\""),
        summary: "The file of the sqlite store.",
        detail: "On a local disk, not on NFS.",
    },
];

const LOG: &[Def] = &[
    Def {
        key: "format",
        kind: Kind::Word(&["text", "json"]),
        preset: Preset::Value("\"text\""),
        summary: "The form of a log line.",
        detail: "",
    },
    Def {
        key: "addresses",
        kind: Kind::Word(&["none", "domain", "hash", "full"]),
        preset: Preset::Value("\"none\""),
        summary: "How much of mail addresses is logged.",
        detail: "hash lets lines about one address be found together without naming it.",
    },
    Def {
        key: "level",
        kind: Kind::Word(&["error", "warn", "info", "debug", "trace"]),
        preset: Preset::Value("\"info\""),
        summary: "How much is logged.",
        detail: "",
    },
];

const METRICS: &[Def] = &[Def {
    key: "listen",
    kind: Kind::Loopback,
    preset: Preset::Value("\"127.0.0.1:9629\""),
    summary: "Where /metrics and /healthz are served: a loopback address with a port.",
    detail: "\"\" serves neither. To be scraped from elsewhere, put a proxy in front.",
}];

const LIMITS: &[Def] = &[
    Def {
        key: "connections",
        kind: Kind::Count { min: 1, max: 100_000 },
        preset: Preset::Value("1000"),
        summary: "Milter connections at once, for each listener.",
        detail: "More than the MTA's smtpd processes is never used.",
    },
    Def {
        key: "shutdown",
        kind: Kind::Span { min: 0, max: 10 * MINUTE },
        preset: Preset::Value("\"25s\""),
        summary: "How long messages under way may take to finish at a stop.",
        detail: "Keep it below systemd's TimeoutStopSec.",
    },
];
