//! A version of the header section: the signed fields, by name and from the bottom up.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{self, Context};
use zi2_mail::{HashAlg, Header, relaxed_value};

use super::Step;
use crate::dkim2::Draft;

/// The signed fields of one version. Names in lower case and in their order, the values of each from the bottom up.
#[derive(Clone)]
pub(in crate::dkim2) struct HeaderVersion<'a> {
    fields: BTreeMap<Box<[u8]>, Vec<&'a [u8]>>,
    draft: Draft,
}

impl<'a> HeaderVersion<'a> {
    /// The fields of a header section, as far as they are signed.
    pub(in crate::dkim2) fn of(header: &'a Header<'_>, draft: Draft) -> HeaderVersion<'a> {
        let mut fields: BTreeMap<Box<[u8]>, Vec<&'a [u8]>> = BTreeMap::new();
        for field in header.from_bottom().filter(|field| draft.signs(field.name())) {
            fields.entry(field.name().to_ascii_lowercase().into()).or_default().push(field.value());
        }
        HeaderVersion { fields, draft }
    }

    /// By which rules it was read.
    pub(in crate::dkim2) fn draft(&self) -> Draft {
        self.draft
    }

    /// Makes the version before (§ -08 5). Names that are not signed are passed over.
    pub(in crate::dkim2) fn undo(&mut self, steps: impl Iterator<Item = (&'a str, &'a [Step])>, draft: Draft) {
        for (name, steps) in steps.filter(|(name, _)| draft.signs(name.as_bytes())) {
            let made = applied(self.values(name), steps);
            match made.is_empty() {
                true => self.fields.remove(name.as_bytes()),
                false => self.fields.insert(name.as_bytes().into(), made),
            };
        }
    }

    /// The values of one name, the lowest field first.
    pub(in crate::dkim2) fn values(&self, name: &str) -> &[&'a [u8]] {
        self.fields.get(name.as_bytes()).map_or(&[], Vec::as_slice)
    }

    /// The same in relaxed form, as they are hashed.
    pub(in crate::dkim2) fn relaxed(&self, name: &str) -> Vec<Vec<u8>> {
        let relaxed = |value: &&[u8]| {
            let mut out = Vec::with_capacity(value.len());
            relaxed_value(value, &mut out);
            out
        };
        self.values(name).iter().map(relaxed).collect()
    }

    /// The names, in order.
    pub(in crate::dkim2) fn names(&self) -> impl Iterator<Item = &[u8]> {
        self.fields.keys().map(AsRef::as_ref)
    }

    /// § -08 6.1: sorted by name, of one name the lowest field first, each in relaxed form and with CRLF.
    pub(in crate::dkim2) fn write(&self, sink: &mut impl FnMut(&[u8])) {
        let mut line = Vec::new();
        for (name, values) in &self.fields {
            for value in values {
                line.clear();
                line.extend_from_slice(name);
                line.push(b':');
                relaxed_value(value, &mut line);
                line.extend_from_slice(b"\r\n");
                sink(&line);
            }
        }
    }

    /// The hash of it.
    pub(in crate::dkim2) fn hash(&self, algorithm: HashAlg) -> Box<[u8]> {
        let mut hash = Context::new(match algorithm {
            HashAlg::Sha512 => &digest::SHA512,
            HashAlg::Sha256 | HashAlg::Sha1 => &digest::SHA256,
        });
        self.write(&mut |octets| hash.update(octets));
        hash.finish().as_ref().into()
    }
}

/// The values that steps make. A copy beyond the end copies what there is: the hash decides.
pub(in crate::dkim2) fn applied<'a>(values: &[&'a [u8]], steps: &'a [Step]) -> Vec<&'a [u8]> {
    let mut made = Vec::new();
    for step in steps {
        match step {
            Step::Copy(first, last) => made.extend_from_slice(copied(values, *first, *last)),
            Step::Literal(lines) => made.extend(lines.iter().map(AsRef::as_ref)),
        }
    }
    made
}

/// Items `first` to `last`, counted from 1, as far as there are any.
pub(super) fn copied<T>(items: &[T], first: u64, last: u64) -> &[T] {
    let end = usize::try_from(last).unwrap_or(usize::MAX).min(items.len());
    let start = usize::try_from(first.saturating_sub(1)).unwrap_or(usize::MAX).min(end);
    items.get(start..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(version: &HeaderVersion<'_>) -> String {
        let mut out = Vec::new();
        version.write(&mut |octets| out.extend_from_slice(octets));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn order_and_form() {
        let header = Header::parse(
            b"List-Unsubscribe-Post: x\r\nList-Unsubscribe: y\r\nTo:\r\n \tb\r\n  c \r\nReceived: z\r\nX-A: b\r\n\
              A: 1\r\na : 2\r\nEmpty:\r\n",
        );
        let version = HeaderVersion::of(&header, Draft::default());
        let expected = "a:2\r\na:1\r\nempty:\r\nlist-unsubscribe:y\r\nlist-unsubscribe-post:x\r\nto:b c\r\n";
        assert_eq!(written(&version), expected, "names are sorted, not lines; folds go before white space does");
    }

    #[test]
    fn undone() {
        let header = Header::parse(b"Reply-To: new\r\nReply-To: old\r\nSubject: [x] Hi\r\nList-Id: x\r\n");
        let recipe = super::super::Recipe::parse(
            br#"{"h":{"subject":[{"d":["Hi"]}],"list-id":[],"reply-to":[{"c":[1,1]}],"to":[{"d":["b","a"]}],"received":[{"d":["no"]}],"cc":[{"c":[1,9]}]}}"#,
        )
        .unwrap();
        let mut version = HeaderVersion::of(&header, Draft::default());
        version.undo(recipe.header(), Draft::default());
        assert_eq!(written(&version), "reply-to:old\r\nsubject:Hi\r\nto:b\r\nto:a\r\n");
    }
}
