//! mail-auth with its keys in a cache of its own.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use mail_auth::crypto::{Ed25519Key, RsaKey, Sha256};
use mail_auth::dkim::DkimSigner;
use mail_auth::dns::Parameters;
use mail_auth::headers::HeaderWriter;
use mail_auth::signer::Ready;
use mail_auth::{AuthenticatedMessage, DkimResult, MessageAuthenticator};
use rustls_pki_types::PrivatePkcs8KeyDer;

use crate::keys::{Key, SEED, rsa_der};
use crate::world::World;

/// Verifies and signs with one key.
pub(crate) struct Peer {
    authenticator: MessageAuthenticator,
    world: World,
    signer: Signer,
}

enum Signer {
    Rsa(DkimSigner<RsaKey<Sha256>, Ready>),
    Ed25519(DkimSigner<Ed25519Key, Ready>),
}

/// The fields that our own recipe signs.
const FIELDS: [&str; 13] = [
    "From",
    "To",
    "Cc",
    "Reply-To",
    "Subject",
    "Date",
    "Message-ID",
    "Content-Type",
    "Content-Transfer-Encoding",
    "MIME-Version",
    "Sender",
    "In-Reply-To",
    "References",
];

impl Peer {
    pub(crate) fn new(key: &Key) -> Peer {
        let world = World::of([("s2026._domainkey.example.com", key.identity.key.record())]);
        let signer = if key.identity.key.is_rsa() {
            let key = RsaKey::<Sha256>::from_key_der(PrivatePkcs8KeyDer::from(rsa_der()).into()).unwrap();
            Signer::Rsa(DkimSigner::from_key(key).domain("example.com").selector("s2026").headers(FIELDS))
        } else {
            let public = zi2_sig::SigningKey::from_seed(&SEED).unwrap().public();
            let key = Ed25519Key::from_seed_and_public_key(&SEED, public.as_octets()).unwrap();
            Signer::Ed25519(DkimSigner::from_key(key).domain("example.com").selector("s2026").headers(FIELDS))
        };
        Peer { authenticator: MessageAuthenticator::new_cloudflare().unwrap(), world, signer }
    }

    pub(crate) fn verify(&self, octets: &[u8]) -> bool {
        let message = AuthenticatedMessage::parse(octets).unwrap();
        let verifying = pin!(self.authenticator.verify_dkim(Parameters::new(&message).with_cache(&self.world)));
        // The key is in the cache: there is nothing to wait for.
        let Poll::Ready(results) = verifying.poll(&mut Context::from_waker(Waker::noop())) else { return false };
        !results.is_empty() && results.iter().all(|result| result.result() == &DkimResult::Pass)
    }

    pub(crate) fn sign(&self, octets: &[u8]) -> String {
        match &self.signer {
            Signer::Rsa(signer) => signer.sign(octets).unwrap().to_header(),
            Signer::Ed25519(signer) => signer.sign(octets).unwrap().to_header(),
        }
    }
}
