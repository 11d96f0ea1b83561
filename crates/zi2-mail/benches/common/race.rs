//! Measures things against each other on a machine that has other things to do.
//!
//! All take short turns within each round, so that what slows the machine down slows all of them. A turn's time is the
//! processor time of this thread, which does not run while another program has the processor. A ratio is taken within each
//! round, where the clock of the processor hardly changes; the median of the rounds counts, of times and of ratios.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use super::options::Effort;

/// Things to be measured together.
pub(crate) struct Race<'a> {
    /// Calls in one turn.
    calls: usize,
    runners: Vec<Runner<'a>>,
}

struct Runner<'a> {
    name: &'static str,
    work: Box<dyn FnMut(usize) + 'a>,
    /// Nanoseconds of a call, for each round.
    rounds: Vec<f64>,
}

/// What was measured.
pub(crate) struct Times(Vec<(&'static str, Vec<f64>)>);

impl<'a> Race<'a> {
    /// In each turn a runner is called once for each number below `calls`: messages that differ, so that no branch
    /// predictor learns one by heart.
    pub(crate) fn new(calls: usize) -> Race<'a> {
        Race { calls, runners: Vec::new() }
    }

    pub(crate) fn enter(&mut self, name: &'static str, work: impl FnMut(usize) + 'a) -> &mut Race<'a> {
        self.runners.push(Runner { name, work: Box::new(work), rounds: Vec::new() });
        self
    }

    /// Runs about so many seconds.
    pub(crate) fn run(mut self, effort: Effort, seconds: f64) -> Times {
        let start = Instant::now();
        loop {
            for runner in &mut self.runners {
                runner.turn(self.calls);
            }
            if effort == Effort::Smoke || start.elapsed().as_secs_f64() > seconds {
                return Times(self.runners.into_iter().map(|runner| (runner.name, runner.rounds)).collect());
            }
        }
    }
}

impl Runner<'_> {
    fn turn(&mut self, calls: usize) {
        let start = processor_time();
        (0..calls).for_each(&mut self.work);
        let nanos = (processor_time() - start).as_secs_f64() * 1e9 / calls as f64;
        self.rounds.push(nanos);
    }
}

fn processor_time() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().unwrap_or_default()
}

impl Times {
    /// Nanoseconds of one call.
    pub(crate) fn of(&self, name: &str) -> f64 {
        median(self.rounds(name).to_vec())
    }

    pub(crate) fn ratio(&self, name: &str, to: &str) -> f64 {
        median(self.rounds(name).iter().zip(self.rounds(to)).map(|(one, other)| one / other).collect())
    }

    fn rounds(&self, name: &str) -> &[f64] {
        self.0.iter().find(|(known, _)| *known == name).map_or(&[], |(_, rounds)| rounds)
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
