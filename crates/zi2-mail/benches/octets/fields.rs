//! Cutting a header section into fields and reading the structured ones, beside another library of the same licence.

use std::hint::black_box;

use mail_parser::MessageParser;
use zi2_mail::{Header, Message, parse_address_list, parse_date, parse_from, parse_message_id};

use crate::common::corpus;
use crate::common::options::Effort;
use crate::common::race::Race;
use crate::common::report::{Cell, Table};

const MESSAGES: usize = 64;
const SECONDS: f64 = 3.0;

type Reader = (&'static str, fn(&[u8]));

/// The peer decodes every field into values of its own; ours lists where fields lie, and reads the five a judgement needs.
const READERS: [Reader; 4] = [
    ("Header::parse", |section| drop(black_box(Header::parse(black_box(section))))),
    ("Header::parse, From, To, Cc, Date and Message-ID read", read_five),
    ("Header::builder, field by field as a milter", build),
    ("mail-parser 0.11, parse_headers", |section| {
        drop(black_box(MessageParser::default().parse_headers(black_box(section))));
    }),
];

pub(crate) fn table(effort: Effort) -> Table {
    let sections: Vec<Vec<u8>> = (0..MESSAGES).map(|number| section(number as u64)).collect();
    let mut race = Race::new(MESSAGES);
    for (name, read) in READERS {
        let sections = &sections;
        race.enter(name, move |n| read(&sections[n]));
    }
    let times = race.run(effort, SECONDS);
    let octets = sections.iter().map(Vec::len).sum::<usize>() as f64 / MESSAGES as f64;
    let fields = Header::parse(&sections[0]).fields().len() as f64;
    let mut table = Table::new("header sections of 20 fields, about 2.4 kB", &["reader", "us", "ns/octet", "ns/field"]);
    for (name, _) in READERS {
        let nanos = times.of(name);
        let cells = [nanos / 1e3, nanos / octets, nanos / fields].map(Cell::Number);
        table.row([vec![Cell::Text(name.to_owned())], cells.to_vec()].concat());
    }
    table
}

fn section(number: u64) -> Vec<u8> {
    let mut message = corpus::message(number, 0);
    let section = message.len() - Message::split(&message).body.len();
    message.truncate(section);
    message
}

fn read_five(section: &[u8]) {
    let header = Header::parse(black_box(section));
    let value = |name: &str| header.named(name).next().unwrap().value();
    black_box(parse_from(value("from")).unwrap());
    black_box(parse_address_list(value("to")).unwrap());
    black_box(parse_address_list(value("cc")).unwrap());
    black_box(parse_date(value("date")).unwrap());
    black_box(parse_message_id(value("message-id")).unwrap());
}

/// The parse before stands for what a milter's events bring: it is part of the time.
fn build(section: &[u8]) {
    let header = Header::parse(section);
    let mut builder = Header::builder();
    header.fields().for_each(|field| builder.push(field.name(), field.value()));
    black_box(builder.finish());
}
