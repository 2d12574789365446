//! Ways around the rules for files: names that lie or escape, files that are two things, archives that are far more than they are.

use super::file_rules::{python, zip};
use super::files::{FILES, ended, laid, opened};

#[tokio::test]
async fn no_way_around_the_rules_reaches_the_desktop() {
    let (gate, api, opened, desktop) = opened(FILES, "").await;
    let bomb = zip("zeros.txt", "b'0' * (300 << 20)");
    assert!(bomb.len() < 1 << 20, "{}", bomb.len());
    let nested = python(
        "import zipfile, io, sys\ninner = b'x' * 100\nname = 'a.txt'\nfor n in range(12):\n  b = io.BytesIO()\n  z = zipfile.ZipFile(b, 'w')\n  z.writestr(name, inner)\n  z.close()\n  inner, name = b.getvalue(), 'a%d.zip' % n\nsys.stdout.buffer.write(inner)",
    );
    let gif_zip = [&b"GIF89a\x01\x00\x01\x00\x00\x00\x00;"[..], &zip("a.txt", "b'a'")].concat();
    let pdf_html = b"<html><script>x</script></html>\n%PDF-1.4\n".to_vec();
    let escaping = zip("../../home/desktop/.bashrc", "b'x'");
    let elf = [&b"\x7fELF\x02\x01\x01"[..], &[0; 100]].concat();
    let trailing_zip = [&zip("a.txt", "b'a'")[..], &[b'x'; 64]].concat();
    let trailing_gif = [&b"GIF89a\x01\x00\x01\x00\x00\x00\x00;"[..], b"what a viewer of pictures never shows"].concat();
    // The flag of a member that a password locks, in its own header and in the directory.
    let locked = python(
        "import zipfile, io, sys\nb = io.BytesIO()\nz = zipfile.ZipFile(b, 'w')\nz.writestr('a.txt', b'a')\nz.close()\nd = bytearray(b.getvalue())\nd[6] |= 1\nd[d.index(b'PK\\x01\\x02') + 8] |= 1\nsys.stdout.buffer.write(d)",
    );
    for (name, file, word) in [
        ("trailing.zip", trailing_zip, ""),
        ("trailing.gif", trailing_gif, ""),
        ("locked.zip", locked, "encrypted"),
        ("bomb.zip", bomb, "unpacks to too much"),
        ("nested.zip", nested, "too much"),
        ("picture.gif", gif_zip, ""),
        ("paper.pdf", pdf_html, ""),
        ("escaping.zip", escaping, "outside"),
        ("program.txt", elf.clone(), "contents are"),
        ("invoice.pdf.exe", elf, "two extensions"),
    ] {
        let (status, answer) = api.upload(&opened.id, name, file).await.unwrap();
        assert_eq!(status, 403, "{name}: {answer}");
        assert!(answer["detail"].as_str().unwrap().contains(word), "{name}: {answer}");
    }
    for name in [
        "../../etc/cron.d/a",
        "..",
        "a/b.txt",
        "a\\b.txt",
        ".bashrc",
        "-rf",
        "CON.txt",
        "a\u{202e}txt.exe",
        "a\n.txt",
        " a.txt",
        "a.txt ",
        "",
    ] {
        let (status, answer) = api.upload(&opened.id, name, "x").await.unwrap();
        assert_eq!(status, 400, "{name:?}: {answer}");
    }
    assert_eq!(laid(&desktop), Vec::<String>::new());
    let uploads = ended(&gate, &api, &opened.id, "upload").await;
    assert_eq!(uploads.len(), 22);
    assert!(uploads.iter().all(|event| event["effect"] == "deny"), "{uploads:?}");
}

/// A document of three parts, one of which is `held`.
fn document(held: &str) -> Vec<u8> {
    python(&format!(
        "import zipfile, io, sys\nb = io.BytesIO()\nz = zipfile.ZipFile(b, 'w')\nz.writestr('[Content_Types].xml', '<?xml version=\"1.0\"?><Types><Override PartName=\"/word/document.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml\"/></Types>')\nz.writestr('word/document.xml', '<?xml version=\"1.0\"?><w:document/>')\nz.writestr('word/media/a.bin', {held})\nz.close()\nsys.stdout.buffer.write(b.getvalue())"
    ))
}

#[tokio::test]
async fn a_document_carries_no_program_and_no_archive() {
    let policy = "policy: files\napplies: {groups: [testers], desktops: [bare]}\nallow:\n  upload:\n    max_bytes: 1 MiB\n    types: [application/vnd.openxmlformats-officedocument.wordprocessingml.document]\n    archives: deny\n";
    let (gate, api, opened, desktop) = opened(policy, "").await;
    let archive = "bytes.fromhex('504b0506') + bytes(18)";
    for (name, held, status) in [
        ("program.docx", "b'\\x7fELF\\x02\\x01\\x01' + bytes(100)", 403),
        ("archive.docx", archive, 403),
        ("drawing.docx", "b'GIF89a\\x01\\x00\\x01\\x00\\x00\\x00\\x00;'", 201),
    ] {
        let (found, answer) = api.upload(&opened.id, name, document(held)).await.unwrap();
        assert_eq!(found, status, "{name}: {answer}");
    }
    assert_eq!(laid(&desktop), ["drawing.docx"]);
    let uploads = ended(&gate, &api, &opened.id, "upload").await;
    assert_eq!(uploads.len(), 3);
}
