//! From the desktop's ProtocolVersion to the end of its ServerInit (RFC 6143 §7.1 to §7.3), with no way down.

mod vencrypt;

use super::{Config, Declined, Progress, Security};
use crate::error::{ProtocolError, Side, printable};
use crate::geometry::Size;
use crate::intake::{Intake, fill, length};
use crate::limits::{Limits, MAX_NAME, MAX_REASON};
use crate::wire::SecurityType;
use vencrypt::Vencrypt;

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

/// The next thing that the desktop says.
#[derive(Debug)]
enum Step {
    Version,
    /// 3.3: the desktop decides on a type.
    Decided,
    /// 3.7 and 3.8: the desktop offers types.
    OfferCount,
    Offer {
        count: u8,
        types: Vec<u8>,
    },
    Vencrypt(Vencrypt),
    /// TLS, which is the caller's: nothing is read and nothing said here before [`Handshake::secured`].
    Tls,
    /// VncAuth's 16 bytes.
    Challenge,
    SecurityResult,
    ReasonLength(Declined),
    Reason {
        of: Declined,
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

/// Where the handshake got to.
#[derive(Debug)]
pub(super) enum Milestone {
    /// TLS begins with the next byte.
    StartTls,
    /// The desktop declined, with its own words, made harmless.
    Declined(Declined, String),
    /// The handshake is over: the framebuffer's size and the desktop's name.
    Ready(Size, String),
}

/// The handshake up to and with ServerInit.
#[derive(Debug)]
pub(super) struct Handshake {
    security: Security,
    limits: Limits,
    version: Version,
    step: Step,
}

impl Handshake {
    pub(super) fn new(config: Config) -> Self {
        Self { security: config.security, limits: config.limits, version: Version::V3_8, step: Step::Version }
    }

    /// Takes the next field of `input` and answers it into `output`; done at each milestone.
    pub(super) fn advance(
        &mut self,
        intake: &mut Intake,
        input: &mut &[u8],
        output: &mut Vec<u8>,
    ) -> Result<Progress<Milestone>, ProtocolError> {
        let next = match &mut self.step {
            Step::Version => intake.take(input).map(|line| self.answer_version(line, output)),
            Step::Decided => intake.take(input).map(|number| self.decided(u32::from_be_bytes(number), output)),
            Step::OfferCount => intake.take(input).map(|[count]| Ok(offered(count))),
            Step::Offer { count, types } => {
                let whole = fill(types, usize::from(*count), input).then(|| std::mem::take(types));
                whole.map(|types| self.choose(&types, output))
            }
            Step::Vencrypt(vencrypt) => match vencrypt.advance(intake, input, output)? {
                Progress::Wait => None,
                Progress::Again => return Ok(Progress::Again),
                Progress::Done(()) => {
                    self.step = Step::Tls;
                    return Ok(Progress::Done(Milestone::StartTls));
                }
            },
            // INVARIANT: what came in clear is never read as if it had come through TLS, in whichever chunk it comes.
            Step::Tls => (!input.is_empty())
                .then(|| Err(refused("VeNCrypt", "ack", "bytes in clear follow it, where TLS begins".to_owned()))),
            Step::Challenge => intake.take(input).map(|challenge| self.answer_challenge(challenge, output)),
            Step::SecurityResult => match intake.take(input).map(u32::from_be_bytes) {
                // Before 3.8 there is no reason: the desktop closes.
                Some(1) if self.version != Version::V3_8 => {
                    return Ok(Progress::Done(Milestone::Declined(Declined::Login, String::new())));
                }
                result => result.map(|result| judged(result, output)),
            },
            Step::ReasonLength(of) => {
                let of = *of;
                intake.take(input).map(|bytes| reason(of, u32::from_be_bytes(bytes)))
            }
            Step::Reason { of, length, text } => {
                if !fill(text, *length, input) {
                    return Ok(Progress::Wait);
                }
                return Ok(Progress::Done(Milestone::Declined(*of, printable(text))));
            }
            Step::Init => intake.take(input).map(|bytes| self.init(bytes)),
            Step::Name { size, length, text } => {
                if !fill(text, *length, input) {
                    return Ok(Progress::Wait);
                }
                return Ok(Progress::Done(Milestone::Ready(*size, String::from_utf8_lossy(text).into_owned())));
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

    /// TLS is up and the desktop's certificate is verified: what was configured inside it follows.
    ///
    /// INVARIANT: no secret is written before this for a type that has TLS (CVE-2011-1775).
    pub(super) fn secured(&mut self, output: &mut Vec<u8>) {
        if !matches!(self.step, Step::Tls) {
            return;
        }
        self.step = match &self.security {
            Security::X509Vnc(_) => Step::Challenge,
            Security::X509Plain(login) => {
                login.write(output);
                Step::SecurityResult
            }
            // The types without TLS never come to `Step::Tls`.
            Security::X509None | Security::None | Security::VncAuth(_) => Step::SecurityResult,
        };
    }

    fn answer_version(&mut self, line: [u8; 12], output: &mut Vec<u8>) -> Result<Step, ProtocolError> {
        let Some((line, version)) = VERSIONS.iter().find(|(known, _)| **known == line) else {
            return Err(refused("ProtocolVersion", "version", unspoken(&line)));
        };
        output.extend_from_slice(*line);
        self.version = *version;
        Ok(if *version == Version::V3_3 { Step::Decided } else { Step::OfferCount })
    }

    fn decided(&self, number: u32, output: &mut Vec<u8>) -> Result<Step, ProtocolError> {
        match u8::try_from(number).map(SecurityType) {
            Ok(SecurityType::INVALID) => Ok(Step::ReasonLength(Declined::Connection)),
            Ok(decided) if decided == self.security.security_type() => Ok(self.enter(output)),
            Ok(decided) => Err(self.not_offered(&decided.to_string())),
            Err(_) => Err(self.not_offered(&number.to_string())),
        }
    }

    fn choose(&self, types: &[u8], output: &mut Vec<u8>) -> Result<Step, ProtocolError> {
        let configured = self.security.security_type();
        if !types.contains(&configured.0) {
            let offer: Vec<String> = types.iter().take(16).map(|number| SecurityType(*number).to_string()).collect();
            return Err(self.not_offered(&offer.join(", ")));
        }
        output.push(configured.0);
        Ok(self.enter(output))
    }

    /// What follows once the type is agreed.
    fn enter(&self, output: &mut Vec<u8>) -> Step {
        match (&self.security, self.security.vencrypt_type()) {
            (_, Some(subtype)) => Step::Vencrypt(Vencrypt::new(subtype)),
            (Security::VncAuth(_), None) => Step::Challenge,
            // A result of type None is told in 3.8 only.
            _ if self.version == Version::V3_8 => Step::SecurityResult,
            _ => initialise(output),
        }
    }

    fn answer_challenge(&self, challenge: [u8; 16], output: &mut Vec<u8>) -> Result<Step, ProtocolError> {
        match &self.security {
            Security::VncAuth(password) | Security::X509Vnc(password) => {
                output.extend_from_slice(&password.answer(challenge));
                Ok(Step::SecurityResult)
            }
            other => Err(refused("Security", "challenge", format!("{other:?} has none"))),
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

    fn not_offered(&self, offer: &str) -> ProtocolError {
        let configured = self.security.security_type();
        refused("Security", "security-types", format!("configured is {configured}, the desktop offers {offer}"))
    }
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

fn offered(count: u8) -> Step {
    match count {
        0 => Step::ReasonLength(Declined::Connection),
        count => Step::Offer { count, types: Vec::with_capacity(usize::from(count)) },
    }
}

fn judged(result: u32, output: &mut Vec<u8>) -> Result<Step, ProtocolError> {
    match result {
        0 => Ok(initialise(output)),
        1 => Ok(Step::ReasonLength(Declined::Login)),
        other => Err(refused("SecurityResult", "status", format!("{other} is neither 0, OK, nor 1, failed"))),
    }
}

/// The handshake's end of Portcullis: ClientInit (RFC 6143 §7.3.1).
fn initialise(output: &mut Vec<u8>) -> Step {
    output.push(SHARED);
    Step::Init
}

fn reason(of: Declined, bytes: u32) -> Result<Step, ProtocolError> {
    if bytes > MAX_REASON {
        let message = match of {
            Declined::Connection => "Security",
            Declined::Login => "SecurityResult",
        };
        return Err(refused(message, "reason-length", format!("{bytes} is over {MAX_REASON}")));
    }
    Ok(Step::Reason { of, length: length(bytes), text: Vec::new() })
}

fn refused(message: &'static str, field: &str, reason: String) -> ProtocolError {
    ProtocolError::new(Side::Desktop, message, field, reason)
}
