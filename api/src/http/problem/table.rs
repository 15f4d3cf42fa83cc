use actix_web::http::StatusCode;
use domain::base::fault::Lang;

#[derive(Debug, Clone, Copy)]
pub struct Text {
    pub en: &'static str,
    pub de: &'static str,
}

impl Text {
    #[must_use]
    pub const fn get(&self, lang: Lang) -> &'static str {
        match lang {
            Lang::En => self.en,
            Lang::De => self.de,
        }
    }
}

#[derive(Debug)]
pub struct ProblemKind {
    /// Stable; the last segment of `type`.
    pub code: Code,
    pub status: StatusCode,
    pub title: Text,
    pub fix: Text,
}

macro_rules! problems {
    ($($name:ident $code:literal $status:ident {
        title: $title_en:literal, $title_de:literal;
        fix: $fix_en:literal, $fix_de:literal;
    })+) => {
        /// The code of a problem.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $title_en] $name,)+
        }

        impl Code {
            pub const ALL: &[Self] = &[$(Self::$name),+];

            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)+
                }
            }

            #[must_use]
            pub const fn kind(self) -> &'static ProblemKind {
                match self {
                    $(Self::$name => &ProblemKind {
                        code: Self::$name,
                        status: StatusCode::$status,
                        title: Text { en: $title_en, de: $title_de },
                        fix: Text { en: $fix_en, de: $fix_de },
                    },)+
                }
            }
        }
    };
}

impl Code {
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == name)
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

problems! {
    MalformedJson "malformed-json" BAD_REQUEST {
        title: "The body is not JSON", "Der Body ist kein JSON";
        fix:
            "Send UTF-8 JSON without duplicate keys and control characters, nested at most 32 levels deep.",
            "Senden Sie JSON in UTF-8 ohne doppelte Schlüssel und Steuerzeichen, höchstens 32 Ebenen tief.";
    }
    InvalidParameter "invalid-parameter" BAD_REQUEST {
        title: "A query parameter is wrong", "Ein Query-Parameter ist falsch";
        fix:
            "Correct the parameter; the detail has the allowed values.",
            "Berichtigen Sie den Parameter; das Detail sagt, was er sein darf.";
    }
    UnknownParameter "unknown-parameter" BAD_REQUEST {
        title: "Unknown query parameter", "Diesen Query-Parameter gibt es nicht";
        fix:
            "Correct the name; a typo must never mean no filter.",
            "Berichtigen Sie den Namen; ein Tippfehler darf nie heißen: kein Filter.";
    }
    UnknownReference "unknown-reference" BAD_REQUEST {
        title: "A parameter references nothing that you may see", "Ein Parameter nennt nichts, was Sie sehen dürfen";
        fix:
            "Reference a record by its id, its slug or kind/slug.",
            "Nennen Sie den Datensatz mit Id, Slug oder kind/slug.";
    }
    InvalidCursor "invalid-cursor" BAD_REQUEST {
        title: "The cursor does not belong to this query", "Der Cursor gehört nicht zu dieser Abfrage";
        fix:
            "Follow `next` unchanged; to change the query, start again without cursor.",
            "Folgen Sie `next` unverändert; für eine andere Abfrage ohne Cursor neu beginnen.";
    }
    InvalidHeader "invalid-header" BAD_REQUEST {
        title: "A header is malformed", "Ein Header ist fehlerhaft";
        fix:
            "Use entity tags in quotes, such as \"17\", or * in If-Match and If-None-Match.",
            "If-Match und If-None-Match nehmen Entity-Tags in Anführungszeichen, etwa \"17\", oder *.";
    }
    Unauthorized "unauthorized" UNAUTHORIZED {
        title: "A token is required", "Ein Token ist nötig";
        fix:
            "Send a valid token: Authorization: Bearer …",
            "Senden Sie ein gültiges Token: Authorization: Bearer …";
    }
    Forbidden "forbidden" FORBIDDEN {
        title: "You are not allowed to do this", "Das dürfen Sie nicht";
        fix:
            "Ask an admin of the record's home region for a grant.",
            "Bitten Sie eine Administratorin der Heimatregion um die Berechtigung.";
    }
    OwnedBySystem "owned-by-system" FORBIDDEN {
        title: "Another system supplies this record", "Ein anderes System liefert diesen Datensatz";
        fix:
            "Change the record in the system of its `external_id`: the next push from there would undo your change. An admin releases the records of a system by revoking the grant of its feeder.",
            "Ändern Sie den Datensatz in dem System seiner `external_id`: Die nächste Lieferung von dort höbe Ihre Änderung auf. Die Verwaltung gibt die Datensätze eines Systems frei, indem sie dessen Zulieferung die Berechtigung entzieht.";
    }
    InsufficientScope "insufficient-scope" FORBIDDEN {
        title: "The scope of the token is not sufficient", "Das Token reicht dafür nicht";
        fix:
            "Get a token with the scope that WWW-Authenticate names.",
            "Holen Sie ein Token mit dem Scope, den WWW-Authenticate nennt.";
    }
    NotFound "not-found" NOT_FOUND {
        title: "Not found", "Nicht gefunden";
        fix:
            "There is nothing here, or nothing that you may see. GET / lists the endpoints.",
            "Hier ist nichts, oder nichts, was Sie sehen dürfen. GET / nennt, was es gibt.";
    }
    MethodNotAllowed "method-not-allowed" METHOD_NOT_ALLOWED {
        title: "Method not allowed", "Diese Methode gibt es hier nicht";
        fix:
            "Use one of the methods in the Allow header.",
            "Nutzen Sie eine der Methoden aus dem Header Allow.";
    }
    NotAcceptable "not-acceptable" NOT_ACCEPTABLE {
        title: "No such representation", "Diese Darstellung gibt es nicht";
        fix:
            "Accept application/json, or leave Accept out.",
            "Akzeptieren Sie application/json, oder lassen Sie Accept weg.";
    }
    RequestTimeout "request-timeout" REQUEST_TIMEOUT {
        title: "The body came too slowly", "Der Body kam zu langsam";
        fix:
            "Nothing was changed. Send the body without pauses.",
            "Nichts wurde geändert. Senden Sie den Body ohne Pausen.";
    }
    RateLimited "rate-limited" TOO_MANY_REQUESTS {
        title: "Too many requests", "Zu viele Anfragen";
        fix:
            "Wait Retry-After seconds; RateLimit has the remaining units, of which an ordinary request takes one and an expensive one several.",
            "Warten Sie Retry-After Sekunden; RateLimit sagt, wie viele Einheiten übrig sind: Eine gewöhnliche Anfrage braucht eine, eine teure mehrere.";
    }
    OriginNotAllowed "origin-not-allowed" FORBIDDEN {
        title: "Pages of this web origin may not send this", "Seiten dieser Web-Origin dürfen das nicht senden";
        fix:
            "Pages of any origin may read public data. For writing and tokens, the operator adds the origin to cors_origins.",
            "Öffentliches dürfen alle Seiten lesen. Zum Schreiben und für Tokens trägt der Betreiber die Origin in cors_origins ein.";
    }
    Conflict "conflict" CONFLICT {
        title: "Conflict with another record", "Ein anderer Datensatz steht im Weg";
        fix:
            "Change the value that must be unique, or change the other record instead.",
            "Ändern Sie den Wert, der eindeutig sein muss, oder stattdessen den anderen Datensatz.";
    }
    StalePlan "stale-plan" CONFLICT {
        title: "The plan is outdated", "Der Plan entspricht nicht mehr dem, was geschähe";
        fix:
            "Nothing was changed: the snapshot or the directory has changed since. Plan again with dry_run=true, check the plan, and send its plan_hash.",
            "Nichts wurde geändert: Der Bestand oder das Verzeichnis ist jetzt ein anderer. Planen Sie neu mit dry_run=true, prüfen Sie den Plan, und senden Sie dessen plan_hash.";
    }
    DeletionThresholdExceeded "deletion-threshold-exceeded" CONFLICT {
        title: "The snapshot would delete too many records", "Der Bestand würde sehr viel löschen";
        fix:
            "Nothing was changed: more than 20 records and more than one in twenty would be deleted, or the snapshot is empty. If that is intended, an admin of the node sends it with approve_deletions=true.",
            "Nichts wurde geändert: Mehr als 20 Datensätze und mehr als jeder zwanzigste fielen weg, oder der Bestand ist leer. Ist das richtig, sendet ihn die Verwaltung des Knotens mit approve_deletions=true.";
    }
    RemovalThresholdExceeded "removal-threshold-exceeded" CONFLICT {
        title: "Too many records would lose members", "Zu viele Datensätze würden Felder verlieren";
        fix:
            "Check `removed`; leave out the columns that you do not mean, or confirm with confirm_removals=true.",
            "Prüfen Sie `removed`; lassen Sie Spalten weg, die Sie nicht meinen, oder bestätigen Sie mit confirm_removals=true.";
    }
    NewerThanExport "newer-than-export" CONFLICT {
        title: "The snapshot lacks records that are newer than its export", "Dem Bestand fehlen Datensätze, die neuer sind als sein Export";
        fix:
            "Nothing was changed. Export again, apply your edits, and send that with its Verbund-Position.",
            "Nichts wurde geändert. Exportieren Sie neu, übertragen Sie Ihre Änderungen, und senden Sie das mit der neuen Verbund-Position.";
    }
    RecordsRekeyed "records-rekeyed" CONFLICT {
        title: "Records would be deleted and created again under other keys", "Datensätze würden gelöscht und unter anderen Schlüsseln neu angelegt";
        fix:
            "Restore the keys in `rekeyed` (spreadsheets remove leading zeros); if the records really are others, confirm with confirm_rekeyed=true.",
            "Stellen Sie die Schlüssel in `rekeyed` wieder her (Tabellenprogramme entfernen führende Nullen); sind es wirklich andere Datensätze, bestätigen Sie mit confirm_rekeyed=true.";
    }
    IdempotencyKeyInUse "idempotency-key-in-use" CONFLICT {
        title: "A request with this Idempotency-Key is still being served", "Eine Anfrage mit diesem Idempotency-Key wird noch bearbeitet";
        fix:
            "Send it again after Retry-After seconds; it gets the response of the first one.",
            "Senden Sie sie nach Retry-After Sekunden erneut; die Antwort wird die der ersten sein.";
    }
    IdempotencyKeyReused "idempotency-key-reused" UNPROCESSABLE_ENTITY {
        title: "The Idempotency-Key was used for another request", "Der Idempotency-Key wurde für eine andere Anfrage verwendet";
        fix:
            "Use a new key for a new request; to repeat a request, send method, URL and body as before.",
            "Nehmen Sie für eine neue Anfrage einen neuen Schlüssel; zum Wiederholen senden Sie Methode, URL und Body wie zuvor.";
    }
    AmbiguousSlug "ambiguous-slug" CONFLICT {
        title: "Several partner regions have this slug", "Mehrere Partnerregionen haben diesen Slug";
        fix:
            "Use one of the ids in `candidates`.",
            "Nennen Sie den Datensatz mit einer der Ids in `candidates`.";
    }
    StillReferenced "still-referenced" CONFLICT {
        title: "Other records still reference this one", "Andere Datensätze nennen diesen noch";
        fix:
            "Change the records in `referenced_by` first.",
            "Ändern Sie zuerst die Datensätze in `referenced_by`.";
    }
    Gone "gone" GONE {
        title: "The record was deleted", "Der Datensatz wurde gelöscht";
        fix:
            "Remove your copy; `tombstone` says when it was deleted. Its editors can undo that with POST …/restore.",
            "Entfernen Sie Ihre Kopie; `tombstone` sagt, wann er gelöscht wurde. Wer ihn pflegt, macht das mit POST …/restore rückgängig.";
    }
    VersionGone "version-gone" GONE {
        title: "The version is no longer kept", "Die Version wird nicht mehr aufbewahrt";
        fix:
            "It was pruned or erased, or is a deletion; the history lists the available versions.",
            "Sie wurde gekürzt oder getilgt oder ist eine Löschung; der Verlauf nennt, was es gibt.";
    }
    ResyncRequired "resync-required" GONE {
        title: "The feed must be read from scratch", "Der Abgleich muss neu beginnen";
        fix:
            "Read all records again, beginning at `resync_url`; remove copies that are not reported there.",
            "Übernehmen Sie alles neu, beginnend bei `resync_url`; was dort nicht vorkommt, ist zu entfernen.";
    }
    ApplicationsClosed "applications-closed" CONFLICT {
        title: "The network accepts no applications", "Das Netzwerk nimmt keine Anträge an";
        fix:
            "Only published networks whose `joining.open` is not false accept applications.",
            "Nur veröffentlichte Netzwerke, deren `joining.open` nicht false ist, nehmen Anträge an.";
    }
    TooManyApplications "too-many-applications" TOO_MANY_REQUESTS {
        title: "The network has received too many applications", "Das Netzwerk hat zu viele Anträge erhalten";
        fix:
            "Try again after Retry-After seconds, or write to the network.",
            "Versuchen Sie es nach Retry-After Sekunden erneut, oder schreiben Sie dem Netzwerk.";
    }
    Moved "moved" PERMANENT_REDIRECT {
        title: "The record has moved", "Der Datensatz ist jetzt woanders";
        fix:
            "Follow Location and store the new address.",
            "Folgen Sie Location und merken Sie sich die neue Adresse.";
    }
    PreconditionFailed "precondition-failed" PRECONDITION_FAILED {
        title: "The record has changed since you read it", "Der Datensatz wurde seither geändert";
        fix:
            "Read the record again, apply your change to it, and send its new ETag in If-Match.",
            "Lesen Sie den Datensatz neu, ändern Sie ihn und senden Sie sein neues ETag in If-Match.";
    }
    PreconditionRequired "precondition-required" PRECONDITION_REQUIRED {
        title: "If-Match is required", "If-Match ist nötig";
        fix:
            "Send the ETag of the version that you read in If-Match, so that no change is lost.",
            "Senden Sie das ETag der gelesenen Version in If-Match, damit keine fremde Änderung verloren geht.";
    }
    PayloadTooLarge "payload-too-large" PAYLOAD_TOO_LARGE {
        title: "The body is too large", "Der Body ist zu groß";
        fix:
            "A record may have 256 KiB, a geometry 4 MiB.",
            "Ein Datensatz darf 256 KiB haben, eine Geometrie 4 MiB.";
    }
    UriTooLong "uri-too-long" URI_TOO_LONG {
        title: "The URL is too long", "Die URL ist zu lang";
        fix:
            "Keep the URL under 8 KiB; use several requests.",
            "Halten Sie die URL unter 8 KiB; fragen Sie in mehreren Anfragen.";
    }
    UnsupportedMediaType "unsupported-media-type" UNSUPPORTED_MEDIA_TYPE {
        title: "Unsupported content type", "Dieser Inhaltstyp wird nicht verstanden";
        fix:
            "Send application/json (PATCH: application/merge-patch+json).",
            "Senden Sie application/json (PATCH: application/merge-patch+json).";
    }
    ValidationFailed "validation-failed" UNPROCESSABLE_ENTITY {
        title: "The body is not valid", "Der Body ist nicht gültig";
        fix:
            "Correct everything in `errors`; the list is complete unless `total` says that there is more.",
            "Berichtigen Sie jede Stelle in `errors`; mehr ist es nicht, wenn `total` nichts anderes sagt.";
    }
    ItemsRefused "items-refused" UNPROCESSABLE_ENTITY {
        title: "Some items were rejected", "Einige Einträge wurden abgelehnt";
        fix:
            "Nothing was changed. Correct the items in `items`, or apply the others only: a push with mode=each, a snapshot with skip_invalid=true if each line has a key.",
            "Nichts wurde geändert. Berichtigen Sie die Einträge in `items`, oder lassen Sie die übrigen ausführen: eine Lieferung mit mode=each, einen Bestand mit skip_invalid=true, wenn jede Zeile einen Schlüssel hat.";
    }
    Busy "busy" SERVICE_UNAVAILABLE {
        title: "The database is busy", "Die Datenbank ist überlastet";
        fix:
            "Nothing was changed. Try again after Retry-After seconds.",
            "Nichts wurde geändert. Versuchen Sie es nach Retry-After Sekunden erneut.";
    }
    PublicUrlMissing "public-url-missing" SERVICE_UNAVAILABLE {
        title: "This server does not know its public address", "Dieser Server kennt seine öffentliche Adresse nicht";
        fix:
            "This format contains absolute addresses. Its operator has to set `public_url` (VERBUND_PUBLIC_URL), such as https://verzeichnis.example.",
            "Dieses Format enthält absolute Adressen. Der Betreiber muss `public_url` (VERBUND_PUBLIC_URL) setzen, etwa https://verzeichnis.example.";
    }
    Overloaded "overloaded" SERVICE_UNAVAILABLE {
        title: "Too many requests wait for their turn", "Zu viele Anfragen warten, bis sie an der Reihe sind";
        fix:
            "Try again after Retry-After seconds.",
            "Versuchen Sie es nach Retry-After Sekunden erneut.";
    }
    StorageFull "storage-full" INSUFFICIENT_STORAGE {
        title: "No space left for writing", "Zum Schreiben ist kein Platz mehr";
        fix:
            "Nothing was changed. The operator has to free space on the disk; try again after Retry-After seconds.",
            "Nichts wurde geändert. Der Betreiber muss auf der Platte Platz schaffen; versuchen Sie es nach Retry-After Sekunden erneut.";
    }
    StorageFailing "storage-failing" SERVICE_UNAVAILABLE {
        title: "The storage of the server is failing", "Der Speicher des Servers versagt";
        fix:
            "A write may have taken effect or not, an import in part: read before you send it again, after Retry-After seconds. The operator has to check the disk.",
            "Eine Änderung kann gespeichert sein oder nicht, ein Import zum Teil: Lesen Sie nach, bevor Sie sie nach Retry-After Sekunden erneut senden. Der Betreiber muss sich die Platte ansehen.";
    }
    IndexBehind "index-behind" SERVICE_UNAVAILABLE {
        title: "The search index is not up to date yet", "Der Suchindex ist noch nicht auf dem Stand";
        fix:
            "The latest writes are not searchable yet. Try again after Retry-After seconds; records are available by id already.",
            "Zuletzt Geschriebenes ist noch nicht auffindbar. Versuchen Sie es nach Retry-After Sekunden erneut; Datensätze über ihre Id sind schon da.";
    }
    Internal "internal" INTERNAL_SERVER_ERROR {
        title: "The server failed", "Der Server hat versagt";
        fix:
            "This is a fault of the server. Report the request_id to the operator.",
            "Das liegt an uns, nicht an Ihnen. Nennen Sie dem Betreiber die request_id.";
    }
}
