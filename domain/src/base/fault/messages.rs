//! The codes of all violations, with their messages in English and German.

use crate::base::fault::Lang;
use serde::{Serialize, Serializer};

macro_rules! faults {
    ($($name:ident $code:literal { en: $en:literal; de: $de:literal; })+) => {
        /// The code of a violation: stable, kebab-case.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum FaultCode {
            $($name,)+
        }

        impl FaultCode {
            pub const ALL: &[Self] = &[$(Self::$name),+];

            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)+
                }
            }

            /// The message, with the names of its parameters in place of their values.
            #[must_use]
            pub const fn template(self, lang: Lang) -> &'static str {
                match (self, lang) {
                    $(
                        (Self::$name, Lang::En) => $en,
                        (Self::$name, Lang::De) => $de,
                    )+
                }
            }
        }
    };
}

impl FaultCode {
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == name)
    }
}

impl std::fmt::Display for FaultCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for FaultCode {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

// `{name}` is a parameter; a part in `[…]` is left out when its parameter is empty, or replaced by
// the text after `|`.
faults! {
    Required "required" {
        en: "is required[: {what}]";
        de: "ist erforderlich[: {what_de}]";
    }
    UnknownMember "unknown-member" {
        en: "unknown member \"{given}\"[; did you mean \"{nearest}\"?]";
        de: "unbekanntes Feld „{given}“[; gemeint ist vielleicht „{nearest}“?]";
    }
    RenamedMember "renamed-member" {
        en: "\"{given}\" is called \"{now}\" now";
        de: "„{given}“ heißt jetzt „{now}“";
    }
    UnknownCode "unknown-code" {
        en: "\"{given}\" is not one of the known codes[; did you mean \"{nearest}\"?|.] Known: {known}";
        de: "„{given}“ ist kein bekannter Code[; gemeint ist vielleicht „{nearest}“?|.] Bekannt: {known}";
    }
    Type "type" {
        en: "must be {expected}, not {given}[, such as {example}]";
        de: "muss {expected_de} sein, nicht {given_de}[, etwa {example}]";
    }
    TooShort "too-short" {
        en: "must have at least {min} characters";
        de: "braucht mindestens {min} Zeichen";
    }
    TooLong "too-long" {
        en: "must have at most {max} characters";
        de: "darf höchstens {max} Zeichen haben";
    }
    TooMany "too-many" {
        en: "must have at most {max} entries";
        de: "darf höchstens {max} Einträge haben";
    }
    Repeated "repeated" {
        en: "contains the same entry more than once; list it once";
        de: "enthält denselben Eintrag mehrfach; er gehört einmal hinein";
    }
    Minimum "minimum" {
        en: "must be at least {min}, not {given}";
        de: "muss mindestens {min} sein, nicht {given}";
    }
    Maximum "maximum" {
        en: "must be at most {max}, not {given}";
        de: "darf höchstens {max} sein, nicht {given}";
    }
    IdMismatch "id-mismatch" {
        en: "is {given}, but the URL names {expected}; leave it out or send the URL's";
        de: "ist {given}, die URL nennt aber {expected}; weglassen oder den Wert der URL senden";
    }
    ItemMismatch "item-mismatch" {
        en: "is {given}, but the item is {expected}; leave it out or send that";
        de: "ist {given}, gesendet wird aber {expected}; weglassen oder diesen Wert senden";
    }
    RepeatedKey "repeated-key" {
        en: "is also in [line {line}|another item]; send each record once";
        de: "steht auch in [Zeile {line}|einem anderen Eintrag]; jeder Datensatz gehört einmal hinein";
    }
    KeySpelling "key-spelling" {
        en: "is {given}, but the key of this record is {expected}; spreadsheets remove leading zeros: format the column as text, and send {expected}";
        de: "ist {given}, der Schlüssel dieses Datensatzes lautet aber {expected}; Tabellenprogramme entfernen führende Nullen: formatieren Sie die Spalte als Text, und senden Sie {expected}";
    }
    Cell "cell" {
        en: "the cell cannot be read; write {expected}";
        de: "die Zelle ist nicht lesbar; richtig ist {expected_de}";
    }
    FormulaError "formula-error" {
        en: "the cell has {given} instead of a value; correct the formula, or write its value, such as {example}";
        de: "die Zelle hat {given} statt eines Wertes; berichtigen Sie die Formel, oder schreiben Sie ihren Wert, etwa {example}";
    }
    FormulaWithoutValue "formula-without-value" {
        en: "the cell has a formula without its result; open the file in a spreadsheet program and save it again, or write the value";
        de: "die Zelle hat eine Formel ohne Ergebnis; öffnen Sie die Datei in einem Tabellenprogramm und speichern Sie sie neu, oder schreiben Sie den Wert";
    }
    AmbiguousNumber "ambiguous-number" {
        en: "\"{given}\" can be read as {one} or as {other}; write {one_written} or {other_written}";
        de: "„{given}“ kann {one} oder {other} heißen; schreiben Sie {one_written} oder {other_written}";
    }
    ReadAs "read-as" {
        en: "\"{given}\" was taken as \"{taken}\": {why}";
        de: "„{given}“ wurde als „{taken}“ übernommen: {why_de}";
    }
    LeftOut "left-out" {
        en: "\"{given}\" was left out: {why}";
        de: "„{given}“ wurde weggelassen: {why_de}";
    }
    ListLength "list-length" {
        en: "has {given} elements, but the stored list has {expected}: it is unknown which ones are meant; add all columns of the list, or keep the number";
        de: "hat {given} Elemente, die gespeicherte Liste aber {expected}: welche gemeint sind, ist unklar; nehmen Sie alle Spalten der Liste auf, oder lassen Sie die Anzahl";
    }
    SystemVersion "system-version" {
        en: "cannot be compared with {stored}, which was sent before; use either numbers or texts";
        de: "ist mit {stored} von zuvor nicht vergleichbar; bleiben Sie bei Zahlen oder bei Texten";
    }
    NotAllowed "not-allowed" {
        en: "is not allowed here: {why}";
        de: "ist hier nicht erlaubt: [{why_de}|{why}]";
    }
    GuessablePassword "guessable-password" {
        en: "is among the first passwords that are tried; use four words that have nothing to do with each other, or what a password manager generates";
        de: "gehört zu den Passwörtern, die zuerst probiert werden; nehmen Sie vier Wörter, die nichts miteinander zu tun haben, oder was eine Passwortverwaltung erzeugt";
    }
    WrongPassword "wrong-password" {
        en: "is not the password of this account; send the current one";
        de: "ist nicht das Passwort dieses Kontos; senden Sie das jetzige";
    }
    Date "date" {
        en: "\"{given}\" is not a date of the EDTF subset; write YYYY, YYYY-MM or YYYY-MM-DD such as 2009-05, each with an optional ~ (about), ? (uncertain) or % (both)[; did you mean \"{nearest}\"?]";
        de: "„{given}“ ist kein Datum der EDTF-Teilmenge; richtig ist JJJJ, JJJJ-MM oder JJJJ-MM-TT, etwa 2009-05, je mit ~ (ungefähr), ? (unsicher) oder % (beides)[; gemeint ist vielleicht „{nearest}“?]";
    }
    PeriodEnd "period-end" {
        en: "\"{given}\" is not the end of a period; write a date such as 2021-05 or \"..\" for ongoing[; did you mean \"{nearest}\"?]";
        de: "„{given}“ ist kein Ende eines Zeitraums; richtig ist ein Datum wie 2021-05 oder „..“ für andauernd[; gemeint ist vielleicht „{nearest}“?]";
    }
    PeriodEmpty "period-empty" {
        en: "a period needs `from`, `to` or both; leave it out if neither is stated";
        de: "ein Zeitraum braucht `from`, `to` oder beides; ist keines bekannt, entfällt er";
    }
    PeriodOrder "period-order" {
        en: "`to` ({to}) is before `from` ({from}); swap them or correct one";
        de: "`to` ({to}) liegt vor `from` ({from}); bitte tauschen oder berichtigen";
    }
    Moment "moment" {
        en: "\"{given}\" is neither a date (2021-01-27) nor an RFC 3339 date-time with a zone (2021-01-27T10:00:00+01:00); a local time needs `timezone` too[; did you mean \"{nearest}\"?]";
        de: "„{given}“ ist weder ein Datum (2021-01-27) noch ein Zeitpunkt nach RFC 3339 mit Zone (2021-01-27T10:00:00+01:00); eine örtliche Zeit braucht auch `timezone`[; gemeint ist vielleicht „{nearest}“?]";
    }
    Timestamp "timestamp" {
        en: "\"{given}\" is not an RFC 3339 date-time such as 2026-01-31T08:00:00Z[; did you mean \"{nearest}\"?]";
        de: "„{given}“ ist kein Zeitpunkt nach RFC 3339 wie 2026-01-31T08:00:00Z[; gemeint ist vielleicht „{nearest}“?]";
    }
    Language "language" {
        en: "\"{given}\" is not a BCP 47 language tag such as de or en-GB[; did you mean \"{nearest}\"?]";
        de: "„{given}“ ist kein Sprachkürzel nach BCP 47 wie de oder en-GB[; gemeint ist vielleicht „{nearest}“?]";
    }
    Url "url" {
        en: "\"{given}\" is not an absolute http or https URL without user name and password, such as https://example.org[; did you mean \"{nearest}\"?]";
        de: "„{given}“ ist keine absolute http- oder https-URL ohne Benutzername und Passwort, etwa https://example.org[; gemeint ist vielleicht „{nearest}“?]";
    }
    Email "email" {
        en: "\"{given}\" is not an e-mail address such as info@example.org[; did you mean \"{nearest}\"?]";
        de: "„{given}“ ist keine E-Mail-Adresse wie info@example.org[; gemeint ist vielleicht „{nearest}“?]";
    }
    Pattern "pattern" {
        en: "\"{given}\" has the wrong form; it must be {expected}";
        de: "„{given}“ hat die falsche Form; richtig ist {expected_de}";
    }
    Slug "slug" {
        en: "\"{given}\" is not a slug: small letters a-z, digits and single hyphens, not shaped like a UUID, e.g. {example}";
        de: "„{given}“ ist kein Slug: Kleinbuchstaben a-z, Ziffern und einzelne Bindestriche, nicht in UUID-Form, z. B. {example}";
    }
    RawHtml "raw-html" {
        en: "CommonMark without raw HTML is expected; write {given} as text or Markdown";
        de: "erwartet wird CommonMark ohne HTML; {given} bitte als Text oder Markdown schreiben";
    }
    LinkScheme "link-scheme" {
        en: "links may lead to http, https, mailto and tel targets, not to {given}";
        de: "Links dürfen zu Zielen mit http, https, mailto und tel führen, nicht zu {given}";
    }
    DeceptiveCharacter "deceptive-character" {
        en: "a name consists of visible characters; remove {given}";
        de: "ein Name besteht aus sichtbaren Zeichen; bitte {given} entfernen";
    }
    EmptyEntry "empty-entry" {
        en: "needs at least one of {members}";
        de: "braucht mindestens eines von {members}";
    }
    ValueOrder "value-order" {
        en: "`value_to` ({to}) is less than `value` ({from}); swap them";
        de: "`value_to` ({to}) ist kleiner als `value` ({from}); bitte tauschen";
    }
    Order "order" {
        en: "{later} is before {earlier}; swap them or correct one";
        de: "{later} liegt vor {earlier}; bitte tauschen oder berichtigen";
    }
    TranslationMember "translation-member" {
        en: "\"{given}\" is not a text that can be translated[; did you mean \"{nearest}\"?]";
        de: "„{given}“ ist kein übersetzbarer Text[; gemeint ist vielleicht „{nearest}“?]";
    }
    IdentifierScheme "identifier-scheme" {
        en: "\"{given}\" is neither a known identifier scheme nor an absolute URI with http, https or urn[; did you mean \"{nearest}\"?]";
        de: "„{given}“ ist weder ein bekanntes Kennungsschema noch eine absolute URI mit http, https oder urn[; gemeint ist vielleicht „{nearest}“?]";
    }
    IdentifierPerson "identifier-person" {
        en: "\"{scheme}\" identifies a person; the directory contains identifiers of organisations only";
        de: "„{scheme}“ bezeichnet eine Person; das Verzeichnis führt nur Kennungen von Organisationen";
    }
    IdentifierFormat "identifier-format" {
        en: "\"{given}\" is not a valid {scheme} identifier: {expected} expected";
        de: "„{given}“ ist keine {scheme}-Kennung; erwartet: {expected_de}";
    }
    IdentifierCheckDigit "identifier-check-digit" {
        en: "\"{given}\" has the wrong {scheme} check digit: {expected} would be right; check the number for a typo";
        de: "„{given}“ hat eine falsche {scheme}-Prüfziffer: richtig wäre {expected}; bitte auf Tippfehler prüfen";
    }
    Reference "reference" {
        en: "is not a reference; write an id, a slug, {\"kind\": …, \"slug\": …} or {\"kind\": …, \"external_id\": {…}}; an end may also be {\"as_stated\": …} or {\"class\": {…}, \"as_stated\": …}";
        de: "ist kein Verweis; möglich sind eine Id, ein Slug, {\"kind\": …, \"slug\": …} oder {\"kind\": …, \"external_id\": {…}}; ein Ende darf auch {\"as_stated\": …} oder {\"class\": {…}, \"as_stated\": …} sein";
    }
    UnknownReference "unknown-reference" {
        en: "references no {kind} that exists and that you may see: {given}";
        de: "nennt nichts (gesucht: {kind}), was es gibt und was Sie sehen dürfen: {given}";
    }
    AmbiguousSlug "ambiguous-slug" {
        en: "several partner regions have a {kind} with the slug \"{given}\"; use its id";
        de: "mehrere Partnerregionen haben zum Slug „{given}“ einen Datensatz ({kind}); bitte die Id angeben";
    }
    WrongKind "wrong-kind" {
        en: "must reference a record of the kind {expected}, not {given}";
        de: "muss auf {expected} verweisen, nicht auf {given}";
    }
    EndKind "end-kind" {
        en: "the kind {given} is not allowed at `{end}` of `{type}`; allowed: {expected}";
        de: "{given} kann bei `{type}` nicht an `{end}` stehen; erlaubt: {expected}";
    }
    SameKind "same-kind" {
        en: "`{type}` joins two records of one kind, not {from} and {to}";
        de: "`{type}` verbindet zwei Datensätze derselben Art, nicht {from} und {to}";
    }
    ClassMember "class-member" {
        en: "`{given}` does not apply to a class of kind `{kind}`; leave it out";
        de: "`{given}` passt nicht zu einer Klasse der Art `{kind}`; bitte weglassen";
    }
    OpenEnds "open-ends" {
        en: "at least one end must reference a record";
        de: "mindestens ein Ende muss einen Datensatz nennen";
    }
    SameEnds "same-ends" {
        en: "a record cannot be in a relationship with itself";
        de: "ein Datensatz kann nicht mit sich selbst in Beziehung stehen";
    }
    OwnEnd "own-end" {
        en: "one end must be a record of this node; relationships between partners' records belong to the partners";
        de: "ein Ende muss ein Datensatz dieses Knotens sein; Beziehungen zwischen Datensätzen der Partner gehören den Partnern";
    }
    Role "role" {
        en: "\"{given}\" is not a role of `{type}`[; did you mean \"{nearest}\"?|.] Allowed: [{known}|none]";
        de: "„{given}“ ist keine Rolle von `{type}`[; gemeint ist vielleicht „{nearest}“?|.] Erlaubt: [{known}|keine]";
    }
    Cycle "cycle" {
        en: "would close a cycle: the record would be part of itself";
        de: "schlösse einen Kreis: der Datensatz wäre Teil seiner selbst";
    }
    MergeSelf "merge-self" {
        en: "references the record to be merged; use another one";
        de: "nennt den Datensatz, der zusammengeführt werden soll; bitte einen anderen nennen";
    }
    MergeCircle "merge-circle" {
        en: "one of the two is part of the other, or broader; change that first";
        de: "einer von beiden ist Teil des anderen oder dessen Oberbegriff; bitte das zuerst ändern";
    }
    ExternalIdFixed "external-id-fixed" {
        en: "never changes once set; it is {expected}";
        de: "ändert sich nie, wenn einmal gesetzt; sie lautet {expected}";
    }
    InvalidValue "invalid-value" {
        en: "is malformed: {why}";
        de: "ist nicht lesbar: [{why_de}|{why}]";
    }
    Geojson "geojson" {
        en: "is not a GeoJSON geometry of a region (RFC 7946): {why}";
        de: "ist keine GeoJSON-Geometrie einer Region (RFC 7946): {why}";
    }
}
