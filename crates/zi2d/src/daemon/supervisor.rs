//! Signals, reloads and the calendar: other rules come into force, all at once or not at all.

use std::sync::Arc;

use sd_notify::NotifyState;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{MissedTickBehavior, interval};
use zi2_config::{Config, Loaded, Paths};

use super::{load, say_what_signs};
use crate::host::notify;
use crate::limits::CALENDAR_PAUSE;
use crate::live::{self, resolver};
use crate::trouble::Trouble;
use crate::{Desk, Keys, Live};

/// What the process is told by others.
pub(super) struct Signals {
    end: [Signal; 2],
    reload: [Signal; 2],
}

impl Signals {
    pub(super) fn new() -> Result<Signals, Trouble> {
        let on = |kind| {
            signal(kind)
                .map_err(|error| Trouble::system(format!("no signals: {error}"), "Look at the system's limits."))
        };
        Ok(Signals {
            end: [on(SignalKind::terminate())?, on(SignalKind::interrupt())?],
            reload: [on(SignalKind::hangup())?, on(SignalKind::user_defined1())?],
        })
    }
}

/// Puts other rules in force when it is told to, or when the month changes.
pub(super) struct Supervisor {
    pub(super) desk: Arc<Desk>,
    pub(super) paths: Paths,
    pub(super) config: Config,
    pub(super) keys: Keys,
}

impl Supervisor {
    pub(super) async fn until_told(mut self, mut signals: Signals) {
        let mut calendar = interval(CALENDAR_PAUSE);
        calendar.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let ([terminate, interrupt], [hang_up, user]) = (&mut signals.end, &mut signals.reload);
        loop {
            tokio::select! {
                _ = terminate.recv() => return,
                _ = interrupt.recv() => return,
                _ = hang_up.recv() => self.reload(),
                _ = user.recv() => self.reload(),
                _ = calendar.tick() => self.turn_page(),
            }
        }
    }

    /// Everything new, or everything as it was.
    fn reload(&mut self) {
        notify(&[NotifyState::Reloading]);
        match self.read() {
            Ok(()) => {
                self.desk.metrics.reloaded(true, self.desk.clock.now());
                tracing::info!("reloaded: configuration, keys and sender maps");
            }
            Err(trouble) => {
                self.desk.metrics.reloaded(false, self.desk.clock.now());
                for line in trouble.lines() {
                    tracing::error!("not reloaded: {line}");
                }
            }
        }
        notify(&[NotifyState::Ready]);
    }

    fn read(&mut self) -> Result<(), Trouble> {
        let Loaded { mut config, notices, .. } = load(&self.paths)?;
        let keys = live::keys(&config)?;
        let now = self.desk.live();
        let mut services = now.services.clone();
        if config.dns != self.config.dns {
            services.resolver =
                resolver(&config).map_err(|error| Trouble::unavailable(error, "Name resolvers as dns.servers."))?;
        }
        notices.iter().for_each(|notice| tracing::warn!("{notice}"));
        for section in needs_restart(&self.config, &config) {
            tracing::warn!("{section} has changed; it takes effect at the next start");
        }
        // No listener comes or goes, so the side that signs with DKIM2 stays the one it is.
        config.dkim2.listen.clone_from(&self.config.dkim2.listen);
        let live = Live::new(&config, &keys, services, self.desk.clock.now());
        say_what_signs(&config, &live);
        self.desk.replace(live);
        (self.config, self.keys) = (config, keys);
        Ok(())
    }

    /// A new month may have a new key.
    fn turn_page(&self) {
        let (live, now) = (self.desk.live(), self.desk.clock.now());
        let due = self.keys.ring.active(now, self.config.keys.kid).map(|(kid, _)| kid);
        if due != live.signs_with() {
            let live = Live::new(&self.config, &self.keys, live.services.clone(), now);
            say_what_signs(&self.config, &live);
            self.desk.replace(live);
        }
    }
}

/// What was read but cannot change in a running process.
fn needs_restart<'a>(old: &Config, new: &Config) -> impl Iterator<Item = &'a str> {
    let changed = [
        ("server.user or server.group", (&old.server.user, &old.server.group) != (&new.server.user, &new.server.group)),
        ("egress.listen", old.egress.listen != new.egress.listen),
        ("ingress.listen", old.ingress.listen != new.ingress.listen),
        ("dkim2.listen", old.dkim2.listen != new.dkim2.listen),
        ("dkim2.forward or what is kept for it", old.dkim2.keeps() != new.dkim2.keeps()),
        ("[store]", old.store != new.store),
        ("replay.sync or replay.capacity", {
            (old.replay.sync, old.replay.capacity) != (new.replay.sync, new.replay.capacity)
        }),
        ("log.format or log.level", (old.log.format, old.log.level) != (new.log.format, new.log.level)),
        ("[metrics]", old.metrics != new.metrics),
        ("[limits]", old.limits != new.limits),
    ];
    changed.into_iter().filter(|(_, changed)| *changed).map(|(section, _)| section)
}
