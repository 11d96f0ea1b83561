//! Accounts and groups of this host, as far as /etc/passwd and /etc/group know them, and what an account may do.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::input;
use crate::limits::TABLE_OCTETS;

/// The tables. Accounts that only a directory service knows are not there.
#[derive(Debug)]
pub(super) struct Accounts {
    passwd: String,
    group: String,
}

/// An account with its groups.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Account {
    pub(super) name: String,
    pub(super) uid: u32,
    gids: Vec<u32>,
}

/// One of the three bits of a mode, as for others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Right {
    /// To write; for a socket: to connect.
    Write = 0o2,
    /// To pass through a directory.
    Search = 0o1,
}

impl Accounts {
    /// The tables below a root. One that cannot be read is empty.
    pub(super) fn read(root: &Path) -> Accounts {
        let table = |name: &str| {
            let octets = input::file(&root.join(name), TABLE_OCTETS).unwrap_or_default();
            String::from_utf8_lossy(&octets).into_owned()
        };
        Accounts { passwd: table("etc/passwd"), group: table("etc/group") }
    }

    /// An account. § passwd(5), group(5)
    pub(super) fn find(&self, name: &str) -> Option<Account> {
        let fields = |line: &str| line.split(':').map(ToOwned::to_owned).collect::<Vec<_>>();
        let account =
            self.passwd.lines().map(fields).find(|fields| fields.first().is_some_and(|first| first == name))?;
        let number = |at: usize| account.get(at)?.parse().ok();
        let mut gids: Vec<u32> = vec![number(3)?];
        let is_member = |members: &String| members.split(',').any(|member| member == name);
        let groups = self.group.lines().map(fields).filter(|group| group.get(3).is_some_and(is_member));
        gids.extend(groups.filter_map(|group| group.get(2)?.parse::<u32>().ok()));
        Some(Account { name: name.to_owned(), uid: number(2)?, gids })
    }
}

impl Account {
    /// Whether the mode gives it the right. § path_resolution(7): the first class that fits decides.
    pub(super) fn may(&self, right: Right, found: &Metadata) -> bool {
        let bit = right as u32;
        let bits = match found {
            _ if self.uid == 0 => return true,
            _ if found.uid() == self.uid => bit << 6,
            _ if self.gids.contains(&found.gid()) => bit << 3,
            _ => bit,
        };
        found.mode() & bits != 0
    }

    /// The first directory above a path that it may not pass through.
    pub(super) fn barred<'a>(&self, path: &'a Path) -> Option<&'a Path> {
        let mut above: Vec<&Path> = path.ancestors().skip(1).collect();
        above.reverse();
        let is_closed = |directory: &&Path| directory.metadata().is_ok_and(|found| !self.may(Right::Search, &found));
        above.into_iter().find(is_closed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_have_their_groups() {
        let accounts = Accounts {
            passwd: "root:x:0:0::/:\nspoiled\npostfix:x:105:110::/:\npostfixer:x:x:1::/:\n".to_owned(),
            group: "mail:x:8:\nzi2:x:200:other,postfix\nnear:x:201:postfixer\nspoiled:x:many:postfix\nshort\n"
                .to_owned(),
        };
        let found = |name: &str| accounts.find(name).map(|account| (account.uid, account.gids));
        assert_eq!(found("postfix"), Some((105, vec![110, 200])));
        assert_eq!(found("root"), Some((0, vec![0])));
        assert_eq!((found("postfixer"), found("spoiled"), found("")), (None, None, None));
    }

    #[test]
    fn the_first_class_that_fits_decides() {
        use std::os::unix::fs::PermissionsExt;
        let file = tempfile::NamedTempFile::new().unwrap();
        let owner = file.path().metadata().unwrap();
        let (uid, gid) = (owner.uid(), owner.gid());
        let account = |uid, gids: &[u32]| Account { name: String::new(), uid, gids: gids.to_vec() };
        for (mode, account, may) in [
            (0o020, account(uid + 1, &[gid + 1, gid]), true),
            (0o602, account(uid + 1, &[gid]), false),
            (0o002, account(uid + 1, &[gid + 1]), true),
            (0o660, account(uid + 1, &[gid + 1]), false),
            (0o000, account(0, &[]), true),
        ] {
            std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(account.may(Right::Write, &file.path().metadata().unwrap()), may, "{mode:o} {account:?}");
        }
    }
}
