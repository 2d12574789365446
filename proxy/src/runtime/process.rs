//! Desktops as processes of this machine: Xvnc, a window manager and the template's programs.
