//! What Postfix goes by: its parameters and services, as postconf(1) says them.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;

use crate::io::Host;
use crate::program::{self, Failure};

/// The parameters that are looked at.
const PARAMETERS: [&str; 21] = [
    "smtpd_milters",
    "non_smtpd_milters",
    "milter_default_action",
    "milter_protocol",
    "queue_directory",
    "mail_owner",
    "myhostname",
    "header_checks",
    "smtp_header_checks",
    "smtp_generic_maps",
    "content_filter",
    // of DKIM2
    "disable_mime_output_conversion",
    "smtp_line_length_limit",
    "receive_override_options",
    "local_header_rewrite_clients",
    "message_drop_headers",
    "virtual_alias_maps",
    "always_bcc",
    "internal_mail_filter_classes",
    "default_destination_recipient_limit",
    "zi2-sign_destination_recipient_limit",
];

/// Postfix' configuration.
#[derive(Debug)]
pub(in crate::cmd) struct Setup {
    main: BTreeMap<String, String>,
    pub(in crate::cmd) services: Vec<Service>,
    /// The option that names the configuration directory again, for commands.
    pub(in crate::cmd) option: String,
}

/// One line of master.cf.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::cmd) struct Service {
    /// Its name and type, as postconf wants them: `submission/inet`.
    pub(in crate::cmd) name: String,
    /// The program, without its options.
    pub(in crate::cmd) program: String,
    /// Whether it runs in the queue directory as its root.
    pub(super) is_chrooted: bool,
    overrides: BTreeMap<String, String>,
}

/// Why there is no setup.
#[derive(Debug)]
pub(in crate::cmd) enum NoSetup {
    /// No postconf: there is no Postfix here.
    Absent,
    /// It gives no answer.
    Failed(String),
}

impl Setup {
    /// Asks postconf. § postconf(1): -x replaces `$name` by its value, -P are the -o options of master.cf, -F its columns.
    pub(in crate::cmd) fn read(directory: Option<&Path>, host: &Host) -> Result<Setup, NoSetup> {
        let program = program::find("postconf", host).ok_or(NoSetup::Absent)?;
        let place: Vec<OsString> = directory.map_or_else(Vec::new, |directory| vec!["-c".into(), directory.into()]);
        let ask = |arguments: &[&str]| {
            let all: Vec<&OsStr> =
                place.iter().map(OsString::as_os_str).chain(arguments.iter().map(OsStr::new)).collect();
            program::output(&program, &all, host).map_err(failed)
        };
        let main = ask(&[&["-x"], &PARAMETERS[..]].concat())?;
        let services = services(&ask(&["-x", "-F"])?, &ask(&["-x", "-P"])?);
        let option = directory.map_or_else(String::new, |directory| format!(" -c {}", super::quoted_path(directory)));
        Ok(Setup {
            main: pairs(&main).map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
            services,
            option,
        })
    }

    /// A parameter of main.cf; empty if Postfix does not know it.
    pub(in crate::cmd) fn main(&self, name: &str) -> &str {
        self.main.get(name).map_or("", String::as_str)
    }

    /// A parameter as a service sees it.
    pub(in crate::cmd) fn of<'a>(&'a self, service: &'a Service, name: &str) -> &'a str {
        service.overridden(name).unwrap_or_else(|| self.main(name))
    }

    /// The account that Postfix connects as.
    pub(in super::super) fn owner(&self) -> &str {
        match self.main("mail_owner") {
            "" => "postfix",
            owner => owner,
        }
    }
}

impl Service {
    /// What its -o option says.
    pub(super) fn overridden(&self, name: &str) -> Option<&str> {
        self.overrides.get(name).map(String::as_str)
    }
}

fn failed(failure: Failure) -> NoSetup {
    NoSetup::Failed(match failure {
        Failure::Start(error) => format!("postconf could not be run: {error}"),
        Failure::Late => "postconf gave no answer in time".to_owned(),
        Failure::TooLong => "postconf says more than is read".to_owned(),
        Failure::Failed(said) => said,
    })
}

/// `key = value` lines.
fn pairs(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.lines().filter_map(|line| line.split_once('=')).map(|(key, value)| (key.trim(), value.trim()))
}

/// `name/type/column = value`, and the same with options for columns. A service's name may hold a slash itself.
fn services(columns: &str, options: &str) -> Vec<Service> {
    let mut services: Vec<Service> = Vec::new();
    for ((name, column), value) in pairs(columns).filter_map(|(key, value)| Some((key.rsplit_once('/')?, value))) {
        if services.last().is_none_or(|last| last.name != name) {
            let (name, program) = (name.to_owned(), String::new());
            services.push(Service { name, program, is_chrooted: false, overrides: BTreeMap::new() });
        }
        match (column, services.last_mut()) {
            ("command", Some(last)) => last.program = value.split_whitespace().next().unwrap_or_default().to_owned(),
            ("chroot", Some(last)) => last.is_chrooted = value == "y",
            _ => {}
        }
    }
    for ((name, option), value) in pairs(options).filter_map(|(key, value)| Some((key.rsplit_once('/')?, value))) {
        if let Some(service) = services.iter_mut().find(|service| service.name == name) {
            service.overrides.insert(option.to_owned(), value.to_owned());
        }
    }
    services
}
