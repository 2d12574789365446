//! Connecting to a socket that lies in a folder which its desktop may control.
