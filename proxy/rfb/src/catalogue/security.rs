//! Security types of the handshake. A viewer is offered `None` alone, behind its ticket: whatever else it picks is refused.

use super::Line;
use super::Outcome::{Refused, Understood};
use crate::wire::{SecurityType as S, VeNCryptType as X};

const NOT_SPOKEN: &str = "not spoken";

/// What a desktop may be configured with. The configured one is required, whatever else is offered.
pub const DESKTOP_SECURITY: &[Line<S>] = &[
    (S::INVALID, Refused, "the desktop's reason is told"),
    (S::NONE, Understood, "on a socket of this machine"),
    (S::VNC_AUTH, Understood, "a password of eight bytes at most; the connection itself is in the clear"),
    (S::RA2, Refused, NOT_SPOKEN),
    (S::RA2NE, Refused, NOT_SPOKEN),
    (S::RA2_2, Refused, NOT_SPOKEN),
    (S::TIGHT, Refused, "its tunnels lead past the gate"),
    (S::ULTRA, Refused, NOT_SPOKEN),
    (S::TLS, Refused, "anonymous TLS"),
    (S::VENCRYPT, Understood, "see the table of its types"),
    (S::SASL, Refused, NOT_SPOKEN),
    (S::XVP, Refused, NOT_SPOKEN),
    (S::APPLE_DH, Refused, NOT_SPOKEN),
    (S::APPLE_31, Refused, NOT_SPOKEN),
    (S::APPLE_32, Refused, NOT_SPOKEN),
    (S::APPLE_33, Refused, NOT_SPOKEN),
    (S::APPLE_34, Refused, NOT_SPOKEN),
    (S::APPLE_35, Refused, NOT_SPOKEN),
    (S::MS_LOGON_2, Refused, NOT_SPOKEN),
    (S::RA2_256, Refused, NOT_SPOKEN),
    (S::RA2NE_256, Refused, NOT_SPOKEN),
    (S::RA2_2_256, Refused, NOT_SPOKEN),
];

/// Types within VeNCrypt 0.2.
pub const VENCRYPT_TYPES: &[Line<X>] = &[
    (X::NONE, Refused, "no TLS"),
    (X::VNC_AUTH, Refused, "no TLS"),
    (X::PLAIN, Refused, "a password in the clear"),
    (X::TLS_NONE, Refused, "anonymous TLS: whoever is between reads and writes"),
    (X::TLS_VNC, Refused, "anonymous TLS: whoever is between reads and writes"),
    (X::TLS_PLAIN, Refused, "anonymous TLS: whoever is between reads and writes"),
    (X::X509_NONE, Understood, "the configured CA and name alone"),
    (X::X509_VNC, Understood, "the configured CA and name alone; the password follows when they are proved"),
    (X::X509_PLAIN, Understood, "the configured CA and name alone; user and password follow when they are proved"),
    (X::TLS_SASL, Refused, NOT_SPOKEN),
    (X::X509_SASL, Refused, NOT_SPOKEN),
    (X::IDENT, Refused, NOT_SPOKEN),
    (X::TLS_IDENT, Refused, NOT_SPOKEN),
    (X::X509_IDENT, Refused, NOT_SPOKEN),
];
