//! Desktops that stand already, real ones, through a gate: what they show is what is seen, what is typed arrives, and who is another is refused.

use std::time::Duration;

use portcullis_tests::gate::{Plan, program};
use portcullis_tests::secrets::USER;
use portcullis_tests::standing::{Place, Qemu, X11vnc, XServer};
use portcullis_tests::{Api, Gate, Secrets, Viewer, until};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{events, of_type};

/// Green, as blue, green, red.
const GREEN: [u8; 3] = [0, 255, 0];
const ESCAPE: u32 = 0xff1b;
const EXTENDED_DESKTOP_SIZE: i32 = -308;
/// An xterm in the corner of a screen without a window manager: it has the keys while the pointer is over it.
const XTERM: [&str; 8] = ["-geometry", "80x24+0+0", "-bg", "white", "-fg", "black", "-e", "/bin/sh"];

/// A gate with static desktops: name, and what stands in its table.
pub(crate) fn plan(desktops: &[(&str, String)]) -> Plan {
    let mut config = "[sessions]\nreconnect_seconds = 20\n".to_owned();
    for (name, fixed) in desktops {
        config += &format!("[[desktops]]\nname = \"{name}\"\nsize = \"640x480\"\nstatic = {{ {fixed} }}\n");
    }
    let policy = "policy: tests\napplies: {groups: [testers]}\nallow:\n  open: {}\n  control: {}\n  resize: {}\n";
    Plan::new(&config).policy("tests.yaml", policy)
}

/// The table of a desktop behind VncAuth.
pub(crate) fn vnc_auth(place: Place, secrets: &Secrets, password: &str) -> String {
    format!("address = \"{place}\", security = \"vnc_auth\", password_file = \"{}\"", secrets.text(password))
}

/// The table of a desktop behind one of the X509 types.
fn x509(place: Place, secrets: &Secrets, security: &str) -> String {
    let more = match security {
        "x509_vnc" => format!(", password_file = \"{}\"", secrets.text("vnc")),
        "x509_plain" => format!(", user = \"{USER}\", password_file = \"{}\"", secrets.text("plain")),
        _ => String::new(),
    };
    let ca = secrets.text("ca.pem");
    format!("address = \"{place}\", security = \"{security}\", ca = \"{ca}\", server_name = \"localhost\"{more}")
}

/// Takes what the gate sends until the viewer has what the desktop itself says it shows.
async fn agree(viewer: &mut Viewer, own: impl Fn() -> anyhow::Result<Vec<u8>>) {
    viewer.request(false).await.unwrap();
    until("the viewer has what the desktop shows", async || {
        viewer.listen(Duration::from_millis(150)).await?;
        let seen: Vec<u8> = viewer.pixels.chunks_exact(4).flat_map(|pixel| [pixel[2], pixel[1], pixel[0]]).collect();
        Ok((own()? == seen).then_some(()))
    })
    .await
    .unwrap();
}

/// Opens a desktop with an xterm, types into it, and compares the screens.
async fn works(gate: &Gate, name: &str, server: &XServer) {
    let api = gate.api("alice", "testers", name).unwrap();
    let opened = api.open(name).await.unwrap();
    let mut viewer = Viewer::connect(&gate.url, &opened).await.unwrap();
    viewer.pointer(0, 120, 120).await.unwrap();
    viewer.watch("a terminal", |viewer| viewer.count([255; 3]) > 20_000).await.unwrap();
    viewer.text("printf '\\033]11;#00ff00\\007'; echo colours; ls --color=always /etc\n").await.unwrap();
    viewer.watch("it turned green", |viewer| viewer.count(GREEN) > 20_000).await.unwrap();
    agree(&mut viewer, || server.picture()).await;
    viewer.text("printf '\\033]11;#ffffff\\007'; clear\n").await.unwrap();
    viewer.watch("it turned white again", |viewer| viewer.count([255; 3]) > 20_000).await.unwrap();
    let (status, answer) = api.upload(&opened.id, "a.txt", "a").await.unwrap();
    assert_eq!((status, answer["detail"].as_str()), (409, Some("this desktop has no folder for files")), "{answer}");
    viewer.close().await.unwrap();
    api.end(&opened.id).await.unwrap();
    api.wait_gone(&opened.id).await.unwrap();
    let bundle = gate.bundle(&opened.id).unwrap();
    let (sound, report) = gate.verify(&bundle).unwrap();
    assert!(sound, "{name}: {report}");
    let events = events(&bundle).unwrap();
    assert_eq!(of_type(&events, "session_opened")[0]["runtime"], "static");
    assert_eq!(of_type(&events, "session_closed")[0]["reason"], "ended by alice", "{name}");
    assert!(of_type(&events, "desktop_lost").is_empty(), "{name}");
}

#[tokio::test]
async fn xvnc_behind_each_security_type() {
    let secrets = Secrets::new().unwrap();
    let (cert, key, password) = (secrets.text("desk.pem"), secrets.text("desk.key"), secrets.text("vnc.obscured"));
    let tls = ["-X509Cert", cert.as_str(), "-X509Key", key.as_str()];
    // PAM's service `su` lets whoever is root in by any password: what is asked here is the protocol, x11vnc is asked for the password.
    let cases: [(&str, &[&str]); 5] = [
        ("none", &["-SecurityTypes", "None"]),
        ("vnc_auth", &["-SecurityTypes", "VncAuth", "-rfbauth", &password]),
        ("x509_none", &["-SecurityTypes", "X509None"]),
        ("x509_vnc", &["-SecurityTypes", "X509Vnc", "-rfbauth", &password]),
        ("x509_plain", &["-SecurityTypes", "X509Plain", "-PlainUsers", "root", "-PAMService", "su"]),
    ];
    let mut servers = Vec::new();
    let mut desktops = Vec::new();
    for (security, args) in cases {
        let place = Place::free().unwrap();
        let mut server = XServer::xvnc(place, "640x480", &[args, &tls].concat()).unwrap();
        server.spawn("xterm", &XTERM).unwrap();
        let fixed = match security {
            "none" => format!("address = \"{place}\", security = \"none\""),
            "vnc_auth" => vnc_auth(place, &secrets, "vnc"),
            "x509_plain" => x509(place, &secrets, security).replace(USER, "root"),
            _ => x509(place, &secrets, security),
        };
        desktops.push((security.split('_').collect::<String>(), fixed));
        servers.push(server);
    }
    let named: Vec<_> = desktops.iter().map(|(name, fixed)| (name.as_str(), fixed.clone())).collect();
    let gate = Gate::start(&plan(&named)).await.unwrap();
    for ((name, _), server) in desktops.iter().zip(&servers) {
        works(&gate, name, server).await;
    }
}

#[tokio::test]
async fn x11vnc_with_a_password_and_with_tls() {
    let secrets = Secrets::new().unwrap();
    let mut screen = XServer::xvfb("640x480").unwrap();
    screen.spawn("xterm", &XTERM).unwrap();
    let (password, both, login) = (secrets.text("vnc.obscured"), secrets.text("desk.both"), secrets.text("login"));
    let [first, second, third] = [Place::free(), Place::free(), Place::free()].map(Result::unwrap);
    let _plain = X11vnc::start(&screen, first, &["-rfbauth", &password]).unwrap();
    let tls = ["-ssl", both.as_str(), "-rfbauth", &password, "-vencrypt", "nodh:force"];
    let _tls = X11vnc::start(&screen, second, &tls).unwrap();
    let users = ["-ssl", both.as_str(), "-unixpw_cmd", &login, "-vencrypt", "nodh:plain:force"];
    let _users = X11vnc::start(&screen, third, &users).unwrap();
    let desktops = [
        ("plain", vnc_auth(first, &secrets, "vnc")),
        ("tls", x509(second, &secrets, "x509_vnc")),
        ("users", x509(third, &secrets, "x509_plain")),
        ("nobody", x509(third, &secrets, "x509_plain").replace(&format!("\"{USER}\""), "\"bob\"") + ", shared = true"),
    ];
    let gate = Gate::start(&plan(&desktops)).await.unwrap();
    for name in ["plain", "tls", "users"] {
        works(&gate, name, &screen).await;
    }
    // x11vnc answers a wrong login with words where a SecurityResult belongs.
    let detail = refused(&gate, "nobody", StatusCode::SERVICE_UNAVAILABLE).await;
    assert!(detail.contains("SecurityResult"), "{detail}");
}

#[tokio::test]
async fn qemu_on_a_socket_and_with_tls() {
    let secrets = Secrets::new().unwrap();
    let place = Place::free().unwrap();
    let machines = [Qemu::start().await.unwrap(), Qemu::start_with_tls(place, &secrets).await.unwrap()];
    let socket = format!("address = \"unix:{}\", security = \"none\"", machines[0].socket().display());
    let gate = Gate::start(&plan(&[("socket", socket), ("tls", x509(place, &secrets, "x509_vnc"))])).await.unwrap();
    for (name, machine) in ["socket", "tls"].into_iter().zip(&machines) {
        let api = gate.api("alice", "testers", name).unwrap();
        let opened = api.open(name).await.unwrap();
        let mut viewer = Viewer::connect(&gate.url, &opened).await.unwrap();
        let lit = |viewer: &Viewer| viewer.pixels.chunks_exact(4).filter(|pixel| pixel[..3] != [0; 3]).count();
        viewer.watch("the BIOS", |viewer| lit(viewer) > 500).await.unwrap();
        agree(&mut viewer, || machine.picture()).await;
        let before = lit(&viewer);
        // The BIOS may not look at its keyboard yet: it is asked for its menu until it shows it.
        until("the boot menu", async || {
            viewer.key(ESCAPE).await?;
            viewer.listen(Duration::from_millis(300)).await?;
            Ok((lit(&viewer) > before + 500).then_some(()))
        })
        .await
        .unwrap();
        agree(&mut viewer, || machine.picture()).await;
        viewer.close().await.unwrap();
        api.end(&opened.id).await.unwrap();
        api.wait_gone(&opened.id).await.unwrap();
        let (sound, report) = gate.verify(&gate.bundle(&opened.id).unwrap()).unwrap();
        assert!(sound, "{name}: {report}");
    }
}

/// Asks for a session that must be refused; the words.
async fn refused(gate: &Gate, desktop: &str, status: StatusCode) -> String {
    let (found, problem) = open(&gate.api("alice", "testers", desktop).unwrap(), desktop).await;
    assert_eq!(found, status, "{problem}");
    problem["detail"].as_str().unwrap().to_owned()
}

async fn open(api: &Api, desktop: &str) -> (StatusCode, Value) {
    let answer = api.send(Method::POST, "/api/sessions", &[], Some(json!({"desktop": desktop}))).await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

#[tokio::test]
async fn who_is_another_than_configured_is_refused_with_the_reason() {
    let secrets = Secrets::new().unwrap();
    let (cert, key, password) = (secrets.text("desk.pem"), secrets.text("desk.key"), secrets.text("vnc.obscured"));
    let [clear, tls, nowhere] = [Place::free(), Place::free(), Place::free()].map(Result::unwrap);
    let _clear = XServer::xvnc(clear, "64x64", &["-SecurityTypes", "VncAuth", "-rfbauth", &password]).unwrap();
    let types = ["-SecurityTypes", "X509None,TLSVnc", "-X509Cert", &cert, "-X509Key", &key, "-rfbauth", &password];
    let _tls = XServer::xvnc(tls, "64x64", &types).unwrap();
    let shared = |fixed: String| fixed + ", shared = true";
    let good = x509(tls, &secrets, "x509_none");
    let cases = [
        ("wrong-password", shared(vnc_auth(clear, &secrets, "wrong")), "it does not accept the gate's credentials: "),
        (
            "wrong-authority",
            shared(good.replace("ca.pem", "stranger.pem")),
            "its TLS is refused: invalid peer certificate: ",
        ),
        (
            "wrong-name",
            shared(good.replace("localhost", "desk.example.org")),
            "not valid for name \"desk.example.org\"",
        ),
        (
            "no-tls",
            shared(x509(clear, &secrets, "x509_vnc")),
            "configured is VeNCrypt (19), the desktop offers VNC Authentication (2)",
        ),
        ("other-tls", shared(x509(tls, &secrets, "x509_vnc")), "configured is X509Vnc (261), the desktop offers "),
        (
            "anonymous",
            shared(x509(tls, &secrets, "x509_plain")),
            ": anonymous TLS: whoever is between reads and writes",
        ),
        ("not-none", format!("address = \"{clear}\", security = \"none\", shared = true"), "configured is None (1)"),
        (
            "nowhere",
            vnc_auth(nowhere, &secrets, "vnc"),
            "no connection to the desktop: it cannot be reached: Connection refused",
        ),
    ];
    let desktops: Vec<_> = cases.iter().map(|(name, fixed, _)| (*name, fixed.clone())).collect();
    let gate = Gate::start(&plan(&desktops)).await.unwrap();
    for (name, _, words) in &cases {
        let detail = refused(&gate, name, StatusCode::SERVICE_UNAVAILABLE).await;
        assert!(detail.contains(words), "{name}: {detail}");
        assert!(!detail.contains("127."), "where it stands is the operator's alone: {detail}");
    }
    let entries = gate.journal().unwrap();
    let reasons: Vec<_> = entries.iter().filter(|entry| entry["type"] == "refused").collect();
    assert_eq!(reasons.len(), cases.len(), "{reasons:?}");
    // The doctor knocks at the same doors.
    let mut doctor = std::process::Command::new(program().unwrap());
    doctor.args(["doctor", "--config"]).arg(gate.data().with_file_name("gate.toml"));
    let output = doctor.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(cases.iter().all(|(_, _, words)| said.contains(words)), "{said}");
}

#[tokio::test]
async fn one_session_at_a_time_unless_it_is_shared() {
    let place = Place::free().unwrap();
    let _server = XServer::xvnc(place, "64x64", &["-SecurityTypes", "None"]).unwrap();
    let fixed = format!("address = \"{place}\", security = \"none\"");
    let gate = Gate::start(&plan(&[("own", fixed.clone()), ("shared", fixed + ", shared = true")])).await.unwrap();
    let [alice, bob] = ["alice", "bob"].map(|subject| gate.api(subject, "testers", "own").unwrap());
    let first = alice.open("own").await.unwrap();
    let (status, problem) = open(&bob, "own").await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    let words = "the desktop \"own\" takes one session at a time, and another session is on it";
    assert_eq!(problem["detail"], words, "not whose it is");
    let (_, problem) = open(&alice, "own").await;
    assert!(problem["detail"].as_str().unwrap().ends_with("and a session of yours is on it"), "{problem}");
    for subject in ["alice", "bob"] {
        gate.api(subject, "testers", "shared").unwrap().open("shared").await.unwrap();
    }
    alice.end(&first.id).await.unwrap();
    alice.wait_gone(&first.id).await.unwrap();
    bob.open("own").await.expect("it is free again, and still there");
}

/// SetDesktopSize to one screen.
fn set_size(width: u16, height: u16) -> Vec<u8> {
    let size = [width.to_be_bytes(), height.to_be_bytes()].concat();
    [&[251, 0], size.as_slice(), &[1, 0], &[0; 8], size.as_slice(), &[0; 4]].concat()
}

#[tokio::test]
async fn sizes_go_both_ways() {
    let place = Place::free().unwrap();
    let server = XServer::xvnc(place, "640x480", &["-SecurityTypes", "None"]).unwrap();
    let gate = Gate::start(&plan(&[("desk", format!("address = \"{place}\", security = \"none\""))])).await.unwrap();
    let api = gate.api("alice", "testers", "desk").unwrap();
    let opened = api.open("desk").await.unwrap();
    let mut viewer = Viewer::connect_with(&gate.url, &opened, &[0, EXTENDED_DESKTOP_SIZE]).await.unwrap();
    server.run("xsetroot", &["-solid", "#00ff00"]).unwrap();
    viewer.watch("the desktop", |viewer| viewer.count(GREEN) > 200_000).await.unwrap();
    viewer.send(&set_size(800, 600)).await.unwrap();
    viewer.watch("the size that was asked for", |viewer| (viewer.width, viewer.height) == (800, 600)).await.unwrap();
    let own = String::from_utf8(server.run("xrandr", &["--current"]).unwrap()).unwrap();
    assert!(own.contains("current 800 x 600"), "{own}");
    server.run("xrandr", &["--size", "640x480"]).unwrap();
    viewer.watch("the desktop's own size", |viewer| (viewer.width, viewer.height) == (640, 480)).await.unwrap();
    viewer.send(&set_size(4000, 100)).await.unwrap();
    viewer.watch("the refusal", |viewer| viewer.layouts.iter().any(|[_, status, ..]| *status != 0)).await.unwrap();
    viewer.close().await.unwrap();
    api.end(&opened.id).await.unwrap();
    api.wait_gone(&opened.id).await.unwrap();
    let events = events(&gate.bundle(&opened.id).unwrap()).unwrap();
    let sizes: Vec<_> =
        of_type(&events, "resized").iter().map(|event| (event["width"].clone(), event["height"].clone())).collect();
    assert_eq!(sizes, [(json!(800), json!(600)), (json!(640), json!(480))]);
}
