//! How fast objects go to a bucket: `throughput ENDPOINT BUCKET [COUNT] [KIB]`, with credentials from the environment.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_precision_loss
)]

use std::time::Instant;

use portcullis_vault::{Key, S3, S3Settings, Vault};

#[tokio::main]
async fn main() {
    let args: Vec<String> = std::env::args().collect();
    let number = |at: usize, or: usize| args.get(at).map_or(or, |text| text.parse().expect("a number"));
    let (count, bytes) = (number(3, 50), number(4, 2048) * 1024);
    let mut settings = S3Settings::new(&args[2]);
    settings.endpoint = Some(args[1].clone());
    settings.prefix = format!("throughput-{:08x}", rand::random::<u32>());
    let opening = Instant::now();
    let vault = S3::open(settings).await.expect("the bucket");
    let opened = opening.elapsed();
    let source = tempfile::NamedTempFile::new().unwrap();
    let content: Vec<u8> = (0..bytes).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    std::fs::write(source.path(), content).unwrap();
    let mut times = Vec::new();
    let all = Instant::now();
    for n in 0..count {
        let one = Instant::now();
        vault.put(&Key::new(format!("{n:05}.m4s")).unwrap(), source.path()).await.unwrap();
        times.push(one.elapsed());
    }
    let seconds = all.elapsed().as_secs_f64();
    times.sort();
    println!(
        "opened in {opened:.0?}; {count} objects of {} KiB: {:.1} MB/s, median {:.1?}, slowest {:.1?}",
        bytes / 1024,
        (count * bytes) as f64 / 1e6 / seconds,
        times[count / 2],
        times[count - 1],
    );
}
