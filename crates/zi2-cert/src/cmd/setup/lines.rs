//! Lines of main.cf and master.cf, as text or as commands of postconf(1).

use crate::cmd::doctor::finding::quoted;

/// What Postfix is told.
#[derive(Default)]
pub(super) struct Lines {
    main: Vec<Setting>,
    services: Vec<Service>,
}

struct Setting {
    why: &'static str,
    name: String,
    value: String,
}

/// A service of master.cf: a new one with its columns, or one that is there and gets options.
pub(super) struct Service {
    why: &'static str,
    /// `submission/inet`
    name: String,
    columns: Option<&'static str>,
    options: Vec<(&'static str, String)>,
}

impl Lines {
    pub(super) fn main(&mut self, why: &'static str, name: impl Into<String>, value: impl Into<String>) {
        self.main.push(Setting { why, name: name.into(), value: value.into() });
    }

    pub(super) fn service(&mut self, service: Service) {
        self.services.push(service);
    }

    /// As the files would have them.
    pub(super) fn text(&self) -> String {
        let mut text = "# main.cf\n".to_owned();
        for Setting { why, name, value } in &self.main {
            if !why.is_empty() {
                text += &format!("# {why}\n");
            }
            text += format!("{name} = {value}").trim_end();
            text.push('\n');
        }
        text += "\n# master.cf: services that are there keep their other options\n";
        for Service { why, name, columns, options } in &self.services {
            let (place, kind) = name.rsplit_once('/').unwrap_or((name, "inet"));
            let columns = columns.unwrap_or("...");
            text += &format!("# {why}\n{place} {kind} {columns}\n");
            for (option, value) in options {
                text += &format!("  -o {option}={value}\n");
            }
        }
        text
    }

    /// As commands; `option` names the directory of Postfix.
    pub(super) fn commands(&self, option: &str) -> String {
        let mut text = String::new();
        for Setting { why, name, value } in &self.main {
            if !why.is_empty() {
                text += &format!("# {why}\n");
            }
            text += &format!("postconf{option} -e {}\n", quoted(format!("{name} = {value}")));
        }
        for Service { why, name, columns, options } in &self.services {
            let (place, kind) = name.rsplit_once('/').unwrap_or((name, "inet"));
            text += &format!("# {why}\n");
            if let Some(columns) = columns {
                let line = format!("{name}={place} {kind} {columns}");
                text += &format!("postconf{option} -M {}\n", quoted(line));
            }
            for (key, value) in options {
                text += &format!("postconf{option} -P {}\n", quoted(format!("{name}/{key}={value}")));
            }
        }
        text + &format!("postfix{option} reload\n")
    }
}

impl Service {
    /// A service that only we need; `columns` are private to maxproc, and the command.
    pub(super) fn new(why: &'static str, name: String, columns: &'static str) -> Service {
        Service { why, name, columns: Some(columns), options: Vec::new() }
    }

    /// A service that is there.
    pub(super) fn known(why: &'static str, name: String) -> Service {
        Service { why, name, columns: None, options: Vec::new() }
    }

    pub(super) fn option(mut self, name: &'static str, value: impl Into<String>) -> Service {
        self.options.push((name, value.into()));
        self
    }
}
