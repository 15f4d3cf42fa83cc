//! Splitting of large writes: partners and log consumers read a log transaction as a whole, so a
//! larger one is logged as several.

pub(crate) const MAX_ENTRIES: usize = 500;

/// Bytes of bodies per transaction, except for a single entry.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// For each entry, given by the size of its body, the entry that begins its transaction.
pub(super) fn beginnings(sizes: impl Iterator<Item = usize>) -> Vec<usize> {
    let (mut begins, mut first, mut bytes) = (Vec::new(), 0, 0);
    for (index, size) in sizes.enumerate() {
        let full = index - first >= MAX_ENTRIES;
        if full || (index > first && bytes + size > MAX_BYTES) {
            (first, bytes) = (index, 0);
        }
        bytes += size;
        begins.push(first);
    }
    begins
}

#[cfg(test)]
mod tests {
    use super::beginnings;

    #[test]
    fn what_is_much_is_told_as_several_transactions() {
        let begins = |sizes: &[usize]| beginnings(sizes.iter().copied());
        assert_eq!(begins(&[1, 2, 3]), [0, 0, 0]);
        let many = begins(&[1; 1200]);
        let at = |index: usize| many.get(index).copied();
        assert_eq!(
            [at(499), at(500), at(1199)],
            [Some(0), Some(500), Some(1000)]
        );
        // One that is too large by itself is alone.
        let mib = 1024 * 1024;
        assert_eq!(
            begins(&[3 * mib, 2 * mib, mib, 5 * mib, 1]),
            [0, 1, 1, 3, 4]
        );
    }
}
