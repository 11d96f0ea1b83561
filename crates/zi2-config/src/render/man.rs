//! The part of zi2.toml(5) about keys, in roff (man(7)).

use crate::defs::{Preset, SECTIONS, Section, Setting};

/// The section KEYS of the man page. Holds nothing that is not in the table.
pub fn man_keys() -> String {
    let mut page = ".SH KEYS\n".to_owned();
    SECTIONS.iter().for_each(|section| self::section(section, &mut page));
    page
}

fn section(section: &'static Section, page: &mut String) {
    page.push_str(&format!(".SS [{}]\n{}\n", section.name, text(section.summary)));
    section.defs.iter().for_each(|def| setting(Setting { section, def }, page));
}

fn setting(setting: Setting, page: &mut String) {
    let def = setting.def;
    page.push_str(&format!(".TP\n.B {}\n{}\n", escaped(def.key), text(def.summary)));
    if !def.detail.is_empty() {
        page.push_str(&format!("{}\n", text(def.detail)));
    }
    let range = def.kind.range().map(|range| format!(" Values: {range}.")).unwrap_or_default();
    let preset = match &def.preset {
        Preset::Value(toml) => format!("Default: {toml}."),
        Preset::Derived { from, example } => format!("Default: {from}. Example: {example}."),
    };
    page.push_str(&format!(
        ".br\n{} Environment: {}.\n",
        text(&format!("{preset}{range}")),
        escaped(&setting.variable())
    ));
}

/// A line of text: roff takes a leading dot or quote for a request.
fn text(prose: &str) -> String {
    let escaped = escaped(prose);
    if escaped.starts_with(['.', '\'']) { format!("\\&{escaped}") } else { escaped }
}

/// § groff_char(7): a backslash starts an escape, a hyphen is a typographic one, a quote or grave may be curled.
fn escaped(prose: &str) -> String {
    let mut out = String::with_capacity(prose.len());
    for c in prose.chars() {
        match c {
            '\\' => out.push_str("\\e"),
            '-' => out.push_str("\\-"),
            '\'' => out.push_str("\\(aq"),
            '~' => out.push_str("\\(ti"),
            '^' => out.push_str("\\(ha"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::defs::settings;

    #[test]
    fn every_setting_stands_in_the_page() {
        let page = man_keys();
        assert_eq!(page.matches(".TP\n").count(), settings().count());
        assert!(page.contains(
            ".B allowance\nHow many recipients that stand neither in To nor in Cc one message may reach.\nBlind copies and \
             aliases are legitimate.\n.br\nDefault: 20. Values: 0 to 64. Environment: ZI2__REPLAY__ALLOWANCE.\n"
        ));
        assert!(page.contains(".B authserv_id\n"));
    }

    #[test]
    fn requests_are_escaped() {
        assert_eq!(text(".so \\x-'"), "\\&.so \\ex\\-\\(aq");
    }
}
