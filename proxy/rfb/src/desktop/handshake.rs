//! From the desktop's ProtocolVersion to the end of its ServerInit (RFC 6143 §7.1 to §7.3), with no way down.

use super::{Config, Progress};
use crate::error::{ProtocolError, Side, printable};
use crate::geometry::Size;
use crate::intake::{Intake, fill, length};
use crate::limits::{Limits, MAX_NAME, MAX_REASON};
use crate::wire::SecurityType;

/// ClientInit's shared-flag. Always set: without it some desktops drop whoever else is connected.
const SHARED: u8 = 1;

/// Protocol versions that are spoken; the desktop's own is answered (RFC 6143 §7.1.1, appendix A).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    V3_3,
    V3_7,
    V3_8,
}

const VERSIONS: [(&[u8; 12], Version); 3] =
    [(b"RFB 003.003\n", Version::V3_3), (b"RFB 003.007\n", Version::V3_7), (b"RFB 003.008\n", Version::V3_8)];

#[derive(Debug)]
enum Step {
    Version,
    /// 3.3: the desktop decides on a type.
    Decided,
    /// 3.7 and 3.8: the desktop offers types.
    OfferCount(Version),
    Offer {
        version: Version,
        count: u8,
        types: Vec<u8>,
    },
    SecurityResult,
    ReasonLength {
        message: &'static str,
    },
    Reason {
        message: &'static str,
        length: usize,
        text: Vec<u8>,
    },
    Init,
    Name {
        size: Size,
        length: usize,
        text: Vec<u8>,
    },
}

/// The handshake up to and with ServerInit.
#[derive(Debug)]
pub(super) struct Handshake {
    security: SecurityType,
    limits: Limits,
    step: Step,
}

impl Handshake {
    pub(super) fn new(config: Config) -> Self {
        Self { security: config.security.security_type(), limits: config.limits, step: Step::Version }
    }

    /// Takes the next field of `input` and answers it into `output`; done with the framebuffer's size and the desktop's name.
    pub(super) fn advance(
        &mut self,
        intake: &mut Intake,
        input: &mut &[u8],
        output: &mut Vec<u8>,
    ) -> Result<Progress<(Size, String)>, ProtocolError> {
        let next = match &mut self.step {
            Step::Version => intake.take(input).map(|line| answer_version(line, output)),
            Step::Decided => intake.take(input).map(|number| self.decided(u32::from_be_bytes(number), output)),
            Step::OfferCount(version) => intake.take(input).map(|[count]| Ok(offered(*version, count))),
            Step::Offer { version, count, types } => {
                let version = *version;
                fill(types, usize::from(*count), input).then(|| choose(self.security, version, types, output))
            }
            Step::SecurityResult => intake.take(input).map(|result| judged(u32::from_be_bytes(result), output)),
            Step::ReasonLength { message } => {
                intake.take(input).map(|bytes| reason(message, u32::from_be_bytes(bytes)))
            }
            Step::Reason { message, length, text } => {
                fill(text, *length, input).then(|| Err(refused(message, "reason-string", printable(text))))
            }
            Step::Init => intake.take(input).map(|bytes| self.init(bytes)),
            Step::Name { size, length, text } => {
                if !fill(text, *length, input) {
                    return Ok(Progress::Wait);
                }
                return Ok(Progress::Done((*size, String::from_utf8_lossy(text).into_owned())));
            }
        };
        match next.transpose()? {
            None => Ok(Progress::Wait),
            Some(step) => {
                self.step = step;
                Ok(Progress::Again)
            }
        }
    }

    fn decided(&self, number: u32, output: &mut Vec<u8>) -> Result<Step, ProtocolError> {
        match u8::try_from(number).map(SecurityType) {
            Ok(SecurityType::INVALID) => Ok(Step::ReasonLength { message: "Security" }),
            Ok(decided) if decided == self.security => Ok(enter(output)),
            Ok(decided) => Err(not_offered(self.security, &decided.to_string())),
            Err(_) => Err(not_offered(self.security, &number.to_string())),
        }
    }

    fn init(&self, bytes: [u8; 24]) -> Result<Step, ProtocolError> {
        // The pixel format between them is not looked at: the one that Portcullis sets next is the one that counts.
        let [w0, w1, h0, h1, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, name @ ..] = bytes;
        let size = Size::new(u16::from_be_bytes([w0, w1]), u16::from_be_bytes([h0, h1]));
        if !self.limits.allows_framebuffer(size) {
            let largest = self.limits.framebuffer;
            return Err(refused("ServerInit", "framebuffer size", format!("{size} is empty or larger than {largest}")));
        }
        let name = u32::from_be_bytes(name);
        if name > MAX_NAME {
            return Err(refused("ServerInit", "name-length", format!("{name} is over {MAX_NAME}")));
        }
        Ok(Step::Name { size, length: length(name), text: Vec::new() })
    }
}

fn answer_version(line: [u8; 12], output: &mut Vec<u8>) -> Result<Step, ProtocolError> {
    let Some((line, version)) = VERSIONS.iter().find(|(known, _)| **known == line) else {
        return Err(refused("ProtocolVersion", "version", unspoken(&line)));
    };
    output.extend_from_slice(*line);
    Ok(match version {
        Version::V3_3 => Step::Decided,
        version => Step::OfferCount(*version),
    })
}

/// Words on a first line that is not a version which Portcullis speaks.
fn unspoken(line: &[u8; 12]) -> String {
    let what = if line.starts_with(b"HTTP/") {
        "is HTTP, as KasmVNC speaks it: another protocol"
    } else if line.starts_with(b"RFB 000.000") {
        "is a repeater, not a desktop"
    } else if line.starts_with(b"RFB ") {
        "is not 3.3, 3.7 or 3.8"
    } else {
        "is not RFB"
    };
    format!("\"{}\" {what}", printable(line))
}

fn offered(version: Version, count: u8) -> Step {
    match count {
        0 => Step::ReasonLength { message: "Security" },
        count => Step::Offer { version, count, types: Vec::with_capacity(usize::from(count)) },
    }
}

fn choose(
    configured: SecurityType,
    version: Version,
    types: &[u8],
    output: &mut Vec<u8>,
) -> Result<Step, ProtocolError> {
    if !types.contains(&configured.0) {
        let offer: Vec<String> = types.iter().take(16).map(|number| SecurityType(*number).to_string()).collect();
        return Err(not_offered(configured, &offer.join(", ")));
    }
    output.push(configured.0);
    // A result of type None is told in 3.8 only.
    Ok(if version == Version::V3_8 { Step::SecurityResult } else { enter(output) })
}

fn judged(result: u32, output: &mut Vec<u8>) -> Result<Step, ProtocolError> {
    match result {
        0 => Ok(enter(output)),
        1 => Ok(Step::ReasonLength { message: "SecurityResult" }),
        other => Err(refused("SecurityResult", "status", format!("{other} is neither 0, OK, nor 1, failed"))),
    }
}

/// The handshake's end of Portcullis: ClientInit (RFC 6143 §7.3.1).
fn enter(output: &mut Vec<u8>) -> Step {
    output.push(SHARED);
    Step::Init
}

fn reason(message: &'static str, bytes: u32) -> Result<Step, ProtocolError> {
    if bytes > MAX_REASON {
        return Err(refused(message, "reason-length", format!("{bytes} is over {MAX_REASON}")));
    }
    Ok(Step::Reason { message, length: length(bytes), text: Vec::new() })
}

fn not_offered(configured: SecurityType, offer: &str) -> ProtocolError {
    refused("Security", "security-types", format!("configured is {configured}, the desktop offers {offer}"))
}

fn refused(message: &'static str, field: &str, reason: String) -> ProtocolError {
    ProtocolError::new(Side::Desktop, message, field, reason)
}
