//! The key identifier `zi2-cert-YYYY-MM`.

use std::fmt;

/// A key identifier: the month a key was made for. It holds nothing but a year and a month, so that it can stand in a
/// DNS name, a file name and a header without any escape.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Kid {
    year: u16,
    month: u8,
}

/// Why a text is no key identifier.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a key identifier reads zi2-cert-YYYY-MM, with a month from 01 to 12")]
pub struct KidError;

const PREFIX: &str = "zi2-cert-";

impl Kid {
    /// Reads `zi2-cert-YYYY-MM`. Refuses any other text, also one that differs in letter case.
    pub fn parse(text: &str) -> Result<Kid, KidError> {
        let (year, month) = text.strip_prefix(PREFIX).and_then(|rest| rest.split_once('-')).ok_or(KidError)?;
        if year.len() != 4 || month.len() != 2 || !year.bytes().chain(month.bytes()).all(|b| b.is_ascii_digit()) {
            return Err(KidError);
        }
        Kid::of_month(year.parse().map_err(|_| KidError)?, month.parse().map_err(|_| KidError)?)
    }

    /// The identifier for a month. Refuses a month outside 1 to 12 or a year of more than four digits.
    pub fn of_month(year: u16, month: u8) -> Result<Kid, KidError> {
        if year > 9999 || !(1..=12).contains(&month) { Err(KidError) } else { Ok(Kid { year, month }) }
    }

    /// Year and month.
    pub fn month(self) -> (u16, u8) {
        (self.year, self.month)
    }
}

impl fmt::Display for Kid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{:04}-{:02}", self.year, self.month)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_month_and_nothing_else() {
        assert_eq!(Kid::parse("zi2-cert-2026-04").unwrap().to_string(), "zi2-cert-2026-04");
        for bad in [
            "",
            "zi2-cert-2026-13",
            "zi2-cert-2026-00",
            "zi2-cert-2026-4",
            "ZI2-cert-2026-04",
            "zi2-cert-2026-04b",
            "zi2-cert-../../x",
            "zi2-cert-+026-04",
            "zi2-cert-2026-04\0",
            "zi2-cert-２０２６-04",
        ] {
            assert_eq!(Kid::parse(bad), Err(KidError), "{bad:?}");
        }
    }
}
