//! The user that a desktop runs as.

use rustix::process::{getegid, geteuid};

use super::RuntimeError;

/// Who a desktop of processes runs as when the gate is root and the template names nobody else.
const NOBODY: &str = "nobody";
/// Who a desktop in a container runs as when the gate is root: the first user of our images.
const IN_CONTAINER: u32 = 1000;

/// A user and group of this machine, never root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) uid: u32,
    pub(super) gid: u32,
    /// Whether it is another user than the gate's, so that files must change hands.
    pub(super) other: bool,
}

impl Account {
    /// The account for processes: as root the user that the template names, or `nobody`; otherwise the gate's own.
    pub(super) fn for_process(user: Option<&str>) -> Result<Self, RuntimeError> {
        if !geteuid().is_root() {
            return Ok(Self::own());
        }
        let user = user.unwrap_or(NOBODY);
        let passwd = std::fs::read_to_string("/etc/passwd")
            .map_err(|source| RuntimeError::Folder { path: "/etc/passwd".into(), source })?;
        let (uid, gid) = look_up(&passwd, user).ok_or_else(|| RuntimeError::NoUser { user: user.to_owned() })?;
        if uid == 0 {
            return Err(RuntimeError::RootUser { user: user.to_owned() });
        }
        Ok(Self { uid, gid, other: true })
    }

    /// The account for a container: as root that of our images; otherwise the gate's own, so that it may reach the socket.
    pub(super) fn for_container() -> Self {
        if geteuid().is_root() { Self { uid: IN_CONTAINER, gid: IN_CONTAINER, other: true } } else { Self::own() }
    }

    fn own() -> Self {
        Self { uid: geteuid().as_raw(), gid: getegid().as_raw(), other: false }
    }
}

/// The numbers of `user` in the text of passwd(5).
fn look_up(passwd: &str, user: &str) -> Option<(u32, u32)> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(user)).then_some(())?;
        let uid = fields.nth(1)?.parse().ok()?;
        Some((uid, fields.next()?.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_user_by_its_whole_name() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\nbroken:x\nno:x:1:2::/:\nnobody:x:65534:65533:nobody:/nonexistent:/usr/sbin/nologin\n";
        assert_eq!(look_up(passwd, "nobody"), Some((65534, 65533)));
        assert_eq!(look_up(passwd, "nob"), None);
        assert_eq!(look_up(passwd, "broken"), None);
    }

    #[test]
    fn a_desktop_is_never_root() {
        if geteuid().is_root() {
            assert!(matches!(Account::for_process(Some("root")), Err(RuntimeError::RootUser { .. })));
            assert!(matches!(Account::for_process(Some("no such user")), Err(RuntimeError::NoUser { .. })));
        }
        assert_ne!(Account::for_process(None).unwrap().uid, 0);
    }
}
