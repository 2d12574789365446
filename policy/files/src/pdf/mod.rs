//! PDF.

use crate::Refused;
use crate::bytes::Whole;
use crate::inspect::Look;
use crate::kind::{self, Kind};
use crate::search::Seen;

pub(crate) fn read(
    _look: &Look<'_>,
    _file: &mut dyn Whole,
    _length: u64,
    _depth: u32,
    seen: &mut Seen,
) -> Result<&'static Kind, Refused> {
    seen.unread(kind::PDF.media_type);
    Ok(&kind::PDF)
}
