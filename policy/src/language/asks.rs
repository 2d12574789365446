//! What a policy asks of a session: its parts `session`, `input`, `screen`, `recording` and `desktop`.

use super::fields::{Faults, Fields, list};
use super::keys::{below, find};
use super::node::{Node, Value};
use super::value::{Read, chords, stated, value};
use crate::values::{Clicks, Colour, Extent, Layout, Mask, MaskedRecord, Region, Watermark, Zone};
use crate::{DesktopRules, InputRules, Obligations, RecordingRules, ScreenRules, SessionRules, Stated};

/// Entries of `screen.mask`; more is refused.
const MAX_MASKS: usize = 64;

/// What a watermark looks like where the policy does not say.
const ANGLE: u16 = 30;
const OPACITY: u8 = 20;
const LETTERS: u16 = 24;
const GREY: Colour = Colour([0x80; 3]);

/// All obligations of a policy.
pub(crate) fn asks(policy: &Fields<'_>, faults: &mut Faults<'_>) -> Obligations {
    Obligations {
        session: part(policy, "session", faults).map(|fields| session(&fields, faults)).unwrap_or_default(),
        input: part(policy, "input", faults).map(|fields| input(&fields, faults)).unwrap_or_default(),
        screen: part(policy, "screen", faults).map(|fields| screen(&fields, faults)).unwrap_or_default(),
        recording: part(policy, "recording", faults).map(|fields| recording(&fields, faults)).unwrap_or_default(),
        desktop: part(policy, "desktop", faults).map(|fields| desktop(&fields, faults)).unwrap_or_default(),
    }
}

/// A part of the policy, if it is there; one that asks nothing is a fault.
fn part<'a>(policy: &Fields<'a>, path: &str, faults: &mut Faults<'_>) -> Option<Fields<'a>> {
    let (_, node) = policy.get(path)?;
    filled(node, path, faults)
}

/// The fields of the map at a path, of which there must be one.
fn filled<'a>(node: &'a Node, path: &str, faults: &mut Faults<'_>) -> Option<Fields<'a>> {
    let fields = Fields::at(node, path, faults)?;
    let empty = matches!(&node.value, Value::Map(map) if map.is_empty());
    if fields.is_empty() && empty {
        let known: Vec<&str> = below(path).map(|(name, _)| name).collect();
        faults.add(fields.at, format!("`{path}` is empty; name one of {}, or take the key out", known.join(", ")));
    }
    Some(fields)
}

fn session(fields: &Fields<'_>, faults: &mut Faults<'_>) -> SessionRules {
    let path = "session";
    SessionRules {
        longest: stated(fields, path, "longest", faults),
        idle: stated(fields, path, "idle", faults),
        reconnect: stated(fields, path, "reconnect", faults),
        warning: stated(fields, path, "warning", faults),
        concurrent: stated(fields, path, "concurrent", faults),
        viewers: stated(fields, path, "viewers", faults),
    }
}

fn input(fields: &Fields<'_>, faults: &mut Faults<'_>) -> InputRules {
    let path = "input";
    let blocked = fields.get("blocked_chords").zip(find("input.blocked_chords"));
    let chords = blocked.map(|((_, node), key)| chords(node, key, faults)).unwrap_or_default();
    let blocked_chords = chords.into_iter().map(|chord| {
        let rule = faults.rule(chord.at, "input.blocked_chords");
        Stated { value: chord.value, rule }
    });
    InputRules {
        blocked_chords: blocked_chords.collect(),
        keys: stated(fields, path, "keys", faults),
        pointer: stated(fields, path, "pointer", faults),
        typed_paste: stated(fields, path, "typed_paste", faults),
    }
}

fn screen(fields: &Fields<'_>, faults: &mut Faults<'_>) -> ScreenRules {
    let path = "screen";
    let size: Option<Stated<(u16, u16)>> = stated(fields, path, "max_size", faults);
    let side = |pick: fn((u16, u16)) -> u16| {
        size.as_ref().map(|size| Stated { value: pick(size.value), rule: size.rule.clone() })
    };
    let (max_width, max_height) = (side(|(width, _)| width), side(|(_, height)| height));
    let visible = fields.get("visible").and_then(|(at, node)| {
        let part = filled(node, "screen.visible", faults)?;
        Some(Stated { value: region(&part, "screen.visible", faults), rule: faults.rule(at, "screen.visible") })
    });
    let watermark = fields.get("watermark").and_then(|(at, node)| {
        Some(Stated { value: watermark(node, faults)?, rule: faults.rule(at, "screen.watermark") })
    });
    ScreenRules {
        max_fps: stated(fields, path, "max_fps", faults),
        max_width,
        max_height,
        watermarks: watermark.into_iter().collect(),
        masks: fields.get("mask").map(|(_, node)| masks(node, faults)).unwrap_or_default(),
        visible: visible.into_iter().collect(),
    }
}

fn watermark(node: &Node, faults: &mut Faults<'_>) -> Option<Watermark> {
    let path = "screen.watermark";
    let plain = |text| Watermark {
        text,
        layout: Layout::Tiled,
        angle: ANGLE,
        opacity: OPACITY,
        size: LETTERS,
        colour: GREY,
        zone: Zone::utc(),
    };
    if let Value::Text(_) = node.value {
        return Read::read(node, find("screen.watermark.text")?, faults).map(plain);
    }
    let fields = Fields::at(node, path, faults)?;
    fields.required("text", "say what is drawn, such as \"{subject} {time}\"", faults)?;
    let mut watermark = plain(value(&fields, path, "text", faults)?);
    let pixels = |count: Option<u32>| count.and_then(|count| u16::try_from(count).ok());
    watermark.layout = value(&fields, path, "layout", faults).unwrap_or(watermark.layout);
    watermark.angle = pixels(value(&fields, path, "angle", faults)).unwrap_or(watermark.angle);
    watermark.opacity = value(&fields, path, "opacity", faults).unwrap_or(watermark.opacity);
    watermark.size = pixels(value(&fields, path, "size", faults)).unwrap_or(watermark.size);
    watermark.colour = value(&fields, path, "colour", faults).unwrap_or(watermark.colour);
    watermark.zone = value(&fields, path, "zone", faults).unwrap_or(watermark.zone);
    Some(watermark)
}

fn masks(node: &Node, faults: &mut Faults<'_>) -> Vec<Stated<Mask>> {
    let path = "screen.mask[]";
    let entries = list(node, "`mask`", faults);
    if let Some(over) = entries.get(MAX_MASKS) {
        faults.add(over.at, format!("`mask` has {MAX_MASKS} entries at most; join regions that lie together"));
    }
    let mut masks = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        let Some(fields) = Fields::at(entry, path, faults) else { continue };
        let mask = Mask {
            region: region(&fields, path, faults),
            clicks: value(&fields, path, "clicks", faults).unwrap_or(Clicks::Deny),
            recorded: value(&fields, path, "recorded", faults).unwrap_or(MaskedRecord::Masked),
        };
        masks.push(Stated { value: mask, rule: faults.rule(entry.at, &format!("screen.mask[{index}]")) });
    }
    masks
}

/// What is not given is the whole screen.
fn region(fields: &Fields<'_>, path: &str, faults: &mut Faults<'_>) -> Region {
    let mut extent = |field: &str, usual| value(fields, path, field, faults).unwrap_or(usual);
    Region {
        x: extent("x", Extent::Pixels(0)),
        y: extent("y", Extent::Pixels(0)),
        width: extent("width", Extent::Percent(100)),
        height: extent("height", Extent::Percent(100)),
    }
}

fn recording(fields: &Fields<'_>, faults: &mut Faults<'_>) -> RecordingRules {
    let path = "recording";
    RecordingRules {
        mode: stated(fields, path, "mode", faults),
        keys: stated(fields, path, "keys", faults),
        keep: stated(fields, path, "keep", faults),
        lock: stated(fields, path, "lock", faults),
        text: stated(fields, path, "text", faults),
    }
}

fn desktop(fields: &Fields<'_>, faults: &mut Faults<'_>) -> DesktopRules {
    DesktopRules {
        egress: stated(fields, "desktop", "egress", faults),
        home: stated(fields, "desktop", "home", faults),
    }
}
