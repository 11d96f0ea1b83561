//! Received octets: header fields, grammars, canonical forms and digests.
//!
//! Mail is bytes. This crate finds fields, tags and addresses in them, and canonical octets to hash; it never builds them
//! anew, decides nothing, and knows no scheme, key or network.
//!
//! ```
//! use zi2_mail::{Message, parse_from};
//!
//! let message = Message::split(b"From: Ann <Ann@Example.COM>\r\nDate: x\r\n\r\nHello\r\n");
//! let from = message.header.named("from").next().expect("one From");
//! assert_eq!(parse_from(from.value()).expect("one mailbox").normalized(), "ann@example.com");
//! assert_eq!(message.body, b"Hello\r\n");
//! ```

mod address;
mod canon;
mod date;
mod digest;
mod fold;
mod header;
mod lexer;
pub mod limits;
mod message;
mod message_id;
mod mime;
mod name;
mod smtp;
mod taglist;

// names
pub use name::{Domain, DomainError, HostName, HostNameError, Timestamp};

// header section and message
pub use header::{Defect, DefectKind, Field, Header, HeaderBuilder};
pub use message::{Message, MessageReader, crlf_at_every_lf, crlf_from_file};

// grammars
pub use address::{
    AddrSpec, AddressError, AddressList, MailboxList, parse_address_list, parse_envelope_address, parse_from,
    parse_mailbox_list,
};
pub use date::{DateError, format_date, parse_date};
pub use message_id::{MessageIdError, parse_message_id};
pub use mime::{ContentType, ContentTypeError, MultipartError, multipart};
pub use taglist::{Tag, TagList, TagListError, TagListErrorKind};

// canonical forms and digests
pub use canon::{BodyCanon, HeaderCanon, relaxed_value};
pub use digest::{BodyDigester, DigestPlan, Digests, HashAlg, Lane};
pub use smtp::{NotSmtp, SmtpScan};

// fields we write
pub use fold::{FieldError, FieldWriter, NewField, Part, UnsignedField};
