//! Tokens: a JWT (RFC 7519) signed by a trusted issuer says who asks, for which desktop and until when.
//!
//! [`Verifier::verify`] is the only way from a text to [`Claims`]: it picks one key by issuer and `kid`, demands that key's one
//! algorithm, proves the signature, and only then believes the claims. The time is handed in.

mod claims;
mod error;
mod jwks;
mod key;
mod key_file;
mod mint;
mod revocation;
#[cfg(test)]
mod tests;
mod verify;

pub use claims::{Claims, MAX_GROUPS, MAX_NAME_BYTES};
pub use error::TokenError;
pub use jwks::{JwksError, MAX_JWKS_BYTES};
pub use key::{Algorithm, Issuer, TrustedKey};
pub use key_file::{KeyFileError, create as create_key_file, load as load_key_file};
pub use mint::{MintError, mint, random_id};
pub use revocation::{MAX_REVOCATIONS, Revocations, RevocationsFull, Target};
pub use verify::{LEEWAY_SECONDS, MAX_TOKEN_BYTES, Verifier};
