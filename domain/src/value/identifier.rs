//! Identifiers that others gave to what the directory describes: who gives them, how they look.
//!
//! They are what two systems agree on when names differ, so a mistyped one links the wrong
//! institutions. Shapes are therefore enforced for every known scheme, check digits where the
//! issuer guarantees them; elsewhere a wrong one is only reported, because old numbers without it
//! are in use. Values are kept as sent; [`Identifier::normalise`] makes them comparable.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::fault::Fault;
use crate::nearest::nearest;
use crate::value::edtf::Period;

/// The digits of Crockford's base 32: no i, l, o, u.
const BASE32: &str = "0123456789abcdefghjkmnpqrstvwxyz";

/// Who gives an identifier, and so what it looks like.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `ik`: Institutionskennzeichen (§ 293 SGB V), 9 digits, the last a check digit.
    Ik,
    /// `bsnr`: Betriebsstättennummer of statutory outpatient care, 9 digits.
    Bsnr,
    /// `telematik_id`: address in the telematics infrastructure; exact, never split.
    TelematikId,
    /// `standortnummer`: hospital site (§ 293 Abs. 6 SGB V), 6 or 9 digits.
    Standortnummer,
    /// `ror`: Research Organization Registry, `https://ror.org/0…`, ISO 7064 MOD 97-10.
    Ror,
    /// `wikidata`: item, `Q…`.
    Wikidata,
    /// `lei`: Legal Entity Identifier (ISO 17442), 20 characters, ISO 7064 MOD 97-10.
    Lei,
    /// `isil`: libraries and archives (ISO 15511), `DE-9`.
    Isil,
    /// `handelsregister`: company register as printed, `HRB 12345 Amtsgericht Bochum`.
    Handelsregister,
    /// `vereinsregister`: register of associations as printed.
    Vereinsregister,
    /// `vat`: VAT identification number with country prefix, `DE136695976`.
    Vat,
    /// `nuts`: statistical region (Regulation (EC) 1059/2003), `DEA51`.
    Nuts,
    /// `ags`: Amtlicher Gemeindeschlüssel, 8 digits.
    Ags,
    /// `ars`: Amtlicher Regionalschlüssel, 12 digits.
    Ars,
    /// `geonames`: number of a place at geonames.org.
    Geonames,
    /// `cordis`: number of an EU project or organisation, 6–9 digits.
    Cordis,
    /// `fkz`: Förderkennzeichen of a grant.
    Fkz,
    /// An absolute URI (RFC 3986) that names a scheme not known here.
    Other(String),
}

impl Scheme {
    /// The schemes that have a short name, in the order of the documentation.
    pub const KNOWN: [Self; 17] = [
        Self::Ik,
        Self::Bsnr,
        Self::TelematikId,
        Self::Standortnummer,
        Self::Ror,
        Self::Wikidata,
        Self::Lei,
        Self::Isil,
        Self::Handelsregister,
        Self::Vereinsregister,
        Self::Vat,
        Self::Nuts,
        Self::Ags,
        Self::Ars,
        Self::Geonames,
        Self::Cordis,
        Self::Fkz,
    ];

    /// The scheme as written in JSON and queries.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Ik => "ik",
            Self::Bsnr => "bsnr",
            Self::TelematikId => "telematik_id",
            Self::Standortnummer => "standortnummer",
            Self::Ror => "ror",
            Self::Wikidata => "wikidata",
            Self::Lei => "lei",
            Self::Isil => "isil",
            Self::Handelsregister => "handelsregister",
            Self::Vereinsregister => "vereinsregister",
            Self::Vat => "vat",
            Self::Nuts => "nuts",
            Self::Ags => "ags",
            Self::Ars => "ars",
            Self::Geonames => "geonames",
            Self::Cordis => "cordis",
            Self::Fkz => "fkz",
            Self::Other(uri) => uri,
        }
    }

    /// The canonical form of a value, for uniqueness and lookup: trimmed, in capitals where case
    /// does not matter to the issuer, a ROR as its `https://ror.org/` address.
    #[must_use]
    pub fn normalise(&self, value: &str) -> String {
        let value = value.trim();
        match self {
            Self::Ror => normalise_ror(value),
            Self::Wikidata | Self::Lei | Self::Isil | Self::Vat | Self::Nuts | Self::Fkz => {
                value.to_ascii_uppercase()
            }
            Self::Ik
            | Self::Bsnr
            | Self::Standortnummer
            | Self::Ags
            | Self::Ars
            | Self::Geonames
            | Self::Cordis
            | Self::TelematikId
            | Self::Handelsregister
            | Self::Vereinsregister
            | Self::Other(_) => value.to_owned(),
        }
    }

    /// Whether a canonical value has the shape that [`Scheme::expected`] describes.
    fn fits(&self, value: &str) -> bool {
        let length = value.chars().count();
        match self {
            Self::Ik | Self::Bsnr => digits(value, 9..=9),
            Self::Standortnummer => digits(value, 6..=6) || digits(value, 9..=9),
            Self::Ags => digits(value, 8..=8),
            Self::Ars => digits(value, 12..=12),
            Self::Geonames => digits(value, 1..=12),
            Self::Cordis => digits(value, 6..=9),
            Self::Ror => fits_ror(value),
            Self::Wikidata => value.strip_prefix('Q').is_some_and(|n| digits(n, 1..=12)),
            Self::Lei => length == 20 && all(value, is_code) && ends_in_digits(value, 2),
            Self::Isil => fits_isil(value),
            Self::Vat => fits_vat(value),
            Self::Nuts => length <= 5 && is_prefixed(value) && all(value, is_code),
            Self::Fkz => {
                (3..=40).contains(&length) && all(value, |c| is_code(c) || "-/ ".contains(c))
            }
            Self::TelematikId => (1..=128).contains(&length) && !value.contains(char::is_control),
            Self::Handelsregister | Self::Vereinsregister => {
                (1..=100).contains(&length) && !value.contains(char::is_control)
            }
            Self::Other(_) => (1..=300).contains(&length) && !value.contains(char::is_control),
        }
    }

    /// What a value of the scheme looks like, in English and in German.
    #[must_use]
    pub fn expected(&self) -> (&'static str, &'static str) {
        match self {
            Self::Ik | Self::Bsnr => ("9 digits", "9 Ziffern"),
            Self::Standortnummer => ("6 or 9 digits", "6 oder 9 Ziffern"),
            Self::Ags => ("8 digits", "8 Ziffern"),
            Self::Ars => ("12 digits", "12 Ziffern"),
            Self::Geonames => ("1–12 digits", "1–12 Ziffern"),
            Self::Cordis => ("6–9 digits", "6–9 Ziffern"),
            Self::Ror => (
                "like https://ror.org/001w7jn25",
                "wie https://ror.org/001w7jn25",
            ),
            Self::Wikidata => ("Q and a number, like Q42", "Q und eine Nummer, wie Q42"),
            Self::Lei => (
                "18 letters or digits and 2 digits",
                "18 Buchstaben oder Ziffern und 2 Ziffern",
            ),
            Self::Isil => (
                "a prefix, a hyphen and a name, at most 16 characters, like DE-9",
                "Präfix, Bindestrich und Name, höchstens 16 Zeichen, wie DE-9",
            ),
            Self::Vat => (
                "a country prefix and 2–13 letters or digits, after DE exactly 9 digits",
                "ein Länderpräfix und 2–13 Buchstaben oder Ziffern, nach DE genau 9 Ziffern",
            ),
            Self::Nuts => (
                "2 letters and up to 3 letters or digits, like DEA51",
                "2 Buchstaben und bis zu 3 Buchstaben oder Ziffern, wie DEA51",
            ),
            Self::Fkz => (
                "3–40 letters, digits, spaces, hyphens or slashes",
                "3–40 Buchstaben, Ziffern, Leerzeichen, Binde- oder Schrägstriche",
            ),
            Self::TelematikId => ("1–128 printable characters", "1–128 druckbare Zeichen"),
            Self::Handelsregister | Self::Vereinsregister => {
                ("1–100 printable characters", "1–100 druckbare Zeichen")
            }
            Self::Other(_) => ("1–300 printable characters", "1–300 druckbare Zeichen"),
        }
    }

    /// The check digits that a canonical value of the right shape should end with, if it does not.
    fn missing_check(&self, value: &str) -> Option<String> {
        let check = match self {
            Self::Ik => ik_check(value),
            Self::Ror => ror_check(value),
            // Early LEIs end with 00, 01 or 99, which are congruent: the remainder decides.
            Self::Lei if mod_97(value.chars()) == 1 => return None,
            Self::Lei => format!(
                "{:02}",
                98 - mod_97(value.chars().take(18).chain("00".chars()))
            ),
            Self::Vat => vat_check(value.strip_prefix("DE")?),
            Self::Bsnr
            | Self::TelematikId
            | Self::Standortnummer
            | Self::Wikidata
            | Self::Isil
            | Self::Handelsregister
            | Self::Vereinsregister
            | Self::Nuts
            | Self::Ags
            | Self::Ars
            | Self::Geonames
            | Self::Cordis
            | Self::Fkz
            | Self::Other(_) => return None,
        };
        (!value.ends_with(&check)).then_some(check)
    }

    /// Whether a wrong check digit is refused, because the issuer guarantees right ones.
    fn check_is_binding(&self) -> bool {
        matches!(self, Self::Ik | Self::Ror | Self::Lei)
    }
}

impl FromStr for Scheme {
    type Err = Fault;

    /// Reads a scheme; fault `identifier-person` for one that identifies a person,
    /// `identifier-scheme` if it is neither known nor an absolute URI.
    fn from_str(given: &str) -> Result<Self, Fault> {
        // The directory describes institutions; a physician's number is personal data.
        if given.eq_ignore_ascii_case("lanr") {
            return Err(Fault::new("identifier-person").with("scheme", given));
        }
        if let Some(known) = Self::KNOWN
            .into_iter()
            .find(|scheme| scheme.as_str() == given)
        {
            return Ok(known);
        }
        if is_uri(given) {
            return Ok(Self::Other(given.to_owned()));
        }
        let near = nearest(given, Self::KNOWN.iter().map(Self::as_str)).unwrap_or_default();
        Err(Fault::new("identifier-scheme")
            .with("given", given)
            .with("nearest", near))
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl Serialize for Scheme {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Scheme {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(Fault::into_serde)
    }
}

/// An identifier that someone else gave to the thing described.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Identifier {
    /// Who gave it.
    pub scheme: Scheme,
    /// The identifier, as sent.
    #[schema(min_length = 1, max_length = 300, example = "260326822")]
    pub value: String,
    /// When it applied, if stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid: Option<Period>,
}

impl Identifier {
    /// The canonical form of the value, see [`Scheme::normalise`].
    #[must_use]
    pub fn normalise(&self) -> String {
        self.scheme.normalise(&self.value)
    }

    /// Checks the shape and the check digits of the value and the order of `valid`; `Some` is a
    /// warning about an identifier that is taken nevertheless.
    ///
    /// # Errors
    /// `identifier-format` for a wrong shape; `identifier-check-digit` for wrong check digits of an
    /// `ik`, `ror` or `lei` (elsewhere the warning); those of [`Period::check`].
    pub fn check(&self) -> Result<Option<Fault>, Fault> {
        let value = self.normalise();
        if !self.scheme.fits(&value) {
            let (expected, expected_de) = self.scheme.expected();
            let fault = self.fault("identifier-format").with("expected", expected);
            return Err(fault.with("expected_de", expected_de));
        }
        let Some(check) = self.scheme.missing_check(&value) else {
            return Ok(None);
        };
        let fault = self.fault("identifier-check-digit").with("expected", check);
        if self.scheme.check_is_binding() {
            Err(fault)
        } else {
            Ok(Some(fault))
        }
    }

    fn fault(&self, code: &'static str) -> Fault {
        Fault::new(code)
            .with("scheme", &self.scheme)
            .with("given", &self.value)
    }
}

/// Whether the text is a scheme, a colon and a rest of characters that RFC 3986 allows.
fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && all(scheme, |c| c.is_ascii_alphanumeric() || "+-.".contains(c))
        && !rest.is_empty()
        && all(rest, |c| c.is_ascii_graphic() && !"\"<>\\^`{|}".contains(c))
}

fn all(text: &str, allowed: impl Fn(char) -> bool) -> bool {
    text.chars().all(allowed)
}

fn digits(text: &str, count: std::ops::RangeInclusive<usize>) -> bool {
    count.contains(&text.len()) && all(text, |c| c.is_ascii_digit())
}

fn ends_in_digits(text: &str, count: usize) -> bool {
    text.chars().rev().take(count).all(|c| c.is_ascii_digit())
}

/// A capital letter or a digit of ASCII.
fn is_code(c: char) -> bool {
    c.is_ascii_uppercase() || c.is_ascii_digit()
}

/// Whether the text begins with two capital letters of ASCII.
fn is_prefixed(text: &str) -> bool {
    let mut prefix = text.chars().take(2).filter(char::is_ascii_uppercase);
    prefix.next().is_some() && prefix.next().is_some()
}

/// ISO 15511: prefix of 1–4 letters or digits, a hyphen, then letters, digits, `/`, `-` or `:`.
fn fits_isil(value: &str) -> bool {
    value.len() <= 16
        && value.split_once('-').is_some_and(|(prefix, unit)| {
            (1..=4).contains(&prefix.len())
                && all(prefix, is_code)
                && !unit.is_empty()
                && all(unit, |c| is_code(c) || "/-:".contains(c))
        })
}

fn fits_vat(value: &str) -> bool {
    match value.strip_prefix("DE") {
        Some(number) => digits(number, 9..=9),
        None => (4..=15).contains(&value.len()) && is_prefixed(value) && all(value, is_code),
    }
}

fn normalise_ror(value: &str) -> String {
    let lower = value.to_ascii_lowercase();
    let rest = lower
        .strip_prefix("https://")
        .or_else(|| lower.strip_prefix("http://"));
    let rest = rest.unwrap_or(&lower);
    format!(
        "https://ror.org/{}",
        rest.strip_prefix("ror.org/").unwrap_or(rest)
    )
}

/// The nine characters of a canonical ROR.
fn ror_code(value: &str) -> &str {
    value.strip_prefix("https://ror.org/").unwrap_or_default()
}

fn fits_ror(value: &str) -> bool {
    let code = ror_code(value);
    code.len() == 9
        && code.starts_with('0')
        && all(code, |c| BASE32.contains(c))
        && ends_in_digits(code, 2)
}

/// The check digits of a ROR: 98 − (n · 100 mod 97), n the first seven characters in base 32.
fn ror_check(value: &str) -> String {
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
fn ik_check(value: &str) -> String {
    let digits = value.chars().skip(2).take(6).filter_map(|c| c.to_digit(10));
    let sum: u32 = digits
        .zip([2, 1].into_iter().cycle())
        .map(|(digit, weight)| digit * weight)
        .map(|product| product / 10 + product % 10)
        .sum();
    (sum % 10).to_string()
}

/// The remainder modulo 97 of letters and digits read as one number, A = 10 … Z = 35 (ISO 7064).
fn mod_97(text: impl Iterator<Item = char>) -> u32 {
    text.filter_map(|c| c.to_digit(36)).fold(0, |rest, digit| {
        let shift = if digit < 10 { 10 } else { 100 };
        (rest * shift + digit) % 97
    })
}

/// The check digit of a German VAT number (ISO 7064 MOD 11,10 over the first eight digits).
fn vat_check(number: &str) -> String {
    let digits = number.chars().take(8).filter_map(|c| c.to_digit(10));
    let product = digits.fold(10, |product, digit| match (digit + product) % 10 {
        0 => 20 % 11,
        sum => 2 * sum % 11,
    });
    ((11 - product) % 10).to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn identifier(scheme: &str, value: &str) -> Identifier {
        let scheme = scheme
            .parse()
            .unwrap_or_else(|fault| panic!("{scheme}: {fault:?}"));
        Identifier {
            scheme,
            value: value.to_owned(),
            valid: None,
        }
    }

    #[test]
    fn right_values_pass() {
        for (scheme, values) in [
            ("ik", "260326822|109034270|108018007| 104212059 "),
            ("bsnr", "179999900"),
            ("telematik_id", "1-2c-Apotheke/12 34|5-2-260326822"),
            ("standortnummer", "773519|773519000"),
            (
                "ror",
                "https://ror.org/001w7jn25|05hkkdn48|ror.org/001w7jn25|HTTP://ROR.org/04TSK2644",
            ),
            ("wikidata", "Q42|q162684"),
            (
                "lei",
                "529900T8BM49AURSDO55|5493000IBP32UQZ0KL24|hwupkr0mpou8fgxbt394",
            ),
            ("isil", "DE-9|DE-Bo133|ZDB-1|OCLC-DLC"),
            ("handelsregister", "HRB 12345 Amtsgericht Bochum"),
            ("vereinsregister", "VR 2345 Amtsgericht Bochum"),
            ("vat", "DE136695976|ATU12345678|NL123456789B01"),
            ("nuts", "DE|DEA|DEA51"),
            ("ags", "05911000"),
            ("ars", "059110000000"),
            ("geonames", "2947416"),
            ("cordis", "101016775"),
            ("fkz", "03WIR0203A|13N 12345|EFRE-0800123/1"),
            ("urn:iso:std:iso:3166", "DE-NW"),
        ] {
            for value in values.split('|') {
                assert_eq!(
                    identifier(scheme, value).check(),
                    Ok(None),
                    "{scheme} {value}"
                );
            }
        }
    }

    #[test]
    fn wrong_shapes_are_refused() {
        for (scheme, values) in [
            (
                "ik",
                "|26032682|2603268222|26032682x|26 0326822|２６０３２６８２２",
            ),
            ("bsnr", "17999990"),
            ("telematik_id", " |a\u{7}b"),
            ("standortnummer", "77351|7735190"),
            (
                "ror",
                "|https://ror.org/101w7jn25|001w7jn2|0o1w7jn25|https://ror.com/001w7jn25|001w7jnx5",
            ),
            ("wikidata", "42|Q|P31|QQ1"),
            (
                "lei",
                "529900T8BM49AURSDO5|529900T8BM49AURSDOAB|529900T8BM49-URSDO55",
            ),
            ("isil", "DE9|DE-|-9|LIBRARY-9|DE-12345678901234|DE-ü"),
            ("handelsregister", ""),
            ("vereinsregister", "VR\n1"),
            ("vat", "136695976|DE12345678|DE 136695976|AT1|D1234567"),
            ("nuts", "D|DEA512|D1|dé"),
            ("ags", "05|05911|5911000"),
            ("ars", "05911000"),
            ("geonames", "geo:1"),
            ("cordis", "12345|1234567890"),
            ("fkz", "1|03WIR_0203"),
            ("https://example.org/scheme", " "),
        ] {
            for value in values.split('|') {
                let fault = identifier(scheme, value).check().unwrap_err();
                assert_eq!(fault.code, "identifier-format", "{scheme} {value}");
                let keys: Vec<_> = fault.params.iter().map(|(key, _)| *key).collect();
                assert_eq!(keys, ["scheme", "given", "expected", "expected_de"]);
            }
        }
    }

    #[test]
    fn wrong_check_digits_are_refused_or_reported() {
        let fault = |scheme, given, expected| {
            let fault = Fault::new("identifier-check-digit").with("scheme", scheme);
            fault.with("given", given).with("expected", expected)
        };
        for (scheme, value, expected) in [
            ("ik", "260326823", "2"),
            ("ik", "260326282", "5"),
            ("ror", "https://ror.org/001w7jn26", "25"),
            ("lei", "529900T8BM49AURSDO56", "55"),
        ] {
            let refused = Err(fault(scheme, value, expected));
            assert_eq!(
                identifier(scheme, value).check(),
                refused,
                "{scheme} {value}"
            );
        }
        let warning = Ok(Some(fault("vat", "DE136695975", "6")));
        assert_eq!(identifier("vat", "DE136695975").check(), warning);
    }

    #[test]
    fn schemes_are_known_or_uris() {
        for known in Scheme::KNOWN {
            assert_eq!(known.as_str().parse(), Ok(known));
        }
        for uri in ["https://fhir.de/sid/x", "urn:oid:1.2.276"] {
            assert_eq!(uri.parse(), Ok(Scheme::Other(uri.to_owned())));
        }
        for other in [
            "",
            "IK",
            "rorr",
            "ror:",
            ":x",
            "1a:b",
            "my scheme:1",
            "a:b c",
            "a:b|c",
        ] {
            let fault = other.parse::<Scheme>().unwrap_err();
            assert_eq!(fault.code, "identifier-scheme", "{other}");
        }
        let fault = Fault::new("identifier-scheme")
            .with("given", "rorr")
            .with("nearest", "ror");
        assert_eq!("rorr".parse::<Scheme>(), Err(fault));
        assert_eq!(
            "LANR".parse::<Scheme>().unwrap_err().code,
            "identifier-person"
        );
    }

    #[test]
    fn json_keeps_the_value_and_canonical_forms_meet() {
        let text = r#"{"scheme":"ror","value":"001W7JN25","valid":{"from":"2019"}}"#;
        let ror: Identifier = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&ror).unwrap(), text);
        assert_eq!(ror.normalise(), "https://ror.org/001w7jn25");
        assert_eq!(identifier("isil", " de-bo133").normalise(), "DE-BO133");
        assert_eq!(identifier("telematik_id", "1-2c-aB").normalise(), "1-2c-aB");
        let error = serde_json::from_str::<Scheme>(r#""lanr""#).unwrap_err();
        let fault = Fault::new("identifier-person").with("scheme", "lanr");
        let said: serde_json::Error = fault.into_serde();
        assert!(error.to_string().starts_with(&said.to_string()), "{error}");
    }

    proptest! {
        #[test]
        fn any_value_is_judged_and_canonical_forms_are_stable(
            value in "\\PC*|[0-9]{5,12}|[A-Z0-9]{18}[0-9]{2}|DE[0-9]{9}|0[0-9a-z]{6}[0-9]{2}",
        ) {
            for scheme in Scheme::KNOWN {
                let judged = Identifier { scheme, value: value.clone(), valid: None };
                let canonical = judged.normalise();
                prop_assert_eq!(judged.scheme.normalise(&canonical), canonical.clone());
                let again = Identifier { value: canonical, ..judged.clone() };
                prop_assert_eq!(again.check().is_ok(), judged.check().is_ok());
            }
        }

        #[test]
        fn expected_check_digits_pass(body in "[A-Z0-9]{18}", ik in "[0-9]{8}", vat in "[0-9]{8}") {
            for (scheme, body, zeros) in
                [("lei", body, "00"), ("ik", ik, "0"), ("vat", format!("DE{vat}"), "0")]
            {
                let guess = identifier(scheme, &format!("{body}{zeros}"));
                let Some(check) = guess.scheme.missing_check(&guess.value) else { continue };
                prop_assert_eq!(identifier(scheme, &format!("{body}{check}")).check(), Ok(None));
            }
        }

        #[test]
        fn any_scheme_is_read_or_refused(text in "\\PC*") {
            if let Ok(scheme) = text.parse::<Scheme>() {
                prop_assert_eq!(scheme.to_string(), text);
            }
        }
    }
}
