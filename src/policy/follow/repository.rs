//! A git repository, followed: each new tip is fetched, judged, and live or refused; the last good commit stays until there is a better one.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, ensure};
use portcullis_proxy::Enforced;
use tokio::sync::{Notify, watch};
use tokio::time::sleep;

use super::equipment::Equipment;
use super::good::Good;
use super::judge::{self, Fault};
use super::{Following, State};
use crate::config::Policies;
use crate::policy::git::{Mirror, short};

/// The longest that is waited after looks that failed, unless looks are rarer anyway.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// The least between two looks, whatever asks for them.
const LEAST_PAUSE: Duration = Duration::from_millis(500);
/// A commit that was refused is judged again after this time: the file of signers may have changed, and a disk may have room again.
const JUDGE_AGAIN: Duration = Duration::from_secs(60);

/// A commit that may be live, and who signed it where that counts.
struct Judged {
    policies: Enforced,
    good: Good,
}

/// What judges commits, handed to a thread that may wait for git.
#[derive(Clone)]
struct Judge {
    mirror: Mirror,
    config: Policies,
    data: PathBuf,
    /// What policies may ask for.
    equipment: Equipment,
}

struct Follower {
    judge: Judge,
    good: Good,
    /// Whether the last good commit is on disk as such.
    kept: bool,
    refused: Option<(String, Instant, Vec<Fault>)>,
    sender: watch::Sender<Arc<Enforced>>,
    state: State,
}

/// Uses the last good commit at once, or waits for the first, and follows the branch from there.
pub(super) async fn follow(config: &Policies, data: &Path, equipment: Equipment) -> anyhow::Result<Following> {
    let signers = &config.signers;
    ensure!(!config.signed() || signers.is_file(), "`policies.signers`, {}, is not a file", signers.display());
    let last = Good::load(data, config)?;
    let mirrored = mirror(data, config, false).await?;
    let judge = Judge { mirror: mirrored, config: config.clone(), data: data.to_owned(), equipment };
    let source = judge.mirror.to_string();
    let (judged, kept) = match judge.clone().last_good(last.clone()).await {
        Some(judged) => (judged, true),
        None => {
            // Perhaps it is the mirror that is not good any more.
            mirror(data, config, true).await?;
            (judge.first(&source, last).await?, false)
        }
    };
    let Judged { policies, good } = judged;
    tracing::info!(revision = %policies.revision(), source, "policies loaded");
    let state = State::new(&source, policies.revision());
    state.live(policies.revision(), good.signer.clone());
    let (sender, receiver) = watch::channel(Arc::new(policies));
    let wake = Arc::new(Notify::new());
    let mut follower = Follower { judge, good, kept, refused: None, sender, state: state.clone() };
    follower.keep().await;
    let looking = tokio::spawn(follower.keep_looking(Arc::clone(&wake)));
    Ok(Following { policies: receiver, state, wake: Some(wake), looking })
}

/// The mirror, as it is or made anew.
async fn mirror(data: &Path, config: &Policies, anew: bool) -> anyhow::Result<Mirror> {
    let (data, config) = (data.to_owned(), config.clone());
    tokio::task::spawn_blocking(move || Mirror::open(&data, &config, anew)).await?
}

impl Judge {
    /// Everything that makes a commit good.
    fn judge(&self, commit: &str, last: Option<&Good>) -> Result<Judged, Vec<Fault>> {
        if let Some(last) = last.filter(|_| !self.config.rewritten) {
            judge::history(&self.mirror, commit, &last.commit)?;
        }
        let signer = match self.config.signed() {
            true => Some(judge::signature(&self.mirror, commit, &self.config.signers, &self.data)?),
            false => None,
        };
        let policies = judge::contents(&self.mirror, commit, self.equipment)?;
        Ok(Judged { policies, good: Good::of(&self.config, commit, signer) })
    }

    /// The same, in a thread that may wait for git.
    async fn judged(&self, commit: &str, last: Option<Good>) -> Result<Judged, Vec<Fault>> {
        let (judge, commit) = (self.clone(), commit.to_owned());
        let judged = tokio::task::spawn_blocking(move || judge.judge(&commit, last.as_ref())).await;
        judged.unwrap_or_else(|_| Err(vec![Fault::interrupted()]))
    }

    /// The last good commit as it lies in the mirror, whatever the repository has become.
    async fn last_good(self, last: Option<Good>) -> Option<Judged> {
        let good = last?;
        let commit = good.commit.clone();
        let judged = tokio::task::spawn_blocking(move || {
            // One that was taken while every commit counted has to be signed now that only signed ones do.
            if self.config.signed() && good.signer.is_none() {
                return self.judge(&good.commit, None);
            }
            judge::contents(&self.mirror, &good.commit, self.equipment).map(|policies| Judged { policies, good })
        });
        match judged.await.unwrap_or_else(|_| Err(vec![Fault::interrupted()])) {
            Ok(judged) => Some(judged),
            Err(faults) => {
                Fault::log(
                    &faults,
                    &commit,
                    "the last good commit cannot be used any more; the branch must have a better one",
                );
                None
            }
        }
    }

    /// The branch's tip, for a gate that has nothing good.
    async fn first(&self, source: &str, last: Option<Good>) -> anyhow::Result<Judged> {
        let tip = self.mirror.fetch().await.with_context(|| format!("no policies yet: {source} cannot be fetched"))?;
        self.judged(&tip, last).await.map_err(|faults| {
            let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
            anyhow!("no policies yet: commit {} of {source} is refused:\n{}", short(&tip), lines.join("\n"))
        })
    }
}

impl Follower {
    async fn keep_looking(mut self, wake: Arc<Notify>) {
        let mut failed = 0_u32;
        loop {
            match self.look().await {
                Ok(()) => failed = 0,
                Err(error) => {
                    let error = format!("{error:#}");
                    tracing::error!(error, "the repository of policies cannot be fetched; the last good commit stays");
                    self.state.failed(error);
                    failed = failed.saturating_add(1);
                }
            }
            sleep(LEAST_PAUSE).await;
            tokio::select! {
                () = sleep(pause(Duration::from_secs(self.judge.config.poll_seconds), failed).saturating_sub(LEAST_PAUSE)) => {}
                () = wake.notified() => {}
            }
        }
    }

    async fn look(&mut self) -> anyhow::Result<()> {
        let tip = self.judge.mirror.fetch().await?;
        self.state.looked();
        if !self.kept {
            self.keep().await;
        }
        if tip == self.good.commit {
            self.refused = None;
            self.state.back();
            return Ok(());
        }
        if self.refused.as_ref().is_some_and(|(commit, at, _)| *commit == tip && at.elapsed() < JUDGE_AGAIN) {
            return Ok(());
        }
        match self.judge.judged(&tip, Some(self.good.clone())).await {
            Ok(judged) => self.take(judged).await,
            Err(faults) => self.refuse(tip, faults),
        }
        Ok(())
    }

    async fn take(&mut self, judged: Judged) {
        let Judged { policies, good } = judged;
        self.good = good;
        // INVARIANT: what is live is what a restart would use, as far as the disk lets it: a rule that denies does not wait for a full disk.
        self.keep().await;
        tracing::info!(revision = %policies.revision(), signer = self.good.signer, "policies changed");
        self.state.live(policies.revision(), self.good.signer.clone());
        self.refused = None;
        self.sender.send_replace(Arc::new(policies));
    }

    fn refuse(&mut self, tip: String, faults: Vec<Fault>) {
        let known = self.refused.take().is_some_and(|(commit, _, same)| commit == tip && same == faults);
        if !known {
            Fault::log(&faults, &tip, "a commit of policies is refused; the last good one stays");
            self.state.refused(&tip, faults.clone());
        }
        self.refused = Some((tip, Instant::now(), faults));
    }

    /// Puts the last good commit on disk, or tries again with the next look.
    async fn keep(&mut self) {
        let (judge, good) = (self.judge.clone(), self.good.clone());
        let kept = tokio::task::spawn_blocking(move || {
            judge.mirror.keep(&good.commit)?;
            good.store(&judge.data)
        });
        let kept = kept.await.unwrap_or_else(|error| Err(error.into()));
        if let Err(error) = &kept {
            let error = format!("{error:#}");
            tracing::error!(error, "the last good commit cannot be written: a restart would use the one before it");
        }
        self.kept = kept.is_ok();
    }
}

/// How long until the next look: twice as long after each that failed, up to a bound, and never quite the same for two gates.
fn pause(poll: Duration, failed: u32) -> Duration {
    let longest = LONGEST_PAUSE.max(poll);
    let pause = poll.saturating_mul(1_u32.checked_shl(failed.min(16)).unwrap_or(u32::MAX)).min(longest);
    let mut random = [0];
    // Without randomness the pause is as long as it is.
    let _ = aws_lc_rs::rand::fill(&mut random);
    // Down to three quarters: a commit is never live later than the interval promises.
    pause.saturating_sub(pause.saturating_mul(u32::from(u8::from_be_bytes(random))) / 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_with_failures_and_are_bounded() {
        let poll = Duration::from_secs(3);
        for (failed, most) in [(0, 3), (1, 6), (2, 12), (4, 48), (5, 60), (1000, 60)] {
            for _ in 0..50 {
                let pause = pause(poll, failed);
                assert!(pause <= Duration::from_secs(most) && pause >= Duration::from_secs(most) * 3 / 4, "{pause:?}");
            }
        }
        assert!(pause(Duration::from_secs(3600), 9) >= Duration::from_secs(2700));
    }
}
