//! Portcullis as RFB server towards a browser.
