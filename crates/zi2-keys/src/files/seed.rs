//! Seeds for new keys, from the system's random numbers only (security.md K1).

use std::io;

use rustix::rand::{GetRandomFlags, getrandom};
use zeroize::Zeroizing;
use zi2_sig::{PublicKey, SigningKey};

/// A seed that passed its test. It cannot be printed or copied, and is wiped when dropped.
pub struct Seed(Zeroizing<[u8; 32]>);

/// Why there is no seed. Nothing is written then.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// getrandom(2) failed.
    #[error("the system gave no random numbers: {0}; no key was made")]
    Random(#[from] io::Error),
    /// It gave the same twice, or a row of equal octets: a virtual machine's copy, or a broken kernel.
    #[error(
        "the system's random numbers repeat; no key was made. Do not make keys on this machine before that is repaired"
    )]
    Repeats,
    /// The key of the seed did not verify its own signature.
    #[error("the new key failed its self-test; no key was made. This is a fault of this machine or of this program")]
    SelfTest,
}

impl Seed {
    /// A new seed from getrandom(2), which waits until the system has gathered enough at boot.
    pub fn from_system() -> Result<Seed, SeedError> {
        Seed::drawn(|octets| {
            let filled = getrandom(octets.as_mut_slice(), GetRandomFlags::empty())?;
            // getrandom(2): up to 256 octets are never cut short
            if filled == 32 { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
        })
    }

    /// A seed brought from elsewhere: a key kept in a safe, a test's. Refuses one whose key does not work.
    pub fn from_octets(octets: &[u8; 32]) -> Result<Seed, SeedError> {
        let seed = Seed(Zeroizing::new(*octets));
        seed.public()?;
        Ok(seed)
    }

    /// Two draws, of which one is used: they differ unless the generator is broken.
    fn drawn(mut draw: impl FnMut(&mut [u8; 32]) -> io::Result<()>) -> Result<Seed, SeedError> {
        let (mut first, mut second) = (Zeroizing::new([0; 32]), Zeroizing::new([0; 32]));
        draw(&mut first)?;
        draw(&mut second)?;
        let is_flat = |octets: &[u8; 32]| octets.iter().all(|octet| Some(octet) == octets.first());
        if first == second || is_flat(&first) || is_flat(&second) {
            return Err(SeedError::Repeats);
        }
        Seed::from_octets(&first)
    }

    /// The public key, after the self-test. Strict verification refuses a public key of small order.
    pub fn public(&self) -> Result<PublicKey, SeedError> {
        let key = SigningKey::from_seed(&self.0).ok_or(SeedError::SelfTest)?;
        let signature = key.sign(SELF_TEST);
        if key.public().verify(SELF_TEST, &signature) { Ok(key.public()) } else { Err(SeedError::SelfTest) }
    }

    pub(crate) fn pem(&self) -> Zeroizing<String> {
        zi2_sig::pkcs8_pem(&self.0)
    }
}

/// Not a payload or input of zi2.md §4 or §5, so the signature is worth nothing.
const SELF_TEST: &[u8] = b"zi2-cert key self-test";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_of_the_system_differ() {
        let [a, b] = [Seed::from_system().unwrap(), Seed::from_system().unwrap()];
        assert_ne!(a.public().unwrap(), b.public().unwrap());
    }

    #[test]
    fn a_broken_generator_makes_no_key() {
        assert!(matches!(Seed::drawn(|_| Ok(())).err(), Some(SeedError::Repeats)), "zeros");
        let repeat = |octets: &mut [u8; 32]| {
            *octets = std::array::from_fn(|at| u8::try_from(at).unwrap());
            Ok(())
        };
        assert!(matches!(Seed::drawn(repeat).err(), Some(SeedError::Repeats)));
        let mut n = 0;
        let flat = |octets: &mut [u8; 32]| {
            n += 1;
            octets.fill(n);
            Ok(())
        };
        assert!(matches!(Seed::drawn(flat).err(), Some(SeedError::Repeats)));
        let failing = |_: &mut [u8; 32]| Err(io::ErrorKind::PermissionDenied.into());
        assert!(matches!(Seed::drawn(failing).err(), Some(SeedError::Random(_))));
    }
}
