//! Bytes both ways between a desktop and the outside, counted as they go, so that the count is there however it ends.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Bytes that are held for each direction.
const PIECE: usize = 16 * 1024;

/// Bytes of one connection.
#[derive(Debug, Default)]
pub(super) struct Passed {
    /// Out of the desktop.
    pub(super) sent: AtomicU64,
    /// Into the desktop.
    pub(super) received: AtomicU64,
}

/// Passes on what comes until both sides have ended, each end told to the other side.
pub(super) async fn both_ways<A, B>(desktop: &mut A, outside: &mut B, passed: &Passed)
where
    A: AsyncRead + AsyncWrite + Unpin,
    B: AsyncRead + AsyncWrite + Unpin,
{
    let (mut from_desktop, mut to_desktop) = tokio::io::split(desktop);
    let (mut from_outside, mut to_outside) = tokio::io::split(outside);
    tokio::join!(
        one_way(&mut from_desktop, &mut to_outside, u64::MAX, &passed.sent),
        one_way(&mut from_outside, &mut to_desktop, u64::MAX, &passed.received),
    );
}

/// Passes on at most `most` bytes until the stream ends or its taker does, then tells the taker, unless there may be more.
pub(super) async fn one_way(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    most: u64,
    passed: &AtomicU64,
) {
    let mut piece = vec![0; PIECE];
    let mut from = from.take(most);
    while let Ok(count @ 1..) = from.read(&mut piece).await {
        if to.write_all(piece.get(..count).unwrap_or_default()).await.is_err() {
            return;
        }
        passed.fetch_add(u64::try_from(count).unwrap_or(0), Ordering::Relaxed);
    }
    if from.limit() > 0 {
        let _ = to.shutdown().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn both_ends_are_told_and_all_is_counted() {
        let (mut near, mut desktop) = tokio::io::duplex(64);
        let (mut outside, mut far) = tokio::io::duplex(64);
        let passed = Passed::default();
        let talk = async {
            near.write_all(b"question").await.unwrap();
            near.shutdown().await.unwrap();
            let mut heard = String::new();
            far.read_to_string(&mut heard).await.unwrap();
            far.write_all(b"the answer").await.unwrap();
            far.shutdown().await.unwrap();
            let mut answer = String::new();
            near.read_to_string(&mut answer).await.unwrap();
            (heard, answer)
        };
        let ((), (heard, answer)) = tokio::join!(both_ways(&mut desktop, &mut outside, &passed), talk);
        assert_eq!((heard.as_str(), answer.as_str()), ("question", "the answer"));
        assert_eq!((passed.sent.into_inner(), passed.received.into_inner()), (8, 10));
    }
}
