//! The steps, each with its facts, its change of the state and its words.

use serde_json::{Value, json};
use zi2_config::Config;
use zi2_keys::{Gap, KeyPlace, Keyring, Proof, Refusal, RotationError, RotationFile, Stage, Step};
use zi2_mail::format_date;
use zi2_sig::{Kid, PublicKey};

use super::{How, directory, facts, refused, show};
use crate::cmd::dns::TTL;
use crate::records::{self, Record};
use crate::{Exit, Io, Trouble};

/// One run of the command, which holds the lock.
pub(super) struct Run<'a> {
    pub(super) file: RotationFile,
    pub(super) config: &'a Config,
    pub(super) how: &'a How,
}

impl Run<'_> {
    pub(super) fn stage(&mut self, io: &mut Io<'_>) -> Result<Exit, Trouble> {
        let now = io.host.now;
        let kid = self.file.rotation.successor(now).ok_or_else(|| {
            Trouble::new(Exit::Software, "there is no identifier for the next month", "Set this host's clock.")
        })?;
        self.file.stage(kid, now).map_err(refused)?;
        let line = format!("{kid} is next: it does not sign before it is published and proven");
        self.done("staged", kid, &line, Value::Null, io)
    }

    pub(super) fn publish(&mut self, io: &mut Io<'_>) -> Result<Exit, Trouble> {
        let (kid, stage) = self.coming()?;
        let records = self.records_of(kid, Some(self.key(kid)?))?;
        if stage == Stage::Next {
            self.file.rotation.publish(kid, io.host.now).map_err(|refusal| refused(refusal.into()))?;
            self.file.save().map_err(refused)?;
        }
        self.records(
            "published",
            kid,
            (&[], &records),
            "Publish these records beside those of the keys before it:",
            io,
        )?;
        io.talk(format_args!("Then: zi2-cert rotate prove, or leave it to the timer."));
        Ok(Exit::Ok)
    }

    pub(super) fn prove(&mut self, io: &mut Io<'_>) -> Result<Exit, Trouble> {
        let (kid, now) = (self.coming()?.0, io.host.now);
        let survey = facts::survey(self.config, self.how, (kid, self.key(kid)?))?;
        let proof = self.file.rotation.prove(kid, &survey, now).map_err(|refusal| refused(refusal.into()))?;
        self.file.save().map_err(refused)?;
        match proof {
            Proof::Proven => self.done(
                "proven",
                kid,
                &format!("{kid} is proven: every server has it, and caches do too"),
                Value::Null,
                io,
            ),
            Proof::Settling(until) => {
                let line = format!("every server has {kid}; caches will by {}", format_date(until));
                self.done("settling", kid, &line, Value::Null, io)?;
                Ok(Exit::Negative)
            }
            Proof::Missing(gaps) => self.gaps(kid, &gaps, io),
        }
    }

    pub(super) fn activate(&mut self, io: &mut Io<'_>) -> Result<Exit, Trouble> {
        let (kid, now) = (self.coming()?.0, io.host.now);
        let survey = facts::survey(self.config, self.how, (kid, self.key(kid)?))?;
        let activated = self.file.rotation.activate(kid, &survey, now);
        // A refused key may have lost its proof, which is to be kept too.
        self.file.save().map_err(refused)?;
        match activated {
            Ok(()) => {
                let line = format!("{kid} is active");
                self.done("activated", kid, &line, Value::Null, io)?;
                self.tell_the_milter(io);
                Ok(Exit::Ok)
            }
            Err(Refusal::Lost { gaps, .. }) => self.gaps(kid, &gaps, io),
            Err(refusal) => Err(refused(refusal.into())),
        }
    }

    /// Every key that can go.
    pub(super) fn retire(&mut self, io: &mut Io<'_>) -> Result<Exit, Trouble> {
        let now = io.host.now;
        let tasks = self.file.rotation.plan(now);
        let kids: Vec<Kid> = tasks.iter().filter(|task| task.step == Step::Retire).map(|task| task.kid).collect();
        if kids.is_empty() {
            io.talk(format_args!("No key is retiring."));
            return Ok(Exit::Ok);
        }
        let queue = facts::queue(self.how, &io.host)?;
        let mut exit = Exit::Negative;
        let mut last = None;
        for kid in kids {
            // Its file is not read any longer once it is retired.
            let records = self.records_of(kid, self.key(kid).ok())?;
            match self.file.rotation.retire(kid, queue, now) {
                Ok(()) => {
                    self.file.save().map_err(refused)?;
                    self.records(
                        "retired",
                        kid,
                        (&records, &[]),
                        "Remove these records; the files of the key may go too:",
                        io,
                    )?;
                    exit = Exit::Ok;
                }
                Err(refusal) => last = Some(refusal),
            }
        }
        match last {
            Some(refusal) if exit != Exit::Ok => Err(refused(RotationError::Refused(refusal))),
            _ => Ok(exit),
        }
    }

    pub(super) fn revoke(&mut self, kid: Kid, io: &mut Io<'_>) -> Result<Exit, Trouble> {
        let was_active = self.file.rotation.active() == Some(kid);
        // Its file is not read any longer once it is revoked.
        let live = self.key(kid).ok().map_or(Ok(Vec::new()), |key| self.records_of(kid, Some(key)))?;
        let successor =
            self.file.rotation.revoke(kid, io.host.now).map_err(|refusal| refused(RotationError::Refused(refusal)))?;
        self.file.save().map_err(refused)?;
        let records = self.records_of(kid, None)?;
        self.records(
            "revoked",
            kid,
            (&live, &records),
            "Put these records in the place of those of this key, at once:",
            io,
        )?;
        match successor {
            Some(successor) => io.talk(format_args!("{successor} was proven and is active now.")),
            None if was_active => io.talk(format_args!(
                "No other key is proven: nothing is certified until one is. Next: zi2-cert rotate stage, publish, prove, activate"
            )),
            None => {}
        }
        if was_active {
            self.tell_the_milter(io);
        }
        Ok(Exit::Ok)
    }

    /// The first step that is due and possible. What is not possible yet is no failure: the timer comes again.
    pub(super) fn auto(&mut self, io: &mut Io<'_>) -> Result<Exit, Trouble> {
        let now = io.host.now;
        for task in self.file.rotation.plan(now).into_iter().filter(|task| task.at <= now) {
            let before = self.file.rotation.clone();
            let done = match task.step {
                Step::Stage => self.stage(io),
                Step::Publish => self.publish(io),
                Step::Prove => self.prove(io),
                Step::Activate => self.activate(io),
                Step::Retire => self.retire(io),
            };
            match done {
                Ok(exit) if exit != Exit::Negative || self.file.rotation != before => return Ok(Exit::Ok),
                Ok(_) => {}
                Err(trouble) if trouble.exit == Exit::Negative || trouble.exit == Exit::TempFail => {
                    io.talk(format_args!("{} {}: {}", task.step.word(), task.kid, trouble.what));
                }
                Err(trouble) => return Err(trouble),
            }
        }
        if !self.how.json {
            return show::plan(&self.file.rotation, self.how, io);
        }
        Ok(Exit::Ok)
    }

    fn coming(&self) -> Result<(Kid, Stage), Trouble> {
        self.file
            .rotation
            .coming()
            .map(|entry| (entry.kid, entry.stage))
            .ok_or_else(|| Trouble::new(Exit::Negative, "no key is on its way", "Make one: zi2-cert rotate stage"))
    }

    fn key(&self, kid: Kid) -> Result<PublicKey, Trouble> {
        let ring = Keyring::load(&directory(self.config)?, KeyPlace::Ours).map_err(|error| refused(error.into()))?;
        ring.public_keys().find(|(own, _)| *own == kid).map(|(_, key)| key).ok_or_else(|| {
            let what = format!("the file of {kid} is gone");
            Trouble::new(Exit::NoInput, what, format!("Put {kid}.key back, or: zi2-cert rotate revoke {kid}"))
        })
    }

    /// Both records of a key for every hosted domain: as they stand, or revoked.
    fn records_of(&self, kid: Kid, key: Option<PublicKey>) -> Result<Vec<Record>, Trouble> {
        let domains = facts::domains(self.config)?;
        let of = |domain| match key {
            Some(key) => records::of_key(domain, kid, key, TTL),
            None => records::of_revoked(domain, kid, TTL),
        };
        Ok(domains.iter().flat_map(of).collect())
    }

    fn gaps(&self, kid: Kid, gaps: &[Gap], io: &mut Io<'_>) -> Result<Exit, Trouble> {
        if self.how.json {
            let gap = |gap: &Gap| json!({"name": gap.name, "server": gap.server, "what": gap.to_string()});
            let missing: Vec<Value> = gaps.iter().map(gap).collect();
            self.object("missing", kid, json!({"missing": missing}), io)?;
        } else {
            gaps.iter().try_for_each(|gap| io.result(format_args!("missing  {gap}")))?;
        }
        io.talk(format_args!("{kid} is not proven; `zi2-cert rotate publish` prints its records again."));
        Ok(Exit::Negative)
    }

    /// Records that go, and records that come.
    fn records(
        &self,
        result: &str,
        kid: Kid,
        (go, come): (&[Record], &[Record]),
        lead: &str,
        io: &mut Io<'_>,
    ) -> Result<(), Trouble> {
        if self.how.json {
            return self.object(result, kid, json!({"records": come, "remove": go}), io);
        }
        io.talk(format_args!("{kid} is {result}. {lead}"));
        io.result(format_args!("{}", self.how.format.exchange(go, come).trim_end()))?;
        Ok(())
    }

    fn done(&self, result: &str, kid: Kid, line: &str, more: Value, io: &mut Io<'_>) -> Result<Exit, Trouble> {
        if self.how.json {
            self.object(result, kid, more, io)?;
        } else {
            io.result(format_args!("{line}"))?;
        }
        Ok(Exit::Ok)
    }

    fn object(&self, result: &str, kid: Kid, more: Value, io: &mut Io<'_>) -> Result<(), Trouble> {
        let mut object = show::object(&self.file.rotation, io.host.now, result, more);
        if let Some(object) = object.as_object_mut() {
            object.insert("kid".to_owned(), kid.to_string().into());
        }
        Ok(io.result(format_args!("{object}"))?)
    }

    fn tell_the_milter(&self, io: &mut Io<'_>) {
        io.talk(format_args!(
            "Tell the milter within the hour: systemctl try-restart zi2-milter (zi2-rotate.path does so by itself)."
        ));
    }
}
