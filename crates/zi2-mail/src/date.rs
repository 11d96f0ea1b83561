//! Dates of RFC 5322 §3.3, with the obsolete years and zones of §4.3.
//!
//! Refuses dates that are none (30 February). Does not look at whether the day of the week fits: nothing rests on it.

use crate::lexer::{LexError, Lexer};
use crate::name::Timestamp;

/// Reads the value of a Date field.
///
/// Refuses times before 1970 and after the year 9999.
///
/// ```
/// let time = zi2_mail::parse_date(b" Tue, 28 Apr 2026 17:30:00 +0000").unwrap();
/// assert_eq!(time.secs(), 1_777_397_400);
/// ```
///
/// # Errors
///
/// [`DateError`] says what is wrong.
pub fn parse_date(value: &[u8]) -> Result<Timestamp, DateError> {
    let mut lexer = Lexer::new(value)?;
    // § RFC 5322 §3.3: date-time = [ day-of-week "," ] date time [CFWS]
    lexer.skip_cfws()?;
    let mut day = lexer.atom();
    if WEEKDAYS.iter().any(|name| name.eq_ignore_ascii_case(day)) {
        lexer.skip_cfws()?;
        lexer.expect(b',')?;
        day = next_atom(&mut lexer)?;
    }
    let day = digits(day, 1, 2).ok_or(lexer.syntax())?;
    let month = next_atom(&mut lexer)?;
    let month = (1..).zip(MONTHS).find(|(_, name)| name.eq_ignore_ascii_case(month)).ok_or(lexer.syntax())?.0;
    let year = year(next_atom(&mut lexer)?).ok_or(lexer.syntax())?;
    let time = time_of_day(&mut lexer)?;
    let zone = zone(next_atom(&mut lexer)?).ok_or(lexer.syntax())?;
    lexer.skip_cfws()?;
    if lexer.peek().is_some() {
        return Err(lexer.syntax().into());
    }
    let days = days_from_1970(year, month, day).ok_or(DateError::NoSuchDay)?;
    let secs = u64::try_from(days * 86_400 + time - zone).map_err(|_| DateError::Before1970)?;
    Ok(Timestamp::from_secs(secs))
}

/// The value of a Date field for a time, in UTC. Years after 9999 are written as that one.
///
/// ```
/// let time = zi2_mail::Timestamp::from_secs(1_777_397_400);
/// assert_eq!(zi2_mail::format_date(time), "Tue, 28 Apr 2026 17:30:00 +0000");
/// ```
#[must_use]
pub fn format_date(time: Timestamp) -> String {
    let (year, month, day) = time.date();
    // Day 0 was a Thursday.
    let weekday = WEEKDAYS.iter().cycle().nth(usize::try_from((time.day() + 3) % 7).unwrap_or(0)).unwrap_or(&"Thu");
    let month = MONTHS.get(usize::from(month).saturating_sub(1)).unwrap_or(&"Jan");
    let second = time.secs() % 86_400;
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{weekday}, {day:02} {month} {:04} {hour:02}:{minute:02}:{second:02} +0000", year.min(9999))
}

/// Why a value is no date. The fault is with whoever made the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DateError {
    /// Not a date of RFC 5322, or an hour, minute, second or zone out of range.
    #[error("this is no date of RFC 5322 (at octet {offset})")]
    Syntax {
        /// Offset into the value, behind the wrong part.
        offset: usize,
    },
    /// A day its month does not have.
    #[error("the month has no such day")]
    NoSuchDay,
    /// A time that Unix seconds without a sign cannot hold.
    #[error("the date is before 1970")]
    Before1970,
    /// Comments nested deeper than [`COMMENT_DEPTH`](crate::limits::COMMENT_DEPTH).
    #[error("comments are nested more than 16 deep")]
    TooDeep,
}

impl From<LexError> for DateError {
    fn from(error: LexError) -> Self {
        match error {
            LexError::Syntax { offset } => Self::Syntax { offset },
            LexError::TooDeep => Self::TooDeep,
        }
    }
}

const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

fn next_atom<'a>(lexer: &mut Lexer<'a>) -> Result<&'a str, LexError> {
    lexer.skip_cfws()?;
    Ok(lexer.atom())
}

/// § RFC 5322 §3.3: hour ":" minute [":" second], 60 for a leap second.
fn time_of_day(lexer: &mut Lexer<'_>) -> Result<i64, LexError> {
    let part = |lexer: &mut Lexer<'_>, below: i64| {
        let text = next_atom(lexer)?;
        digits(text, 2, 2).filter(|value| *value < below).ok_or(lexer.syntax())
    };
    let hour = part(lexer, 24)?;
    lexer.skip_cfws()?;
    lexer.expect(b':')?;
    let minute = part(lexer, 60)?;
    lexer.skip_cfws()?;
    let second = if lexer.eat(b':') { part(lexer, 61)? } else { 0 };
    Ok(hour * 3600 + minute * 60 + second)
}

/// § RFC 5322 §4.3: two digits mean 1950 to 2049, three count from 1900.
fn year(text: &str) -> Option<i64> {
    let year = digits(text, 2, 4)?;
    match (text.len(), year) {
        (2, ..50) => Some(year + 2000),
        (2 | 3, _) => Some(year + 1900),
        _ => Some(year).filter(|year| *year >= 1900),
    }
}

/// Seconds east of UTC. § RFC 5322 §4.3: letters whose meaning nobody agreed on count as -0000.
fn zone(text: &str) -> Option<i64> {
    if let Some(offset) = text.strip_prefix('+') {
        return zone_offset(offset);
    }
    if let Some(offset) = text.strip_prefix('-') {
        return zone_offset(offset).map(|offset| -offset);
    }
    let hours = match text.to_ascii_uppercase().as_str() {
        "EDT" => -4,
        "EST" | "CDT" => -5,
        "CST" | "MDT" => -6,
        "MST" | "PDT" => -7,
        "PST" => -8,
        letters if (1..=5).contains(&letters.len()) && letters.bytes().all(|octet| octet.is_ascii_alphabetic()) => 0,
        _ => return None,
    };
    Some(hours * 3600)
}

fn zone_offset(text: &str) -> Option<i64> {
    let offset = digits(text, 4, 4)?;
    let (hours, minutes) = (offset / 100, offset % 100);
    Some(hours * 3600 + minutes * 60).filter(|_| minutes < 60)
}

fn digits(text: &str, least: usize, most: usize) -> Option<i64> {
    let good = (least..=most).contains(&text.len()) && text.bytes().all(|octet| octet.is_ascii_digit());
    if good { text.parse().ok() } else { None }
}

/// Days since 1970 of a Gregorian date, `None` for a day the month does not have.
pub(crate) fn days_from_1970(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let length = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    if !(1..=length).contains(&day) {
        return None;
    }
    // A year that begins in March has its leap day last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year / 4 - year / 100 + year / 400;
    Some(year * 365 + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dates() {
        for (value, secs) in [
            (" Tue, 28 Apr 2026 17:30:00 +0000", 1_777_397_400),
            ("28 apr 2026 17:30:00 +0000", 1_777_397_400),
            ("Tue,28 Apr 2026 19:30 +0200", 1_777_397_400),
            ("Tue, 28 Apr 2026 10:30:00 -0700 (PDT)", 1_777_397_400),
            ("Mon, 28 Apr 2026 17:30:00 GMT", 1_777_397_400), // a wrong weekday
            ("(a) Tue (b), 28\r\n Apr (c) 26 17 : 30 : 00 (d) EST ", 1_777_415_400),
            ("Tue, 28 Apr 126 17:30:00 pdt", 1_777_422_600), // three digits, from 1900
            ("28 Apr 2026 17:30:00 Z", 1_777_397_400),
            ("28 Apr 2026 17:30:00 CEST", 1_777_397_400),
            ("1 Jan 1970 00:00:00 -0000", 0),
            ("1 Jan 70 00:00:00 UT", 0),
            ("29 Feb 2000 23:59:60 +0000", 951_868_800),
            ("1 Mar 2100 00:00:00 +0000", 4_107_542_400),
            ("31 Dec 9999 23:59:59 +0000", 253_402_300_799),
        ] {
            assert_eq!(parse_date(value.as_bytes()), Ok(Timestamp::from_secs(secs)), "{value}");
        }
    }

    #[test]
    fn refusals() {
        for value in [
            "",
            "Tue 28 Apr 2026 17:30:00 +0000",
            "Foo, 28 Apr 2026 17:30:00 +0000",
            "28 April 2026 17:30:00 +0000",
            "028 Apr 2026 17:30:00 +0000",
            "28 Apr 2 17:30:00 +0000",
            "28 Apr 20260 17:30:00 +0000",
            "28 Apr 1899 17:30:00 +0000",
            "28 Apr 2026 24:00:00 +0000",
            "28 Apr 2026 17:60:00 +0000",
            "28 Apr 2026 17:30:61 +0000",
            "28 Apr 2026 7:30:00 +0000",
            "28 Apr 2026 17:30:00",
            "28 Apr 2026 17:30:00 0000",
            "28 Apr 2026 17:30:00 +00:00",
            "28 Apr 2026 17:30:00 +0060",
            "28 Apr 2026 17:30:00 +0000 x",
            "28 Apr 2026 17:30:00 +0000\0",
            "2026-04-28T17:30:00Z",
        ] {
            assert!(matches!(parse_date(value.as_bytes()), Err(DateError::Syntax { .. })), "{value}");
        }
        for (value, wanted) in [
            ("30 Feb 2026 00:00:00 +0000", DateError::NoSuchDay),
            ("29 Feb 2100 00:00:00 +0000", DateError::NoSuchDay),
            ("0 Jan 2026 00:00:00 +0000", DateError::NoSuchDay),
            ("31 Apr 2026 00:00:00 +0000", DateError::NoSuchDay),
            ("31 Dec 1969 23:59:59 +0000", DateError::Before1970),
            ("1 Jan 1970 00:00:00 +0001", DateError::Before1970),
            ("(((((((((((((((((", DateError::TooDeep),
        ] {
            assert_eq!(parse_date(value.as_bytes()), Err(wanted), "{value}");
        }
    }

    proptest! {
        #[test]
        fn days_and_months_agree(secs in 0_u64..253_402_300_800) {
            let time = Timestamp::from_secs(secs);
            let (year, month) = time.month();
            let first = days_from_1970(i64::from(year), i64::from(month), 1).unwrap();
            prop_assert!((0..31).contains(&(i64::from(time.day()) - first)));
        }

        #[test]
        fn any_octets(value in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse_date(&value);
        }
    }
}
