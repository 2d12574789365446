//! VeNCrypt 0.2 up to where TLS begins (community specification, "VeNCrypt"): the configured sub-type or none.

use super::{Progress, refused};
use crate::catalogue::{VENCRYPT_TYPES, why};
use crate::error::ProtocolError;
use crate::intake::{Intake, fill};
use crate::wire::VeNCryptType;

/// The version that is spoken; a desktop names its highest, which may be higher.
const VERSION: [u8; 2] = [0, 2];
/// TLS without a certificate.
const ANONYMOUS: [VeNCryptType; 3] = [VeNCryptType::TLS_NONE, VeNCryptType::TLS_VNC, VeNCryptType::TLS_PLAIN];
/// Offers that an error names.
const MAX_NAMED: usize = 16;
/// The desktop takes the version.
const VERSION_TAKEN: u8 = 0;
/// The desktop begins TLS: the other way round than for the version.
const TLS_BEGINS: u8 = 1;

/// The negotiation of one sub-type.
#[derive(Debug)]
pub(super) struct Vencrypt {
    configured: VeNCryptType,
    step: Step,
}

/// The next thing that the desktop says.
#[derive(Debug)]
enum Step {
    Version,
    VersionAck,
    OfferCount,
    Offer { count: u8, types: Vec<u8> },
    TlsAck,
}

impl Vencrypt {
    pub(super) fn new(configured: VeNCryptType) -> Self {
        Self { configured, step: Step::Version }
    }

    /// Takes the next field of `input` and answers it into `output`; done where TLS begins.
    pub(super) fn advance(
        &mut self,
        intake: &mut Intake,
        input: &mut &[u8],
        output: &mut Vec<u8>,
    ) -> Result<Progress<()>, ProtocolError> {
        let configured = self.configured;
        let next = match &mut self.step {
            Step::Version => intake.take(input).map(|highest| answer_version(highest, output)),
            Step::VersionAck => intake.take(input).map(|[ack]| match ack {
                VERSION_TAKEN => Ok(Step::OfferCount),
                ack => Err(refused("VeNCrypt", "version ack", format!("{ack}: the desktop does not take 0.2"))),
            }),
            Step::OfferCount => {
                intake.take(input).map(|[count]| Ok(Step::Offer { count, types: Vec::with_capacity(length(count)) }))
            }
            Step::Offer { count, types } => {
                fill(types, length(*count), input).then(|| choose(configured, types, output))
            }
            Step::TlsAck => match intake.take(input) {
                None => None,
                Some([TLS_BEGINS]) => return Ok(Progress::Done(())),
                Some([ack]) => {
                    Some(Err(refused("VeNCrypt", "ack", format!("{ack}: the desktop cannot do {configured}"))))
                }
            },
        };
        match next.transpose()? {
            None => Ok(Progress::Wait),
            Some(step) => {
                self.step = step;
                Ok(Progress::Again)
            }
        }
    }
}

/// Bytes of so many sub-types.
fn length(count: u8) -> usize {
    usize::from(count) * 4
}

fn answer_version(highest: [u8; 2], output: &mut Vec<u8>) -> Result<Step, ProtocolError> {
    if highest < VERSION {
        let [major, minor] = highest;
        return Err(refused("VeNCrypt", "version", format!("{major}.{minor} is below 0.2")));
    }
    output.extend_from_slice(&VERSION);
    Ok(Step::VersionAck)
}

fn choose(configured: VeNCryptType, types: &[u8], output: &mut Vec<u8>) -> Result<Step, ProtocolError> {
    let (types, _) = types.as_chunks::<4>();
    let offered = types.iter().map(|code| VeNCryptType(u32::from_be_bytes(*code)));
    if !offered.clone().any(|offer| offer == configured) {
        let names: Vec<_> = offered.clone().take(MAX_NAMED).map(|offer| offer.to_string()).collect();
        let names = if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
        let why = offered.filter(|offer| ANONYMOUS.contains(offer)).map(|offer| why(VENCRYPT_TYPES, offer)).next();
        let reason = format!("configured is {configured}, the desktop offers {names}{}", why.unwrap_or_default());
        return Err(refused("VeNCrypt", "sub-types", reason));
    }
    output.extend_from_slice(&configured.0.to_be_bytes());
    Ok(Step::TlsAck)
}
