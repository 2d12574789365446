//! What is recognised, what has to agree, and what is two things at once.
#![allow(missing_docs, unreachable_pub)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::as_conversions)]

mod made;

use made::{CARD, finds, gif, gzip, look, odf, ooxml, png, refusal, tar, webp, zip};
use portcullis_files::{Class, KINDS, OCTET_STREAM, kind};

fn utf16(text: &str, high_first: bool) -> Vec<u8> {
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    units.flat_map(|unit| if high_first { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
}

#[test]
fn files_are_what_their_bytes_say() {
    let mut elf = b"\x7fELF\x02\x01\x01".to_vec();
    elf.resize(200, 0);
    let mut pe = b"MZ\x90\0\x03\0\0\0".to_vec();
    pe.resize(200, 0);
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("a.txt", b"Hello.\n".to_vec(), "text/plain"),
        ("Makefile", b"all:\n\ttrue\n".to_vec(), "text/plain"),
        ("main.rs", b"#![allow(x)]\nfn main() {}\n".to_vec(), "text/plain"),
        ("latin.txt", b"Gr\xfc\xdfe\n".to_vec(), "text/plain"),
        ("wide.txt", utf16("Gr\u{fc}\u{df}e", false), "text/plain"),
        ("wide.csv", utf16("a;b", true), "text/csv"),
        ("a.csv", b"a,b\n1,2\n".to_vec(), "text/csv"),
        ("a.json", b"{\"a\": 1}".to_vec(), "application/json"),
        ("a.md", b"# A\n".to_vec(), "text/markdown"),
        ("a.xml", b"<?xml version='1.0'?><a/>".to_vec(), "application/xml"),
        ("a.html", b"<!DOCTYPE html><p>x".to_vec(), "text/html"),
        ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec(), "image/svg+xml"),
        ("a.pem", b"-----BEGIN CERTIFICATE-----\nMIIB\n".to_vec(), "application/x-pem-file"),
        ("run.sh", b"#!/bin/sh\ntrue\n".to_vec(), "text/x-script"),
        ("run.bat", b"@echo off\r\n".to_vec(), "text/x-script"),
        ("run", b"#!/usr/bin/env python3\n".to_vec(), "text/x-script"),
        ("a.desktop", b"[Desktop Entry]\nExec=true\n".to_vec(), "application/x-desktop"),
        ("a.png", png(&[]), "image/png"),
        ("a.gif", gif(&[]), "image/gif"),
        ("a.webp", webp(&[], 0), "image/webp"),
        ("a.zip", zip(&[("a.txt", b"x")]), "application/zip"),
        ("empty.zip", zip(&[]), "application/zip"),
        ("a.tar", tar(&[("a.txt", b"x")]), "application/x-tar"),
        ("a.tar.gz", gzip(&tar(&[("a.txt", b"x")])), "application/gzip"),
        ("a.tgz", gzip(&tar(&[("a.txt", b"x")])), "application/gzip"),
        ("a.txt.gz", gzip(b"x"), "application/gzip"),
        (
            "a.docx",
            ooxml("wordprocessingml.document", &[]),
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ),
        (
            "a.xlsx",
            ooxml("spreadsheetml.sheet", &[]),
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        ),
        (
            "a.pptx",
            ooxml("presentationml.presentation", &[]),
            "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        ),
        ("a.odt", odf("application/vnd.oasis.opendocument.text", "<a/>"), "application/vnd.oasis.opendocument.text"),
        (
            "a.ods",
            odf("application/vnd.oasis.opendocument.spreadsheet", "<a/>"),
            "application/vnd.oasis.opendocument.spreadsheet",
        ),
        ("a.jar", zip(&[("META-INF/MANIFEST.MF", b"Manifest-Version: 1.0\n")]), "application/java-archive"),
        ("a.so", elf.clone(), "application/x-elf"),
        ("program", elf, "application/x-elf"),
        ("a.exe", pe, "application/vnd.microsoft.portable-executable"),
        ("a.sqlite", b"SQLite format 3\0\x10\0\x01\x01".to_vec(), "application/vnd.sqlite3"),
        ("a.mp4", b"\0\0\0\x10ftypisom\0\0\0\0\0\0\0\x08mdat".to_vec(), "video/mp4"),
        ("a.mp3", b"ID3\x04\0\0\0\0\0\0".to_vec(), "audio/mpeg"),
        ("a.wav", b"RIFF\x04\0\0\0WAVE".to_vec(), "audio/wav"),
        ("a.ogg", b"OggS\0\x02".to_vec(), "audio/ogg"),
        ("a.webm", b"\x1a\x45\xdf\xa3\x42\x82\x84webm".to_vec(), "video/webm"),
        ("a.bmp", b"BM\x1e\0\0\0\0\0\0\0\x1a\0\0\0\x0c\0\0\0\x01\0\x01\0\x01\0\x18\0\0\0\0\0".to_vec(), "image/bmp"),
        ("a.tiff", b"II*\0\x08\0\0\0\0\0".to_vec(), "image/tiff"),
        (
            "a.ico",
            [&b"\0\0\x01\0\x01\0\x10\x10\0\0\x01\0\x18\0\x10\0\0\0\x16\0\0\0"[..], &[1; 16]].concat(),
            "image/vnd.microsoft.icon",
        ),
        ("a.bin", vec![0x91, 0, 1, 2, 3], OCTET_STREAM),
        ("a.foo", vec![0x91, 0, 1, 2, 3], OCTET_STREAM),
    ];
    for (name, bytes, media_type) in cases {
        let seen = look(name, &bytes).unwrap_or_else(|refused| panic!("{name}: {refused}"));
        assert_eq!(seen.media_type, media_type, "{name}");
        assert_eq!(seen.found, Vec::<usize>::new(), "{name}");
    }
}

#[test]
fn the_table_is_sound() {
    for one in KINDS {
        assert_eq!(kind(one.media_type), Some(*one), "{} stands twice", one.media_type);
        assert!(one.extensions.iter().all(|extension| {
            extension
                .chars()
                .all(|character| character.is_ascii_lowercase() || character.is_ascii_digit() || character == '-')
        }));
    }
    assert_eq!(kind("image/png").unwrap().class, Class::Image);
}

#[test]
fn a_name_that_says_something_else_is_refused() {
    let mut elf = b"\x7fELF\x02\x01\x01".to_vec();
    elf.resize(200, 0);
    for (name, bytes) in [
        ("a.pdf", png(&[])),
        ("a.png", b"Hello.".to_vec()),
        ("a.txt", png(&[])),
        ("a.txt", elf.clone()),
        ("a.jpg", elf),
        ("a.foo", png(&[])),
        ("a.docx", zip(&[("a.txt", b"x")])),
        ("a.zip", ooxml("wordprocessingml.document", &[])),
        ("a.xlsx", ooxml("wordprocessingml.document", &[])),
        ("a.pdf", vec![0x91, 0, 1, 2, 3]),
        ("a.txt", b"#!/bin/sh\n".to_vec()),
        ("a.txt", b"<!DOCTYPE html><script>".to_vec()),
        ("a.pdf", Vec::new()),
    ] {
        assert_eq!(refusal(name, &bytes), "disagrees", "{name}");
    }
    // A text that is none in the end: the first 4 KiB are not all.
    let mut late = vec![b'x'; 70_000];
    late.extend([0, 1, 2]);
    assert_eq!(refusal("a.txt", &late), "disagrees");
    assert_eq!(look("a.foo", &late).unwrap().media_type, OCTET_STREAM);
}

#[test]
fn two_extensions_of_which_one_runs_are_refused() {
    for name in [
        "invoice.pdf.exe",
        "invoice.pdf   .exe",
        "photo.jpg.scr",
        "list.txt.vbs",
        "a.docx.js",
        "a.exe.pdf",
        "shell.php.jpg",
        "a.PDF.EXE",
    ] {
        assert_eq!(refusal(name, b"x"), "double_extension", "{name}");
    }
    for name in ["example.com.txt", "jquery.min.js", "a.test.js", "notes.2024.txt", "a.d.ts", "v1.2.txt"] {
        assert!(look(name, b"x").is_ok(), "{name}");
    }
}

#[test]
fn what_is_two_types_at_once_is_refused() {
    let archive = zip(&[("a.txt", b"x")]);
    let with = |first: Vec<u8>, second: &[u8]| [first, second.to_vec()].concat();
    let mut comment = b"!\xfe".to_vec();
    comment.extend(b"\x28<html><script>alert(1)</script></html> \0");
    let elf = with(b"\x7fELF\x02\x01\x01".to_vec(), &[0; 200]);
    for (name, bytes, word) in [
        ("a.png", with(png(&[]), &archive), "trailing"),
        ("a.gif", with(gif(&[]), &archive), "trailing"),
        ("a.gif", with(gif(&[]), b"x"), "trailing"),
        ("a.webp", with(webp(&[], 0), b"xx"), "trailing"),
        ("a.png", png(&[(b"zzZz", &archive)]), "polyglot"),
        ("a.gif", gif(&comment), "polyglot"),
        ("a.png", png(&[(b"tEXt", b"x\0%PDF-1.4")]), "polyglot"),
        ("a.so", with(elf, &archive), "polyglot"),
        ("a.zip", zip(&[("%PDF-1.4", b"x")]), "polyglot"),
        ("a.txt", with(b"Hello\n".to_vec(), b"%PDF-1.4\nstartxref\n0\n%%EOF\n"), "polyglot"),
        ("a.zip", with(b"PK\x03\x04 begins".to_vec(), &archive), "trailing"),
        ("a.zip", with(archive.clone(), b"x"), "trailing"),
        ("a.gz", with(gzip(b"x"), b"x"), "trailing"),
        ("a.tar", with(tar(&[("a.txt", b"x")]), &[1; 512]), "trailing"),
        ("a.mp3", with(b"ID3\x04\0\0\0\0\0\0".to_vec(), &archive), "polyglot"),
        ("a.png", png(&[])[..40].to_vec(), "broken"),
    ] {
        assert_eq!(refusal(name, &bytes), word, "{name}");
    }
}

#[test]
fn zeros_behind_an_end_are_nothing() {
    for (name, bytes) in [("a.png", png(&[])), ("a.gif", gif(&[]))] {
        let filled = [bytes.as_slice(), &[0; 9]].concat();
        assert!(look(name, &filled).is_ok(), "{name}");
        assert_eq!(refusal(name, &[filled.as_slice(), b"x"].concat()), "trailing", "{name}");
    }
}

#[test]
fn texts_are_searched_in_each_form() {
    let page = format!("<html><p>{}</p>", CARD.replace(' ', "</b> <b>"));
    let svg = format!("<svg><text>{}</text></svg>", CARD.replace(' ', "<tspan> </tspan>"));
    for (name, bytes) in [
        ("a.txt", CARD.into()),
        ("a.csv", format!("a,{CARD},b").into_bytes()),
        ("a.txt", utf16(CARD, true)),
        (
            "a.txt",
            utf16(
                &CARD
                    .chars()
                    .map(|digit| char::from_u32(u32::from(digit) + if digit == ' ' { 0 } else { 0xfee0 }).unwrap())
                    .collect::<String>(),
                false,
            ),
        ),
        ("a.html", page.into_bytes()),
        ("a.svg", svg.into_bytes()),
        ("a.html", b"<html>&#52;111&nbsp;1111 1111 &#x31;111".to_vec()),
        ("a.foo", [&[0x91, 0, 1][..], CARD.as_bytes(), &[0]].concat()),
        ("a.png", png(&[(b"tEXt", format!("Comment\0{CARD}\0").as_bytes())])),
        ("4111111111111111.txt", b"x".to_vec()),
    ] {
        assert!(finds(name, &bytes), "{name}");
    }
    assert!(!finds("a.txt", b"4111 1111 1111 1112"));
}
