//! `portcullis recordings export`: a recording as one film, or as a zip that a stranger can verify.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use portcullis_evidence::{Contents, Decrypted, Report, Verdict, verify_at};
use portcullis_export::{Film, Package, PublicKey, Standing, Subtitles};

use crate::DataArgs;
use crate::trust::{TrustArgs, Trusted};

/// Arguments of `recordings export`.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// The bundle's folder; its place in a bucket, s3://bucket/prefix/ID, by the way that `[vault.s3]` of the configuration names; or
    /// the id of a session in the vault
    path: PathBuf,
    /// The file to write; never one that is there already
    #[arg(long)]
    to: PathBuf,
    /// What to write; else what the file's name ends in
    #[arg(long)]
    format: Option<Format>,
    /// Write the lines that stand under the film to this file too, .srt or .vtt
    #[arg(long)]
    subtitles: Option<PathBuf>,
    /// A file of age identities (AGE-SECRET-KEY-1…): the film of an encrypted recording, which is then clear
    #[arg(long)]
    identity: Option<PathBuf>,
    /// Export what does not verify too; the export says so
    #[arg(long)]
    unverified: bool,
    #[command(flatten)]
    trusted: TrustArgs,
    #[command(flatten)]
    place: DataArgs,
}

/// What an export can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One film with chapters and lines from events
    Mp4,
    /// The bundle, the keys, and how to verify it
    Zip,
}

/// Verifies and exports; a bundle that does not verify is refused with the verdict's exit code.
pub(crate) fn run(args: &ExportArgs) -> anyhow::Result<ExitCode> {
    let format = format(args)?;
    let subtitles = args.subtitles.as_deref().map(form).transpose()?;
    if subtitles.is_some() && format == Format::Zip {
        bail!("--subtitles goes with a film");
    }
    if args.identity.is_some() && format == Format::Zip {
        bail!("--identity goes with a film: a zip has the files as they lie, encrypted");
    }
    for file in [Some(&args.to), args.subtitles.as_ref()].into_iter().flatten() {
        if file.try_exists().unwrap_or(true) {
            bail!("{} is there already", file.display());
        }
    }
    let mut bundle = crate::bundle::open(&args.path, || args.place.load())?;
    let mut trusted = args.trusted.read(&args.place)?;
    let identities = args.identity.as_deref().map(crate::verify::identities).transpose()?;
    if let Some(identities) = &identities {
        trusted.trust = trusted.trust.with_identities(identities.clone());
    }
    let mut report = verify_at(bundle.source(), &trusted.trust);
    if report.verdict() == Verdict::Replaced && format == Format::Mp4 {
        eprintln!("its own video went: the film is of the one that was made of it");
        bundle = crate::bundle::derived(&args.path, &args.place.load()?)?;
        report = verify_at(bundle.source(), &trusted.trust);
    }
    if report.contents == Contents::Encrypted && identities.is_some() {
        bail!("none of these identities opens this recording, which is encrypted to: {}", report.recipients.join(", "));
    }
    let sound = is_sound(&report);
    if !sound && !args.unverified {
        eprintln!("{report}");
        eprintln!("not exported; --unverified exports it nevertheless, and the export says so");
        return Ok(ExitCode::from(report.verdict().exit_code()));
    }
    let said = last_line(&report);
    let standing = if sound { Standing::Sound(said) } else { Standing::Unproved(said) };
    let bytes = match format {
        Format::Mp4 => {
            let opened = identities.as_ref().map(|identities| Decrypted::new(bundle.source(), identities));
            let film = match &opened {
                Some(opened) => Film::decrypted(opened, standing)?,
                None => Film::of(bundle.source(), standing)?,
            };
            let bytes = whole(&args.to, |out| Ok(film.write(out)?))?;
            if let (Some(path), Some(form)) = (&args.subtitles, subtitles) {
                whole(path, |out| Ok(out.write_all(film.subtitles(form).as_bytes())?))?;
            }
            println!("{} pictures, {} s", film.pictures(), film.duration_us() / 1_000_000);
            bytes
        }
        Format::Zip => {
            let id = args.path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let package = Package::of(bundle.source(), id, standing)?;
            let list = trusted.list.as_ref().map(|list| list.to_bytes()).transpose()?.unwrap_or_default();
            let keys = public(&trusted)?;
            whole(&args.to, |out| Ok(package.write(&list, &keys, out)?))?
        }
    };
    println!("{}: {bytes} bytes, {}", args.to.display(), last_line(&report));
    Ok(ExitCode::SUCCESS)
}

/// A record that says itself that it lacks a stretch of time is what was signed, and so is what is left of one whose time is over, or whose video went.
fn is_sound(report: &Report) -> bool {
    report.is_sound()
}

/// The report without its faults: the verdict and what was counted.
fn last_line(report: &Report) -> String {
    report.to_string().lines().last().unwrap_or_default().to_owned()
}

fn public(trusted: &Trusted) -> anyhow::Result<Vec<PublicKey>> {
    let public = |key: &portcullis_evidence::VerifyingKey| {
        anyhow::Ok(PublicKey { kid: key.kid().to_owned(), pem: key.to_pem()? })
    };
    trusted.keys.iter().map(public).collect()
}

fn format(args: &ExportArgs) -> anyhow::Result<Format> {
    let ending = args.to.extension().and_then(|ending| ending.to_str());
    match (args.format, ending) {
        (Some(format), _) => Ok(format),
        (None, Some("mp4")) => Ok(Format::Mp4),
        (None, Some("zip")) => Ok(Format::Zip),
        _ => bail!("{} ends neither in .mp4 nor in .zip: say which with --format", args.to.display()),
    }
}

fn form(path: &Path) -> anyhow::Result<Subtitles> {
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("srt") => Ok(Subtitles::SubRip),
        Some("vtt") => Ok(Subtitles::WebVtt),
        _ => bail!("{} ends neither in .srt nor in .vtt", path.display()),
    }
}

/// Writes a file that is there whole, or not at all.
fn whole<T>(to: &Path, write: impl FnOnce(&mut dyn Write) -> anyhow::Result<T>) -> anyhow::Result<T> {
    let failed = || format!("{} cannot be written", to.display());
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let part = tempfile::Builder::new().prefix(".portcullis-export-").tempfile_in(folder).with_context(failed)?;
    let mut out = BufWriter::with_capacity(1 << 20, part);
    let written = write(&mut out)?;
    let part = out.into_inner().map_err(|error| error.into_error()).with_context(failed)?;
    part.as_file().sync_all().with_context(failed)?;
    part.persist_noclobber(to).with_context(failed)?;
    Ok(written)
}
