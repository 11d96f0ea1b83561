//! Tags lie where they say, survive being written again, and what our writer writes is read back.
//!
//! Input: the value of a field, or a TXT record.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zi2_fuzz::unfolded;
use zi2_mail::{FieldWriter, Header, NewField, SmtpScan, TagList, limits};

fuzz_target!(|value: &[u8]| {
    unfolded_is_allowed(value);
    let Ok(list) = TagList::parse(value) else { return };
    tags_lie_where_they_say(value, &list);
    written_again_it_is_the_same(&list);
    folds_do_not_count(value, &list);
    our_writer_is_read_back(&list);
});

fn tags_lie_where_they_say(value: &[u8], list: &TagList<'_>) {
    assert!((1..=limits::TAGS).contains(&list.iter().len()));
    let mut end = 0;
    for tag in list.iter() {
        let span = tag.span();
        assert!(span.start > end && value[span.start - 1] == b'=', "{tag:?}");
        assert!(matches!(value.get(span.end), None | Some(b';')), "{tag:?}");
        let (whole, inner) = (&value[span.clone()], tag.value());
        let blanks = |octets: &[u8]| octets.iter().all(|octet| b" \t\r\n".contains(octet));
        let at = whole.windows(inner.len().max(1)).position(|part| part == inner).unwrap_or(0);
        assert!(blanks(&whole[..at]) && blanks(&whole[at + inner.len()..]), "{tag:?}");
        assert_eq!(list.get(tag.name()).as_ref(), Some(tag), "no name is there twice");
        end = span.end;
    }
}

fn written_again_it_is_the_same(list: &TagList<'_>) {
    let tags: Vec<Vec<u8>> = list.iter().map(|tag| [tag.name().as_bytes(), b"=", tag.value()].concat()).collect();
    let again = tags.join(&b';');
    assert_eq!(names_and_values(&TagList::parse(&again).expect("what we wrote")), names_and_values(list));
}

fn folds_do_not_count(value: &[u8], list: &TagList<'_>) {
    let line = unfolded(value);
    let again = TagList::parse(&line).expect("a fold can be taken out");
    for (tag, same) in list.iter().zip(again.iter()) {
        assert_eq!((tag.name(), tag.compact()), (same.name(), same.compact()));
        assert!(!tag.compact().iter().any(|octet| b" \t\r\n".contains(octet)));
    }
    assert_eq!(list.iter().len(), again.iter().len());
}

fn names_and_values<'a>(list: &TagList<'a>) -> Vec<(&'a str, &'a [u8])> {
    list.iter().map(|tag| (tag.name(), tag.value())).collect()
}

fn our_writer_is_read_back(list: &TagList<'_>) {
    let mut writer = FieldWriter::new("X-Fuzz");
    let mut written = Vec::new();
    for (index, tag) in list.iter().enumerate() {
        let compact = tag.compact();
        let (Ok(value), Ok(dense)) = (std::str::from_utf8(tag.value()), std::str::from_utf8(&compact)) else {
            continue;
        };
        let added = match index % 3 {
            0 => writer.tag(tag.name(), value).map(drop),
            1 => writer.list(tag.name(), &dense.split(':').collect::<Vec<_>>()).map(drop),
            _ => writer.base64(tag.name(), dense).map(drop),
        };
        // The writer takes no value with a fold, so without white space it is the same.
        if added.is_ok() {
            written.push((tag.name(), compact));
        }
    }
    let field = writer.finish();
    well_formed(&field);
    let value = field.milter_value().replace('\n', "\r\n");
    let read = TagList::parse(value.as_bytes());
    let read: Vec<_> = read.iter().flat_map(TagList::iter).map(|tag| (tag.name(), tag.compact())).collect();
    assert_eq!(read, written);
}

fn unfolded_is_allowed(value: &[u8]) {
    if let Some(field) = std::str::from_utf8(value).ok().and_then(|text| NewField::unfolded("X-Fuzz", text).ok()) {
        well_formed(&field);
        assert_eq!(field.milter_value().as_bytes(), [b" ", value].concat());
    }
}

/// One field, and lines that SMTP carries.
fn well_formed(field: &NewField) {
    let wire = field.wire();
    let section = [wire.as_bytes(), b"\r\n"].concat();
    let header = Header::parse(&section);
    assert!(header.fields().len() == 1 && header.defect().is_none(), "{wire:?}");
    assert_eq!(wire, format!("{}:{}", field.name(), field.milter_value().replace('\n', "\r\n")));
    let mut scan = SmtpScan::new();
    scan.feed(&section);
    assert_eq!(scan.finish(), Ok(()), "{wire:?}");
}
