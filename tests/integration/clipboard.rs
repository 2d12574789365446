//! Paste and copy: what policy does not name does not cross, looked at on the X clipboard and on the WebSocket.

use std::io::Write;
use std::time::Duration;

use portcullis_tests::viewer::Heard;
use portcullis_tests::{DesktopProbe, Gate, Viewer, until};

use super::{CLIPBOARD, events, of_type, plan};

/// Puts text on the desktop's clipboard, as a program there does.
fn set_clipboard(desktop: &DesktopProbe, text: &str) -> std::process::Child {
    let mut owner = desktop.spawn("xclip", &["-selection", "clipboard", "-quiet"]).unwrap();
    owner.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    owner
}

fn clipboard(desktop: &DesktopProbe) -> String {
    desktop.run("xclip", &["-selection", "clipboard", "-o"]).unwrap_or_default()
}

#[tokio::test]
async fn without_a_rule_nothing_crosses_either_way() {
    let gate = Gate::start(&plan()).await.unwrap();
    let api = gate.api("alice", "testers", "desk").unwrap();
    let opened = api.open("desk").await.unwrap();
    let desktop = DesktopProbe::find(&opened.id).await.unwrap();
    let mut viewer = Viewer::connect(&gate.url, &opened).await.unwrap();
    viewer.watch("the desktop", |viewer| viewer.pixels.iter().any(|byte| *byte != 0)).await.unwrap();

    let mut owner = set_clipboard(&desktop, "the desktop's secret");
    until("the clipboard is set", async || Ok((clipboard(&desktop) == "the desktop's secret").then_some(())))
        .await
        .unwrap();
    viewer.cut_text(b"smuggled in").await.unwrap();
    let heard = viewer.listen(Duration::from_secs(2)).await.unwrap();
    assert!(!heard.iter().any(|message| matches!(message, Heard::CutText(_))), "{heard:?}");
    assert_eq!(clipboard(&desktop), "the desktop's secret");

    api.end(&opened.id).await.unwrap();
    api.wait_gone(&opened.id).await.unwrap();
    let _ = owner.kill();
    let _ = owner.wait();
    let bundle = gate.bundle(&opened.id).unwrap();
    let events = events(&bundle).unwrap();
    for kind in ["paste", "copy"] {
        let judged = of_type(&events, kind);
        assert!(!judged.is_empty(), "no {kind} event");
        assert!(
            judged.iter().all(|event| event["effect"] == "deny" && event["sha256"].as_str().unwrap().len() == 64),
            "{judged:?}"
        );
    }
    assert_eq!(of_type(&events, "paste")[0]["bytes"], 11);
    let everything =
        format!("{}{}", std::fs::read_to_string(gate.log()).unwrap(), serde_json::to_string(&events).unwrap());
    assert!(!everything.contains("smuggled") && !everything.contains("secret"), "contents are in the log or in events");
}

#[tokio::test]
async fn with_a_rule_it_crosses_up_to_its_limit() {
    let gate = Gate::start(&plan().policy("clipboard.yaml", CLIPBOARD)).await.unwrap();
    let api = gate.api("alice", "testers", "desk").unwrap();
    let opened = api.open("desk").await.unwrap();
    let desktop = DesktopProbe::find(&opened.id).await.unwrap();
    let mut viewer = Viewer::connect(&gate.url, &opened).await.unwrap();
    viewer.watch("the desktop", |viewer| viewer.pixels.iter().any(|byte| *byte != 0)).await.unwrap();

    viewer.cut_text(b"caf\xe9 to go").await.unwrap();
    until("the paste arrives", async || Ok((clipboard(&desktop) == "café to go").then_some(()))).await.unwrap();
    viewer.cut_text(&[b'x'; 1025]).await.unwrap();

    let mut owner = set_clipboard(&desktop, "out it goes");
    let heard = until("the copy arrives", async || {
        let heard = viewer.listen(Duration::from_millis(300)).await?;
        Ok(heard.into_iter().find(|message| matches!(message, Heard::CutText(_))))
    })
    .await
    .unwrap();
    assert_eq!(heard, Heard::CutText("out it goes".into()));
    api.end(&opened.id).await.unwrap();
    api.wait_gone(&opened.id).await.unwrap();
    let _ = owner.kill();
    let _ = owner.wait();
    let events = events(&gate.bundle(&opened.id).unwrap()).unwrap();
    let pastes = of_type(&events, "paste");
    assert_eq!((&pastes[0]["effect"], &pastes[1]["effect"]), (&"permit".into(), &"deny".into()), "{pastes:?}");
    assert!(pastes[1]["rule"].as_str().unwrap().starts_with("clipboard.yaml:"), "{:?}", pastes[1]);
}
