//! String formats: one name in the `OpenAPI` document, one check, one violation.

use crate::base::fault::{Fault, FaultCode};
use crate::base::nearest::nearest;
use crate::value::country::is_country;
use crate::value::edtf::{EdtfDate, End, Moment};
use crate::value::identifier::{Identifier, Scheme};
use crate::value::text;
use crate::value::written;
use std::borrow::Cow;
use std::str::FromStr;
use utoipa::openapi::schema::{ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

pub type Check = fn(&str) -> Result<(), Fault>;

/// Every format of strings in bodies, by its name in the `OpenAPI` document.
pub const FORMATS: &[(&str, Check)] = &[
    ("edtf-date", |text| {
        let read = EdtfDate::from_str(text).map(drop);
        read.map_err(|fault| proposing(fault, written::date(text)))
    }),
    ("edtf-end", |text| {
        let read = End::from_str(text).map(drop);
        read.map_err(|fault| proposing(fault, written::date(text)))
    }),
    ("edtf-moment", |text| {
        let read = Moment::from_str(text).map(drop);
        read.map_err(|fault| proposing(fault, written::date(text).filter(|date| date.len() == 10)))
    }),
    ("timestamp", timestamp),
    ("language", language),
    ("http-url", http_url),
    ("email", email),
    ("slug", slug),
    ("identifier-scheme", |text| Scheme::from_str(text).map(drop)),
    ("uuid", uuid),
    ("country", country),
    ("time-zone", time_zone),
];

/// A violation with the value that is probably meant.
fn proposing(fault: Fault, value: Option<String>) -> Fault {
    fault.with("nearest", value.unwrap_or_default())
}

fn timestamp(text: &str) -> Result<(), Fault> {
    chrono::DateTime::parse_from_rfc3339(text)
        .map(drop)
        .map_err(|_| {
            let day = written::date(text).filter(|date| date.len() == 10);
            let fault = Fault::new(FaultCode::Timestamp).with("given", text);
            proposing(fault, day.map(|day| format!("{day}T00:00:00Z")))
        })
}

/// BCP 47 (RFC 5646), well-formed.
pub fn language(text: &str) -> Result<(), Fault> {
    oxilangtag::LanguageTag::parse(text).map(drop).map_err(|_| {
        let dashed = text.replace('_', "-");
        let fits = oxilangtag::LanguageTag::parse(dashed.as_str()).is_ok();
        let fault = Fault::new(FaultCode::Language).with("given", text);
        proposing(fault, fits.then_some(dashed))
    })
}

/// An http or https address without credentials.
pub fn http_url(text: &str) -> Result<(), Fault> {
    let fault = || {
        let proposed = proposed_url(text).unwrap_or_default();
        let fault = Fault::new(FaultCode::Url).with("given", text);
        fault.with("nearest", proposed)
    };
    let url = url::Url::parse(text).map_err(|_| fault())?;
    let web = matches!(url.scheme(), "http" | "https") && url.host_str().is_some();
    let plain = !text.contains(|c: char| c.is_whitespace() || c.is_control());
    // The parser repairs `http:example` and `https:\\example`, and readers may not; the others end an
    // attribute or a link where the URL is written into a page.
    let head = text.get(..8).unwrap_or(text).to_ascii_lowercase();
    let literal = head.starts_with("http://") || head == "https://";
    let plain = plain && literal && !text.contains(['"', '<', '>', '\\', '^', '`', '{', '|', '}']);
    // Public data must not contain credentials.
    let open = url.username().is_empty() && url.password().is_none();
    if web && plain && open {
        Ok(())
    } else {
        Err(fault())
    }
}

/// The address on the web that a text without its scheme, or with a broken one, probably means.
#[must_use]
pub fn proposed_url(text: &str) -> Option<String> {
    let bare =
        text.trim_matches(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '<' | '>' | '"'));
    let lower = bare.to_ascii_lowercase();
    let scheme = ["https", "http"].into_iter().find(|scheme| {
        let rest = lower.strip_prefix(scheme);
        rest.is_some_and(|rest| rest.starts_with([':', '/', ';']))
    });
    let rest = bare.get(scheme.map_or(0, str::len)..)?;
    let rest = rest.trim_start_matches([':', ';', '/', '\\']);
    let host = rest.split(['/', '?', '#', ':']).next().unwrap_or_default();
    let (name, top) = host.rsplit_once('.')?;
    let letters = |part: &str| part.chars().all(|c| c.is_alphanumeric() || c == '-');
    let fits = !name.is_empty()
        && name
            .split('.')
            .all(|part| !part.is_empty() && letters(part))
        && top.len() >= 2
        && top.chars().all(char::is_alphabetic)
        && !rest.contains(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '@' | '\\'));
    let proposed = format!("{}://{rest}", scheme.unwrap_or("https"));
    (fits && proposed != text && http_url(&proposed).is_ok()).then_some(proposed)
}

/// A mailbox.
pub fn email(text: &str) -> Result<(), Fault> {
    if validator::ValidateEmail::validate_email(&text) {
        Ok(())
    } else {
        let fault = Fault::new(FaultCode::Email).with("given", text);
        Err(proposing(fault, written::email(text)))
    }
}

fn slug(text: &str) -> Result<(), Fault> {
    if text::is_slug(text) {
        Ok(())
    } else {
        Err(Fault::new(FaultCode::Slug)
            .with("given", text)
            .with("example", text::slugify(text)))
    }
}

fn uuid(text: &str) -> Result<(), Fault> {
    uuid::Uuid::try_parse(text).map(drop).map_err(|_| {
        Fault::new(FaultCode::Pattern)
            .with("given", text)
            .with(
                "expected",
                "a UUID such as 0193e5a0-0000-7000-8000-000000000000",
            )
            .with(
                "expected_de",
                "eine UUID wie 0193e5a0-0000-7000-8000-000000000000",
            )
    })
}

/// A country of ISO 3166-1. What is no code of two capital letters is the pattern's to refuse.
fn country(text: &str) -> Result<(), Fault> {
    let is_code = text.len() == 2 && text.bytes().all(|letter| letter.is_ascii_uppercase());
    if !is_code || is_country(text) {
        return Ok(());
    }
    let right = if text == "UK" { "GB" } else { "DE" };
    Err(Fault::new(FaultCode::Pattern)
        .with("given", text)
        .with("expected", format!("an ISO 3166-1 code such as {right}"))
        .with(
            "expected_de",
            format!("ein Code nach ISO 3166-1 wie {right}"),
        ))
}

/// A time zone of the IANA database.
fn time_zone(text: &str) -> Result<(), Fault> {
    if text.parse::<chrono_tz::Tz>().is_ok() {
        return Ok(());
    }
    let lower = text.to_ascii_lowercase();
    let names = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name());
    let same = names
        .clone()
        .find(|name| name.to_ascii_lowercase() == lower);
    let close = (text.len() <= 64).then(|| nearest(text, names)).flatten();
    let right = same.or(close).unwrap_or("Europe/Berlin");
    Err(Fault::new(FaultCode::Pattern)
        .with("given", text)
        .with("expected", format!("an IANA time zone such as {right}"))
        .with("expected_de", format!("eine IANA-Zeitzone wie {right}")))
}

fn string(format: &str, description: &str, example: &str) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::Custom(format.to_owned())))
        .description(Some(description))
        .max_length(Some(64))
        .examples([serde_json::json!(example)])
        .into()
}

macro_rules! string_schema {
    ($type:ty, $name:literal, $format:literal, $description:literal, $example:literal) => {
        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                string($format, $description, $example)
            }
        }

        impl ToSchema for $type {
            fn name() -> Cow<'static, str> {
                $name.into()
            }
        }
    };
}

string_schema!(
    EdtfDate,
    "EdtfDate",
    "edtf-date",
    "A date of the EDTF subset (ISO 8601-2): YYYY, YYYY-MM or YYYY-MM-DD, each with an optional `~` (about), `?` (uncertain) or `%` (both).",
    "2009"
);
string_schema!(
    End,
    "EdtfEnd",
    "edtf-end",
    "End of a period: an EDTF date, or `..` for ongoing at `source.as_of`.",
    "2021-05-31"
);
string_schema!(
    Moment,
    "Moment",
    "edtf-moment",
    "An EDTF date (all-day, never shifts) or an RFC 3339 date-time with a zone.",
    "2021-01-27"
);

impl PartialSchema for Scheme {
    fn schema() -> RefOr<Schema> {
        let known: Vec<_> = Self::KNOWN.iter().map(Self::as_str).collect();
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::Custom("identifier-scheme".to_owned())))
            .max_length(Some(300))
            .description(Some(format!(
                "An identifier scheme: one of {}, or an absolute URI (http, https or urn).",
                known.join(", ")
            )))
            .examples([serde_json::json!("ik")])
            .into()
    }
}

impl ToSchema for Scheme {
    fn name() -> Cow<'static, str> {
        "IdentifierScheme".into()
    }
}

impl validator::Validate for Identifier {
    fn validate(&self) -> Result<(), validator::ValidationErrors> {
        let mut errors = validator::ValidationErrors::new();
        if let Err(fault) = self.check() {
            errors.add("value", fault.into());
        }
        if let Some(Err(nested)) = self.valid.as_ref().map(validator::Validate::validate) {
            errors.merge_self("valid", Err(nested));
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(errors)
        }
    }
}

impl validator::Validate for crate::value::edtf::Period {
    fn validate(&self) -> Result<(), validator::ValidationErrors> {
        let mut errors = validator::ValidationErrors::new();
        if let Err(fault) = self.check() {
            errors.add("__all__", fault.into());
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(errors)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_without_its_scheme_is_proposed_with_it() {
        for (text, proposed) in [
            ("www.klinik.de", Some("https://www.klinik.de")),
            (
                "klinik.de/kontakt?a=1",
                Some("https://klinik.de/kontakt?a=1"),
            ),
            ("http//klinik.de", Some("http://klinik.de")),
            ("https:klinik.de", Some("https://klinik.de")),
            ("https:\\\\klinik.de", Some("https://klinik.de")),
            ("HTTP:/klinik.de", Some("http://klinik.de")),
            ("https://klinik.de,", Some("https://klinik.de")),
            ("praxis-bürger.de", Some("https://praxis-bürger.de")),
            ("www.a.de, www.b.de", None),
            ("info@klinik.de", None),
            ("Klinik", None),
            ("z. B. klinik", None),
            ("ftp://klinik.de", None),
            ("", None),
        ] {
            assert_eq!(proposed_url(text).as_deref(), proposed, "{text}");
        }
    }

    #[test]
    fn zones_and_countries_are_those_of_their_registers() {
        let expected = |check: Check, text: &str| {
            let fault = check(text).err()?;
            let found = fault.params.iter().find(|(name, _)| *name == "expected")?;
            Some(found.1.rsplit(' ').next().unwrap_or_default().to_owned())
        };
        for (text, right) in [
            ("Europe/Berlin", None),
            ("Europe/Berln", Some("Europe/Berlin")),
            ("europe/berlin", Some("Europe/Berlin")),
            ("CEST", Some("Europe/Berlin")),
        ] {
            let right = right.map(str::to_owned);
            assert_eq!(expected(time_zone, text), right, "{text}");
        }
        for (text, right) in [
            ("DE", None),
            ("XX", Some("DE")),
            ("UK", Some("GB")),
            ("de", None),
        ] {
            assert_eq!(expected(country, text), right.map(str::to_owned), "{text}");
        }
    }

    /// A partner's body may have 256 KiB, and is checked before its lengths are.
    #[test]
    fn long_texts_cost_little() {
        let starts = [
            "um ", "c. ", "ca. ", "mailto:", "(at)", "http://", "https:", "www.", "a.", "1.", "-",
            "_", "/", "%", "~", "ä", "de-",
        ];
        for start in starts {
            let text = start.repeat(256 * 1024 / start.len());
            for (name, check) in FORMATS {
                let begun = std::time::Instant::now();
                let _valid = check(&text);
                let taken = begun.elapsed();
                assert!(taken.as_secs() < 2, "{name} {start}: {taken:?}");
            }
        }
    }

    #[test]
    fn urls_mean_the_same_to_every_reader() {
        for fine in [
            "https://example.org",
            "HTTP://example.org/a?b=c#d",
            "https://münster.example/straße",
            "http://[::1]:8080/",
        ] {
            assert_eq!(http_url(fine), Ok(()), "{fine}");
        }
        for broken in [
            "http:example.org",
            "https:\\\\example.org",
            "https:/example.org",
            "https://x/\"><script>alert(1)</script>",
            "https://x/{a}|^`",
            "javascript:alert(1)",
            "//example.org",
            "https://user:secret@example.org",
            "",
        ] {
            assert!(http_url(broken).is_err(), "{broken}");
        }
    }
}
