//! Portcullis as RFB viewer of the desktop: handshake, message parser and writers, without I/O.
