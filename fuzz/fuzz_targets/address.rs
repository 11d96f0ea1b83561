//! An address has one spelling, which reads as itself, however the field that held it was written.
//!
//! Input: the value of a field.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zi2_fuzz::unfolded;
use zi2_mail::{
    AddrSpec, Domain, HostName, Timestamp, limits, parse_address_list, parse_date, parse_envelope_address, parse_from,
    parse_mailbox_list, parse_message_id,
};

fuzz_target!(|value: &[u8]| {
    from(value);
    recipients(value);
    message_id(value);
    date(value);
    if let Ok(text) = std::str::from_utf8(value) {
        domain(text);
    }
});

fn from(value: &[u8]) {
    let Ok(author) = parse_from(value) else { return };
    reads_as_itself(&author);
    assert!(author.domain().is_some());
    for same in spellings(value) {
        assert_eq!(parse_from(&same).as_ref(), Ok(&author));
    }
    // Whoever reads less strictly reads the same.
    let mailboxes = parse_mailbox_list(value).expect("From is a list of one");
    let addresses = parse_address_list(value).expect("every mailbox list is an address list");
    assert!(mailboxes.iter().eq([&author]) && addresses.flatten().eq([&author]));
}

fn recipients(value: &[u8]) {
    let Ok(list) = parse_address_list(value) else { return };
    assert!(list.flatten().len() <= limits::ADDRESSES);
    list.flatten().for_each(reads_as_itself);
    for same in spellings(value) {
        assert_eq!(parse_address_list(&same).as_ref(), Ok(&list));
    }
    // zi2.md §4: joined by a comma in the payload, where no two lists may look alike.
    let joined = list.flatten().map(AddrSpec::normalized).collect::<Vec<_>>().join(",");
    if list.flatten().len() > 0 {
        let again = parse_address_list(joined.as_bytes()).expect("what we wrote");
        assert!(again.flatten().eq(list.flatten()));
    }
}

/// Neither the folds of a field nor the case of its ASCII letters belong to an address.
fn spellings(value: &[u8]) -> [Vec<u8>; 3] {
    [unfolded(value), value.to_ascii_uppercase(), [b"\r\n ", value, b"\r\n\t"].concat()]
}

fn reads_as_itself(address: &AddrSpec) {
    let text = address.normalized().to_owned();
    assert!(!text.bytes().any(|octet| octet.is_ascii_control()), "{text:?}");
    assert_eq!(text, address.to_string());
    for path in [text.clone(), format!("<{text}>"), format!("<@relay.example:{text}>")] {
        assert_eq!(parse_envelope_address(path.as_bytes()).as_ref(), Some(address), "{path}");
    }
    if address.domain().is_some() {
        assert_eq!(parse_from(text.as_bytes()).as_ref(), Ok(address), "{text}");
    }
}

fn message_id(value: &[u8]) {
    let Ok(id) = parse_message_id(value) else { return };
    assert!(!id.bytes().any(|octet| octet.is_ascii_control()), "{id:?}");
    assert_eq!(parse_message_id(id.as_bytes()).as_ref(), Ok(&id));
    assert_eq!(parse_message_id(&unfolded(value)), Ok(id));
}

fn date(value: &[u8]) {
    let Ok(time) = parse_date(value) else { return };
    assert_eq!(parse_date(&unfolded(value)), Ok(time));
    assert_eq!(parse_date(rfc5322(time).as_bytes()), Ok(time));
}

fn rfc5322(time: Timestamp) -> String {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (year, month, day) = time.date();
    let (month, second) = (MONTHS[usize::from(month) - 1], time.secs() % 86_400);
    format!("{day} {month} {year:04} {:02}:{:02}:{:02} +0000", second / 3600, second / 60 % 60, second % 60)
}

fn domain(text: &str) {
    let Ok(domain) = Domain::parse(text) else { return };
    let name = domain.as_str();
    assert!(name.len() <= limits::DOMAIN_OCTETS);
    let good = |octet: u8| octet == b'-' || octet.is_ascii_digit() || octet.is_ascii_lowercase();
    for label in name.split('.') {
        assert!((1..=limits::LABEL_OCTETS).contains(&label.len()) && label.bytes().all(good), "{name}");
    }
    assert_eq!(Domain::parse(name).as_ref(), Ok(&domain));
    assert_eq!(Domain::parse(&name.to_ascii_uppercase()).as_ref(), Ok(&domain));
    assert_eq!(HostName::parse(text).ok(), HostName::from_domain(domain).ok());
}
