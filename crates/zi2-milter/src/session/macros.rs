//! The macros of a connection, by stage. Those of a message are gone when it ends; none is ever guessed.

use crate::codec::{MacroFrame, MacroStage, pairs};

/// What the MTA said about itself, the client and the message. At most 64 KiB per stage are kept.
#[derive(Debug, Default)]
pub struct Macros {
    stages: [Vec<u8>; MacroStage::COUNT],
}

/// Stages before a message; they hold for all messages of a client.
const CONNECTION_STAGES: usize = 2;

/// Capacity one stage keeps from message to message.
const KEPT: usize = 1024;

impl Macros {
    /// The value of a macro, asked with or without braces (`i`, `auth_authen`, `{auth_authen}`). Where several stages
    /// have it the latest one wins.
    pub fn value(&self, name: impl AsRef<[u8]>) -> Option<&[u8]> {
        let name = bare(name.as_ref());
        let mut latest_first = self.stages.iter().rev();
        latest_first.find_map(|stage| pairs(stage).find(|(key, _)| bare(key) == name).map(|(_, value)| value))
    }

    /// Replaces the macros of a stage.
    pub(crate) fn set(&mut self, frame: MacroFrame<'_>) {
        if let Some(stage) = self.stages.get_mut(frame.stage as usize) {
            stage.clear();
            stage.extend_from_slice(frame.pairs);
        }
    }

    /// A message ended.
    pub(crate) fn end_message(&mut self) {
        self.stages.iter_mut().skip(CONNECTION_STAGES).for_each(forget);
    }

    /// The client is gone.
    pub(crate) fn end_client(&mut self) {
        self.stages.iter_mut().for_each(forget);
    }
}

fn forget(stage: &mut Vec<u8>) {
    stage.clear();
    stage.shrink_to(KEPT);
}

fn bare(name: &[u8]) -> &[u8] {
    name.strip_prefix(b"{").and_then(|name| name.strip_suffix(b"}")).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{Command, CommandKind};

    fn set(macros: &mut Macros, payload: &[u8]) {
        let Ok(Command::Macros(frame)) = Command::parse(CommandKind::Macros, payload) else { panic!() };
        macros.set(frame);
    }

    #[test]
    fn values_by_stage_and_their_end() {
        let mut macros = Macros::default();
        set(&mut macros, b"Cj\0mx\0{daemon_name}\0in\0");
        set(&mut macros, b"Mi\0OLD\0{auth_authen}\0alice\0");
        set(&mut macros, b"Ni\0Q1\0");
        let names = ["j", "{j}", "daemon_name", "{daemon_name}", "i", "auth_authen", "none", ""];
        let seen =
            |macros: &Macros| names.map(|name| macros.value(name).map(|v| String::from_utf8(v.to_vec()).unwrap()));
        let expected = [Some("mx"), Some("mx"), Some("in"), Some("in"), Some("Q1"), Some("alice"), None, None];
        assert_eq!(seen(&macros), expected.map(|v| v.map(str::to_owned)));
        set(&mut macros, b"M");
        assert_eq!(macros.value("auth_authen"), None, "a stage is replaced, not added to");
        macros.end_message();
        assert_eq!((macros.value("i"), macros.value("j")), (None, Some(&b"mx"[..])));
        macros.end_client();
        assert_eq!(macros.value("j"), None);
    }
}
