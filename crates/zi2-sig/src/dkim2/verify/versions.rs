//! The versions of the message, from the newest back to the first: what their hashes say, and whose From it is.

use zi2_mail::{BodyCanon, DigestPlan, Digests, Domain, HashAlg, Header, Lane, parse_from};

use crate::dkim2::field::hash_name;
use crate::dkim2::outcome::Fingerprint;
use crate::dkim2::recipe::HeaderVersion;
use crate::dkim2::{BodyRecipe, BodyVersion, Chain, Failure, Hashes, Instance, Place, Problem, groups};
use crate::hash::first_octets;
use crate::limits;

/// What was found of the versions without the body, and where the digests of the body will be.
pub(super) struct Versions {
    /// For each instance, the oldest first, and each algorithm known: the hash of its header section.
    headers: Vec<Hashed>,
    lanes: [Lane; 2],
    from: Option<Failure>,
    want_body: bool,
    header: [u8; 32],
}

/// Hashes of one thing by the algorithms there are; nothing for one that nobody asks for.
#[derive(Clone, Default)]
struct Hashed {
    sha256: Option<Box<[u8]>>,
    sha512: Option<Box<[u8]>>,
}

impl Hashed {
    fn get(&self, algorithm: HashAlg) -> Option<&[u8]> {
        match algorithm {
            HashAlg::Sha256 => self.sha256.as_deref(),
            HashAlg::Sha512 => self.sha512.as_deref(),
            HashAlg::Sha1 => None,
        }
    }
}

const ALGORITHMS: [HashAlg; 2] = [HashAlg::Sha256, HashAlg::Sha512];

impl Versions {
    /// Undoes the header recipes, and asks `plan` for the digests of the body as it is.
    pub(super) fn of(header: &Header<'_>, chain: &Chain, plan: &mut DigestPlan) -> Versions {
        let wanted = wanted(chain);
        let mut version = HeaderVersion::of(header, chain.draft);
        let (mut headers, mut from) = (Vec::new(), None);
        let mut hashed = hashed(&version, wanted);
        // SHA-256 always: it tells this version from others later.
        let fingerprint = match &hashed.sha256 {
            Some(known) => first_octets(known),
            None => first_octets(&version.hash(HashAlg::Sha256)),
        };
        for instance in chain.instances.iter().rev() {
            headers.push(hashed.clone());
            let changes =
                instance.recipe().filter(|_| instance.number() > 1).filter(|recipe| recipe.header().len() > 0);
            if let Some(recipe) = changes {
                if recipe.header().any(|(name, _)| name == "from") {
                    from = from.or_else(|| author_failure(&version, chain, instance.number()));
                }
                version.undo(recipe.header(), chain.draft);
                hashed = self::hashed(&version, wanted);
            }
        }
        headers.reverse();
        let from = from.or_else(|| author_failure(&version, chain, 1));
        let sha256 = plan.request(BodyCanon::Simple, HashAlg::Sha256);
        let sha512 = if wanted[1] { plan.request(BodyCanon::Simple, HashAlg::Sha512) } else { sha256 };
        let older = chain.instances.iter().filter(|instance| instance.number() > 1);
        let want_body = older.filter_map(Instance::recipe).any(|recipe| matches!(recipe.body(), BodyRecipe::Steps(_)));
        Versions { headers, lanes: [sha256, sha512], from, want_body, header: fingerprint }
    }

    pub(super) fn want_body(&self) -> bool {
        self.want_body
    }

    /// § -08 11: why From does not belong to those who answer for it.
    pub(super) fn wrong_author(&self) -> Option<Failure> {
        self.from.clone()
    }

    /// The hashes of the newest instance.
    pub(super) fn check_newest(&self, chain: &Chain, digests: &Digests) -> Result<Fingerprint, Failure> {
        let body = self.received(digests);
        if let (Some(newest), Some(header)) = (chain.instances.last(), self.headers.last()) {
            check(chain, newest, header, Some(&body))?;
        }
        Ok(Fingerprint { header: self.header, body: first_octets(digests.get(self.lanes[0])) })
    }

    /// The hashes of the newest instance as far as they are of the header section.
    pub(super) fn check_header(&self, chain: &Chain) -> Result<(), Failure> {
        match (chain.instances.last(), self.headers.last()) {
            (Some(newest), Some(header)) => check(chain, newest, header, None),
            _ => Ok(()),
        }
    }

    /// The hashes of all others, back to the first.
    pub(super) fn check_older(
        &self,
        chain: &Chain,
        digests: &Digests,
        body: Result<&[u8], Problem>,
    ) -> Result<(), Failure> {
        let mut hashed = self.received(digests);
        let mut version: Option<BodyVersion<'_>> = None;
        let mut spent = 0_u64;
        let pairs = chain.instances.iter().zip(chain.instances.iter().skip(1)).zip(&self.headers);
        for ((older, newer), header) in pairs.rev() {
            match newer.recipe().map_or(&BodyRecipe::Unchanged, |recipe| recipe.body()) {
                BodyRecipe::Unchanged => {}
                BodyRecipe::Null => return Err(failure(chain, newer, Problem::NullBody)),
                BodyRecipe::Steps(_) if spent > limits::DKIM2_HASHED_OCTETS => {
                    return Err(failure(chain, newer, Problem::TooMuchWork));
                }
                BodyRecipe::Steps(steps) => {
                    let body = body.as_ref().map_err(|problem| failure(chain, newer, problem.clone()))?;
                    let version = version.get_or_insert_with(|| BodyVersion::of(body));
                    version.undo(steps);
                    let octets;
                    (hashed, octets) = hashed_body(version, wanted(chain));
                    spent = spent.saturating_add(octets);
                }
            }
            check(chain, older, header, Some(&hashed))?;
        }
        Ok(())
    }

    /// The digests of the body as received.
    fn received(&self, digests: &Digests) -> Hashed {
        let [sha256, sha512] = self.lanes.map(|lane| Some(Box::from(digests.get(lane))));
        Hashed { sha256, sha512: sha512.filter(|_| self.lanes[0] != self.lanes[1]) }
    }
}

/// Which of [`ALGORITHMS`] an instance of the chain names.
fn wanted(chain: &Chain) -> [bool; 2] {
    ALGORITHMS.map(|algorithm| {
        chain.instances.iter().flat_map(Instance::hashes).any(|hashes| hashes.algorithm == Some(algorithm))
    })
}

fn hashed(version: &HeaderVersion<'_>, [sha256, sha512]: [bool; 2]) -> Hashed {
    Hashed {
        sha256: sha256.then(|| version.hash(HashAlg::Sha256)),
        sha512: sha512.then(|| version.hash(HashAlg::Sha512)),
    }
}

/// The digests of a body that was made again, and how many octets that took.
fn hashed_body(version: &BodyVersion<'_>, wanted: [bool; 2]) -> (Hashed, u64) {
    let mut plan = DigestPlan::new();
    let [sha256, sha512] = [0, 1].map(|place: usize| {
        let algorithm = ALGORITHMS.get(place).filter(|_| wanted.get(place) == Some(&true));
        algorithm.map(|algorithm| plan.request(BodyCanon::Simple, *algorithm))
    });
    let mut digester = plan.start();
    version.write(&mut |octets| digester.feed(octets));
    let digests = digester.finish();
    let get = |lane: Option<Lane>| lane.map(|lane| Box::from(digests.get(lane)));
    (Hashed { sha256: get(sha256), sha512: get(sha512) }, digests.octets())
}

/// Whether a header section is that of an instance.
pub(super) fn check_header(header: &Header<'_>, chain: &Chain, instance: u32) -> Result<(), Failure> {
    let Some(instance) = chain.instances.iter().find(|one| one.number() == instance) else { return Ok(()) };
    let hashed = hashed(&HeaderVersion::of(header, chain.draft), wanted(chain));
    check(chain, instance, &hashed, None)
}

/// Whether the hashes of an instance are these; without those of a body its own are not looked at.
fn check(chain: &Chain, instance: &Instance, header: &Hashed, body: Option<&Hashed>) -> Result<(), Failure> {
    let differs = |body: &Hashed, algorithm, expected: &[u8]| body.get(algorithm) != Some(expected);
    let member = |hashes: &Hashes| {
        let problem = match hashes.algorithm {
            None => Problem::HashUnknown(hashes.name.to_string()),
            Some(algorithm) if header.get(algorithm) != Some(&*hashes.header) => {
                Problem::HeaderHash(hash_name(algorithm))
            }
            Some(algorithm) if body.is_some_and(|body| differs(body, algorithm, &hashes.body)) => {
                Problem::BodyHash(hash_name(algorithm))
            }
            Some(_) => return Ok(()),
        };
        Err(Failure { problem, draft: chain.draft, place: instance.place("h", hashes.offset) })
    };
    groups::judged(instance.groups(), member, Problem::NoHashGroup)
}

fn failure(chain: &Chain, instance: &Instance, problem: Problem) -> Failure {
    Failure { problem, draft: chain.draft, place: instance.place("r", instance.recipe_offset) }
}

/// § -08 11: From of this version must belong to the signature that first covered it.
fn author_failure(version: &HeaderVersion<'_>, chain: &Chain, instance: u32) -> Option<Failure> {
    let signature = chain.first_over(instance)?;
    let is_authentic = author(version).is_some_and(|from| from.is_within(signature.domain()));
    let place = Place { instance: Some(instance), ..signature.place("d") };
    (!is_authentic).then_some(Failure { problem: Problem::From, draft: chain.draft, place })
}

/// The domain of the one mailbox of the one From field.
pub(in crate::dkim2) fn author(version: &HeaderVersion<'_>) -> Option<Domain> {
    match version.values("from") {
        [from] => parse_from(from).ok()?.domain().cloned(),
        _ => None,
    }
}
