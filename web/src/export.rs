//! A recording taken out as one file: a film, or a zip that a stranger can verify. For auditors, verified first, streamed as it is made.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream::unfold;
use portcullis_evidence::{KeyList, MAX_KEY_LIST_BYTES, Report, Trust, verify_at};
use portcullis_export::{ExportError, Film, Package, PublicKey, Standing};
use portcullis_vault::{Key, Stored};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use crate::audit::{Act, Part};
use crate::portal::Portal;
use crate::principal::Permitted;
use crate::problem::{Problem, chain};
use crate::recordings;
use crate::types::{Export, ExportFormat, VideoFile};
use crate::wire::Query;

/// Bytes that are sent at once.
const PIECE: usize = 256 * 1024;
/// Pieces that wait for a slow browser; then the export waits too.
const WAITING: usize = 4;

/// What the thread that exports sends: bytes, or why there are no more.
type Pieces = mpsc::Sender<io::Result<Bytes>>;

/// A recording as one file. It is verified first; what does not verify is refused unless it is asked for as it is, and then says so itself.
#[utoipa::path(get, path = "/api/recordings/{id}/export", operation_id = "export_recording", tag = "recordings", params(
    ("id" = String, Path, description = "The session's id"),
    Export,
), responses(
    (status = 200, description = "The file", content((VideoFile = "application/zip"), (VideoFile = "video/mp4"))),
    (status = 400, description = "There is no such format", body = Problem, content_type = "application/problem+json"),
    (status = 401, description = "Nobody is signed in", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "Only auditors and administrators export", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "There is none, or it is not theirs to see", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "It does not verify, or there is nothing to show", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "It could not be put on the record, or too many are being made", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn export(
    State(portal): State<Portal>,
    permitted: Permitted,
    Query(wanted): Query<Export>,
) -> Result<Response, Problem> {
    let (principal, row) = (permitted.principal(), permitted.row());
    if !principal.audits(row) {
        return Err(Problem::new(StatusCode::FORBIDDEN, "Only auditors and administrators take recordings out."));
    }
    let busy = || Problem::new(StatusCode::SERVICE_UNAVAILABLE, "Other recordings are being exported. Try again soon.");
    let slot = portal.exports().clone().try_acquire_owned().map_err(|_| busy())?;
    let act = Act::Viewed { recording: row.id.clone(), subject: row.subject.clone(), part: Part::Export };
    portal.on_record(Some(&principal.subject), act).await?;
    let format = wanted.format.unwrap_or(ExportFormat::Zip);
    let name = format!("attachment; filename=\"{}.{}\"", row.id, format.ending());
    let vault = portal.vault().as_ref();
    let derived = match format {
        ExportFormat::Mp4 => recordings::derived(vault, &row.prefix).await,
        ExportFormat::Zip => Ok(None),
    };
    let place = derived.map_err(|error| Problem::internal("find a recording's video", &error))?;
    let making = Making {
        place: Key::new(place.as_deref().unwrap_or(&row.prefix)).map_err(|_| Problem::no_recording())?,
        id: row.id.clone(),
        format,
        unverified: wanted.unverified.unwrap_or(false),
    };
    let (ready, begun) = oneshot::channel();
    let (pieces, taken) = mpsc::channel(WAITING);
    let (source, keys) = (portal.vault().clone(), portal.keys().map(Path::to_owned));
    let runtime = Handle::current();
    tokio::task::spawn_blocking(move || {
        let source = Stored::new(source, making.place.clone(), runtime);
        making.make(&source, keys.as_deref(), ready, &pieces);
        drop(slot);
    });
    begun.await.map_err(|_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "The export broke off."))??;
    let body = Body::from_stream(unfold(taken, |mut taken| async move { Some((taken.recv().await?, taken)) }));
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(format.media_type())),
        (CONTENT_DISPOSITION, HeaderValue::try_from(name).map_err(|_| Problem::no_recording())?),
        (CACHE_CONTROL, HeaderValue::from_static("private, no-store")),
    ];
    Ok((headers, body).into_response())
}

/// An export that is made on a thread of its own.
struct Making {
    place: Key,
    id: String,
    format: ExportFormat,
    unverified: bool,
}

impl Making {
    /// Says first whether there is something to send, then sends it.
    fn make(&self, source: &Stored, keys: Option<&Path>, ready: oneshot::Sender<Result<(), Problem>>, pieces: &Pieces) {
        let (list, trust, public) = match trusted(keys) {
            Ok(trusted) => trusted,
            Err(error) => {
                let _ = ready.send(Err(Problem::internal("read the evidence keys", &*error)));
                return;
            }
        };
        let standing = match self.standing(&verify_at(source, &trust)) {
            Ok(standing) => standing,
            Err(problem) => {
                let _ = ready.send(Err(problem));
                return;
            }
        };
        let mut out = BufWriter::with_capacity(PIECE, Out(pieces));
        // Whether there is anything is known once the bundle has been looked through; the bytes come after the answer has begun.
        let made = match self.format {
            ExportFormat::Mp4 => match begin(Film::of(source, standing), ready) {
                Some(film) => film.write(&mut out),
                None => return,
            },
            ExportFormat::Zip => match begin(Package::of(source, &self.id, standing), ready) {
                Some(package) => package.write(&list, &public, &mut out),
                None => return,
            },
        };
        match made {
            // Whoever asked went away: there is nobody to tell.
            Ok(_) | Err(ExportError::Write(_)) => {}
            Err(error) => {
                tracing::error!(recording = self.id, error = chain(&error), "an export broke off");
                let _ = pieces.blocking_send(Err(io::Error::other(error)));
            }
        }
    }

    fn standing(&self, report: &Report) -> Result<Standing, Problem> {
        let said = report.to_string().lines().last().unwrap_or_default().to_owned();
        match report.verdict() {
            _ if report.is_sound() => Ok(Standing::Sound(said)),
            _ if self.unverified => Ok(Standing::Unproved(said)),
            verdict => {
                let detail = format!("The recording does not verify ({verdict}). It can be exported as it is.");
                Err(Problem::new(StatusCode::CONFLICT, detail))
            }
        }
    }
}

/// Lets the answer begin, or says why there is none.
fn begin<T>(looked: Result<T, ExportError>, ready: oneshot::Sender<Result<(), Problem>>) -> Option<T> {
    let (found, answer) = match looked {
        Ok(found) => (Some(found), Ok(())),
        Err(
            error @ (ExportError::NoVideo
            | ExportError::Encrypted
            | ExportError::Expired
            | ExportError::Replaced
            | ExportError::TooMany(_)),
        ) => (None, Err(Problem::new(StatusCode::CONFLICT, format!("It cannot be one file: {error}.")))),
        Err(error) => (None, Err(Problem::internal("export a recording", &error))),
    };
    let _ = ready.send(answer);
    found
}

/// The gate's keys: the list as an export carries it, what it makes trusted, and each key by itself.
pub(crate) type Keys = (Vec<u8>, Trust, Vec<PublicKey>);

pub(crate) fn trusted(path: Option<&Path>) -> Result<Keys, Box<dyn std::error::Error>> {
    let path = path.ok_or("the portal was given no list of evidence keys")?;
    let mut bytes = Vec::new();
    let most = u64::try_from(MAX_KEY_LIST_BYTES)?;
    io::Read::read_to_end(&mut io::Read::take(std::fs::File::open(path)?, most.saturating_add(1)), &mut bytes)?;
    let list = KeyList::from_bytes(&bytes, &[])?;
    let mut public = Vec::new();
    for listed in &list.keys {
        let key = listed.key()?;
        public.push(PublicKey { kid: key.kid().to_owned(), pem: key.to_pem()? });
    }
    Ok((bytes, Trust::listed(&list)?, public))
}

/// Hands bytes to the answer; an error when nobody takes them any more.
struct Out<'a>(&'a Pieces);

impl Write for Out<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let piece = Bytes::copy_from_slice(bytes);
        self.0.blocking_send(Ok(piece)).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
