//! Closed vocabularies: Rust enums whose codes carry a German and an English label.

use serde::Serialize;
use utoipa::ToSchema;

/// One code with its labels, as served at `/v1/vocabularies/{name}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Term {
    /// The code that records hold.
    #[schema(example = "hospital")]
    pub code: &'static str,
    /// What people read.
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
    /// The label in a language.
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
    /// The name in the URL.
    #[schema(example = "category")]
    pub name: &'static str,
    /// The codes in their order.
    pub items: Vec<Term>,
}

/// What every vocabulary enum can tell of itself.
pub trait Coded: Sized + Copy + 'static {
    /// The vocabulary's name in the URL.
    const NAME: &'static str;
    /// Every code in order.
    const ALL: &'static [Self];
    /// The code as records hold it.
    fn code(self) -> &'static str;
    /// The labels.
    fn labels(self) -> Labels;

    /// The enum value of a code.
    fn parse(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|term| term.code() == code)
    }

    /// The vocabulary as it is served.
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

/// Declares a vocabulary enum: one line a code, with the German and the English label.
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
