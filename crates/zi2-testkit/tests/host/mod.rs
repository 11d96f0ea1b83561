//! The host that the cases arrive at: everything as it is without a configuration.
#![allow(dead_code, reason = "not every test that has this module needs all of it")]

use std::sync::Arc;
use std::time::Duration;

use zi2_flow::{ChainRules, Inbound, ReceiverRules, Services, World, has_chain};
use zi2_mail::{Header, HostName};

const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn rules(world: &World) -> Arc<ReceiverRules> {
    Arc::new(ReceiverRules {
        local_keys: world.local_keys.clone(),
        exchanged: world.exchanged.clone(),
        sealers: world.sealers.clone(),
        ..ReceiverRules::protocol(world.hosted.clone(), PATIENCE)
    })
}

/// A message arrives in a world, and the existing chain is evaluated where there is any.
pub(crate) fn begin(header: &Header<'_>, services: &Services, world: &World) -> Inbound {
    begin_within(PATIENCE, header, services, world)
}

/// The same, with so much time for the chain at the end of the message.
pub(crate) fn begin_within(deadline: Duration, header: &Header<'_>, services: &Services, world: &World) -> Inbound {
    let mut inbound = Inbound::begin(header, services, &rules(world), world.now);
    if has_chain(header, &world.client) {
        let receiver = HostName::parse("mx.recv.example").unwrap();
        inbound.evaluate_chain(header, &world.client, &ChainRules { receiver, deadline });
    }
    inbound.evaluate_dkim2(header, &world.envelope, deadline);
    inbound
}
