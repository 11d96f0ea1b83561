//! The newest hop alone, of a message that came back: its signature and its version (§ -08 16.3). What is before it was
//! verified when that hop was signed.

use std::collections::BTreeMap;
use std::sync::Arc;

use zi2_mail::{DigestPlan, Digests, Field, Header, Timestamp};

use super::versions::Versions;
use super::{Open, check_keys, key_names_of};
use crate::dkim::KeyName;
use crate::dkim2::{Chain, Failure, Instance, KeyAnswer, Signature};

/// The check of one newest hop.
pub(in crate::dkim2) struct NewestHop(Open);

impl NewestHop {
    /// Does all checks that need neither keys nor body. Which envelope it was sent by is known from elsewhere.
    pub(in crate::dkim2) fn new(
        header: &Header<'_>,
        chain: Chain,
        now: Timestamp,
        plan: &mut DigestPlan,
    ) -> Result<NewestHop, Failure> {
        chain.check_time(now)?;
        chain.check_custody()?;
        check_keys(&chain)?;
        let versions = Versions::of(header, &chain, plan);
        let chain = Arc::new(chain);
        Ok(NewestHop(Open { chain, is_bound: false, broken: None, versions, answers: BTreeMap::new() }))
    }

    pub(in crate::dkim2) fn questions(&self) -> Vec<KeyName> {
        key_names_of(self.0.chain.newest())
    }

    pub(in crate::dkim2) fn answer(&mut self, name: &KeyName, answer: &KeyAnswer) {
        self.0.answers.insert(name.clone(), answer.clone());
    }

    /// The chain and its newest signature, if that and its version hold. Without digests the body is not looked at.
    pub(in crate::dkim2) fn finish(self, digests: Option<&Digests>) -> Result<(Arc<Chain>, Signature), Failure> {
        let Open { chain, versions, .. } = &self.0;
        match digests {
            Some(digests) => drop(versions.check_newest(chain, digests)?),
            None => versions.check_header(chain)?,
        }
        let newest = chain.newest().ok_or_else(|| super::no_signature(chain))?.clone();
        self.0.signature(&newest)?;
        Ok((self.0.chain, newest))
    }
}

/// Whether the header section is that of a version.
pub(in crate::dkim2) fn check_header(header: &Header<'_>, chain: &Chain, instance: u32) -> Result<(), Failure> {
    super::versions::check_header(header, chain, instance)
}

/// Whether a field is one of the chain.
pub(in crate::dkim2) fn is_chain_field(field: Field<'_>) -> bool {
    Instance::is(field) || Signature::is(field)
}
