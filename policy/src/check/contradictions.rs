//! What a policy says against itself.

use super::{Doubt, Findings};
use crate::language::Policy;

pub(super) fn check(policy: &Policy, findings: &mut Findings) {
    for allow in &policy.allow {
        let denied = policy.deny.iter().filter(|deny| deny.is_plain()).flat_map(|deny| &deny.actions);
        if let Some(action) = denied.into_iter().find(|action| action.value == allow.kind) {
            let reason = format!(
                "line {} of the same policy denies {}, which counts; take one of them out",
                action.at.line, allow.kind
            );
            findings.add(Doubt::Contradictory, policy.allow_rule(allow), reason);
        }
    }
    let session = &policy.asks.session;
    for (shorter, word) in [(&session.idle, "idle"), (&session.reconnect, "reconnect"), (&session.warning, "warning")] {
        if let (Some(shorter), Some(longest)) = (shorter, &session.longest)
            && shorter.value >= longest.value
        {
            let reason = format!(
                "`{word}` of {} never counts in sessions that last {} (line {})",
                shorter.value, longest.value, longest.rule.line
            );
            findings.add(Doubt::Contradictory, shorter.rule.clone(), reason);
        }
    }
}
