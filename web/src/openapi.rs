//! The portal's part of the OpenAPI description.

use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(
    paths(
        crate::sign_in::me,
        crate::sign_in::sign_in,
        crate::sign_in::sign_out,
        crate::oidc::routes::ways,
        crate::oidc::routes::begin,
        crate::oidc::routes::callback,
        crate::oidc::routes::logout,
        crate::recordings::list,
        crate::recordings::one,
        crate::recordings::playlist,
        crate::recordings::video,
        crate::recordings::events,
        crate::recordings::events_file,
        crate::readings::thumbnail,
        crate::export::export,
        crate::hold::hold,
        crate::hold::release,
        crate::proof::files,
        crate::proof::file,
        crate::proof::trust,
        crate::notes::list,
        crate::notes::add,
        crate::notes::remove,
        crate::search::search,
        crate::filters::list,
        crate::filters::one,
        crate::filters::keep,
        crate::filters::remove,
    ),
    // Those that only parameters name are not found by themselves.
    components(schemas(crate::types::ExportFormat)),
    tags(
        (name = "sign-in", description = "Who is at the gate"),
        (name = "recordings", description = "What is on the record"),
    )
)]
struct Description;

/// The portal's routes and types as OpenAPI; the program merges it with the session plane's.
pub fn openapi() -> utoipa::openapi::OpenApi {
    Description::openapi()
}
