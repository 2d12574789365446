//! The API of saved filters: each person has their own.

use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};

use crate::index::{Kept, MAX_FILTERS, SavedFilter};
use crate::portal::Portal;
use crate::principal::Principal;
use crate::problem::Problem;
use crate::types::{Filter, FilterQuery, Filters, Wanted};
use crate::wire::Json;

/// Characters of a filter's name.
const MAX_NAME: usize = 64;
/// Characters of a filter.
const MAX_QUERY: usize = 2000;

/// The signed-in person's saved filters.
#[utoipa::path(get, path = "/api/filters", operation_id = "list_filters", tag = "recordings", responses(
    (status = 200, description = "The filters", body = Filters),
    (status = 401, description = "Nobody is signed in", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list(State(portal): State<Portal>, principal: Principal) -> Result<Json<Filters>, Problem> {
    let filters =
        portal.index().filters(&principal.subject).await.map_err(|error| Problem::internal("list filters", &error))?;
    Ok(Json(Filters { filters: filters.into_iter().map(Filter::from).collect() }))
}

/// One of the signed-in person's saved filters.
#[utoipa::path(get, path = "/api/filters/{name}", operation_id = "filter", tag = "recordings", params(
    ("name" = String, Path, description = "Its name"),
), responses(
    (status = 200, description = "The filter", body = Filter),
    (status = 401, description = "Nobody is signed in", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "There is none of this name", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn one(
    State(portal): State<Portal>,
    principal: Principal,
    Path(name): Path<String>,
) -> Result<Json<Filter>, Problem> {
    let Json(Filters { filters }) = list(State(portal), principal).await?;
    filters.into_iter().find(|filter| filter.name == name).map(Json).ok_or_else(no_filter)
}

/// Saves a filter, in place of one of that name.
#[utoipa::path(put, path = "/api/filters/{name}", operation_id = "keep_filter", tag = "recordings", request_body = FilterQuery, params(
    ("name" = String, Path, description = "Its name, 1 to 64 characters"),
), responses(
    (status = 204, description = "It is saved"),
    (status = 400, description = "The name or the query is none", body = Problem, content_type = "application/problem+json"),
    (status = 401, description = "Nobody is signed in", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "The person has 50", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn keep(
    State(portal): State<Portal>,
    principal: Principal,
    Path(name): Path<String>,
    Json(FilterQuery { query }): Json<FilterQuery>,
) -> Result<StatusCode, Problem> {
    let bad = |detail: &str| Problem::new(StatusCode::BAD_REQUEST, detail);
    if name.trim().is_empty() || name.chars().nth(MAX_NAME).is_some() || name.contains(char::is_control) {
        return Err(bad("A filter's name has 1 to 64 characters."));
    }
    if query.chars().nth(MAX_QUERY).is_some() {
        return Err(bad("A filter has at most 2000 characters."));
    }
    let address: Uri = format!("/?{query}").parse().map_err(|_| bad("query must be one of an address."))?;
    let wanted = axum::extract::Query::<Wanted>::try_from_uri(&address).map_err(Problem::from)?.0;
    wanted.sought()?;
    if wanted.told().is_empty() || wanted.before.is_some() {
        return Err(bad("A filter says what is sought, and no place in the list."));
    }
    let kept = portal.index().keep_filter(&principal.subject, &SavedFilter { name, query }).await;
    match kept.map_err(|error| Problem::internal("keep a filter", &error))? {
        Kept::Yes => Ok(StatusCode::NO_CONTENT),
        Kept::TooMany => {
            Err(Problem::new(StatusCode::CONFLICT, format!("There are {MAX_FILTERS} filters. Remove one first.")))
        }
    }
}

/// Removes a saved filter.
#[utoipa::path(delete, path = "/api/filters/{name}", operation_id = "remove_filter", tag = "recordings", params(
    ("name" = String, Path, description = "Its name"),
), responses(
    (status = 204, description = "It is gone"),
    (status = 401, description = "Nobody is signed in", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "There is none of this name", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn remove(
    State(portal): State<Portal>,
    principal: Principal,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    let dropped = portal.index().drop_filter(&principal.subject, &name).await;
    let dropped = dropped.map_err(|error| Problem::internal("remove a filter", &error))?;
    dropped.then_some(StatusCode::NO_CONTENT).ok_or_else(no_filter)
}

fn no_filter() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "There is no filter of this name.")
}
