//! Postfix' wiring: that mail which arrives meets the verifying socket, mail which leaves the certifying one, and each once.

mod after;
mod dkim2;
mod door;
mod milters;
mod setup;

use std::path::Path;

use zi2_config::Config;

use super::finding::{Chart, quoted, quoted_path};
pub(in crate::cmd) use dkim2::{BOUNCE, MAIL_CLASSES, has_bounces};
use door::Door;
pub(in crate::cmd) use door::Role;
pub(in crate::cmd) use door::role;
pub(in crate::cmd) use milters::known;
use milters::{Milter, Ours, Side};
pub(in crate::cmd) use setup::{NoSetup, Setup};

/// Looks at the wiring. A host without Postfix may have Sendmail: that is for its operator to know.
pub(super) fn look(config: &Config, setup: Result<Setup, NoSetup>, chart: &mut Chart) {
    const CHECK: &str = "postfix";
    let setup = match setup {
        Ok(setup) => setup,
        Err(NoSetup::Absent) => {
            let fix = "apt install postfix; with another mail server, see its manual for milters";
            return chart.warning(CHECK, "there is no postconf here: the mail server was not looked at", fix);
        }
        Err(NoSetup::Failed(said)) => {
            return chart.unknown(CHECK, said, "run this where Postfix is configured, or name --postfix DIR");
        }
    };
    let (ours, doors) = (Ours::of(config), door::all(&setup, &Ours::of(config)));
    let wiring = Wiring { config, setup: &setup, ours };
    if !config.ingress.listen.is_empty() {
        wiring.arriving(&doors, chart);
    }
    if !config.egress.listen.is_empty() {
        wiring.leaving(&doors, chart);
    }
    for door in &doors {
        wiring.once(door, chart);
        wiring.order(door, chart);
        wiring.failing(door, chart);
    }
    wiring.protocol(&doors, chart);
    after::look(config, &setup, &doors, chart);
    dkim2::look(config, &setup, &doors, chart);
}

struct Wiring<'a> {
    config: &'a Config,
    setup: &'a Setup,
    ours: Ours,
}

impl Wiring<'_> {
    /// Port 25 verifies and never certifies (security.md S2).
    fn arriving(&self, doors: &[Door], chart: &mut Chart) {
        const CHECK: &str = "postfix.ingress";
        let mut doors = doors.iter().filter(|door| door.role == Role::Arriving).peekable();
        if doors.peek().is_none() {
            chart.warning(
                CHECK,
                "no smtpd listens on port 25: no mail arrives here",
                "write listen = [] below [ingress] if so meant",
            );
        }
        for door in doors {
            let (name, has) = (&door.name, |side| door.has(&side));
            if self.hidden(CHECK, door, chart) {
                continue;
            }
            if has(Side::Egress) {
                let seen = format!("{name}: mail from outside goes to the certifying socket");
                chart.problem(CHECK, seen, self.rewired(door, &Side::Ingress));
            } else if has(Side::Ingress) {
                chart.ok(CHECK, format!("{name}: what arrives is verified"));
            } else {
                chart.problem(
                    CHECK,
                    format!("{name}: what arrives is not verified"),
                    self.rewired(door, &Side::Ingress),
                );
            }
        }
    }

    /// Submission certifies, and so does sendmail(1).
    fn leaving(&self, doors: &[Door], chart: &mut Chart) {
        const CHECK: &str = "postfix.egress";
        let leaving: Vec<&Door> =
            doors.iter().filter(|door| door.role == Role::Submitting || door.role == Role::Local).collect();
        if !leaving.iter().any(|door| door.role == Role::Submitting) {
            let fix = "add the submission service to master.cf, as packaging/postfix.md shows";
            chart.warning(CHECK, "no smtpd listens on port 587 or 465: only sendmail(1) submits mail here", fix);
        }
        for door in leaving {
            let (name, has) = (&door.name, |side| door.has(&side));
            if self.hidden(CHECK, door, chart) {
                continue;
            }
            match (has(Side::Egress), has(Side::Ingress), door.role) {
                (true, false, _) => chart.ok(CHECK, format!("{name}: what is submitted is certified")),
                (_, true, _) => {
                    let seen = format!("{name}: what is submitted is verified, as if it came from outside");
                    chart.problem(CHECK, seen, self.rewired(door, &Side::Egress));
                }
                (false, false, Role::Local) => {
                    let seen = format!("{name}: mail of sendmail(1), cron and web applications is not certified");
                    chart.warning(CHECK, seen, self.rewired(door, &Side::Egress));
                }
                (false, false, _) => {
                    let seen = format!("{name}: what is submitted is not certified");
                    chart.problem(CHECK, seen, self.rewired(door, &Side::Egress));
                }
            }
        }
    }

    /// In a chroot a path begins at the queue directory.
    fn hidden(&self, check: &'static str, door: &Door, chart: &mut Chart) -> bool {
        let hidden = door.milters.iter().find_map(|milter| match &milter.side {
            Side::Hidden(path) => Some((milter, path)),
            _ => None,
        });
        let Some((milter, path)) = hidden else { return false };
        let seen = format!("{}: chrooted, it looks for {} at {}", door.name, milter.text, path.display());
        let service = if door.role == Role::Local { "cleanup/unix" } else { &door.name };
        chart.problem(check, seen, self.command("-F", &format!("{service}/chroot = n")));
        true
    }

    /// The same milter twice would certify or verify its own work.
    fn once(&self, door: &Door, chart: &mut Chart) {
        const CHECK: &str = "postfix.twice";
        for side in [Side::Egress, Side::Ingress] {
            if door.milters.iter().filter(|milter| milter.side == side).count() > 1 {
                chart.problem(CHECK, format!("{}: the same socket stands twice", door.name), self.rewired(door, &side));
            }
        }
        let is_ours = door.has(&Side::Egress) || door.has(&Side::Ingress); // DKIM2's own socket belongs there
        if door.role == Role::Returning && is_ours {
            let seen = format!("{}: mail that comes back from a content filter meets our milter again", door.name);
            chart.warning(CHECK, seen, self.command("-P", &format!("{}/smtpd_milters=", door.name)));
        }
    }

    /// What is certified must not be changed after it; what is judged under one name must not be removed.
    fn order(&self, door: &Door, chart: &mut Chart) {
        const CHECK: &str = "postfix.order";
        let at = |side: &Side| door.milters.iter().position(|milter| milter.side == *side);
        let names =
            |milters: &[Milter]| milters.iter().map(|milter| milter.text.clone()).collect::<Vec<_>>().join(", ");
        if let Some(at) = at(&Side::Egress) {
            let later = door.milters.get(at + 1..).unwrap_or_default();
            if later.iter().any(|milter| milter.side == Side::Other) {
                let seen =
                    format!("{}: {} comes after ours; what it changes breaks the certificate", door.name, names(later));
                chart.warning(CHECK, seen, self.rewired(door, &Side::Egress));
            }
        }
        let (own, host) = (self.config.server.authserv_id.as_str(), self.setup.main("myhostname"));
        if let Some(at) = at(&Side::Ingress).filter(|_| own.eq_ignore_ascii_case(host)) {
            let earlier = door.milters.get(..at).unwrap_or_default();
            if earlier.iter().any(|milter| milter.side == Side::Other) {
                let seen = format!(
                    "{}: {} comes before ours; results it writes as {own} are removed by ours as forged",
                    door.name,
                    names(earlier)
                );
                let fix = format!("write authserv_id = \"zi2.{own}\" below [server], or put ours first");
                chart.warning(CHECK, seen, fix);
            }
        }
    }

    /// What Postfix does while the milter does not answer.
    fn failing(&self, door: &Door, chart: &mut Chart) {
        const CHECK: &str = "postfix.failing";
        for milter in door.milters.iter().filter(|milter| matches!(milter.side, Side::Egress | Side::Ingress)) {
            let action = milter.action.as_deref().unwrap_or(&door.action);
            let what = match (action, &milter.side) {
                ("accept", Side::Egress) => "mail leaves uncertified",
                ("accept", _) => "mail is delivered unmarked",
                ("tempfail", _) => "the client tries again later",
                ("shutdown", _) => "the client is disconnected and tries again later",
                ("reject", _) => "mail is refused for good",
                ("quarantine", _) => "mail waits in the hold queue for you",
                _ => "Postfix does not know this action and defers all mail",
            };
            let seen = format!("{}: without the milter, {what} ({action})", door.name);
            match action {
                "accept" | "tempfail" | "shutdown" => chart.ok(CHECK, seen),
                _ => chart.warning(CHECK, seen, self.set(door, "milter_default_action", "tempfail")),
            }
        }
    }

    /// Below version 6 Postfix does not keep the space after the colon, and field values are not exact.
    fn protocol(&self, doors: &[Door], chart: &mut Chart) {
        const CHECK: &str = "postfix.protocol";
        for door in doors.iter().filter(|door| door.has(&Side::Egress) || door.has(&Side::Ingress)) {
            let digits: String = door.protocol.chars().take_while(char::is_ascii_digit).collect();
            if digits.parse::<u32>().is_ok_and(|version| version < 6) {
                let seen = format!("{}: milter_protocol is {}; ours needs 6", door.name, door.protocol);
                chart.problem(CHECK, seen, self.set(door, "milter_protocol", "6"));
            }
        }
    }

    /// The command that gives a door its list: what others have there, with ours once and of the right side at the end.
    fn rewired(&self, door: &Door, side: &Side) -> String {
        let others = door.milters.iter().filter(|milter| milter.side == Side::Other).map(|milter| milter.item.clone());
        let mut list: Vec<String> = others.collect();
        // Arriving mail meets ours first, so that it removes nobody's results; leaving mail meets it last.
        let at = if *side == Side::Ingress { 0 } else { list.len() };
        list.splice(at..at, self.ours.address(side));
        let parameter = if door.role == Role::Local { "non_smtpd_milters" } else { "smtpd_milters" };
        self.set(door, parameter, &list.join(","))
    }

    /// Where a value comes from decides where it is set.
    fn set(&self, door: &Door, parameter: &str, value: &str) -> String {
        let is_own = door.overridden.iter().any(|own| own == parameter);
        let is_for_all = door.role == Role::Arriving || parameter != "smtpd_milters";
        let of_main = door.role == Role::Local || (is_for_all && !is_own);
        match of_main {
            true => self.command("-e", &format!("{parameter} = {value}")),
            false => self.command("-P", &format!("{}/{parameter}={value}", door.name)),
        }
    }

    fn command(&self, option: &str, setting: &str) -> String {
        let place = &self.setup.option;
        format!("postconf{place} {option} {} && postfix{place} reload", quoted(setting))
    }
}

/// A map file of Postfix, `regexp:/path` and the like, without its type.
fn map_file(map: &str) -> Option<&Path> {
    let (_, path) = map.trim().split_once(':')?;
    path.starts_with('/').then(|| Path::new(path))
}
