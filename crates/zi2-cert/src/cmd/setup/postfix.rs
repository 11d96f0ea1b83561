//! The whole installation in Postfix: verifying, certifying, and with DKIM2 the way around the queue to the envelope that is
//! really used.

use std::net::IpAddr;

use zi2_config::{ChainMode, Config, Listen, ORIGINATING};

use super::lines::{Lines, Service};
use super::{FORWARDING_PORT, ORIGINATING_PORT, SIGNING};
use crate::cmd::doctor::postfix::{BOUNCE, MAIL_CLASSES, Role, Setup, has_bounces, known, role};

/// The cleanup service that keeps fields which others may have signed.
const CLEANUP: &str = "zi2-cleanup";

/// What Postfix is told for this configuration.
pub(super) fn lines(config: &Config, setup: Option<&Setup>, address: IpAddr) -> Lines {
    let plan = Plan { config, setup, address };
    let mut lines = Lines::default();
    plan.main(&mut lines);
    plan.arriving(&mut lines);
    plan.submitting(&mut lines);
    plan.signing(&mut lines);
    plan.cleanup(&mut lines);
    lines
}

struct Plan<'a> {
    config: &'a Config,
    setup: Option<&'a Setup>,
    address: IpAddr,
}

impl Plan<'_> {
    fn main(&self, lines: &mut Lines) {
        let Config { ingress, egress, dkim, dkim2, .. } = self.config;
        if let Some(socket) = socket(&ingress.listen, "/run/zi2/ingress.sock") {
            lines.main("Port 25 and everything not said otherwise: verify.", "smtpd_milters", socket);
        }
        if let Some(socket) = socket(&egress.listen, "/run/zi2/egress.sock") {
            let why = "sendmail(1): certify, if a `local` rule of /etc/zi2/senders allows it.";
            lines.main(why, "non_smtpd_milters", socket);
        }
        lines.main("", "milter_protocol", "6");
        lines.main(
            "Verifying must not stop mail: without the milter it is delivered unmarked.",
            "milter_default_action",
            "accept",
        );
        if dkim.sign || dkim2.sign {
            lines.main("What is signed leaves as it was signed.", "disable_mime_output_conversion", "yes");
            lines.main("", "smtp_line_length_limit", "0");
            lines.main(
                "Rewriting after signing breaks signatures; sender_canonical_maps comes before.",
                "smtp_generic_maps",
                "",
            );
        }
        if dkim2.knows_bounces() && !egress.listen.is_empty() {
            let why = "Bounces made here pass the milter too, so that those of mail with DKIM2 are signed.";
            lines.main(why, MAIL_CLASSES, self.setup.map_or_else(|| BOUNCE.to_owned(), with_bounces));
        }
        if self.goes_around() {
            let limit = format!("{SIGNING}_destination_recipient_limit");
            lines.main("One recipient at a time: a signature names them all to each.", limit, "1");
        }
    }

    /// Port 25.
    fn arriving(&self, lines: &mut Lines) {
        let keeps = self.keeps_fields();
        let forwards = self.goes_around() && self.config.dkim2.keeps().is_some();
        if !keeps && !forwards {
            return;
        }
        for name in self.services(Role::Arriving, "smtp/inet") {
            let is_filtered = self.is_filtered(&name);
            let why = match is_filtered && forwards {
                true => "Its content_filter stays: let that send what is forwarded to the FORWARDING service below.",
                false => "What arrives keeps the fields that others have signed.",
            };
            let mut service = Service::known(why, name);
            if keeps {
                service = service.option("cleanup_service_name", CLEANUP);
            }
            if forwards && !is_filtered {
                service = service.option("content_filter", self.around(FORWARDING_PORT));
            }
            lines.service(service);
        }
    }

    /// What smtpd services of ours use instead of cleanup(8).
    fn cleanup(&self, lines: &mut Lines) {
        if !self.keeps_fields() && !self.goes_around() {
            return;
        }
        let why = "It removes Return-Path alone, since Bcc and Content-Length of others may be signed; smtpd has seen to the size.";
        let service = Service::new(why, format!("{CLEANUP}/unix"), "n - n - 0 cleanup");
        lines.service(service.option("message_drop_headers", "return-path").option("message_size_limit", "0"));
    }

    /// Whether a service sends mail through a content filter of the site.
    fn is_filtered(&self, name: &str) -> bool {
        let Some(setup) = self.setup else { return false };
        let service = setup.services.iter().find(|service| service.name == name);
        let filter =
            service.map_or_else(|| setup.main("content_filter"), |service| setup.of(service, "content_filter"));
        !filter.is_empty() && !filter.starts_with(&format!("{SIGNING}:"))
    }

    fn submitting(&self, lines: &mut Lines) {
        let Some(socket) = socket(&self.config.egress.listen, "/run/zi2/egress.sock") else { return };
        for name in self.services(Role::Submitting, "submission/inet") {
            let is_filtered = self.is_filtered(&name);
            let why = match is_filtered && self.goes_around() {
                true => "Its content_filter stays: let that send what is submitted to the ORIGINATING service below.",
                false => "What is submitted is certified; without the milter the client tries again.",
            };
            let mut service = Service::known(why, name)
                .option("smtpd_milters", socket.clone())
                .option("milter_default_action", "tempfail");
            if self.goes_around() && !is_filtered {
                service = service.option("content_filter", self.around(ORIGINATING_PORT));
            }
            lines.service(service);
        }
        if self.goes_around() && !self.is_filtered("pickup/unix") {
            let why = "sendmail(1), likewise.";
            let service = Service::known(why, "pickup/unix".to_owned());
            lines.service(service.option("content_filter", self.around(ORIGINATING_PORT)));
        }
    }

    /// DKIM2 signs the envelope that is used: behind the queue, after aliases, canonical maps and copies.
    fn signing(&self, lines: &mut Lines) {
        let Some(socket) = socket(&self.config.dkim2.listen, "/run/zi2/dkim2.sock").filter(|_| self.goes_around())
        else {
            return;
        };
        let why = "The way around: each recipient once through the services below. Header checks are for what leaves.";
        let around = Service::new(why, format!("{SIGNING}/unix"), "- - n - 10 smtp")
            .option("smtp_send_xforward_command", "yes")
            .option("smtp_header_checks", "")
            .option("smtp_generic_maps", "")
            .option("smtp_tls_security_level", "none")
            .option("disable_mime_output_conversion", "yes")
            .option("smtp_line_length_limit", "0");
        lines.service(around);
        let why = "Mail of ours comes back: its first DKIM2 signature.";
        lines.service(self.returning(why, ORIGINATING_PORT, ORIGINATING, &socket));
        if self.config.dkim2.keeps().is_some() {
            let why = "Mail of others comes back that is sent on: a further signature. Filters that change mail send it here.";
            lines.service(self.returning(why, FORWARDING_PORT, "FORWARDING", &socket));
        }
    }

    fn returning(&self, why: &'static str, port: u16, name: &str, socket: &str) -> Service {
        let overrides = "no_unknown_recipient_checks,no_address_mappings,no_header_body_checks";
        let service = Service::new(why, format!("{}/inet", self.at(port)), "n - n - - smtpd")
            .option("smtpd_milters", socket)
            .option("milter_macro_daemon_name", name)
            .option("milter_default_action", "accept")
            .option("content_filter", "")
            .option("receive_override_options", overrides)
            .option("local_header_rewrite_clients", "")
            .option("mynetworks", format!("127.0.0.0/8,[::1]/128,{}", self.alone()))
            // What was taken once has grown by fields of ours, and must not be refused now.
            .option("message_size_limit", "0")
            .option("smtpd_authorized_xforward_hosts", "$mynetworks")
            .option("smtpd_relay_restrictions", "permit_mynetworks,reject")
            .option("smtpd_client_restrictions", "")
            .option("smtpd_helo_restrictions", "")
            .option("smtpd_sender_restrictions", "")
            .option("smtpd_recipient_restrictions", "")
            .option("smtpd_sasl_auth_enable", "no")
            .option("smtpd_tls_security_level", "none");
        service.option("cleanup_service_name", CLEANUP)
    }

    /// The address as a network of its own.
    fn alone(&self) -> String {
        match self.address {
            IpAddr::V4(address) => format!("{address}/32"),
            IpAddr::V6(address) => format!("[{address}]/128"),
        }
    }

    fn goes_around(&self) -> bool {
        self.config.dkim2.sign && !self.config.dkim2.listen.is_empty()
    }

    /// Whether anybody here looks at DKIM2 signatures of others.
    fn keeps_fields(&self) -> bool {
        !self.config.ingress.listen.is_empty() && self.config.chain.mode != ChainMode::Off
    }

    fn around(&self, port: u16) -> String {
        format!("{SIGNING}:[{}]:{port}", self.address)
    }

    fn at(&self, port: u16) -> String {
        match self.address {
            IpAddr::V4(address) => format!("{address}:{port}"),
            IpAddr::V6(address) => format!("[{address}]:{port}"),
        }
    }

    /// The services of this role that master.cf has, or the usual one.
    fn services(&self, wanted: Role, usual: &str) -> Vec<String> {
        let smtpd = self.setup.iter().flat_map(|setup| {
            let services = setup.services.iter().filter(|service| service.program == "smtpd");
            services.filter(|service| role(setup, service) == wanted).map(|service| service.name.clone())
        });
        let found: Vec<String> = smtpd.collect();
        if found.is_empty() { vec![usual.to_owned()] } else { found }
    }
}

/// The classes of Postfix' own mail that pass milters, with bounces among them.
fn with_bounces(setup: &Setup) -> String {
    match setup.main(MAIL_CLASSES) {
        "" => BOUNCE.to_owned(),
        classes if has_bounces(classes) => classes.to_owned(),
        classes => format!("{classes}, {BOUNCE}"),
    }
}

/// The first listener as Postfix names it.
fn socket(listeners: &[Listen], packaged: &str) -> Option<String> {
    listeners.first().map(|listen| known(listen, packaged).to_string())
}
