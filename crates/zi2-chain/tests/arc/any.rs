//! What must hold for any octets.

use std::sync::LazyLock;

use proptest::prelude::*;
use zi2_chain::arc::{AuthResults, Outcome};

use crate::suite::{Case, case};
use crate::world::{Keys, verify};

static CASE: LazyLock<Case> = LazyLock::new(|| case("cv_pass_i2_1"));

proptest! {
    #[test]
    fn any_fields(lines in prop::collection::vec("(ARC-Seal|ARC-Message-Signature|ARC-Authentication-Results|From): ?[iabcdhsv=;:0-9 .(\"\\\\)]{0,40}", 0..9)) {
        let message = lines.join("\r\n") + "\r\n\r\n";
        let (result, _) = verify(message.as_bytes(), &Keys::default());
        prop_assert!(result.chain.is_none());
    }

    #[test]
    fn any_report(octets in prop::collection::vec(any::<u8>(), 0..120), text in "[a-c=;.()\"\\\\ 1\r\n/-]{0,60}") {
        let _ = AuthResults::parse(&octets);
        if let Some(results) = AuthResults::parse(text.as_bytes()) {
            let values = results.methods().iter().flat_map(|method| method.properties()).map(|property| &property.value);
            prop_assert!(values.into_iter().all(|value| !value.chars().any(char::is_control)));
        }
    }

    /// An octet of what is signed, changed: the chain breaks, unless canonicalization hides it.
    #[test]
    fn any_octet_changed(place in 0_usize..3000, octet in b'!'..=b'~') {
        let Case { message, keys, .. } = &*CASE;
        let mut message = message.clone();
        let place = place % message.len();
        let before = message[place];
        prop_assume!(!before.is_ascii_whitespace() && !before.eq_ignore_ascii_case(&octet));
        message[place] = octet;
        let (result, _) = verify(&message, keys);
        let (original, _) = verify(&CASE.message, keys);
        // fields that nobody signed may change; what a passing chain says may not
        prop_assert!(result.outcome() != Outcome::Pass || result.chain == original.chain);
    }
}
