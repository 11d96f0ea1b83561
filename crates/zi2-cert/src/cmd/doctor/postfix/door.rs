//! The doors by which mail comes into Postfix, with the milters that stand at each.

use std::path::Path;

use super::milters::{Milter, Ours, Side, View};
use super::setup::{Service, Setup};

/// A door.
pub(super) struct Door {
    /// The service, as postconf names it, or the parameter of what has no service of its own.
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) milters: Vec<Milter>,
    pub(super) action: String,
    pub(super) protocol: String,
    /// Parameters that the service sets for itself.
    pub(super) overridden: Vec<String>,
}

/// Who comes in there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::cmd) enum Role {
    /// Other servers: port 25.
    Arriving,
    /// People with a login: ports 587 and 465.
    Submitting,
    /// sendmail(1).
    Local,
    /// Mail that was here before: behind a content filter.
    Returning,
    /// Only its operator knows.
    Other,
}

impl Door {
    pub(super) fn has(&self, side: &Side) -> bool {
        self.milters.iter().any(|milter| milter.side == *side)
    }
}

/// Every door: the smtpd services, and `non_smtpd_milters`.
pub(super) fn all(setup: &Setup, ours: &Ours) -> Vec<Door> {
    let smtpd = setup.services.iter().filter(|service| service.program == "smtpd");
    let mut doors: Vec<Door> = smtpd.map(|service| of_service(setup, ours, service)).collect();
    let is_chrooted = setup.services.iter().any(|service| service.name == "cleanup/unix" && service.is_chrooted);
    let view = View { queue: Path::new(setup.main("queue_directory")), is_chrooted };
    doors.push(Door {
        name: "non_smtpd_milters".to_owned(),
        role: Role::Local,
        milters: ours.read(setup.main("non_smtpd_milters"), view),
        action: setup.main("milter_default_action").to_owned(),
        protocol: setup.main("milter_protocol").to_owned(),
        overridden: Vec::new(),
    });
    doors
}

fn of_service(setup: &Setup, ours: &Ours, service: &Service) -> Door {
    let view = View { queue: Path::new(setup.main("queue_directory")), is_chrooted: service.is_chrooted };
    // § postconf(5): receive_override_options = no_milters switches them off.
    let is_off = service.overridden("receive_override_options").is_some_and(|options| options.contains("no_milters"));
    let list = if is_off { "" } else { setup.of(service, "smtpd_milters") };
    let own = ["smtpd_milters", "milter_default_action", "milter_protocol"];
    Door {
        name: service.name.clone(),
        role: role(setup, service),
        milters: ours.read(list, view),
        action: setup.of(service, "milter_default_action").to_owned(),
        protocol: setup.of(service, "milter_protocol").to_owned(),
        overridden: own.iter().filter(|own| service.overridden(own).is_some()).map(|own| (*own).to_owned()).collect(),
    }
}

pub(in crate::cmd) fn role(setup: &Setup, service: &Service) -> Role {
    let (name, kind) = service.name.rsplit_once('/').unwrap_or((&service.name, ""));
    let (host, port) = name.rsplit_once(':').unwrap_or(("", name));
    let is_local = host == "localhost" || host.starts_with("127.") || host == "[::1]";
    match (port, kind) {
        // behind postscreen(8) smtpd is of type pass
        (_, "pass") | ("smtp" | "25", "inet") => Role::Arriving,
        ("submission" | "587" | "submissions" | "smtps" | "465", "inet") => Role::Submitting,
        (_, "inet") if is_local || !setup.main("content_filter").is_empty() => Role::Returning,
        _ => Role::Other,
    }
}
