//! Addresses that somebody is sent to: paths of this gate's pages, and nothing else.

use axum::http::Uri;

/// The longest path with its query, in bytes.
const MAX_PATH: usize = 1024;

/// Whether this is the path of a page of this gate, perhaps with a query. What a browser could read as another host, as
/// markup, or as a call of the API is none.
pub(crate) fn is_ours(path: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'"' | b'\'' | b'<' | b'>' | b'`' | b'#');
    let below =
        |name: &str| path.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
    path.len() <= MAX_PATH
        && path.starts_with('/')
        && !path.starts_with("//")
        && path.bytes().all(plain)
        && !["/api", "/sessions", "/sign-in", "/signed-out"].iter().any(|name| below(name))
        && !path.split(['/', '?']).any(|part| part == "." || part == "..")
}

/// Whether an address stays on this machine: http to it needs no TLS.
pub(super) fn is_loopback(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Whether nobody on the way reads what is sent to this address.
pub(super) fn is_private(uri: &Uri) -> bool {
    match uri.scheme_str() {
        Some("https") => uri.host().is_some_and(|host| !host.is_empty()),
        Some("http") => is_loopback(uri),
        _ => false,
    }
}

/// Text as a value of an attribute, or between tags.
pub(super) fn escaped(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut all, c| {
        match c {
            '&' => all.push_str("&amp;"),
            '<' => all.push_str("&lt;"),
            '>' => all.push_str("&gt;"),
            '"' => all.push_str("&quot;"),
            '\'' => all.push_str("&#39;"),
            c => all.push(c),
        }
        all
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_path_of_a_page_is_returned_to() {
        for ours in
            ["/", "/recordings", "/recordings/0198-a?t=5", "/desktop/dev%20box", "/recordings?q=a%26b&x=1", "/apis"]
        {
            assert!(is_ours(ours), "{ours}");
        }
        for foreign in [
            "",
            "recordings",
            "//evil.example",
            "/\\evil.example",
            "/\t/evil.example",
            "https://evil.example/",
            "javascript:alert(1)",
            "/api/me",
            "/api",
            "/sessions/1/rfb",
            "/sign-in",
            "/sign-in?failed=x",
            "/a\"b",
            "/a b",
            "/a<b",
            "/ä",
            "/x#y",
            "/./api",
            "/x/../api/me",
        ] {
            assert!(!is_ours(foreign), "{foreign}");
        }
        assert!(!is_ours(&format!("/{}", "x".repeat(MAX_PATH))));
    }

    #[test]
    fn only_this_machine_is_reached_in_clear() {
        let private = |text: &str| is_private(&text.parse().unwrap());
        for good in ["https://id.example/realm", "http://127.0.0.1:9/x", "http://localhost/", "http://[::1]:5/"] {
            assert!(private(good), "{good}");
        }
        for bad in
            ["http://id.example/", "ftp://localhost/", "/path", "http://localhost.evil.example/", "http://10.0.0.1/"]
        {
            assert!(!private(bad), "{bad}");
        }
    }
}
