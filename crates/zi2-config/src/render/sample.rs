//! The sample `zi2.toml`: every setting with its documentation, switched off, at its default.

use super::wrapped;
use crate::defs::{Def, Preset, SECTIONS, Section};

/// The sample file. A line that begins with `#` and a letter is a setting to switch on; one with `# ` is prose.
pub fn sample() -> String {
    let mut text = HEAD.to_owned();
    SECTIONS.iter().for_each(|section| self::section(section, &mut text));
    text
}

const HEAD: &str = "\
# /etc/zi2/zi2.toml - configuration of zi2-milter and zi2-cert, see zi2.toml(5)
#
# Every setting is shown with its default, or with an example where there is
# none; take the # away to change it. Files in conf.d/*.toml are read after this
# one, in the order of their names, and environment variables such as
# ZI2__SERVER__SID last: the later value wins. `zi2-cert config dump` shows what
# is in force and where it comes from.
";

const WIDTH: usize = 78;

fn section(section: &Section, text: &mut String) {
    text.push_str(&format!("\n# {}\n[{}]\n", section.summary, section.name));
    section.defs.iter().for_each(|def| setting(def, text));
}

fn setting(def: &Def, text: &mut String) {
    text.push('\n');
    let range = def.kind.range().map(|range| format!(" ({range})")).unwrap_or_default();
    let absent = match &def.preset {
        Preset::Value(_) => String::new(),
        Preset::Derived { from, .. } => format!(" Default: {from}."),
    };
    let prose = format!("{} {}{absent}{range}", def.summary, def.detail);
    for line in wrapped(&prose, WIDTH) {
        text.push_str(&format!("# {line}\n"));
    }
    text.push_str(&format!("#{} = {}\n", def.key, def.preset.shown()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_packaged_file_is_the_generated_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../packaging/zi2.toml");
        if std::env::var_os("ZI2_WRITE_SAMPLE").is_some() {
            std::fs::write(path, sample()).unwrap();
        }
        let packaged = std::fs::read_to_string(path).unwrap();
        assert!(packaged == sample(), "packaging/zi2.toml is old; run this test once with ZI2_WRITE_SAMPLE=1");
    }

    #[test]
    fn no_line_is_wide() {
        for line in sample().lines().filter(|line| line.starts_with("# ")) {
            assert!(line.chars().count() <= WIDTH + 2, "{line}");
        }
    }
}
