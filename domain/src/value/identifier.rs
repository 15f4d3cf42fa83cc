//! Identifiers that others assigned: their issuers and shapes.
//!
//! Two systems match records by them when names differ, so a mistyped one links the wrong
//! institutions. Shapes are therefore enforced for every known scheme, check digits where the
//! issuer guarantees them; elsewhere a wrong one is only reported, because old numbers without it
//! are in use. Values are kept as sent; [`Identifier::normalise`] makes them comparable.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::base::fault::{Fault, FaultCode};
use crate::base::nearest::nearest;
use crate::value::edtf::Period;

mod check_digits;
mod shape;

use check_digits::{ik_check, mod_97, ror_check, vat_check};
use shape::{
    all, digits, ends_in_digits, fits_isil, fits_ror, fits_vat, is_code, is_prefixed, is_uri,
    normalise_ror,
};

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
    /// An absolute URI (RFC 3986) for a scheme that is not known here.
    Other(String),
}

impl Scheme {
    /// The schemes with a short name, in the order of the documentation.
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

    /// Whether several records of a node may have the same value: the sites of an institution share
    /// its number, and several projects a grant.
    #[must_use]
    pub const fn is_shared(&self) -> bool {
        match self {
            Self::Ik
            | Self::Bsnr
            | Self::Handelsregister
            | Self::Vereinsregister
            | Self::Vat
            | Self::Fkz => true,
            Self::TelematikId
            | Self::Standortnummer
            | Self::Ror
            | Self::Wikidata
            | Self::Lei
            | Self::Isil
            | Self::Nuts
            | Self::Ags
            | Self::Ars
            | Self::Geonames
            | Self::Cordis
            | Self::Other(_) => false,
        }
    }

    /// A value as people write it, without the blanks, points and words that are not part of it:
    /// `IK 260 326 822`, `DE 136.695.976`, the address of a Wikidata item.
    #[must_use]
    pub fn tidied(&self, value: &str) -> String {
        let value = value.trim();
        let without =
            |marks: &[char]| value.replace(|c: char| c.is_whitespace() || marks.contains(&c), "");
        match self {
            Self::Ik
            | Self::Bsnr
            | Self::Standortnummer
            | Self::Ags
            | Self::Ars
            | Self::Geonames
            | Self::Cordis => {
                let bare = without(&['.', '-', '/', ':']);
                let digits = bare.trim_start_matches(|c: char| c.is_alphabetic());
                let full = match self {
                    // A spreadsheet took the zero of a state below ten.
                    Self::Ags => 8,
                    Self::Ars => 12,
                    _ => 0,
                };
                if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                    return value.to_owned();
                }
                if digits.len() + 1 == full {
                    return format!("0{digits}");
                }
                digits.to_owned()
            }
            Self::Vat => without(&['.', '-']).to_ascii_uppercase(),
            Self::Lei => without(&[]).to_ascii_uppercase(),
            Self::Wikidata => {
                let item = value.trim_end_matches('/').rsplit('/').next();
                item.unwrap_or(value).to_ascii_uppercase()
            }
            Self::Ror => normalise_ror(value),
            Self::TelematikId
            | Self::Isil
            | Self::Handelsregister
            | Self::Vereinsregister
            | Self::Nuts
            | Self::Fkz
            | Self::Other(_) => value.to_owned(),
        }
    }

    /// The canonical form of a value, for uniqueness and lookup: trimmed, in capitals if the issuer
    /// ignores case, a ROR as its `https://ror.org/` address.
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

    /// Whether a value in canonical form has the shape of the scheme.
    pub(crate) fn fits(&self, value: &str) -> bool {
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

    /// The shape of values of the scheme, in English and in German.
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

    /// The correct check digits of a canonical value of the right shape, if they are wrong.
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

    /// Whether a wrong check digit is rejected, because the issuer guarantees correct ones.
    fn check_is_binding(&self) -> bool {
        matches!(self, Self::Ik | Self::Ror | Self::Lei)
    }
}

impl FromStr for Scheme {
    type Err = Fault;

    /// Parses a scheme; violation `identifier-person` for one that identifies a person,
    /// `identifier-scheme` if it is neither known nor an absolute URI (http, https or urn).
    fn from_str(given: &str) -> Result<Self, Fault> {
        // The directory describes institutions; a physician's number is personal data.
        if given.eq_ignore_ascii_case("lanr") {
            return Err(Fault::new(FaultCode::IdentifierPerson).with("scheme", given));
        }
        if let Some(known) = Self::KNOWN
            .into_iter()
            .find(|scheme| scheme.as_str() == given)
        {
            return Ok(known);
        }
        // Others run scripts where they are made a link.
        let scheme = given.split_once(':').map(|(scheme, _)| scheme);
        let known = ["http", "https", "urn"].iter();
        let names = |scheme: &str| known.clone().any(|one| scheme.eq_ignore_ascii_case(one));
        if is_uri(given) && scheme.is_some_and(names) {
            return Ok(Self::Other(given.to_owned()));
        }
        let near = nearest(given, Self::KNOWN.iter().map(Self::as_str)).unwrap_or_default();
        Err(Fault::new(FaultCode::IdentifierScheme)
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

/// An identifier that an issuer assigned to the institution.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Identifier {
    /// Scheme of the identifier.
    pub scheme: Scheme,
    /// Identifier, as sent.
    #[schema(min_length = 1, max_length = 300, example = "260326822")]
    pub value: String,
    /// Period of validity, if stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid: Option<Period>,
}

impl Identifier {
    #[must_use]
    pub fn normalise(&self) -> String {
        self.scheme.normalise(&self.value)
    }

    /// Checks the shape and the check digits of the value; `Some` is a warning about an identifier
    /// that is accepted nevertheless. (`Validate` checks `valid`.)
    ///
    /// # Errors
    /// `identifier-format` for a wrong shape; `identifier-check-digit` for wrong check digits of an
    /// `ik`, `ror` or `lei` (elsewhere the warning).
    pub fn check(&self) -> Result<Option<Fault>, Fault> {
        let value = self.normalise();
        if !self.scheme.fits(&value) {
            let (expected, expected_de) = self.scheme.expected();
            let fault = self
                .fault(FaultCode::IdentifierFormat)
                .with("expected", expected);
            return Err(fault.with("expected_de", expected_de));
        }
        let Some(check) = self.scheme.missing_check(&value) else {
            return Ok(None);
        };
        let fault = self
            .fault(FaultCode::IdentifierCheckDigit)
            .with("expected", check);
        if self.scheme.check_is_binding() {
            Err(fault)
        } else {
            Ok(Some(fault))
        }
    }

    fn fault(&self, code: FaultCode) -> Fault {
        Fault::new(code)
            .with("scheme", &self.scheme)
            .with("given", &self.value)
    }
}

#[cfg(test)]
mod tests;
