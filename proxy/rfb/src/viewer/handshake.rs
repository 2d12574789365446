//! The handshake as RFC 6143 §7.1–§7.3 has it for its server, in the versions 3.3, 3.7 and 3.8, with the security type None alone.
//!
//! Who may connect has been decided before: by the ticket of the WebSocket.

use crate::error::{ProtocolError, Side, printable};
use crate::intake::Intake;
use crate::wire::SecurityType;

/// The version that is offered.
const VERSION_3_8: &[u8; 12] = b"RFB 003.008\n";
const VERSION_3_7: &[u8; 12] = b"RFB 003.007\n";
const VERSION_3_3: &[u8; 12] = b"RFB 003.003\n";

/// SecurityResult: OK.
const SECURITY_OK: [u8; 4] = [0; 4];

/// What is awaited of the viewer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Version,
    Security { result: bool },
    Init,
}

/// The handshake up to and with ClientInit.
#[derive(Debug)]
pub(super) struct Handshake {
    step: Step,
    intake: Intake,
}

impl Handshake {
    /// Begins by offering version 3.8.
    pub(super) fn begin(out: &mut Vec<u8>) -> Self {
        out.extend_from_slice(VERSION_3_8);
        Self { step: Step::Version, intake: Intake::default() }
    }

    /// Goes on with `input` as far as it reaches; ClientInit's shared-flag ends it.
    pub(super) fn advance(&mut self, input: &mut &[u8], out: &mut Vec<u8>) -> Result<Option<bool>, ProtocolError> {
        loop {
            self.step = match self.step {
                Step::Version => match self.intake.take::<12>(input) {
                    Some(version) => answer_version(&version, out)?,
                    None => return Ok(None),
                },
                Step::Security { result } => match self.intake.take::<1>(input) {
                    Some([chosen]) => {
                        check_security(SecurityType(chosen))?;
                        if result {
                            out.extend(SECURITY_OK);
                        }
                        Step::Init
                    }
                    None => return Ok(None),
                },
                Step::Init => return Ok(self.intake.take::<1>(input).map(|[shared]| shared != 0)),
            };
        }
    }
}

/// Sends the security types as the viewer's version wants them; 3.3 is told the type, and no result follows None before 3.8.
fn answer_version(version: &[u8; 12], out: &mut Vec<u8>) -> Result<Step, ProtocolError> {
    let none = SecurityType::NONE.0;
    match version {
        VERSION_3_8 | VERSION_3_7 => {
            out.extend([1, none]);
            Ok(Step::Security { result: version == VERSION_3_8 })
        }
        VERSION_3_3 => {
            out.extend(u32::from(none).to_be_bytes());
            Ok(Step::Init)
        }
        other => Err(ProtocolError::new(
            Side::Viewer,
            "ProtocolVersion",
            "version",
            format!("\"{}\" is not one of 3.3, 3.7 and 3.8", printable(other)),
        )),
    }
}

fn check_security(chosen: SecurityType) -> Result<(), ProtocolError> {
    if chosen == SecurityType::NONE {
        return Ok(());
    }
    let reason = format!("{chosen} was not offered, only {}", SecurityType::NONE);
    Err(ProtocolError::new(Side::Viewer, "Security", "security-type", reason))
}
