//! The milter parts of the cases as far as the library decides them: who is certified, and which results are ours.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test")]

use std::path::Path;
use std::sync::Arc;

use zi2_config::{OnMismatch, OwnDomain, SenderMap, Submitter};
use zi2_flow::{Departure, Envelope, SenderRules, World};
use zi2_mail::{Header, HeaderBuilder, HostName, Message};
use zi2_sig::{FIELD_NAME, Form, Identity, Kid};
use zi2_testkit::{After, Case, Client, Decision, KID, MilterStep, Role, key, milter_cases, nonce};
use zi2_trust::Reason;
use zi2_trust::render::{VERIFIED_FIELD, is_authserv_id, login_mismatch};

const US: &str = "mx.recv.example";

fn world(case: &Case, step: &MilterStep) -> World {
    World::parse(zi2_testkit::world(case, &step.world).to_string().as_bytes()).unwrap()
}

fn rules(case: &Case, world: &World, on_mismatch: OnMismatch) -> SenderRules {
    let map = case.senders.as_deref().expect("a sender map");
    let file = Path::new("senders.map");
    let identity = Identity { sid: HostName::parse(US).unwrap(), kid: Kid::parse(KID).unwrap() };
    SenderRules {
        signer: Some((identity, Arc::new(key("recv")))),
        dkim: None,
        dkim2: None,
        form: Form::Combined,
        senders: SenderMap::from_text(world.hosted.clone(), OwnDomain::ByRuleOnly, file, map).unwrap(),
        hosted: world.hosted.clone(),
        on_mismatch,
        window: zi2_sig::limits::WINDOW_SECS,
    }
}

fn submitter(step: &MilterStep) -> Submitter {
    match &step.client {
        Client::Login(login) => Submitter::Login(login.clone()),
        Client::Network(address) => Submitter::Network(*address),
    }
}

/// What the milter leaves out before it looks: earlier results and certifications of ZI2.
fn bare(header: &Header<'_>) -> Header<'static> {
    let mut builder: HeaderBuilder = Header::builder();
    let zi2 = |name: &[u8]| [FIELD_NAME, VERIFIED_FIELD].iter().any(|ours| name.eq_ignore_ascii_case(ours.as_bytes()));
    header.fields().filter(|field| !zi2(field.name())).for_each(|field| builder.push(field.name(), field.value()));
    builder.finish()
}

/// Each egress step through [`SenderRules::depart`]: the decision, its reason, and the fields that come of it.
#[test]
fn who_is_certified() {
    let mut count = 0;
    for case in milter_cases() {
        for (at, step) in case.milter.iter().enumerate().filter(|(_, step)| step.role == Role::Egress) {
            let name = format!("{} milter step {}", case.id, at + 1);
            let octets = case.octets(&step.message);
            let message = Message::split(&octets);
            let header = bare(&message.header);
            let world = world(&case, step);
            let rules = rules(&case, &world, OnMismatch::Skip);
            let departure = rules.depart(&header, &submitter(step), world.now, nonce("recv"));
            let (decision, reason, ours) = decided(departure, &rules, &header, message.body, step, &world);
            assert_eq!(Some(decision), step.decision, "{name}");
            assert_eq!(reason.map(|reason| reason.as_str().to_owned()), step.reason, "{name}");
            let after: Vec<_> = ours.into_iter().chain(pairs(&header)).collect();
            step.check(&after).unwrap_or_else(|what| panic!("{name}: {what}"));
            count += 1;
        }
    }
    assert!(count >= 9, "only {count}");
}

type Decided = (Decision, Option<Reason>, Option<(String, String)>);

fn decided(
    departure: Departure,
    rules: &SenderRules,
    header: &Header<'_>,
    body: &[u8],
    step: &MilterStep,
    world: &World,
) -> Decided {
    let envelope = Envelope::of(&step.rcpt);
    match departure {
        Departure::Sign(mut outbound) => {
            body.chunks(1).for_each(|octet| outbound.body(octet));
            match outbound.finish(header, &envelope, &rules.hosted).certified {
                Ok(certified) => {
                    let field = certified.signed.field;
                    (Decision::Certify, None, Some((field.name().to_owned(), field.milter_value().to_owned())))
                }
                Err(reason) => (Decision::Refuse, Some(reason), None),
            }
        }
        Departure::Leave(reason, _) => (Decision::Leave, Some(reason), None),
        Departure::Mismatch(from) => {
            let marked = envelope.any_hosted(&rules.hosted).then(|| {
                let field = login_mismatch(&HostName::parse(US).unwrap(), from.as_ref(), world.now).unwrap();
                (field.name().to_owned(), field.milter_value().to_owned())
            });
            (Decision::Mismatch, Some(Reason::TenantLoginMismatch), marked)
        }
        Departure::Reject(_) => panic!("the operator asked for skip"),
    }
}

/// `on_mismatch = "reject"` refuses logins only: a stranger must not have mail refused by pretending.
#[test]
fn only_logins_are_rejected() {
    for case in milter_cases() {
        for step in case.milter.iter().filter(|step| step.decision == Some(Decision::Mismatch)) {
            let octets = case.octets(&step.message);
            let world = world(&case, step);
            let departure = rules(&case, &world, OnMismatch::Reject).depart(
                &Message::split(&octets).header,
                &submitter(step),
                world.now,
                nonce("recv"),
            );
            let rejected = matches!(departure, Departure::Reject(_));
            assert_eq!(rejected, matches!(step.client, Client::Login(_)), "{}", case.id);
        }
    }
}

/// TC-076 to TC-080: of the fields that came, exactly the ones that the case keeps are not ours.
#[test]
fn forged_results_are_recognized() {
    let mut removed = 0;
    for case in milter_cases() {
        for step in case.milter.iter().filter(|step| step.role == Role::Ingress) {
            let octets = case.octets(&step.message);
            let header = Message::split(&octets).header;
            let all = header.fields().len();
            let stays = header.fields().filter(|field| {
                let is = |name: &str| field.name().eq_ignore_ascii_case(name.as_bytes());
                let ours = is(VERIFIED_FIELD) || (is("authentication-results") && is_authserv_id(field.value(), US));
                !ours
            });
            let kept: Vec<String> = stays.map(|field| String::from_utf8(field.raw().to_vec()).unwrap()).collect();
            removed += all - kept.len();
            let wanted = step.fields.iter().filter_map(|field| match field {
                After::Kept(field) => Some(field.clone()),
                After::Ours { .. } => None,
            });
            assert_eq!(kept, wanted.collect::<Vec<_>>(), "{}", case.id);
        }
    }
    assert_eq!(removed, 9 + 11 + 3 + 3 + 3 + 3);
}

fn pairs(header: &Header<'_>) -> Vec<(String, String)> {
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    header.fields().map(|field| (text(field.name()), text(field.value()))).collect()
}
