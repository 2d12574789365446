//! Desktops as containers of a Docker Engine.
