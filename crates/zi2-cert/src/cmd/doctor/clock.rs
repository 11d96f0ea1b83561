//! The clock: a certification is good for a day, and 300 s into the future at most.

use std::path::Path;
use std::time::UNIX_EPOCH;

use zi2_config::{Config, KeySource};

use super::finding::Chart;
use crate::io::Host;

/// Before this year there was no ZI2.
const FIRST_YEAR: u16 = 2025;

/// What time services leave behind, and what it says.
const SERVICES: [(&str, &str); 6] = [
    ("run/systemd/timesync/synchronized", "systemd-timesyncd has set it"),
    ("run/chrony/chronyd.pid", "chronyd keeps it"),
    ("var/lib/chrony/drift", "chronyd has kept it"),
    ("run/ntpd.pid", "ntpd keeps it"),
    ("var/lib/ntpsec/ntp.drift", "ntpd has kept it"),
    ("var/lib/openntpd/db/ntpd.drift", "ntpd has kept it"),
];

/// Looks at the clock. Without a network it is compared with what this host wrote before.
pub(super) fn look(config: &Config, file: &Path, host: &Host, chart: &mut Chart) {
    const CHECK: &str = "clock";
    const FIX: &str = "timedatectl set-ntp true, or set the clock by hand: date -u -s 'YYYY-MM-DD HH:MM:SS'";
    let (year, month, day) = host.now.date();
    let shown = format!("{year:04}-{month:02}-{day:02}");
    if year < FIRST_YEAR {
        return chart.problem(CHECK, format!("it is set to {shown}: every certification would be of the future"), FIX);
    }
    let keys = match &config.keys.source {
        KeySource::Directory(directory) => directory,
        KeySource::ProductFile(file) => file,
    };
    let newest = [file, keys, &config.store.path].into_iter().filter_map(|path| Some((written(path)?, path))).max();
    let allowed = host.now.secs().saturating_add(zi2_sig::limits::FUTURE_SECS);
    if let Some((secs, path)) = newest.filter(|(secs, _)| *secs > allowed) {
        let behind = secs.saturating_sub(host.now.secs());
        let seen = format!("it is set to {shown}, but {} was written {behind} s later", path.display());
        return chart.problem(CHECK, seen, FIX);
    }
    let service = SERVICES.iter().find(|(path, _)| host.root.join(path).exists());
    let service = service.map_or("no time service is seen here, so somebody else keeps it", |(_, says)| says);
    chart.ok(CHECK, format!("{shown} UTC; {service}"));
}

fn written(path: &Path) -> Option<u64> {
    let time = path.metadata().ok()?.modified().ok()?;
    Some(time.duration_since(UNIX_EPOCH).ok()?.as_secs())
}
