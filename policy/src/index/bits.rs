//! Sets of policies by their numbers, one bit each.

/// Bits of a word.
const WORD: usize = 64;

/// A set of numbers below a size that is fixed when it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bits(Vec<u64>);

impl Bits {
    /// None of so many.
    pub(crate) fn none(size: usize) -> Self {
        Self(vec![0; size.div_ceil(WORD)])
    }

    /// Takes a number in; one beyond the size is left out.
    pub(crate) fn insert(&mut self, number: usize) {
        if let Some(word) = self.0.get_mut(number / WORD) {
            *word |= 1 << (number % WORD);
        }
    }

    /// Takes in numbers of a list.
    pub(crate) fn insert_all(&mut self, numbers: &[usize]) {
        numbers.iter().for_each(|number| self.insert(*number));
    }

    /// Whether a number is in it.
    pub(crate) fn contains(&self, number: usize) -> bool {
        self.0.get(number / WORD).is_some_and(|word| word & (1 << (number % WORD)) != 0)
    }

    /// Leaves out what is not in the other.
    pub(crate) fn retain(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(mine, theirs)| *mine &= theirs);
    }

    /// How many are in it.
    pub(crate) fn count(&self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }

    /// The smallest number that is in both.
    pub(crate) fn first_of(&self, other: &Self) -> Option<usize> {
        let both = self.0.iter().zip(&other.0).map(|(mine, theirs)| mine & theirs);
        both.enumerate().find(|(_, word)| *word != 0).and_then(|(index, word)| number(index, word))
    }

    /// Those that are in both, in order.
    pub(crate) fn both<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = usize> + 'a {
        let both = self.0.iter().zip(&other.0).map(|(mine, theirs)| mine & theirs);
        both.enumerate().flat_map(|(index, word)| ones(index, word))
    }

    /// All of them, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().flat_map(|(index, word)| ones(index, *word))
    }
}

/// The number of a word's lowest bit.
fn number(index: usize, word: u64) -> Option<usize> {
    let bit = usize::try_from(word.trailing_zeros()).ok()?;
    Some(index * WORD + bit)
}

fn ones(index: usize, mut word: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let found = (word != 0).then(|| number(index, word)).flatten()?;
        word &= word - 1;
        Some(found)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn bits_are_sets(one: BTreeSet<u8>, other: BTreeSet<u8>) {
            let bits = |set: &BTreeSet<u8>| {
                let mut bits = Bits::none(256);
                set.iter().for_each(|number| bits.insert(usize::from(*number)));
                bits
            };
            let (mut a, b) = (bits(&one), bits(&other));
            let numbers = |set: &BTreeSet<u8>| set.iter().map(|number| usize::from(*number)).collect::<Vec<_>>();
            let both: BTreeSet<u8> = one.intersection(&other).copied().collect();
            prop_assert_eq!(a.iter().collect::<Vec<_>>(), numbers(&one));
            prop_assert_eq!(a.both(&b).collect::<Vec<_>>(), numbers(&both));
            prop_assert_eq!(a.first_of(&b), both.first().map(|number| usize::from(*number)));
            prop_assert_eq!(usize::try_from(a.count()).unwrap(), one.len());
            prop_assert!((0..300).all(|number| a.contains(number) == u8::try_from(number).is_ok_and(|number| one.contains(&number))));
            a.retain(&b);
            prop_assert_eq!(a, bits(&both));
        }
    }
}
