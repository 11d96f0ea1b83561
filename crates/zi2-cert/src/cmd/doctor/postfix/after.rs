//! What Postfix does before and after the milters: what it must remove, and what it must not change.

use zi2_config::Config;

use super::door::{Door, Role};
use super::milters::Side;
use super::setup::Setup;
use super::{map_file, quoted_path};
use crate::cmd::doctor::finding::Chart;
use crate::input;
use crate::limits::TABLE_OCTETS;

/// The field that only our milter may write.
const FIELD: &str = "x-zi2-verified";

/// Looks at header checks and at maps that rewrite.
pub(super) fn look(config: &Config, setup: &Setup, doors: &[Door], chart: &mut Chart) {
    let place = &setup.option;
    let arriving = doors.iter().filter(|door| door.role == Role::Arriving && door.has(&Side::Ingress));
    if arriving.clone().any(|door| door.action == "accept") {
        let missing = "without the milter mail is delivered, and header_checks removes no forged X-ZI2-Verified then";
        let fix = format!(
            "put /^X-ZI2-Verified:/ IGNORE into a file, then: postconf{place} -e 'header_checks = regexp:/etc/postfix/zi2_header_checks'"
        );
        removes("postfix.forged", "header_checks", setup, (missing, fix), chart);
    }
    if !config.egress.listen.is_empty() && doors.iter().any(|door| door.has(&Side::Egress)) {
        let missing = "the marks on copies for local mailboxes also leave this host: smtp_header_checks does not remove X-ZI2-Verified";
        let fix = format!(
            "put /^X-ZI2-Verified:/ IGNORE into a file, then: postconf{place} -e 'smtp_header_checks = regexp:/etc/postfix/zi2_smtp_header_checks'"
        );
        removes("postfix.leaving", "smtp_header_checks", setup, (missing, fix), chart);
        let maps = setup.main("smtp_generic_maps");
        if !maps.is_empty() {
            let seen = format!("smtp_generic_maps = {maps} rewrites addresses after they were certified");
            let fix = "use sender_canonical_maps, which rewrites before the milter; then postfix reload";
            chart.warning("postfix.rewrites", seen, fix);
        }
    }
}

/// Whether a table of header checks speaks of our field.
fn removes(check: &'static str, parameter: &str, setup: &Setup, (missing, fix): (&str, String), chart: &mut Chart) {
    let maps: Vec<&str> = setup.main(parameter).split([',', ' ']).filter(|map| !map.is_empty()).collect();
    let mut unread = None;
    for path in maps.iter().filter_map(|map| map_file(map)) {
        match input::file(path, TABLE_OCTETS) {
            Ok(table) if String::from_utf8_lossy(&table).to_ascii_lowercase().contains(FIELD) => {
                return chart.ok(check, format!("{parameter}: {} removes X-ZI2-Verified", path.display()));
            }
            Ok(_) => {}
            Err(_) => unread = Some(path),
        }
    }
    match unread {
        Some(path) => {
            let seen = format!("{parameter}: {} cannot be read", path.display());
            chart.unknown(check, seen, format!("ls -l {}", quoted_path(path)));
        }
        None => chart.warning(check, missing, fix),
    }
}
