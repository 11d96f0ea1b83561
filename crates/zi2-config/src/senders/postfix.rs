//! The text source of Postfix's `smtpd_sender_login_maps` (postmap(1)): `user@domain  login, login`, `@domain  login`,
//! `domain  login`; lines that begin with a space continue the one before.
//!
//! Decides nothing about bare user names: which domain they mean is in Postfix's main.cf.

use super::table::{Line, TableProblems, Word, lines};
use super::{Subject, TableFault, Target, login_key};

/// The line number of the first skipped line, and how many more there are.
type Skipped = Option<(u32, usize)>;

/// Gives every rule, with the number of its line, to `insert`.
pub(super) fn read(
    text: &str,
    faults: &mut TableProblems<'_>,
    insert: impl FnMut(u32, Subject, Target) -> Result<(), TableFault>,
) -> Skipped {
    let mut import = Import { insert, entry: Entry::None, skipped: None };
    for line in lines(text) {
        if faults.is_full() {
            break;
        }
        // § postmap(1): empty lines and lines whose first visible character is # neither end nor continue anything.
        let Some(first) = line.all_words().next().filter(|word| !word.text.starts_with('#')) else { continue };
        if first.offset == 0 {
            import.begin(line, first);
        } else if matches!(import.entry, Entry::None) {
            faults.push(line, first, TableFault::Continuation);
        }
        let logins = line.all_words().skip(usize::from(first.offset == 0));
        logins.for_each(|login| import.login(line, login, faults));
    }
    import.finish()
}

struct Import<F> {
    insert: F,
    entry: Entry,
    skipped: Skipped,
}

/// The entry that a line may continue.
enum Entry {
    None,
    /// Not ours: its logins are passed over.
    Skipped,
    Open {
        target: Target,
        line: u32,
        logins: usize,
    },
}

impl<F: FnMut(u32, Subject, Target) -> Result<(), TableFault>> Import<F> {
    fn begin(&mut self, line: Line<'_>, key: Word<'_>) {
        self.end();
        match target(key.text) {
            Some(target) => self.entry = Entry::Open { target, line: line.number(), logins: 0 },
            None => {
                self.skip(line.number());
                self.entry = Entry::Skipped;
            }
        }
    }

    fn login(&mut self, line: Line<'_>, login: Word<'_>, faults: &mut TableProblems<'_>) {
        let Entry::Open { target, logins, .. } = &mut self.entry else { return };
        let (target, is_first) = (target.clone(), *logins == 0);
        *logins = logins.saturating_add(1);
        if is_first && matches!(target, Target::Address(_)) {
            self.insert(line, login, Subject::Owned, target.clone(), faults);
        }
        self.insert(line, login, Subject::Owner(login_key(login.text)), target, faults);
    }

    fn insert(
        &mut self,
        line: Line<'_>,
        word: Word<'_>,
        subject: Subject,
        target: Target,
        faults: &mut TableProblems<'_>,
    ) {
        if faults.is_full() {
            return;
        }
        if let Err(fault) = (self.insert)(line.number(), subject, target) {
            faults.push(line, word, fault);
            faults.close();
        }
    }

    /// An entry that names no login says nothing.
    fn end(&mut self) {
        if let Entry::Open { line, logins: 0, .. } = self.entry {
            self.skip(line);
        }
    }

    fn skip(&mut self, line: u32) {
        self.skipped = match self.skipped {
            None => Some((line, 0)),
            Some((first, more)) => Some((first, more.saturating_add(1))),
        };
    }

    fn finish(mut self) -> Skipped {
        self.end();
        self.skipped
    }
}

/// A key that names a domain: with an @, or with a dot in it.
fn target(key: &str) -> Option<Target> {
    if key.contains(['@', '.']) { Target::parse(key).ok() } else { None }
}
