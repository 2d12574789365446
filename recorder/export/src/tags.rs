//! What a film says of itself: title, date, comment, as players show them (the item list of `udta`).
use portcullis_evidence::{Listing, State};

use crate::boxes::Boxes;
use crate::film::Standing;

/// The `udta` box.
pub(crate) fn write(out: &mut Boxes, listing: &Listing, standing: &Standing) {
    let manifest = &listing.manifest;
    let title = format!("{} on {}, {}", manifest.subject, manifest.desktop, manifest.started);
    let ended = match &listing.seal {
        Some(seal) if seal.state == State::Closed => format!("closed: {}", seal.reason),
        Some(seal) => format!("interrupted: {}", seal.reason),
        None => "not sealed".to_owned(),
    };
    let comment = format!(
        "session {}; policy {}, rule {}; {ended}; {}",
        manifest.id,
        manifest.policy,
        manifest.rule,
        standing.words()
    );
    let tags: [(&[u8; 4], &str); 4] = [
        (b"\xa9nam", &title),
        (b"\xa9day", &manifest.started),
        (b"\xa9too", &format!("Portcullis {}", manifest.gate)),
        (b"\xa9cmt", &comment),
    ];
    out.within(b"udta", |out| {
        out.full(b"meta", 0, 0, |out| {
            out.full(b"hdlr", 0, 0, |out| out.u32(0).bytes(b"mdirappl").u32s(&[0; 2]).bytes(&[0]));
            out.within(b"ilst", |out| {
                tags.into_iter().fold(out, |out, (kind, text)| {
                    // UTF-8, no country, no language.
                    out.within(kind, |out| out.within(b"data", |out| out.u32s(&[1, 0]).bytes(text.as_bytes())))
                })
            })
        })
    });
}
