//! Pictures without their metadata: what is gone, what stays, and that a decoder sees the same pixels.
#![allow(missing_docs, unreachable_pub)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)]

mod made;

use std::io::{Cursor, Write};
use std::process::{Command, Stdio};

use made::{gif, look, png, webp};
use portcullis_files::{Stripped, strip_metadata};

const JPEG: &[u8] = include_bytes!("pictures/a.jpg");
const PNG: &[u8] = include_bytes!("pictures/a.png");
const GIF: &[u8] = include_bytes!("pictures/a.gif");
const WEBP: &[u8] = include_bytes!("pictures/a.webp");
/// What must be gone.
const SECRET: &[u8] = b"where it was taken";

fn strip(media_type: &str, bytes: &[u8]) -> (Vec<u8>, u32) {
    let mut out = Vec::new();
    match strip_metadata(Cursor::new(bytes), media_type, &mut out) {
        Ok(Stripped::Written { left_out }) => (out, left_out),
        other => panic!("{media_type}: {other:?}"),
    }
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// The pixels of all pictures, by FFmpeg.
fn pixels(bytes: &[u8]) -> Vec<u8> {
    let mut decoder = Command::new("ffmpeg")
        .args(["-v", "error", "-noautorotate", "-i", "pipe:0", "-f", "rawvideo", "-pix_fmt", "rgba", "pipe:1"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("ffmpeg, as scripts/setup.sh installs it");
    decoder.stdin.take().unwrap().write_all(bytes).unwrap();
    let out = decoder.wait_with_output().unwrap();
    assert!(out.status.success() && out.stdout.len() >= 16 * 16 * 4, "{} bytes", out.stdout.len());
    out.stdout
}

fn segment(marker: u8, bytes: &[u8]) -> Vec<u8> {
    [&[0xff, marker][..], &(bytes.len() as u16 + 2).to_be_bytes(), bytes].concat()
}

fn exif(orientation: u8) -> Vec<u8> {
    let directory = [1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0, 0, 0, 0, 0];
    segment(0xe1, &[&b"Exif\0\0II*\0\x08\0\0\0"[..], &directory, SECRET].concat())
}

fn camera(orientation: u8) -> Vec<u8> {
    let mut further = exif(orientation);
    further.extend(segment(0xe1, &[b"http://ns.adobe.com/xap/1.0/\0", SECRET].concat()));
    further.extend(segment(0xe2, b"ICC_PROFILE\0\x01\x01profile"));
    further.extend(segment(0xed, &[b"Photoshop 3.0\0", SECRET].concat()));
    further.extend(segment(0xfe, SECRET));
    [&JPEG[..2], &further, &JPEG[2..]].concat()
}

#[test]
fn jpegs_keep_pixels_profile_and_orientation() {
    let before = camera(6);
    assert_eq!(look("a.jpg", &before).unwrap().media_type, "image/jpeg");
    let (after, left_out) = strip("image/jpeg", &before);
    // EXIF (of which the orientation stays), XMP, IPTC, the comment, and the one that the encoder wrote.
    assert_eq!(left_out, 5);
    assert!(holds(&before, SECRET) && !holds(&after, SECRET) && !holds(&after, b"Lavc"));
    assert!(holds(&after, b"ICC_PROFILE\0\x01\x01profile"));
    assert!(holds(&after, b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06"));
    assert_eq!(pixels(&after), pixels(JPEG));
    assert_eq!(strip("image/jpeg", &after), (after.clone(), 0));
    let upright = strip("image/jpeg", &camera(1)).0;
    assert!(!holds(&upright, b"Exif"));
    // What is behind the picture goes, and refuses the file where nothing is stripped.
    let trailing = [JPEG, SECRET].concat();
    assert_eq!(look("a.jpg", &trailing).unwrap_err().word(), "trailing");
    assert!(!holds(&strip("image/jpeg", &trailing).0, SECRET));
}

#[test]
fn pngs_keep_what_pixels_depend_on() {
    let text = [&b"Comment\0"[..], SECRET].concat();
    let before = png(&[
        (b"gAMA", &[0, 0, 177, 143]),
        (b"tEXt", &text),
        (b"iTXt", &text),
        (b"zTXt", &text),
        (b"eXIf", SECRET),
        (b"tIME", &[7, 234, 1, 1, 0, 0, 0]),
        (b"prVt", SECRET),
    ]);
    let (after, left_out) = strip("image/png", &before);
    assert_eq!(left_out, 6);
    assert_eq!(after, png(&[(b"gAMA", &[0, 0, 177, 143])]));
    assert_eq!(look("a.png", &after).unwrap().media_type, "image/png");
    // The same chunks in a picture that FFmpeg decodes: behind its header, which is 33 bytes.
    let chunks = &before[33..before.len() - 12 - 12 - made::zlib(&[0, 10, 20, 30]).len()];
    let (after, _) = strip("image/png", &[&PNG[..33], chunks, &PNG[33..]].concat());
    assert!(!holds(&after, SECRET));
    assert_eq!(pixels(&after), pixels(PNG));
}

#[test]
fn gifs_keep_their_pictures_and_how_often_they_play() {
    let mut further = b"!\xff\x0bNETSCAPE2.0\x03\x01\0\0\0".to_vec();
    further.extend(b"!\xfe\x12where it was taken\0");
    further.extend(b"!\xff\x0bXMP DataXMP\x12where it was taken\0");
    further.extend(b"!\xf9\x04\0\x0a\0\0\0");
    let (after, left_out) = strip("image/gif", &gif(&further));
    assert_eq!(left_out, 2);
    assert_eq!(after, gif(b"!\xff\x0bNETSCAPE2.0\x03\x01\0\0\0!\xf9\x04\0\x0a\0\0\0"));
    let table = 13 + 3 * (2 << (GIF[10] & 7)) * usize::from(GIF[10] >> 7);
    let (after, left_out) =
        strip("image/gif", &[&GIF[..table], b"!\xfe\x12where it was taken\0", &GIF[table..]].concat());
    assert_eq!((left_out, pixels(&after)), (1, pixels(GIF)));
}

#[test]
fn webps_lose_exif_and_xmp_and_say_so() {
    let before = webp(&[(b"EXIF", SECRET), (b"XMP ", SECRET)], 0x0c);
    let (after, left_out) = strip("image/webp", &before);
    assert_eq!((left_out, &after), (2, &webp(&[], 0)));
    let mut before = [WEBP, b"EXIF\x12\0\0\0", SECRET].concat();
    let size = (before.len() as u32 - 8).to_le_bytes();
    before[4..8].copy_from_slice(&size);
    let (after, left_out) = strip("image/webp", &before);
    assert_eq!((left_out, after.as_slice()), (1, WEBP));
    assert_eq!(pixels(&after), pixels(WEBP));
}

#[test]
fn other_types_are_left_alone_and_wrong_ones_refused() {
    let mut out = Vec::new();
    assert_eq!(strip_metadata(Cursor::new(b"x"), "text/plain", &mut out).unwrap(), Stripped::NotNeeded);
    assert_eq!(strip_metadata(Cursor::new(b"x"), "image/png", &mut out).unwrap_err().word(), "broken");
    for end in [3, 10, 40, PNG.len() - 1] {
        assert_eq!(
            strip_metadata(Cursor::new(&PNG[..end]), "image/png", &mut Vec::new()).unwrap_err().word(),
            "broken",
            "{end}"
        );
    }
    assert!(out.is_empty());
}
