//! Files in and out of a container's transfer folder, by the Engine's archive API.

use portcullis_files::FileName;
use portcullis_proxy::files::{Spool, SpoolError};
use portcullis_proxy::runtime::TransferError;
use tempfile::TempDir;

use crate::engine::{Gate, docker};

#[tokio::test]
async fn files_go_in_and_out_by_the_archive_api_one_plain_file_at_a_time() {
    let gate = Gate::new().await;
    let (desktop, session) = gate.start().await;
    let folder = desktop.transfer().expect("a folder");
    let place = TempDir::new().unwrap();
    let spool = || Spool::create(place.path(), 1 << 20, 0).unwrap();
    let mut file = spool();
    file.write(&vec![b'x'; 70_000]).unwrap();
    let file = file.finish();
    let name = FileName::parse("nöte.txt").unwrap();
    assert_eq!(folder.put(&name, &file).await.unwrap().as_str(), "nöte.txt");
    assert_eq!(folder.put(&name, &file).await.unwrap().as_str(), "nöte (2).txt");
    let container = format!("portcullis-{session}");
    let inside = |command: &str| {
        let output = docker(&["exec", &container, "sh", "-c", command]);
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    assert_eq!(inside("stat -c '%u %a %s' ~/Transfer/nöte.txt"), "1000 600 70000");
    inside(
        "cd /home/transfer && ln -s /etc/passwd link.txt && mkfifo pipe.txt && mkdir folder.txt && truncate -s 2M large.txt && echo hi >small.txt",
    );
    let listed: Vec<_> =
        folder.list().await.unwrap().into_iter().map(|file| (file.name.to_string(), file.bytes)).collect();
    let expected = [("large.txt", 2 << 20), ("nöte (2).txt", 70_000), ("nöte.txt", 70_000), ("small.txt", 3)];
    assert_eq!(listed, expected.map(|(name, bytes)| (name.to_owned(), bytes)));
    let take = async |name: &str| folder.take(&FileName::parse(name).unwrap(), spool()).await;
    assert_eq!(take("nöte.txt").await.unwrap().finish().sha256, file.sha256);
    for odd in ["link.txt", "pipe.txt", "folder.txt"] {
        assert!(matches!(take(odd).await, Err(TransferError::NotAFile)), "{odd}");
    }
    assert!(matches!(take("large.txt").await, Err(TransferError::Spool(SpoolError::TooLarge { .. }))));
    assert!(matches!(take("gone.txt").await, Err(TransferError::Missing)));
    let mut big = Spool::create(place.path(), 1 << 30, 0).unwrap();
    for _ in 0..300 {
        big.write(&vec![b'y'; 1 << 20]).unwrap();
    }
    assert!(matches!(folder.put(&name, &big.finish()).await, Err(TransferError::Full)), "the volume has its limit");
    desktop.destroy().await;
}
