//! Closed vocabularies: Rust enums whose codes carry a German and an English label.

use serde::Serialize;
use utoipa::ToSchema;

/// One code with its labels, as served at `/v1/vocabularies/{name}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Term {
    /// The code in records.
    #[schema(example = "hospital")]
    pub code: &'static str,
    /// Labels for people.
    pub labels: Labels,
}

/// A label in the two languages of the directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Labels {
    /// German.
    #[schema(example = "Krankenhaus")]
    pub de: &'static str,
    /// English.
    #[schema(example = "Hospital")]
    pub en: &'static str,
}

impl Labels {
    #[must_use]
    pub const fn get(self, lang: crate::base::fault::Lang) -> &'static str {
        match lang {
            crate::base::fault::Lang::De => self.de,
            crate::base::fault::Lang::En => self.en,
        }
    }
}

/// A closed vocabulary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Vocabulary {
    #[schema(example = "category")]
    pub name: &'static str,
    pub items: Vec<Term>,
}

pub trait Coded: Sized + Copy + 'static {
    const NAME: &'static str;
    const ALL: &'static [Self];
    fn code(self) -> &'static str;
    fn labels(self) -> Labels;

    fn parse(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|term| term.code() == code)
    }

    fn vocabulary() -> Vocabulary {
        let items = Self::ALL.iter().map(|term| Term {
            code: term.code(),
            labels: term.labels(),
        });
        Vocabulary {
            name: Self::NAME,
            items: items.collect(),
        }
    }
}

/// Declares a vocabulary enum: one line per code, with the German and the English label.
#[macro_export]
macro_rules! vocabulary {
    ($(#[$meta:meta])* $name:ident $url:literal { $($variant:ident $code:literal $de:literal $en:literal;)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $(#[doc = $en] #[serde(rename = $code)] $variant,)+
        }

        impl $crate::base::vocabulary::Coded for $name {
            const NAME: &'static str = $url;
            const ALL: &'static [Self] = &[$(Self::$variant),+];

            fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            fn labels(self) -> $crate::base::vocabulary::Labels {
                match self { $(Self::$variant => $crate::base::vocabulary::Labels { de: $de, en: $en },)+ }
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                use $crate::base::vocabulary::Coded;
                utoipa::openapi::schema::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .description(Some(concat!("A code of the vocabulary `", $url, "`.")))
                    .enum_values(Some(Self::ALL.iter().map(|term| term.code())))
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}
