//! What DKIM2 wants of Postfix: that nothing changes a message or its envelope after it was signed for them.

use zi2_config::{Config, ORIGINATING};

use super::door::{Door, Role};
use super::milters::Side;
use super::setup::Setup;
use crate::cmd::doctor::finding::{Chart, quoted};
use crate::cmd::setup::{FORWARDING_PORT, ORIGINATING_PORT, SIGNING};

/// § postconf(5): which of its own mail Postfix shows to non_smtpd_milters.
pub(in crate::cmd) const MAIL_CLASSES: &str = "internal_mail_filter_classes";

/// Its class of bounces.
pub(in crate::cmd) const BOUNCE: &str = "bounce";

/// Whether bounces are among these classes.
pub(in crate::cmd) fn has_bounces(classes: &str) -> bool {
    classes.split([',', ' ', '\t']).any(|class| class == BOUNCE)
}

/// The command that prints all of it.
const SETUP: &str = "zi2-cert setup postfix";

/// Looks at every trap, where mail is signed with DKIM2.
pub(super) fn look(config: &Config, setup: &Setup, doors: &[Door], chart: &mut Chart) {
    if !config.dkim2.sign {
        return;
    }
    let traps = Traps { config, setup };
    traps.conversion(chart);
    traps.generic(chart);
    traps.bounces(chart);
    match config.dkim2.listen.is_empty() {
        true => traps.before_the_queue(chart),
        false => traps.behind_the_queue(doors, chart),
    }
}

struct Traps<'a> {
    config: &'a Config,
    setup: &'a Setup,
}

impl Traps<'_> {
    /// The smtp client changes 8-bit bodies for servers that take none, and cuts long lines.
    fn conversion(&self, chart: &mut Chart) {
        const CHECK: &str = "postfix.conversion";
        for (parameter, wanted, what) in [
            (
                "disable_mime_output_conversion",
                "yes",
                "8-bit bodies are made 7-bit after signing, for servers that want it",
            ),
            ("smtp_line_length_limit", "0", "lines over 998 octets are cut after signing"),
        ] {
            match self.setup.main(parameter) {
                found if found == wanted => chart.ok(CHECK, format!("{parameter} = {wanted}")),
                found => chart.warning(CHECK, format!("{parameter} = {found}: {what}"), self.set(parameter, wanted)),
            }
        }
    }

    /// What the smtp client rewrites last nobody can sign.
    fn generic(&self, chart: &mut Chart) {
        let maps = self.setup.main("smtp_generic_maps");
        if !maps.is_empty() {
            let seen = format!("smtp_generic_maps = {maps} rewrites header and envelope after they were signed");
            let fix = "use sender_canonical_maps, which rewrites before; then postfix reload";
            chart.problem("postfix.rewrites", seen, fix);
        }
    }

    /// Postfix shows its bounces to milters only where it is told to.
    fn bounces(&self, chart: &mut Chart) {
        const CHECK: &str = "postfix.bounces";
        if !self.config.dkim2.knows_bounces() || self.config.egress.listen.is_empty() {
            return;
        }
        match self.setup.main(MAIL_CLASSES) {
            classes if has_bounces(classes) => chart.ok(CHECK, "bounces made here pass the milter, to be signed"),
            classes => {
                let seen = "bounces made here do not pass the milter: they leave unsigned";
                let wanted = if classes.is_empty() { BOUNCE.to_owned() } else { format!("{classes}, {BOUNCE}") };
                chart.warning(CHECK, seen, self.set(MAIL_CLASSES, &wanted));
            }
        }
    }

    /// Signed before the queue, an envelope is the one used only where nothing rewrites it.
    fn before_the_queue(&self, chart: &mut Chart) {
        const CHECK: &str = "postfix.envelope";
        // mta.md §3.5 and canonical(5), virtual(5), postconf(5): all that cleanup does to an envelope.
        let rewriting: Vec<_> = [
            "virtual_alias_maps",
            "always_bcc",
            "sender_bcc_maps",
            "recipient_bcc_maps",
            "canonical_maps",
            "sender_canonical_maps",
            "recipient_canonical_maps",
        ]
        .into_iter()
        .filter(|name| !self.setup.main(name).is_empty())
        .collect();
        if rewriting.is_empty() {
            return chart
                .ok(CHECK, "DKIM2 is signed before the queue, and no alias or copy changes the envelope there");
        }
        let seen = format!(
            "DKIM2 is signed before the queue, and {} changes senders or recipients there: what goes to others does not verify",
            rewriting.join(" and ")
        );
        let fix = format!("listen = [\"unix:/run/zi2/dkim2.sock\"] below [dkim2]; then do what {SETUP} prints");
        chart.warning(CHECK, seen, fix);
    }

    fn behind_the_queue(&self, doors: &[Door], chart: &mut Chart) {
        const CHECK: &str = "postfix.dkim2";
        let returning: Vec<&Door> = doors.iter().filter(|door| door.has(&Side::Handoff)).collect();
        let originating = returning.iter().any(|door| self.of(door, "milter_macro_daemon_name") == ORIGINATING);
        if !originating {
            let seen = format!("no smtpd named {ORIGINATING} hands mail to dkim2.listen: nothing is signed with DKIM2");
            chart.problem(CHECK, seen, format!("do what {SETUP} prints"));
        }
        if self.config.dkim2.keeps().is_some() && returning.len() < 2 {
            let seen = "no second smtpd hands forwarded mail to dkim2.listen: nothing is signed further";
            chart.problem(CHECK, seen, format!("do what {SETUP} prints"));
        }
        returning.iter().for_each(|door| self.returning(door, chart));
        self.ways_there(doors, chart);
        self.limit(chart);
        self.dropped(doors, chart);
    }

    /// The smtpd behind the queue must leave everything as it is, and must not send it around again.
    fn returning(&self, door: &Door, chart: &mut Chart) {
        const CHECK: &str = "postfix.dkim2";
        let (name, before) = (&door.name, chart.findings.len());
        let own = |parameter: &str, value: &str| self.own(door, parameter, value);
        if !self.of(door, "receive_override_options").contains("no_address_mappings") {
            let seen = format!("{name}: aliases and copies are applied again to what comes back");
            let fix = own(
                "receive_override_options",
                "no_unknown_recipient_checks,no_address_mappings,no_header_body_checks",
            );
            chart.problem(CHECK, seen, fix);
        }
        if !self.of(door, "content_filter").is_empty() {
            let seen = format!("{name}: what comes back goes to the content filter again, and around for ever");
            chart.problem(CHECK, seen, own("content_filter", ""));
        }
        if !self.of(door, "local_header_rewrite_clients").is_empty() {
            let seen = format!("{name}: header fields are completed once more, which breaks what was certified");
            chart.problem(CHECK, seen, own("local_header_rewrite_clients", ""));
        }
        if door.action != "accept" {
            let seen = format!("{name}: without the milter, mail waits in the queue ({})", door.action);
            chart.warning(CHECK, seen, own("milter_default_action", "accept"));
        }
        if self.drops(door) {
            let seen = format!("{name}: cleanup removes Bcc and Content-Length of forwarded mail, which are signed");
            chart.warning(CHECK, seen, own("cleanup_service_name", "zi2-cleanup"));
        }
        if chart.findings.len() == before {
            chart.ok(CHECK, format!("{name}: what comes back is signed as it will be sent"));
        }
    }

    /// Mail must be sent around by the filter.
    fn ways_there(&self, doors: &[Door], chart: &mut Chart) {
        const CHECK: &str = "postfix.dkim2";
        let others = doors.iter().filter(|door| !door.has(&Side::Handoff));
        for door in others {
            let (port, what) = match door.role {
                Role::Submitting => (ORIGINATING_PORT, "what is submitted"),
                Role::Arriving if self.config.dkim2.keeps().is_some() => (FORWARDING_PORT, "what is forwarded"),
                Role::Arriving | Role::Local | Role::Returning | Role::Other => continue,
            };
            if self.of(door, "content_filter").is_empty() {
                let seen =
                    format!("{}: {what} is not signed with DKIM2, since no content_filter sends it around", door.name);
                chart.problem(CHECK, seen, self.own(door, "content_filter", &format!("{SIGNING}:[127.0.0.1]:{port}")));
            }
        }
    }

    /// One recipient at a time: nobody is named to another.
    fn limit(&self, chart: &mut Chart) {
        const CHECK: &str = "postfix.recipients";
        let own = format!("{SIGNING}_destination_recipient_limit");
        let found = match self.setup.main(&own) {
            "" => self.setup.main("default_destination_recipient_limit"),
            found => found,
        };
        match found {
            "1" => chart.ok(CHECK, "mail comes back one recipient at a time"),
            _ => chart.warning(
                CHECK,
                "mail comes back for several recipients at once: blind ones leave unsigned",
                self.set(&own, "1"),
            ),
        }
    }

    /// Cleanup removes fields of others before the verifying milter sees them.
    fn dropped(&self, doors: &[Door], chart: &mut Chart) {
        const CHECK: &str = "postfix.dropped";
        for door in doors.iter().filter(|door| door.role == Role::Arriving && self.drops(door)) {
            let seen = format!(
                "{}: cleanup removes Bcc and Content-Length before the milter sees them, and they may be signed",
                door.name
            );
            chart.warning(CHECK, seen, format!("do what {SETUP} prints about zi2-cleanup"));
        }
    }

    /// Whether the cleanup of a door removes more than Return-Path.
    fn drops(&self, door: &Door) -> bool {
        let name = match self.of(door, "cleanup_service_name") {
            "" => "cleanup",
            name => name,
        };
        let service = self.setup.services.iter().find(|service| service.name == format!("{name}/unix"));
        let dropped = service.map_or_else(
            || self.setup.main("message_drop_headers"),
            |service| self.setup.of(service, "message_drop_headers"),
        );
        // § postconf(5): empty only before Postfix 3.0, which always removed them.
        dropped.is_empty() || dropped.split([',', ' ']).any(|name| matches!(name, "bcc" | "content-length"))
    }

    /// A parameter as the service of a door sees it.
    fn of(&self, door: &Door, parameter: &str) -> &str {
        let service = self.setup.services.iter().find(|service| service.name == door.name);
        service.map_or_else(|| self.setup.main(parameter), |service| self.setup.of(service, parameter))
    }

    fn set(&self, parameter: &str, value: &str) -> String {
        let place = &self.setup.option;
        format!("postconf{place} -e {} && postfix{place} reload", quoted(format!("{parameter} = {value}")))
    }

    fn own(&self, door: &Door, parameter: &str, value: &str) -> String {
        let place = &self.setup.option;
        format!("postconf{place} -P {} && postfix{place} reload", quoted(format!("{}/{parameter}={value}", door.name)))
    }
}
