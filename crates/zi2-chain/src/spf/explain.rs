//! The explanation of a domain that refuses the client (RFC 7208 §6.2). Whatever goes wrong here leaves the result as it is.

use super::batch::{Batch, Reply};
use super::evaluate::{Evaluation, Frame, Purpose};
use super::macros::{Letters, MacroString};
use crate::dns::{Answer, DnsName, Question};

/// An explanation under way.
#[derive(Debug)]
pub(super) struct Explaining {
    /// The domain whose record refused the client.
    domain: DnsName,
    text: MacroString,
    stage: Stage,
}

/// What the text of an explanation under way is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// The name that has the explanation.
    Name,
    /// The explanation.
    Explanation,
}

impl Explaining {
    /// § 6.2: the `exp` of the record that decided, and not one of a record that it includes or came from by `redirect`.
    pub(super) fn begin(frame: Frame) -> Option<Explaining> {
        let text = frame.record.explanation.clone()?;
        Some(Explaining { domain: frame.domain, text, stage: Stage::Name })
    }
}

impl Evaluation {
    pub(super) fn explain(&mut self, explaining: Explaining) {
        if explaining.text.has(b"p") && self.client.names().is_none() {
            self.explaining = Some(explaining);
            return self.ask_client_names();
        }
        let Some(values) = self.values(&explaining.domain) else { return };
        match explaining.stage {
            Stage::Name => {
                if let Some(name) = explaining.text.name(&values) {
                    self.waiting = Some((Purpose::Explanation(explaining), Batch::new([Question::Txt(name)])));
                }
            }
            Stage::Explanation => {
                let text = explaining.text.explanation(&values);
                if let Some(result) = &mut self.result {
                    result.explanation = text;
                }
            }
        }
    }

    /// § 6.2: one record, of ASCII; else there is no explanation.
    pub(super) fn take_explanation(&mut self, explaining: Explaining, answer: &Answer) {
        let Reply::Values([text]) = answer.texts() else { return };
        let parsed = std::str::from_utf8(text).ok().and_then(|text| MacroString::parse(text, Letters::All).ok());
        self.explaining = parsed.map(|text| Explaining { text, stage: Stage::Explanation, ..explaining });
    }
}
