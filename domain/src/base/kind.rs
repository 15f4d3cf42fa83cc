use crate::base::vocabulary::Coded;

macro_rules! kinds {
    ($($variant:ident $code:literal $plural:literal $de:literal $en:literal $type:path;)+) => {
        crate::vocabulary! {
            /// The kinds of records, in dependency order. Append-only.
            Kind "kind" {
                $($variant $code $de $en;)+
            }
        }

        impl Kind {
            #[must_use]
            pub const fn plural(self) -> &'static str {
                match self { $(Self::$variant => $plural,)+ }
            }
        }
    };
}
for_each_kind!(kinds);

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}
