//! The octets that a message's signatures are over, made anew from the protocol page, so that the floor's signatures have
//! exactly the length of ours.

use base64::{Engine, engine::general_purpose::STANDARD};
use zi2_mail::{AddrSpec, Field, Header, HeaderCanon, Message, TagList, parse_address_list, parse_from, relaxed_value};
use zi2_sig::FIELD_NAME;

/// Each input with its signature; the one a verifier looks at comes last.
pub(crate) fn of(message: &[u8]) -> Vec<(Vec<u8>, [u8; 64])> {
    let header = Message::split(message).header;
    let field = header.named(FIELD_NAME).next().unwrap();
    let tags = TagList::parse(field.value()).unwrap();
    let signature = |name: &str| tags.get(name).map(|tag| STANDARD.decode(tag.compact()).unwrap().try_into().unwrap());
    let draft = signature("sig").map(|signature| (draft(&header, &tags), signature));
    let page = signature("b").map(|signature| (page(&header, field, &tags), signature));
    draft.into_iter().chain(page).collect()
}

/// zi2.md §4.
fn draft(header: &Header<'_>, tags: &TagList<'_>) -> Vec<u8> {
    let value = |name: &str| header.named(name).next().unwrap().value();
    let tag = |name: &str| String::from_utf8(tags.get(name).unwrap().compact().into_owned()).unwrap();
    let recipients = parse_address_list(value("to")).unwrap();
    let recipients: Vec<&str> = recipients.flatten().map(AddrSpec::normalized).collect();
    let message_id = String::from_utf8(value("message-id").trim_ascii().to_vec()).unwrap();
    let (from, to) = (parse_from(value("from")).unwrap(), recipients.join(","));
    ["1", from.normalized(), &to, &tag("t"), &message_id, &tag("sid"), &tag("bh"), &tag("n")].join("\n").into_bytes()
}

/// zi2.md §5.
fn page(header: &Header<'_>, own: Field<'_>, tags: &TagList<'_>) -> Vec<u8> {
    let mut input = Vec::new();
    let names = tags.get("h").unwrap().compact();
    for name in String::from_utf8_lossy(&names).split(':') {
        if let Some(field) = header.named(name).next_back() {
            HeaderCanon::Relaxed.write(field, &mut input);
            input.extend_from_slice(b"\r\n");
        }
    }
    let signature = tags.get("b").unwrap().span();
    let value = [&own.value()[..signature.start], &own.value()[signature.end..]].concat();
    input.extend_from_slice(b"x-zi2-certified:");
    relaxed_value(&value, &mut input);
    input
}
