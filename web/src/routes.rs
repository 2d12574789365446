//! Every route of the portal in one table, with who may use it.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, delete, get, post, put};

use crate::oidc::routes as oidc;
use crate::portal::Portal;
use crate::problem::Problem;
use crate::{export, filters, hold, notes, pages, proof, readings, recordings, search, sign_in};

/// The longest body that is read.
const MAX_BODY_BYTES: usize = 4 * 1024;

/// The longest body with a text of a person, written in JSON as long as it can be.
const MAX_NOTE_BYTES: usize = 32 * 1024;

/// Who may use a route. What a route's function takes enforces it; the tests hold every route against it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Whoever reaches the gate.
    Anyone,
    /// Whoever is signed in; what is shown depends on who that is.
    SignedIn,
    /// Who may see the recording `{id}`.
    Recording,
    /// Auditors and administrators, of the recording `{id}`.
    Auditing,
    /// Administrators, of the recording `{id}`.
    Administering,
}

/// One route.
pub(crate) struct Route {
    #[cfg_attr(not(test), expect(dead_code, reason = "what the tests send"))]
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    #[cfg_attr(not(test), expect(dead_code, reason = "what the tests expect"))]
    pub(crate) access: Access,
    to: MethodRouter<Portal>,
}

/// All routes; the pages answer whatever is not among them.
pub(crate) fn routes() -> Vec<Route> {
    use Access::{Administering, Anyone, Auditing, Recording, SignedIn};
    let read = |path, access, to| Route { method: "GET", path, access, to };
    let change = |path, access, to| Route { method: "POST", path, access, to };
    let keep = |path, access, to| Route { method: "PUT", path, access, to };
    let remove = |path, access, to| Route { method: "DELETE", path, access, to };
    let short = DefaultBodyLimit::max(MAX_NOTE_BYTES);
    let logout = DefaultBodyLimit::max(oidc::MAX_LOGOUT_BYTES);
    vec![
        read("/api/me", SignedIn, get(sign_in::me)),
        change("/api/sign-in", Anyone, post(sign_in::sign_in)),
        read("/api/sign-in/ways", Anyone, get(oidc::ways)),
        change("/api/sign-in/{provider}", Anyone, post(oidc::begin)),
        read("/api/sign-in/{provider}/callback", Anyone, get(oidc::callback)),
        change("/api/sign-in/{provider}/logout", Anyone, post(oidc::logout).layer(logout)),
        change("/api/sign-out", Anyone, post(sign_in::sign_out)),
        read("/api/recordings", SignedIn, get(recordings::list)),
        read("/api/recordings/{id}", Recording, get(recordings::one)),
        read("/api/recordings/{id}/index.m3u8", Recording, get(recordings::playlist)),
        read("/api/recordings/{id}/video/{file}", Recording, get(recordings::video)),
        read("/api/recordings/{id}/events", Recording, get(recordings::events)),
        read("/api/recordings/{id}/events/{file}", Recording, get(recordings::events_file)),
        read("/api/recordings/{id}/thumbnail", Recording, get(readings::thumbnail)),
        read("/api/recordings/{id}/export", Auditing, get(export::export)),
        change("/api/recordings/{id}/hold", Administering, post(hold::hold)),
        remove("/api/recordings/{id}/hold", Administering, delete(hold::release)),
        read("/api/recordings/{id}/bundle", Recording, get(proof::files)),
        read("/api/recordings/{id}/bundle/{*path}", Recording, get(proof::file)),
        read("/api/trust", SignedIn, get(proof::trust)),
        read("/api/recordings/{id}/notes", Recording, get(notes::list)),
        change("/api/recordings/{id}/notes", Recording, post(notes::add).layer(short)),
        remove("/api/recordings/{id}/notes/{note}", Recording, delete(notes::remove)),
        read("/api/search", SignedIn, get(search::search)),
        read("/api/filters", SignedIn, get(filters::list)),
        read("/api/filters/{name}", SignedIn, get(filters::one)),
        keep("/api/filters/{name}", SignedIn, put(filters::keep).layer(short)),
        remove("/api/filters/{name}", SignedIn, delete(filters::remove)),
    ]
}

pub(crate) fn router(portal: Portal) -> Router {
    let table = routes().into_iter().fold(Router::new(), |router, route| router.route(route.path, route.to));
    table
        .method_not_allowed_fallback(wrong_method)
        .fallback(pages::page)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(portal)
}

async fn wrong_method() -> Response {
    let status = axum::http::StatusCode::METHOD_NOT_ALLOWED;
    Problem::new(status, "This address does not take this method.").into_response()
}
