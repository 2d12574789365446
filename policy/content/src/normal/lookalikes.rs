//! Characters that look like ASCII ones, and the decimal digits of all scripts.
//!
//! Made from Unicode's confusables.txt (UTS #39) and UnicodeData.txt, version 18; a test compares both with crates that carry them. Unicode data files are
//! under the Unicode License v3, copyright 1991-2026 Unicode, Inc.

use std::sync::LazyLock;

/// An ASCII character, and those that NFKC leaves alone and whose prototype it is (capitals of the class `l` under `I`).
const LOOKS: [(char, &str); 65] = [
    (' ', "\u{1680}\u{2028}\u{2029}\u{2800}"),
    ('+', "\u{1429}\u{1540}\u{16ed}\u{2795}\u{1029b}\u{11055}\u{16869}\u{1e6e9}"),
    (
        '-',
        "\u{2d7}\u{6d4}\u{174d}\u{1bf3}\u{2010}\u{2012}\u{2013}\u{2043}\u{2212}\u{2796}\u{2cba}\u{2cbb}\
        \u{aa7d}\u{10191}",
    ),
    ('.', "\u{660}\u{6f0}\u{701}\u{702}\u{a4f8}\u{a60e}\u{abec}\u{10a50}\u{1d16d}\u{1ecae}"),
    (
        '/',
        "\u{1735}\u{2041}\u{2044}\u{2215}\u{2571}\u{27cb}\u{29f8}\u{2cc6}\u{2cc7}\u{3033}\u{30ce}\u{31d2}\
        \u{31d3}\u{4e3f}\u{1d23a}",
    ),
    ('2', "\u{1a7}\u{3e8}\u{10c7}\u{14bf}\u{1616}\u{1cb7}\u{a644}\u{a6ef}\u{a75a}"),
    (
        '3',
        "\u{1b7}\u{21c}\u{417}\u{4e0}\u{545}\u{969}\u{ae9}\u{1702}\u{1c95}\u{2c9c}\u{2cc4}\u{2ccc}\u{a76a}\
        \u{a7ab}\u{118ca}\u{16f3b}\u{1d206}",
    ),
    ('4', "\u{13ce}\u{ab9e}\u{118af}\u{16e82}"),
    ('5', "\u{1bc}\u{118bb}"),
    ('6', "\u{3ec}\u{431}\u{13ee}\u{2cd2}\u{2cd3}\u{2cdc}\u{a543}\u{abbe}\u{118d5}"),
    ('7', "\u{172a}\u{1c84}\u{104d2}\u{118c6}\u{16e8a}\u{1d1fe}\u{1d212}"),
    ('8', "\u{222}\u{223}\u{9ea}\u{a6a}\u{b03}\u{a589}\u{1031a}\u{11445}\u{169fe}\u{1e8cb}"),
    (
        '9',
        "\u{9ed}\u{a67}\u{b68}\u{d6d}\u{2cca}\u{2ccb}\u{a76e}\u{a76f}\u{118ac}\u{118cc}\u{118d6}\u{169c1}\
        \u{1e2f2}",
    ),
    (
        ':',
        "\u{2d0}\u{2f8}\u{589}\u{5c3}\u{703}\u{704}\u{831}\u{903}\u{a83}\u{1361}\u{1393}\u{16ec}\u{1803}\
        \u{1809}\u{205a}\u{2236}\u{a4fd}\u{a789}\u{1015b}\u{10af5}\u{11002}\u{11082}\u{11182}\u{1123a}\u{115be}\
        \u{116ac}\u{11838}\u{11dd9}\u{1d108}",
    ),
    ('=', "\u{1400}\u{2e40}\u{30a0}\u{a4ff}\u{a60c}\u{a78a}\u{10190}\u{11053}"),
    ('A', "\u{391}\u{410}\u{13aa}\u{15c5}\u{a4ee}\u{102a0}\u{16f40}\u{1df6a}"),
    ('B', "\u{392}\u{412}\u{13f4}\u{15f7}\u{2c82}\u{a4d0}\u{a557}\u{a7b4}\u{10282}\u{102a1}\u{10301}"),
    ('C', "\u{421}\u{13df}\u{2ca4}\u{a4da}\u{102a2}\u{10302}\u{10415}\u{1051b}\u{118e9}\u{118f2}\u{1f74c}"),
    ('D', "\u{13a0}\u{15de}\u{15ea}\u{a4d3}"),
    ('E', "\u{395}\u{415}\u{13ac}\u{22ff}\u{2d39}\u{a4f0}\u{a5cb}\u{10286}\u{118a6}\u{118ae}\u{1df81}"),
    ('F', "\u{3dc}\u{7d3}\u{15b4}\u{a4dd}\u{a798}\u{10287}\u{102a5}\u{10525}\u{118a2}\u{118c2}\u{1d213}"),
    ('G', "\u{50c}\u{13c0}\u{13f3}\u{a4d6}"),
    ('H', "\u{397}\u{41d}\u{13bb}\u{157c}\u{2c8e}\u{a4e7}\u{102cf}"),
    ('I', "\u{196}\u{399}\u{406}\u{4c0}\u{2c92}\u{a7ae}\u{10ca5}\u{16eaa}"),
    ('J', "\u{37f}\u{408}\u{13ab}\u{148d}\u{a4d9}\u{a7b2}"),
    ('K', "\u{39a}\u{41a}\u{13e6}\u{16d5}\u{2c94}\u{a4d7}\u{10518}"),
    ('L', "\u{13de}\u{14aa}\u{2cd0}\u{a4e1}\u{1041b}\u{10526}\u{118a3}\u{118b2}\u{16f16}\u{1d22a}"),
    ('M', "\u{39c}\u{3fa}\u{41c}\u{13b7}\u{15f0}\u{16d6}\u{2c98}\u{a4df}\u{102b0}\u{10311}\u{10c21}"),
    ('N', "\u{39d}\u{2c9a}\u{a4e0}\u{10513}\u{11abe}"),
    (
        'O',
        "\u{39f}\u{41e}\u{555}\u{7c0}\u{b20}\u{ce6}\u{12d0}\u{1cbf}\u{2c9e}\u{2d54}\u{3007}\u{a4f3}\u{10292}\
        \u{102ab}\u{1030f}\u{10404}\u{104c2}\u{10516}\u{10c17}\u{118b5}\u{118e0}\u{11de0}\u{16ae9}\u{1e140}\
        \u{1e2f0}",
    ),
    ('P', "\u{3a1}\u{420}\u{13e2}\u{146d}\u{2ca2}\u{2cce}\u{a4d1}\u{10295}"),
    ('Q', "\u{51a}\u{2d55}"),
    ('R', "\u{1a6}\u{24c}\u{13a1}\u{13d2}\u{1587}\u{a4e3}\u{104b4}\u{16f35}\u{1d216}"),
    (
        'S',
        "\u{405}\u{54f}\u{10bd}\u{10fd}\u{13d5}\u{13da}\u{1cbd}\u{a4e2}\u{a576}\u{10296}\u{10420}\u{16ad6}\
        \u{16f3a}",
    ),
    (
        'T',
        "\u{3a4}\u{422}\u{7e0}\u{13a2}\u{22a4}\u{27d9}\u{2ca6}\u{3112}\u{4e05}\u{a4d4}\u{a50b}\u{10297}\
        \u{102b1}\u{10315}\u{118bc}\u{16f0a}\u{1d373}\u{1f768}",
    ),
    ('U', "\u{54d}\u{1200}\u{144c}\u{222a}\u{22c3}\u{a4f4}\u{104ce}\u{118b8}\u{16f42}"),
    (
        'V',
        "\u{474}\u{667}\u{6f7}\u{13d9}\u{142f}\u{2d38}\u{a4e6}\u{a6df}\u{1051d}\u{10c1f}\u{118a0}\u{16f08}\
        \u{1cefc}\u{1d20d}\u{1e145}",
    ),
    ('W', "\u{51c}\u{13b3}\u{13d4}\u{a4ea}\u{118e6}\u{118ef}\u{1d20c}"),
    (
        'X',
        "\u{3a7}\u{425}\u{166d}\u{16b7}\u{1cf5}\u{2573}\u{2cac}\u{2d5d}\u{a4eb}\u{a7b3}\u{10290}\u{102b4}\
        \u{10317}\u{10322}\u{10527}\u{10c13}\u{10c82}\u{10cfc}\u{118ec}",
    ),
    (
        'Y',
        "\u{3a5}\u{423}\u{4ae}\u{7cc}\u{13a9}\u{13bd}\u{2ca8}\u{311a}\u{4e2b}\u{a4ec}\u{102b2}\u{10c20}\
        \u{118a4}\u{16f43}",
    ),
    ('Z', "\u{396}\u{10cd}\u{13c3}\u{2c6b}\u{2c8c}\u{a4dc}\u{a6c9}\u{102f5}\u{10507}\u{118a9}\u{118e5}\u{11abc}"),
    ('_', "\u{640}\u{7fa}\u{145c1}"),
    ('a', "\u{251}\u{3b1}\u{430}\u{237a}\u{ab64}\u{1df5a}"),
    ('b', "\u{184}\u{42c}\u{7d5}\u{13cf}\u{1472}\u{15af}\u{1031c}\u{16eb6}\u{1d207}"),
    ('c', "\u{441}\u{1004}\u{105a}\u{1c83}\u{1d04}\u{2ca5}\u{abaf}\u{1043d}\u{1d134}"),
    ('d', "\u{501}\u{13e7}\u{146f}\u{a4d2}\u{1018b}"),
    ('e', "\u{435}\u{4bd}\u{212e}\u{ab32}"),
    ('f', "\u{192}\u{284}\u{584}\u{1e9d}\u{a799}\u{ab35}\u{1017e}"),
    ('g', "\u{18d}\u{261}\u{581}\u{1d83}"),
    ('h', "\u{4ba}\u{4bb}\u{570}\u{10b9}\u{13c2}"),
    ('i', "\u{a1}\u{131}\u{269}\u{26a}\u{3b9}\u{456}\u{582}\u{13a5}\u{2373}\u{2c93}\u{a647}\u{ab75}\u{118c3}"),
    ('j', "\u{237}\u{3f3}\u{458}\u{575}"),
    (
        'l',
        "\u{1c0}\u{4cf}\u{5c0}\u{5d5}\u{5df}\u{627}\u{661}\u{6f1}\u{7ca}\u{964}\u{104a}\u{16c1}\u{16d0}\
        \u{21bf}\u{2223}\u{23fd}\u{2502}\u{2503}\u{2d4a}\u{2d4f}\u{a4f2}\u{a56f}\u{a781}\u{a7fe}\u{a830}\u{a8ce}\
        \u{aa5d}\u{1028a}\u{10309}\u{10320}\u{1050e}\u{10926}\u{10c3e}\u{10cfa}\u{11047}\u{110c0}\u{11141}\
        \u{111c5}\u{113d4}\u{1144b}\u{115c5}\u{11641}\u{11c41}\u{11dda}\u{11de1}\u{16d63}\u{16f28}\u{1d100}\
        \u{1d377}\u{1e141}\u{1e8c7}\u{1ed01}",
    ),
    ('n', "\u{578}\u{57c}"),
    (
        'o',
        "\u{3bf}\u{3c3}\u{3ed}\u{43e}\u{585}\u{5e1}\u{647}\u{665}\u{6be}\u{6c1}\u{6d5}\u{6f5}\u{7cb}\u{840}\
        \u{966}\u{9e6}\u{a66}\u{ae6}\u{b66}\u{be6}\u{c02}\u{c66}\u{c82}\u{d02}\u{d20}\u{d66}\u{d82}\u{e50}\
        \u{ed0}\u{101d}\u{1040}\u{10ff}\u{110b}\u{11bc}\u{17e0}\u{1a45}\u{1a80}\u{1a90}\u{1bea}\u{1c82}\u{1d0f}\
        \u{1d11}\u{2c9f}\u{ab3d}\u{1042c}\u{104ea}\u{1092c}\u{10d07}\u{11124}\u{11302}\u{114d0}\u{118c8}\
        \u{118d7}",
    ),
    ('p', "\u{fe}\u{1bf}\u{3c1}\u{3f8}\u{440}\u{2374}\u{2ca3}\u{2ccf}"),
    ('q', "\u{51b}\u{563}\u{566}"),
    ('r', "\u{433}\u{1d26}\u{2c85}\u{ab47}\u{ab48}\u{ab81}\u{16a19}"),
    ('s', "\u{1bd}\u{455}\u{d1f}\u{a731}\u{abaa}\u{10448}\u{118c1}"),
    ('u', "\u{28b}\u{3c5}\u{57d}\u{1d1c}\u{a79f}\u{ab4e}\u{ab52}\u{104f6}\u{118d8}"),
    ('v', "\u{3bd}\u{475}\u{5d8}\u{1d20}\u{2228}\u{22c1}\u{aba9}\u{11706}\u{118c0}"),
    (
        'w',
        "\u{26f}\u{448}\u{461}\u{51d}\u{561}\u{1d21}\u{29e2}\u{2cbd}\u{a7fa}\u{ab83}\u{aba4}\u{1170a}\u{1170e}\
        \u{1170f}\u{1df7d}",
    ),
    ('x', "\u{d7}\u{445}\u{1541}\u{157d}\u{166e}\u{1763}\u{1bec}\u{292b}\u{292c}\u{2a2f}\u{10cc2}"),
    ('y', "\u{263}\u{28f}\u{3b3}\u{443}\u{4af}\u{10e7}\u{1d8c}\u{1eff}\u{2ca9}\u{ab5a}\u{118c4}\u{118dc}"),
    ('z', "\u{1d22}\u{2c6c}\u{2c8d}\u{2d2d}\u{ab93}"),
];

/// Characters that no table has as confusable, but that are written between digits where ASCII has a dash or a dot.
const BETWEEN: [(char, &str); 2] = [('-', "\u{2014}\u{2015}"), ('.', "\u{b7}\u{30fb}\u{3002}")];

/// The zero of each script's decimal digits that NFKC leaves alone; one to nine follow it.
#[rustfmt::skip]
const ZEROS: [char; 68] = [
    '\u{660}', '\u{6f0}', '\u{7c0}', '\u{966}', '\u{9e6}', '\u{a66}', '\u{ae6}', '\u{b66}', '\u{be6}', '\u{c66}',
    '\u{ce6}', '\u{d66}', '\u{de6}', '\u{e50}', '\u{ed0}', '\u{f20}', '\u{1040}', '\u{1090}', '\u{17e0}',
    '\u{1810}', '\u{1946}', '\u{19d0}', '\u{1a80}', '\u{1a90}', '\u{1b50}', '\u{1bb0}', '\u{1c40}', '\u{1c50}',
    '\u{a620}', '\u{a8d0}', '\u{a900}', '\u{a9d0}', '\u{a9f0}', '\u{aa50}', '\u{abf0}', '\u{104a0}', '\u{10d30}',
    '\u{10d40}', '\u{11066}', '\u{110f0}', '\u{11136}', '\u{111d0}', '\u{112f0}', '\u{11450}', '\u{114d0}',
    '\u{11650}', '\u{116c0}', '\u{116d0}', '\u{116da}', '\u{11730}', '\u{118e0}', '\u{11950}', '\u{11bf0}',
    '\u{11c50}', '\u{11d50}', '\u{11da0}', '\u{11de0}', '\u{11f50}', '\u{16130}', '\u{16a60}', '\u{16ac0}',
    '\u{16b50}', '\u{16d70}', '\u{1e140}', '\u{1e2f0}', '\u{1e4f0}', '\u{1e5f1}', '\u{1e950}',
];

/// All of `LOOKS` and `BETWEEN`, by the character.
static BY_CHARACTER: LazyLock<Vec<(char, char)>> = LazyLock::new(|| {
    let rows = LOOKS.iter().chain(&BETWEEN);
    let mut pairs: Vec<_> = rows.flat_map(|&(ascii, alike)| alike.chars().map(move |other| (other, ascii))).collect();
    pairs.sort_unstable();
    pairs
});

/// The ASCII character that `character` looks like.
pub(super) fn ascii_like(character: char) -> Option<char> {
    let pairs = &*BY_CHARACTER;
    let at = pairs.binary_search_by_key(&character, |&(other, _)| other).ok()?;
    pairs.get(at).map(|&(_, ascii)| ascii)
}

/// The digit, `0` to `9`, that `character` is in its script.
pub(super) fn digit(character: char) -> Option<char> {
    let zero = ZEROS.partition_point(|&zero| zero <= character).checked_sub(1).and_then(|at| ZEROS.get(at))?;
    let value = u32::from(character).checked_sub(u32::from(*zero)).filter(|value| *value < 10)?;
    char::from_digit(value, 10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_normalization::UnicodeNormalization;
    use unicode_security::confusable_detection::skeleton;

    #[test]
    fn the_tables_are_those_of_unicode() {
        for character in ('\u{80}'..=char::MAX).filter(|character| std::iter::once(*character).nfkc().eq([*character]))
        {
            let text = character.to_string();
            let prototype: Vec<char> = skeleton(&text).collect();
            let expected = match prototype[..] {
                ['l'] if character.is_uppercase() => Some('I'),
                [one] if one.is_ascii_alphanumeric() || " +-./:=_".contains(one) => Some(one),
                _ => None,
            };
            if !BETWEEN.iter().any(|(_, alike)| alike.contains(character)) {
                assert_eq!(ascii_like(character), expected, "U+{:04X}", u32::from(character));
            }
        }
    }

    #[test]
    fn digits_of_all_scripts_count_from_zero() {
        assert!(ZEROS.is_sorted());
        for zero in ZEROS {
            for value in 0..10 {
                let character = char::from_u32(u32::from(zero) + value).unwrap();
                assert!(character.is_numeric(), "U+{:04X}", u32::from(character));
                assert_eq!(digit(character), char::from_digit(value, 10));
            }
        }
        assert_eq!((digit('a'), digit('\u{65f}'), digit('\u{66a}')), (None, None, None));
    }
}
