//! Recordings as FFmpeg sees them: every revision a picture, in its colours, at its time.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "tests"
)]
mod stage;

use std::sync::Arc;
use std::time::Duration;

use portcullis_evidence::{State, What};
use portcullis_rfb::{Change, Cursor, Point, Rect, Screen, Size};
use stage::{Stage, colour, fill, probe, run, times};

#[tokio::test(flavor = "multi_thread")]
async fn every_revision_is_a_picture_in_its_colour_at_its_time() {
    let stage = Stage::new();
    let size = Size::new(320, 200);
    let recording = stage.start(size).await;
    let mut handed_us = Vec::new();
    for revision in 1..=50u64 {
        let before_us = recording.now_us();
        let change = fill(Rect::new(0, 0, size.width, size.height), colour(revision));
        recording.hand_over(revision, &[change]).await.unwrap();
        handed_us.push(before_us..=recording.now_us());
    }
    recording.event("r", "p", What::Bell {}).unwrap();
    let sealed = recording.close("closed by the viewer").await.unwrap();
    stage.assert_kept(&sealed);
    assert_eq!((sealed.seal.state, sealed.seal.revisions), (State::Closed, 50));
    assert_eq!(sealed.seal.reason, "closed by the viewer");

    let film = stage.film();
    assert_eq!(film.len(), 51, "the black screen and 50 revisions");
    assert_eq!((film[0].at_us, film[0].pixel(5, 5)), (0, [0, 0, 0, 255]));
    for (revision, (shown, handed)) in (1..).zip(film[1..].iter().zip(&handed_us)) {
        assert_eq!(shown.revision(160, 100), Some(revision));
        assert!(handed.contains(&shown.at_us), "{} in {handed:?}", shown.at_us);
    }
    assert!(stage.events().contains("\"type\":\"bell\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_video_is_h264_in_cmaf_that_players_take() {
    let stage = Stage::new();
    let recording = stage.start(Size::new(640, 360)).await;
    for revision in 1..=5 {
        let rect = Rect::new(0, 0, 64 * revision, 360);
        recording.hand_over(u64::from(revision), &[fill(rect, colour(9))]).await.unwrap();
    }
    recording.close("done").await.unwrap();
    let (init, segment, seconds) = stage.segments().remove(0);
    let said = probe(&init, &segment, "stream:format=format_name:packet=pts,dts,flags");
    for wanted in [
        "codec_name=h264",
        "profile=High",
        "width=640",
        "height=360",
        "has_b_frames=0",
        "pix_fmt=yuv420p",
        "color_range=tv",
        "color_space=bt709",
        "color_transfer=bt709",
        "color_primaries=bt709",
        "time_base=1/1000000",
        "is_avc=true",
        "sample_aspect_ratio=1:1",
        "format_name=mov,mp4,m4a,3gp,3g2,mj2",
    ] {
        assert!(said.iter().any(|line| line == wanted), "{wanted} is not in {said:#?}");
    }
    let column = |key: &str| -> Vec<String> {
        said.iter().filter_map(|line| line.strip_prefix(key)).map(str::to_owned).collect()
    };
    assert_eq!(column("flags="), ["K_", "__", "__", "__", "__", "__"], "one key picture");
    assert_eq!(column("pts="), column("dts="));
    let times = times(&segment);
    assert_eq!(times.iter().map(|(at_us, _)| at_us.to_string()).collect::<Vec<_>>(), column("pts="));
    assert!(times.windows(2).all(|pair| pair[0].0 + pair[0].1 == pair[1].0), "no gap in {times:?}");
    let (last_us, lasts_us) = times[5];
    assert!(
        ((last_us + lasts_us) as f64 / 1e6 - seconds).abs() < 1e-6,
        "the last picture lasts until the segment's end"
    );
    // As a player takes it: by the playlist.
    let playlist = stage.bundle().join("index.m3u8");
    let player = [
        "-v",
        "error",
        "-i",
        playlist.to_str().unwrap(),
        "-fps_mode",
        "passthrough",
        "-enc_time_base",
        "1/1000000",
        "-f",
        "null",
        "-",
    ];
    run("ffmpeg", &player, Vec::new());
}

fn text_like(size: Size) -> Change {
    let mut pixels = Vec::new();
    for (y, x) in (0..size.height).flat_map(|y| (0..size.width).map(move |x| (y, x))) {
        let ink = (x / 8 * 7 + y / 16 * 13) % 5 < 4 && y % 16 < 11 && (x % 8 == 1 || y % 16 == 2 + x / 8 % 7);
        pixels.extend_from_slice(if ink { &[20, 20, 20, 0] } else { &[235, 240, 245, 0] });
    }
    Change::Pixels { rect: Rect::new(0, 0, size.width, size.height), pixels }
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_are_near_to_the_screen_also_where_sides_are_odd() {
    for size in [Size::new(640, 400), Size::new(641, 401), Size::new(333, 250), Size::new(17, 31), Size::new(1, 1)] {
        let stage = Stage::new();
        let recording = stage.start(size).await;
        let mut screen = Screen::new(size);
        let half = Rect::new(size.width / 2, 0, 1, size.height);
        let updates = [
            vec![text_like(size)],
            vec![
                fill(half, [90, 90, 90, 0]),
                Change::Copy { to: Rect::new(0, 0, half.x + 1, 1), from: Point::new(0, size.height - 1) },
            ],
        ];
        let mut screens = Vec::new();
        for update in &updates {
            let revision = screen.apply(update).unwrap();
            recording.hand_over(revision, update).await.unwrap();
            let mut copy = Screen::new(size);
            copy.apply(&[Change::Pixels {
                rect: Rect::new(0, 0, size.width, size.height),
                pixels: screen.pixels().to_vec(),
            }])
            .unwrap();
            screens.push(copy);
        }
        let sealed = recording.close("done").await.unwrap();
        stage.assert_kept(&sealed);
        let film = stage.film();
        assert_eq!(film.len(), 3);
        assert_eq!(film[0].size, Size::new(size.width.next_multiple_of(2), size.height.next_multiple_of(2)));
        for (shown, screen) in film[1..].iter().zip(&screens) {
            let psnr = shown.psnr(screen);
            // On a few pixels beside black edges there is no text to be read.
            let least = if size.area() < 64 { 20.0 } else { 30.0 };
            assert!(psnr > least, "{psnr} dB at {size}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resize_begins_a_segment_with_a_header_of_its_own() {
    let stage = Stage::new();
    let recording = stage.start(Size::new(320, 200)).await;
    let sizes = [Size::new(320, 200), Size::new(400, 300), Size::new(64, 64), Size::new(63, 64), Size::new(400, 300)];
    let mut revision = 0;
    for (n, size) in sizes.iter().enumerate() {
        revision += 1;
        recording
            .hand_over(
                revision,
                &[Change::Resize(*size), fill(Rect::new(0, 0, size.width, size.height), colour(revision))],
            )
            .await
            .unwrap();
        revision += 1;
        recording.hand_over(revision, &[fill(Rect::new(0, 0, 40, 40), colour(100 + n as u64))]).await.unwrap();
    }
    let sealed = recording.close("done").await.unwrap();
    stage.assert_kept(&sealed);
    let segments = stage.segments();
    assert_eq!(segments.len(), 4, "63 and 64 columns are one size to the encoder");
    let inits: std::collections::BTreeSet<_> = segments.iter().map(|(init, _, _)| init).collect();
    assert_eq!(inits.len(), 4);
    assert_eq!(stage.playlist().matches("#EXT-X-DISCONTINUITY").count(), 3);
    let film = stage.film();
    assert_eq!(film.len(), 11);
    for (n, size) in sizes.iter().enumerate() {
        let (filled, touched) = (&film[1 + 2 * n], &film[2 + 2 * n]);
        assert_eq!(filled.size.width, size.width.next_multiple_of(2));
        assert_eq!(filled.revision(10, 10), Some(1 + 2 * n as u64));
        assert_eq!(touched.revision(10, 10), Some(100 + n as u64));
        assert_eq!(touched.revision(50, 50), Some(1 + 2 * n as u64), "what was not touched stays");
    }
    let mut end_us = 0;
    for shown in &film {
        assert!(shown.at_us >= end_us);
        end_us = shown.at_us;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cursor_is_in_the_picture_where_the_pointer_is() {
    let stage = Stage::new();
    let size = Size::new(320, 200);
    let recording = stage.start(size).await;
    let red = Cursor { hotspot: Point::new(8, 8), size: Size::new(16, 16), pixels: [0, 0, 255, 255].repeat(256) };
    let background = fill(Rect::new(0, 0, 320, 200), [200, 200, 200, 0]);
    recording.hand_over(1, &[background, Change::Cursor(Arc::new(red))]).await.unwrap();
    recording.pointer(Point::new(50, 60));
    recording.hand_over(2, &[fill(Rect::new(300, 180, 4, 4), [0; 4])]).await.unwrap();
    recording.pointer(Point::new(250, 100));
    recording.hand_over(3, &[fill(Rect::new(300, 180, 4, 4), [9; 4])]).await.unwrap();
    // What the screen shows below the cursor changes, and comes to light when it goes.
    recording.hand_over(4, &[fill(Rect::new(240, 90, 20, 20), [200, 0, 0, 0])]).await.unwrap();
    recording.pointer(Point::new(20, 20));
    recording.hand_over(5, &[fill(Rect::new(300, 180, 4, 4), [0; 4])]).await.unwrap();
    recording.close("done").await.unwrap();
    let film = stage.film();
    let is_red = |n: usize, x, y| {
        let [blue, green, red, _] = film[film.len() - 5 + n].pixel(x, y);
        red > 180 && green < 80 && blue < 80
    };
    assert!(!is_red(0, 50, 60), "nobody has pointed yet");
    assert!(is_red(1, 50, 60) && !is_red(1, 250, 100));
    assert!(!is_red(2, 50, 60) && is_red(2, 250, 100));
    assert!(is_red(3, 250, 100));
    assert!(is_red(4, 20, 20) && !is_red(4, 250, 100));
    assert!(film[film.len() - 1].pixel(250, 100)[0] > 150, "the blue below");
}

#[tokio::test(flavor = "multi_thread")]
async fn moves_of_the_pointer_alone_are_pictures_now_and_then() {
    let stage = Stage::new();
    let recording = stage.start(Size::new(320, 200)).await;
    let arrow = Cursor { hotspot: Point::default(), size: Size::new(8, 8), pixels: [0, 0, 255, 255].repeat(64) };
    recording.hand_over(1, &[Change::Cursor(Arc::new(arrow))]).await.unwrap();
    for x in 0..200u16 {
        recording.pointer(Point::new(x, 50));
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let sealed = recording.close("done").await.unwrap();
    let film = stage.film();
    let most = sealed.seal.duration_us / 100_000 + 3;
    assert!(film.len() > 3 && film.len() as u64 <= most, "{} pictures in {} us", film.len(), sealed.seal.duration_us);
    assert!(film.last().unwrap().pixel(200, 53)[2] > 150, "the last place is shown");
}

#[tokio::test(flavor = "multi_thread")]
async fn segments_follow_each_other_without_a_gap() {
    let mut stage = Stage::new();
    stage.config.segment = Duration::from_millis(100);
    stage.config.still = Duration::from_millis(200);
    let recording = stage.start(Size::new(160, 100)).await;
    let mut revision = 0;
    while recording.now_us() < 1_000_000 {
        revision += 1;
        recording.hand_over(revision, &[fill(Rect::new(0, 0, 160, 100), colour(revision))]).await.unwrap();
        tokio::time::sleep(Duration::from_millis(if revision % 5 == 0 { 250 } else { 20 })).await;
    }
    let sealed = recording.close("done").await.unwrap();
    stage.assert_kept(&sealed);
    let segments = stage.segments();
    assert!(segments.len() >= 5, "{}", segments.len());
    let mut end_us = 0;
    for (init, segment, seconds) in &segments {
        let said = probe(init, segment, "packet=flags");
        assert!(said[0].starts_with("flags=K"), "{segment:?} begins with a key picture");
        for (at_us, duration_us) in times(segment) {
            assert_eq!(at_us, end_us, "{segment:?} has no gap");
            end_us += duration_us;
        }
        assert!(*seconds < 0.5);
    }
    assert_eq!(end_us, sealed.seal.duration_us);
    let seen: std::collections::BTreeSet<_> = stage.film().iter().filter_map(|shown| shown.revision(80, 50)).collect();
    assert!((1..=revision).all(|revision| seen.contains(&revision)), "{seen:?}");
}
