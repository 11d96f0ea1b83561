//! Durations as people write them: a whole number and a unit, `60ms`, `3s`, `5m`, `24h`, `7d`.

/// Units with their milliseconds, longest first.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// The milliseconds of a duration. Refuses fractions, signs, two units, and a number without one.
pub(crate) fn parse(text: &str) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    let (_, millis) = UNITS.iter().find(|(name, _)| *name == unit.trim_start())?;
    number.parse::<u64>().ok()?.checked_mul(*millis)
}

/// Milliseconds as people write them: in the largest unit that holds two of them or one exactly.
pub(crate) fn write(millis: u64) -> String {
    let fits = |(_, unit): &&(&str, u64)| millis.is_multiple_of(*unit) && (millis / unit >= 2 || *unit < 86_400_000);
    match UNITS.iter().filter(|(_, unit)| millis >= *unit).find(fits) {
        Some((name, unit)) => format!("{}{name}", millis / unit),
        None => "0s".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, millis, shown) in [
            ("60ms", 60, "60ms"),
            ("3s", 3_000, "3s"),
            ("5m", 300_000, "5m"),
            ("24h", 86_400_000, "24h"),
            ("1d", 86_400_000, "24h"),
            ("7d", 604_800_000, "7d"),
            ("168h", 604_800_000, "7d"),
            ("90s", 90_000, "90s"),
            ("25 s", 25_000, "25s"),
            ("0ms", 0, "0s"),
            ("1001ms", 1_001, "1001ms"),
        ] {
            assert_eq!(parse(text), Some(millis), "{text}");
            assert_eq!(write(millis), shown);
            assert_eq!(parse(shown), Some(millis));
        }
        for text in [
            "",
            "60",
            "s",
            "-1s",
            "+1s",
            "1.5h",
            "1h30m",
            "1H",
            "1w",
            "1 \u{2009}x",
            "18446744073709551615d",
            "\u{661}s",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
