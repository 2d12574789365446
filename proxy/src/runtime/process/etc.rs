//! The files that a jail shows its desktop read-only: its script, programs and looks, and who it is.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::jail::HOME;
use crate::runtime::account::Account;
use crate::runtime::template::Process;

/// Writes them into `etc`.
pub(super) fn write(etc: &Path, account: &Account, process: &Process) -> io::Result<()> {
    for (name, text) in [
        ("desktop.sh", include_str!("../../../../images/desktop/desktop.sh")),
        ("openbox.xml", include_str!("../../../../images/desktop/openbox.xml")),
        ("Xdefaults", include_str!("../../../../images/desktop/Xdefaults")),
        ("programs.sh", &programs(&process.programs)),
        ("passwd", &format!("desktop:x:{}:{}:desktop:{HOME}:/bin/bash\n", account.uid, account.gid)),
        ("group", &format!("desktop:x:{}:\n", account.gid)),
    ] {
        let file = etc.join(name);
        fs::write(&file, text)?;
        fs::set_permissions(&file, Permissions::from_mode(0o644))?;
    }
    Ok(())
}

/// The shell text that starts the template's programs in order and notes the end of each.
fn programs(commands: &[Vec<String>]) -> String {
    let mut text = String::from(START);
    for command in commands {
        text.push_str("start");
        for word in command {
            text.push_str(" '");
            text.push_str(&word.replace('\'', r"'\''"));
            text.push('\'');
        }
        text.push('\n');
    }
    text
}

const START: &str = r#"start() { ( "$@" </dev/null >/dev/null 2>&1; echo "portcullis: $1 ended with status $?" >&2 ) & }
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_reach_the_program_as_they_are_written() {
        let words = ["printf", "%s|", "a b", "it's", "$HOME `id` \\ \"", "line\nbreak", ""];
        let script = programs(&[words.map(str::to_owned).to_vec()]).replace(START, "start() { \"$@\"; }\n");
        let said = std::process::Command::new("sh").arg("-c").arg(script).output().unwrap();
        assert_eq!(String::from_utf8(said.stdout).unwrap(), "a b|it's|$HOME `id` \\ \"|line\nbreak||");
    }
}
