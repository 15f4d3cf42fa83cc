use crate::value::identifier::shape::{BASE32, ror_code};

/// The check digits of a ROR: 98 − (n · 100 mod 97), n the first seven characters in base 32.
pub(super) fn ror_check(value: &str) -> String {
    let digit = |c| {
        BASE32
            .chars()
            .zip(0_u64..)
            .find(|(known, _)| *known == c)
            .map_or(0, |d| d.1)
    };
    // Seven digits of 5 bits: n < 2^35, so nothing overflows.
    let n = ror_code(value)
        .chars()
        .take(7)
        .fold(0, |n, c| n * 32 + digit(c));
    format!("{:02}", 98 - n * 100 % 97)
}

/// The check digit of an IK (ARGE·IK, Gemeinsames Rundschreiben): of the third to eighth digit,
/// the third, fifth and seventh count double, each product as its digit sum; the sum modulo 10.
///
/// 260326822: digits 0 3 2 6 8 2 → 0 + 3 + 4 + 6 + (1 + 6) + 2 = 22 → 2.
pub(super) fn ik_check(value: &str) -> String {
    let digits = value.chars().skip(2).take(6).filter_map(|c| c.to_digit(10));
    let sum: u32 = digits
        .zip([2, 1].into_iter().cycle())
        .map(|(digit, weight)| digit * weight)
        .map(|product| product / 10 + product % 10)
        .sum();
    (sum % 10).to_string()
}

/// The remainder modulo 97 of letters and digits read as one number, A = 10 … Z = 35 (ISO 7064).
pub(super) fn mod_97(text: impl Iterator<Item = char>) -> u32 {
    text.filter_map(|c| c.to_digit(36)).fold(0, |rest, digit| {
        let shift = if digit < 10 { 10 } else { 100 };
        (rest * shift + digit) % 97
    })
}

/// The check digit of a German VAT number (ISO 7064 MOD 11,10 over the first eight digits).
pub(super) fn vat_check(number: &str) -> String {
    let digits = number.chars().take(8).filter_map(|c| c.to_digit(10));
    let product = digits.fold(10, |product, digit| match (digit + product) % 10 {
        0 => 20 % 11,
        sum => 2 * sum % 11,
    });
    ((11 - product) % 10).to_string()
}
