//! The facts a rotation goes by: what every name server says, and what waits in the queue of the mail server.

use std::ffi::OsStr;

use zi2_config::Config;
use zi2_keys::{Budget, Queue, RecordPlace, Survey};
use zi2_mail::{Domain, Timestamp};
use zi2_sig::{Kid, PublicKey};

use super::How;
use crate::io::Host;
use crate::limits::{DOMAIN_LOOK_UPS, PATIENCE};
use crate::program::{Failure, find, output};
use crate::words::no_answer;
use crate::{Exit, Trouble, net};

const DNS_PORT: u16 = 53;

/// The domains whose records speak for us.
pub(super) fn domains(config: &Config) -> Result<Vec<Domain>, Trouble> {
    let mut domains: Vec<Domain> = config.server.hosted.iter().cloned().collect();
    domains.sort_unstable();
    if domains.is_empty() {
        let what = "the configuration hosts no domain, so there is nobody to publish a key";
        return Err(Trouble::new(Exit::Config, what, "Write them below [server] hosted."));
    }
    Ok(domains)
}

/// Asks every authoritative server of every hosted domain for both records of a key.
pub(super) fn survey(config: &Config, how: &How, key: (Kid, PublicKey)) -> Result<Survey, Trouble> {
    let (domains, resolver) = (domains(config)?, how.ask.resolver(config)?);
    net::runtime()?.block_on(async {
        let mut survey = Survey::default();
        for domain in &domains {
            for place in RecordPlace::BOTH {
                let name = place.name(key.0, domain);
                let budget = Budget::new(DOMAIN_LOOK_UPS, PATIENCE);
                let answers = resolver.at_authorities(&name, DNS_PORT, &budget).await.map_err(|trouble| {
                    let what = format!("the name servers of {name} are not known: {}", no_answer(trouble));
                    Trouble::new(Exit::TempFail, what, "Nothing was changed; try again when DNS answers.")
                })?;
                survey.add((domain, place), key, &answers);
            }
        }
        Ok(survey)
    })
}

/// The oldest message of Postfix's queue, in the words of `postqueue -j`: one JSON object a line.
pub(super) fn queue(how: &How, host: &Host) -> Result<Queue, Trouble> {
    if how.without_queue {
        return Ok(Queue::NotAsked);
    }
    let unknown = |what: String| {
        let remedy = "The key stays. Run this as root, or with --without-queue where no mail of ours is queued here.";
        Trouble::new(Exit::TempFail, format!("the queue of the mail server is not known: {what}"), remedy)
    };
    let program = find("postqueue", host).ok_or_else(|| unknown("there is no postqueue".to_owned()))?;
    let said = output(&program, &[OsStr::new("-j")], host).map_err(|failure| {
        unknown(match failure {
            Failure::Start(error) => format!("postqueue does not start: {error}"),
            Failure::Late => "postqueue does not come to an end".to_owned(),
            Failure::TooLong => "it holds more messages than can be looked at".to_owned(),
            Failure::Failed(said) => said,
        })
    })?;
    oldest(&said).ok_or_else(|| unknown("postqueue -j writes lines without arrival_time".to_owned()))
}

/// Nothing for what is not the output of `postqueue -j`.
fn oldest(said: &str) -> Option<Queue> {
    let mut queue = Queue::Empty;
    for line in said.lines().filter(|line| !line.trim().is_empty()) {
        let object: serde_json::Value = serde_json::from_str(line).ok()?;
        let came = Timestamp::from_secs(object.get("arrival_time")?.as_u64()?);
        queue = match queue {
            Queue::Oldest(before) if before <= came => queue,
            _ => Queue::Oldest(came),
        };
    }
    Some(queue)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_message_of_a_queue() {
        let at = |secs| Some(Queue::Oldest(Timestamp::from_secs(secs)));
        for (said, expected) in [
            ("", Some(Queue::Empty)),
            ("{\"queue_name\": \"hold\", \"arrival_time\": 9}\n{\"arrival_time\": 7}\n{\"arrival_time\": 8}\n", at(7)),
            ("{\"arrival_time\": 9, \"forced_expire\": false}\n\n", at(9)),
            ("Mail queue is empty\n", None),
            ("{\"queue_name\": \"hold\"}\n", None),
            ("{\"arrival_time\": -1}\n", None),
        ] {
            assert_eq!(oldest(said), expected, "{said}");
        }
    }
}
