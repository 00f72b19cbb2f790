//! Numbers that look drawn and are computed: the same seed, matter and number always give the same draw.
//!
//! Any pupil can so be made alone, in any order, without keeping the others: that is what lets an academy be written in
//! constant memory. Never a source of secrets (those take a [`crate::base::random::Random`]).

/// The draws of one seed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chance(u64);

/// One draw, which yields as many numbers as are asked of it.
#[derive(Clone, Debug)]
pub(super) struct Draw(u64);

impl Chance {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The draw about a matter for a number.
    pub(super) fn draw(self, matter: &str, number: u64) -> Draw {
        // FNV-1a keeps matters apart, the mixing of SplitMix64 (Steele, Lea, Flood 2014) does the rest.
        let label = matter.bytes().fold(0xCBF2_9CE4_8422_2325u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
        });
        Draw(mix(mix(self.0 ^ label).wrapping_add(number)))
    }
}

fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    /// A number below `bound` (0 where `bound` is 0).
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.next()) * u128::from(bound);
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// A number below `bound`, the small ones more often: half of the draws fall in the first quarter.
    pub(super) fn low(&mut self, bound: u64) -> u64 {
        let within = self.below(1 << 16);
        (within * within * bound) >> 32
    }

    /// True once in `times`.
    pub(super) fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// One item, each with the same chance; the default of nothing.
    pub(super) fn pick<T: Copy + Default>(&mut self, items: &[T]) -> T {
        let at = self.below(items.len() as u64);
        items.get(at as usize).copied().unwrap_or_default()
    }

    /// One item, the first ones more often.
    pub(super) fn pick_low<T: Copy + Default>(&mut self, items: &[T]) -> T {
        let at = self.low(items.len() as u64);
        items.get(at as usize).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_repeat_and_matters_and_seeds_differ() {
        let number = |seed, matter, number| Chance::new(seed).draw(matter, number).below(u64::MAX);
        assert_eq!(number(1, "name", 7), number(1, "name", 7));
        assert_ne!(number(1, "name", 7), number(1, "birth", 7));
        assert_ne!(number(1, "name", 7), number(2, "name", 7));
        assert_ne!(number(1, "name", 7), number(1, "name", 8));
    }

    #[test]
    fn numbers_are_spread_as_said() {
        let mut even = [0u32; 4];
        let mut low = [0u32; 4];
        for number in 0..4000 {
            let mut draw = Chance::new(3).draw("spread", number);
            even[draw.below(4) as usize] += 1;
            low[draw.low(4) as usize] += 1;
        }
        assert!(even.iter().all(|count| (900..1100).contains(count)), "{even:?}");
        assert!((1900..2100).contains(&low[0]), "{low:?}");
        assert!(low.is_sorted_by(|left, right| left > right), "{low:?}");
    }
}
