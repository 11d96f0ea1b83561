//! `n=` of our own signatures: the name of a transaction, with a code that only we can make.

use aws_lc_rs::hmac;

use crate::limits;

/// A key for `n=`. Whoever sends a bounce of ours back cannot name another transaction.
pub struct NonceKey(hmac::Key);

/// Octets of the code that are kept: 128 bits in base 16.
const CODE_DIGITS: usize = 32;

impl NonceKey {
    /// The key of this secret, of which nothing else is made.
    pub fn new(secret: &[u8; 32]) -> NonceKey {
        NonceKey(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// `n=` for a transaction, as the queue names it: letters and digits, `-`, `_`, as many as `n=` has room for.
    pub fn nonce(&self, transaction: &str) -> Option<String> {
        let room = limits::DKIM2_NONCE - CODE_DIGITS - 1;
        let fits = super::super::field::is_word(transaction) && transaction.len() <= room;
        fits.then(|| format!("{transaction}.{}", self.code(transaction)))
    }

    /// The transaction that an `n=` names, if this key made it.
    pub fn transaction<'n>(&self, nonce: &'n str) -> Option<&'n str> {
        let (transaction, code) = nonce.rsplit_once('.')?;
        let own = self.code(transaction);
        aws_lc_rs::constant_time::verify_slices_are_equal(own.as_bytes(), code.as_bytes()).ok()?;
        Some(transaction)
    }

    fn code(&self, transaction: &str) -> String {
        let code = hmac::sign(&self.0, &[b"zi2 dkim2 n=", transaction.as_bytes()].concat());
        let octets = code.as_ref().iter().take(CODE_DIGITS / 2);
        octets.fold(String::new(), |text, octet| text + &format!("{octet:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_key_that_made_it_knows_it() {
        let (ours, other) = (NonceKey::new(&[1; 32]), NonceKey::new(&[2; 32]));
        let nonce = ours.nonce("4bX9-12_a").unwrap();
        assert!(nonce.len() <= limits::DKIM2_NONCE);
        assert_eq!(ours.transaction(&nonce), Some("4bX9-12_a"));
        assert_eq!(other.transaction(&nonce), None);
        for forged in [nonce.replacen("4b", "4c", 1), nonce.to_uppercase(), "4bX9-12_a.".into(), String::new()] {
            assert_eq!(ours.transaction(&forged), None, "{forged}");
        }
        let longest = "x".repeat(limits::DKIM2_NONCE - CODE_DIGITS - 1);
        assert_eq!(ours.nonce(&longest).unwrap().len(), limits::DKIM2_NONCE);
        for none in [longest + "x", String::new(), "a;b".into(), "a b".into()] {
            assert_eq!(ours.nonce(&none), None, "{none}");
        }
    }
}
