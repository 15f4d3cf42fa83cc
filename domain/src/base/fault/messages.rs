//! The messages of all violations, in English and German.

/// Every code with its message in English and German. `{name}` is a parameter; a part in `[…]` is
/// left out when its parameter is empty, or replaced by the text after `|`.
pub const MESSAGES: &[(&str, &str, &str)] = &[
    (
        "required",
        "is required[: {what}]",
        "ist erforderlich[: {what_de}]",
    ),
    (
        "unknown-member",
        "unknown member \"{given}\"[; did you mean \"{nearest}\"?]",
        "unbekanntes Feld „{given}“[; gemeint ist vielleicht „{nearest}“?]",
    ),
    (
        "renamed-member",
        "\"{given}\" is called \"{now}\" now",
        "„{given}“ heißt jetzt „{now}“",
    ),
    (
        "unknown-code",
        "\"{given}\" is not one of the known codes[; did you mean \"{nearest}\"?|.] Known: {known}",
        "„{given}“ ist kein bekannter Code[; gemeint ist vielleicht „{nearest}“?|.] Bekannt: {known}",
    ),
    (
        "type",
        "must be {expected}, not {given}",
        "muss {expected_de} sein, nicht {given_de}",
    ),
    (
        "too-short",
        "must have at least {min} characters",
        "braucht mindestens {min} Zeichen",
    ),
    (
        "too-long",
        "must have at most {max} characters",
        "darf höchstens {max} Zeichen haben",
    ),
    (
        "too-many",
        "must have at most {max} entries",
        "darf höchstens {max} Einträge haben",
    ),
    (
        "repeated",
        "contains the same entry more than once; list it once",
        "enthält denselben Eintrag mehrfach; er gehört einmal hinein",
    ),
    (
        "minimum",
        "must be at least {min}, not {given}",
        "muss mindestens {min} sein, nicht {given}",
    ),
    (
        "maximum",
        "must be at most {max}, not {given}",
        "darf höchstens {max} sein, nicht {given}",
    ),
    (
        "id-mismatch",
        "is {given}, but the URL names {expected}; leave it out or send the URL's",
        "ist {given}, die URL nennt aber {expected}; weglassen oder den Wert der URL senden",
    ),
    (
        "item-mismatch",
        "is {given}, but the item is {expected}; leave it out or send that",
        "ist {given}, gesendet wird aber {expected}; weglassen oder diesen Wert senden",
    ),
    (
        "repeated-key",
        "is also the key of another item; send each record once",
        "ist auch der Schlüssel eines anderen Eintrags; jeder Datensatz gehört einmal hinein",
    ),
    (
        "system-version",
        "cannot be compared with {stored}, which was sent before; use either numbers or texts",
        "ist mit {stored} von zuvor nicht vergleichbar; bleiben Sie bei Zahlen oder bei Texten",
    ),
    (
        "not-allowed",
        "is not allowed here: {why}",
        "ist hier nicht erlaubt: {why}",
    ),
    (
        "date",
        "\"{given}\" is not a date of the EDTF subset; write YYYY, YYYY-MM or YYYY-MM-DD, each with an optional ~ (about), ? (uncertain) or % (both)",
        "„{given}“ ist kein Datum der EDTF-Teilmenge; richtig ist JJJJ, JJJJ-MM oder JJJJ-MM-TT, je mit ~ (ungefähr), ? (unsicher) oder % (beides)",
    ),
    (
        "period-end",
        "\"{given}\" is not the end of a period; write a date such as 2021-05 or \"..\" for ongoing",
        "„{given}“ ist kein Ende eines Zeitraums; richtig ist ein Datum wie 2021-05 oder „..“ für andauernd",
    ),
    (
        "period-empty",
        "a period needs `from`, `to` or both; leave it out if neither is stated",
        "ein Zeitraum braucht `from`, `to` oder beides; ist keines bekannt, entfällt er",
    ),
    (
        "period-order",
        "`to` ({to}) is before `from` ({from}); swap them or correct one",
        "`to` ({to}) liegt vor `from` ({from}); bitte tauschen oder berichtigen",
    ),
    (
        "moment",
        "\"{given}\" is neither a date (2021-01-27) nor an RFC 3339 date-time with a zone (2021-01-27T10:00:00+01:00)",
        "„{given}“ ist weder ein Datum (2021-01-27) noch ein Zeitpunkt nach RFC 3339 mit Zone (2021-01-27T10:00:00+01:00)",
    ),
    (
        "timestamp",
        "\"{given}\" is not an RFC 3339 date-time such as 2026-01-31T08:00:00Z",
        "„{given}“ ist kein Zeitpunkt nach RFC 3339 wie 2026-01-31T08:00:00Z",
    ),
    (
        "language",
        "\"{given}\" is not a BCP 47 language tag such as de or en-GB",
        "„{given}“ ist kein Sprachkürzel nach BCP 47 wie de oder en-GB",
    ),
    (
        "url",
        "\"{given}\" is not an absolute http or https URL without user name and password",
        "„{given}“ ist keine absolute http- oder https-URL ohne Benutzername und Passwort",
    ),
    (
        "email",
        "\"{given}\" is not an e-mail address",
        "„{given}“ ist keine E-Mail-Adresse",
    ),
    (
        "pattern",
        "\"{given}\" has the wrong form; it must match {expected}",
        "„{given}“ hat die falsche Form; richtig ist {expected}",
    ),
    (
        "slug",
        "\"{given}\" is not a slug: small letters a-z, digits and single hyphens, not shaped like a UUID, e.g. {example}",
        "„{given}“ ist kein Slug: Kleinbuchstaben a-z, Ziffern und einzelne Bindestriche, nicht in UUID-Form, z. B. {example}",
    ),
    (
        "raw-html",
        "CommonMark without raw HTML is expected; write {given} as text or Markdown",
        "erwartet wird CommonMark ohne HTML; {given} bitte als Text oder Markdown schreiben",
    ),
    (
        "link-scheme",
        "links may lead to http, https, mailto and tel targets, not to {given}",
        "Links dürfen zu Zielen mit http, https, mailto und tel führen, nicht zu {given}",
    ),
    (
        "empty-entry",
        "needs at least one of {members}",
        "braucht mindestens eines von {members}",
    ),
    (
        "value-order",
        "`value_to` ({to}) is less than `value` ({from}); swap them",
        "`value_to` ({to}) ist kleiner als `value` ({from}); bitte tauschen",
    ),
    (
        "order",
        "{later} is before {earlier}; swap them or correct one",
        "{later} liegt vor {earlier}; bitte tauschen oder berichtigen",
    ),
    (
        "translation-member",
        "\"{given}\" is not a text that can be translated[; did you mean \"{nearest}\"?]",
        "„{given}“ ist kein übersetzbarer Text[; gemeint ist vielleicht „{nearest}“?]",
    ),
    (
        "identifier-scheme",
        "\"{given}\" is neither a known identifier scheme nor an absolute URI[; did you mean \"{nearest}\"?]",
        "„{given}“ ist weder ein bekanntes Kennungsschema noch eine absolute URI[; gemeint ist vielleicht „{nearest}“?]",
    ),
    (
        "identifier-person",
        "\"{scheme}\" identifies a person; the directory contains identifiers of organisations only",
        "„{scheme}“ bezeichnet eine Person; das Verzeichnis führt nur Kennungen von Organisationen",
    ),
    (
        "identifier-format",
        "\"{given}\" is not a valid {scheme} identifier: {expected} expected",
        "„{given}“ ist keine {scheme}-Kennung; erwartet: {expected_de}",
    ),
    (
        "identifier-check-digit",
        "\"{given}\" has the wrong {scheme} check digit: {expected} would be right; check the number for a typo",
        "„{given}“ hat eine falsche {scheme}-Prüfziffer: richtig wäre {expected}; bitte auf Tippfehler prüfen",
    ),
    (
        "reference",
        "is not a reference; write an id, a slug, {\"kind\": …, \"slug\": …} or {\"kind\": …, \"external_id\": {…}}; an end may also be {\"as_stated\": …} or {\"class\": {…}, \"as_stated\": …}",
        "ist kein Verweis; möglich sind eine Id, ein Slug, {\"kind\": …, \"slug\": …} oder {\"kind\": …, \"external_id\": {…}}; ein Ende darf auch {\"as_stated\": …} oder {\"class\": {…}, \"as_stated\": …} sein",
    ),
    (
        "unknown-reference",
        "references no {kind} that exists and that you may see: {given}",
        "nennt nichts (gesucht: {kind}), was es gibt und was Sie sehen dürfen: {given}",
    ),
    (
        "ambiguous-slug",
        "several partner regions have a {kind} with the slug \"{given}\"; use its id",
        "mehrere Partnerregionen haben zum Slug „{given}“ einen Datensatz ({kind}); bitte die Id angeben",
    ),
    (
        "wrong-kind",
        "must reference a record of the kind {expected}, not {given}",
        "muss auf {expected} verweisen, nicht auf {given}",
    ),
    (
        "end-kind",
        "the kind {given} is not allowed at `{end}` of `{type}`; allowed: {expected}",
        "{given} kann bei `{type}` nicht an `{end}` stehen; erlaubt: {expected}",
    ),
    (
        "same-kind",
        "`{type}` joins two records of one kind, not {from} and {to}",
        "`{type}` verbindet zwei Datensätze derselben Art, nicht {from} und {to}",
    ),
    (
        "class-member",
        "`{given}` does not apply to a class of kind `{kind}`; leave it out",
        "`{given}` passt nicht zu einer Klasse der Art `{kind}`; bitte weglassen",
    ),
    (
        "open-ends",
        "at least one end must reference a record",
        "mindestens ein Ende muss einen Datensatz nennen",
    ),
    (
        "same-ends",
        "a record cannot be in a relationship with itself",
        "ein Datensatz kann nicht mit sich selbst in Beziehung stehen",
    ),
    (
        "own-end",
        "one end must be a record of this node; relationships between partners' records belong to the partners",
        "ein Ende muss ein Datensatz dieses Knotens sein; Beziehungen zwischen Datensätzen der Partner gehören den Partnern",
    ),
    (
        "role",
        "\"{given}\" is not a role of `{type}`[; did you mean \"{nearest}\"?|.] Allowed: [{known}|none]",
        "„{given}“ ist keine Rolle von `{type}`[; gemeint ist vielleicht „{nearest}“?|.] Erlaubt: [{known}|keine]",
    ),
    (
        "cycle",
        "would close a cycle: the record would be part of itself",
        "schlösse einen Kreis: der Datensatz wäre Teil seiner selbst",
    ),
    (
        "merge-self",
        "references the record to be merged; use another one",
        "nennt den Datensatz, der zusammengeführt werden soll; bitte einen anderen nennen",
    ),
    (
        "merge-circle",
        "one of the two is part of the other, or broader; change that first",
        "einer von beiden ist Teil des anderen oder dessen Oberbegriff; bitte das zuerst ändern",
    ),
    (
        "external-id-fixed",
        "never changes once set; it is {expected}",
        "ändert sich nie, wenn einmal gesetzt; sie lautet {expected}",
    ),
    (
        "invalid-value",
        "is malformed: {why}",
        "ist nicht lesbar: {why}",
    ),
    (
        "geojson",
        "is not a GeoJSON geometry of a region (RFC 7946): {why}",
        "ist keine GeoJSON-Geometrie einer Region (RFC 7946): {why}",
    ),
];
