//! Who signed, and when: validity and revocation of keys, and the time stamp of the seal.
use time::{Duration, OffsetDateTime};

use super::Check;
use crate::path::PathInBundle;
use crate::report::{Kind, StampedReport};
use crate::stamp;
use crate::time_stamp::MAX_TIME_STAMP_BYTES;

/// How far an authority's clock and a gate's may differ before it is a fault.
const CLOCKS_DIFFER: Duration = Duration::minutes(5);

impl Check<'_> {
    /// The time stamp of a good seal. One of a faulty seal proves nothing, and is left alone.
    pub(super) fn read_time_stamp(&mut self) {
        let path = PathInBundle::TimeStamp;
        // Without a seal file it has no business there, and is found among what is left.
        if !self.tree.has(path) || !self.tree.has(PathInBundle::Seal) {
            return;
        }
        let most = u64::try_from(MAX_TIME_STAMP_BYTES).unwrap_or(u64::MAX);
        let Some(bytes) = self.small_file(path, most) else { return };
        let (Some(_), Some(authorities)) = (&self.seal, self.trust.authorities()) else {
            self.report.time_stamp = Some(StampedReport::Unchecked);
            return;
        };
        let Some(sealed) = self.small_file(PathInBundle::Seal, crate::seal::MAX_SEAL_BYTES) else { return };
        match authorities.verify(&bytes, &sealed, None) {
            Ok(stamped) => {
                self.stamped = Some(stamped.time);
                self.report.time_stamp = Some(StampedReport::Proved { time: stamp::stamp(stamped.time) });
                self.report.files = self.report.files.saturating_add(1);
            }
            Err(error) => self.report.fault(path, Kind::BadTimeStamp, error.to_string()),
        }
    }

    /// The keys of manifest and seal, and the seal's time.
    pub(super) fn signers_of_the_ends(&mut self) {
        let named = self.manifest.as_ref().map(|manifest| (manifest.key.clone(), stamp::parse(&manifest.started)));
        if let Some((kid, Some(started))) = named
            && let Some(from) = self.trust.validity(&kid).and_then(|validity| validity.from)
            && started < from
        {
            let reason = format!("the key {kid} that it names came into use at {}, after it", stamp::stamp(from));
            self.report.fault(PathInBundle::Session, Kind::KeyNotValid, reason);
        }
        let Some(ended) = self.seal.as_ref().map(|seal| stamp::parse(&seal.ended)) else { return };
        self.signer_of(PathInBundle::Seal, &self.seal_kid.clone(), ended);
        if let (Some(ended), Some(stamped)) = (ended, self.stamped)
            && ended.checked_sub(CLOCKS_DIFFER).is_some_and(|ended| ended > stamped)
        {
            let reason =
                format!("it says that the session ended after {}, when it was time-stamped", stamp::stamp(stamped));
            self.report.fault(PathInBundle::Seal, Kind::WrongClock, reason);
        }
    }

    /// The wall-clock time that the bundle claims for a media time.
    pub(super) fn at(&self, us: u64) -> Option<OffsetDateTime> {
        let started = stamp::parse(&self.manifest.as_ref()?.started)?;
        started.checked_add(Duration::microseconds(i64::try_from(us).ok()?))
    }

    /// Whether the key `kid` counts for a file that claims to be of the time `at`.
    pub(super) fn signer_of(&mut self, path: PathInBundle, kid: &str, at: Option<OffsetDateTime>) {
        let Some(validity) = self.trust.validity(kid) else { return };
        let (until, revoked) = (validity.until, validity.revoked);
        if let (Some(until), Some(at)) = (until, at)
            && at > until
        {
            let reason = format!("the key {kid} went out of use at {}, before it", stamp::stamp(until));
            self.report.fault(path, Kind::KeyNotValid, reason);
        }
        // What the bundle itself says of its time is said by whoever holds the key.
        if let Some(revoked) = revoked
            && self.stamped.is_none_or(|stamped| stamped >= revoked)
        {
            let reason =
                format!("the key {kid} is revoked from {} on, and no time stamp is older", stamp::stamp(revoked));
            self.report.fault(path, Kind::RevokedKey, reason);
        }
    }
}
