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
    pub code: &'static str,
    pub status: StatusCode,
    pub title: Text,
    pub fix: Text,
}

/// The row of a code; an unknown code is a server error.
#[must_use]
pub fn kind_of(code: &str) -> &'static ProblemKind {
    PROBLEMS
        .iter()
        .find(|kind| kind.code == code)
        .unwrap_or(&INTERNAL)
}

const fn row(
    code: &'static str,
    status: StatusCode,
    title: [&'static str; 2],
    fix: [&'static str; 2],
) -> ProblemKind {
    let [title_en, title_de] = title;
    let [fix_en, fix_de] = fix;
    ProblemKind {
        code,
        status,
        title: Text {
            en: title_en,
            de: title_de,
        },
        fix: Text {
            en: fix_en,
            de: fix_de,
        },
    }
}

static INTERNAL: ProblemKind = row(
    "internal",
    StatusCode::INTERNAL_SERVER_ERROR,
    ["The server failed", "Der Server hat versagt"],
    [
        "This is a fault of the server. Report the request_id to the operator.",
        "Das liegt an uns, nicht an Ihnen. Nennen Sie dem Betreiber die request_id.",
    ],
);

pub static PROBLEMS: &[ProblemKind] = &[
    row(
        "malformed-json",
        StatusCode::BAD_REQUEST,
        ["The body is not JSON", "Der Body ist kein JSON"],
        [
            "Send UTF-8 JSON without duplicate keys and control characters, nested at most 32 levels deep.",
            "Senden Sie JSON in UTF-8 ohne doppelte Schlüssel und Steuerzeichen, höchstens 32 Ebenen tief.",
        ],
    ),
    row(
        "invalid-parameter",
        StatusCode::BAD_REQUEST,
        [
            "A query parameter is wrong",
            "Ein Query-Parameter ist falsch",
        ],
        [
            "Correct the parameter; the detail has the allowed values.",
            "Berichtigen Sie den Parameter; das Detail sagt, was er sein darf.",
        ],
    ),
    row(
        "unknown-parameter",
        StatusCode::BAD_REQUEST,
        [
            "Unknown query parameter",
            "Diesen Query-Parameter gibt es nicht",
        ],
        [
            "Correct the name; a typo must never mean no filter.",
            "Berichtigen Sie den Namen; ein Tippfehler darf nie heißen: kein Filter.",
        ],
    ),
    row(
        "unknown-reference",
        StatusCode::BAD_REQUEST,
        [
            "A parameter references nothing that you may see",
            "Ein Parameter nennt nichts, was Sie sehen dürfen",
        ],
        [
            "Reference a record by its id, its slug or kind/slug.",
            "Nennen Sie den Datensatz mit Id, Slug oder kind/slug.",
        ],
    ),
    row(
        "invalid-cursor",
        StatusCode::BAD_REQUEST,
        [
            "The cursor does not belong to this query",
            "Der Cursor gehört nicht zu dieser Abfrage",
        ],
        [
            "Follow `next` unchanged; to change the query, start again without cursor.",
            "Folgen Sie `next` unverändert; für eine andere Abfrage ohne Cursor neu beginnen.",
        ],
    ),
    row(
        "invalid-header",
        StatusCode::BAD_REQUEST,
        ["A header is malformed", "Ein Header ist fehlerhaft"],
        [
            "Use entity tags in quotes, such as \"17\", or * in If-Match and If-None-Match.",
            "If-Match und If-None-Match nehmen Entity-Tags in Anführungszeichen, etwa \"17\", oder *.",
        ],
    ),
    row(
        "unauthorized",
        StatusCode::UNAUTHORIZED,
        ["A token is required", "Ein Token ist nötig"],
        [
            "Send a valid token: Authorization: Bearer …",
            "Senden Sie ein gültiges Token: Authorization: Bearer …",
        ],
    ),
    row(
        "forbidden",
        StatusCode::FORBIDDEN,
        ["You are not allowed to do this", "Das dürfen Sie nicht"],
        [
            "Ask an admin of the record's home region for a grant.",
            "Bitten Sie eine Administratorin der Heimatregion um die Berechtigung.",
        ],
    ),
    row(
        "owned-by-system",
        StatusCode::FORBIDDEN,
        [
            "Another system supplies this record",
            "Ein anderes System liefert diesen Datensatz",
        ],
        [
            "Change the record in the system of its `external_id`: the next push from there would undo your change. An admin releases the records of a system by revoking the grant of its feeder.",
            "Ändern Sie den Datensatz in dem System seiner `external_id`: Die nächste Lieferung von dort höbe Ihre Änderung auf. Die Verwaltung gibt die Datensätze eines Systems frei, indem sie dessen Zulieferung die Berechtigung entzieht.",
        ],
    ),
    row(
        "insufficient-scope",
        StatusCode::FORBIDDEN,
        [
            "The scope of the token is not sufficient",
            "Das Token reicht dafür nicht",
        ],
        [
            "Get a token with the scope that WWW-Authenticate names.",
            "Holen Sie ein Token mit dem Scope, den WWW-Authenticate nennt.",
        ],
    ),
    row(
        "not-found",
        StatusCode::NOT_FOUND,
        ["Not found", "Nicht gefunden"],
        [
            "There is nothing here, or nothing that you may see. GET / lists the endpoints.",
            "Hier ist nichts, oder nichts, was Sie sehen dürfen. GET / nennt, was es gibt.",
        ],
    ),
    row(
        "method-not-allowed",
        StatusCode::METHOD_NOT_ALLOWED,
        ["Method not allowed", "Diese Methode gibt es hier nicht"],
        [
            "Use one of the methods in the Allow header.",
            "Nutzen Sie eine der Methoden aus dem Header Allow.",
        ],
    ),
    row(
        "not-acceptable",
        StatusCode::NOT_ACCEPTABLE,
        ["No such representation", "Diese Darstellung gibt es nicht"],
        [
            "Accept application/json, or leave Accept out.",
            "Akzeptieren Sie application/json, oder lassen Sie Accept weg.",
        ],
    ),
    row(
        "request-timeout",
        StatusCode::REQUEST_TIMEOUT,
        ["The body came too slowly", "Der Body kam zu langsam"],
        [
            "Nothing was changed. Send the body without pauses.",
            "Nichts wurde geändert. Senden Sie den Body ohne Pausen.",
        ],
    ),
    row(
        "rate-limited",
        StatusCode::TOO_MANY_REQUESTS,
        ["Too many requests", "Zu viele Anfragen"],
        [
            "Wait Retry-After seconds; RateLimit has the number of remaining requests.",
            "Warten Sie Retry-After Sekunden; RateLimit sagt, wie viele Anfragen übrig sind.",
        ],
    ),
    row(
        "origin-not-allowed",
        StatusCode::FORBIDDEN,
        [
            "Pages of this web origin may not send this",
            "Seiten dieser Web-Origin dürfen das nicht senden",
        ],
        [
            "Pages of any origin may read public data. For writing and tokens, the operator adds the origin to cors_origins.",
            "Öffentliches dürfen alle Seiten lesen. Zum Schreiben und für Tokens trägt der Betreiber die Origin in cors_origins ein.",
        ],
    ),
    row(
        "conflict",
        StatusCode::CONFLICT,
        [
            "Conflict with another record",
            "Ein anderer Datensatz steht im Weg",
        ],
        [
            "Change the value that must be unique, or change the other record instead.",
            "Ändern Sie den Wert, der eindeutig sein muss, oder stattdessen den anderen Datensatz.",
        ],
    ),
    row(
        "stale-plan",
        StatusCode::CONFLICT,
        [
            "The plan is outdated",
            "Der Plan entspricht nicht mehr dem, was geschähe",
        ],
        [
            "Nothing was changed: the snapshot or the directory has changed since. Plan again with dry_run=true, check the plan, and send its plan_hash.",
            "Nichts wurde geändert: Der Bestand oder das Verzeichnis ist jetzt ein anderer. Planen Sie neu mit dry_run=true, prüfen Sie den Plan, und senden Sie dessen plan_hash.",
        ],
    ),
    row(
        "deletion-threshold-exceeded",
        StatusCode::CONFLICT,
        [
            "The snapshot would delete too many records",
            "Der Bestand würde sehr viel löschen",
        ],
        [
            "Nothing was changed: more than 20 records and more than one in twenty would be deleted, or the snapshot is empty. If that is intended, an admin of the node sends it with confirm_deletes=true.",
            "Nichts wurde geändert: Mehr als 20 Datensätze und mehr als jeder zwanzigste fielen weg, oder der Bestand ist leer. Ist das richtig, sendet ihn die Verwaltung des Knotens mit confirm_deletes=true.",
        ],
    ),
    row(
        "idempotency-key-in-use",
        StatusCode::CONFLICT,
        [
            "A request with this Idempotency-Key is still being served",
            "Eine Anfrage mit diesem Idempotency-Key wird noch bearbeitet",
        ],
        [
            "Send it again after Retry-After seconds; it gets the response of the first one.",
            "Senden Sie sie nach Retry-After Sekunden erneut; die Antwort wird die der ersten sein.",
        ],
    ),
    row(
        "idempotency-key-reused",
        StatusCode::UNPROCESSABLE_ENTITY,
        [
            "The Idempotency-Key was used for another request",
            "Der Idempotency-Key wurde für eine andere Anfrage verwendet",
        ],
        [
            "Use a new key for a new request; to repeat a request, send method, URL and body as before.",
            "Nehmen Sie für eine neue Anfrage einen neuen Schlüssel; zum Wiederholen senden Sie Methode, URL und Body wie zuvor.",
        ],
    ),
    row(
        "ambiguous-slug",
        StatusCode::CONFLICT,
        [
            "Several partner regions have this slug",
            "Mehrere Partnerregionen haben diesen Slug",
        ],
        [
            "Use one of the ids in `candidates`.",
            "Nennen Sie den Datensatz mit einer der Ids in `candidates`.",
        ],
    ),
    row(
        "still-referenced",
        StatusCode::CONFLICT,
        [
            "Other records still reference this one",
            "Andere Datensätze nennen diesen noch",
        ],
        [
            "Change the records in `referenced_by` first.",
            "Ändern Sie zuerst die Datensätze in `referenced_by`.",
        ],
    ),
    row(
        "has-relationships",
        StatusCode::CONFLICT,
        [
            "The record has too many relationships",
            "Der Datensatz hat zu viele Beziehungen",
        ],
        [
            "Delete its relationships first; up to 400 are deleted with the record.",
            "Löschen Sie zuerst Beziehungen; bis zu 400 gehen mit dem Datensatz.",
        ],
    ),
    row(
        "gone",
        StatusCode::GONE,
        ["The record was deleted", "Der Datensatz wurde gelöscht"],
        [
            "Remove your copy; `tombstone` says when it was deleted.",
            "Entfernen Sie Ihre Kopie; `tombstone` sagt, wann er gelöscht wurde.",
        ],
    ),
    row(
        "version-gone",
        StatusCode::GONE,
        [
            "The version is no longer kept",
            "Die Version wird nicht mehr aufbewahrt",
        ],
        [
            "It was trimmed or erased, or is a deletion; the history lists the available versions.",
            "Sie wurde gekürzt oder getilgt oder ist eine Löschung; der Verlauf nennt, was es gibt.",
        ],
    ),
    row(
        "resync-required",
        StatusCode::GONE,
        [
            "The feed must be read from scratch",
            "Der Abgleich muss neu beginnen",
        ],
        [
            "Read all records again, beginning at `resync_url`; remove copies that are not reported there.",
            "Übernehmen Sie alles neu, beginnend bei `resync_url`; was dort nicht vorkommt, ist zu entfernen.",
        ],
    ),
    row(
        "applications-closed",
        StatusCode::CONFLICT,
        [
            "The network accepts no applications",
            "Das Netzwerk nimmt keine Anträge an",
        ],
        [
            "Only published networks whose `joining.open` is not false accept applications.",
            "Nur veröffentlichte Netzwerke, deren `joining.open` nicht false ist, nehmen Anträge an.",
        ],
    ),
    row(
        "too-many-applications",
        StatusCode::TOO_MANY_REQUESTS,
        [
            "The network has received too many applications",
            "Das Netzwerk hat zu viele Anträge erhalten",
        ],
        [
            "Try again after Retry-After seconds, or write to the network.",
            "Versuchen Sie es nach Retry-After Sekunden erneut, oder schreiben Sie dem Netzwerk.",
        ],
    ),
    row(
        "moved",
        StatusCode::PERMANENT_REDIRECT,
        ["The record has moved", "Der Datensatz ist jetzt woanders"],
        [
            "Follow Location and store the new address.",
            "Folgen Sie Location und merken Sie sich die neue Adresse.",
        ],
    ),
    row(
        "precondition-failed",
        StatusCode::PRECONDITION_FAILED,
        [
            "The record has changed since you read it",
            "Der Datensatz wurde seither geändert",
        ],
        [
            "Read the record again, apply your change to it, and send its new ETag in If-Match.",
            "Lesen Sie den Datensatz neu, ändern Sie ihn und senden Sie sein neues ETag in If-Match.",
        ],
    ),
    row(
        "precondition-required",
        StatusCode::PRECONDITION_REQUIRED,
        ["If-Match is required", "If-Match ist nötig"],
        [
            "Send the ETag of the version that you read in If-Match, so that no change is lost.",
            "Senden Sie das ETag der gelesenen Version in If-Match, damit keine fremde Änderung verloren geht.",
        ],
    ),
    row(
        "payload-too-large",
        StatusCode::PAYLOAD_TOO_LARGE,
        ["The body is too large", "Der Body ist zu groß"],
        [
            "A record may have 256 KiB, a geometry 4 MiB.",
            "Ein Datensatz darf 256 KiB haben, eine Geometrie 4 MiB.",
        ],
    ),
    row(
        "uri-too-long",
        StatusCode::URI_TOO_LONG,
        ["The URL is too long", "Die URL ist zu lang"],
        [
            "Keep the URL under 8 KiB; use several requests.",
            "Halten Sie die URL unter 8 KiB; fragen Sie in mehreren Anfragen.",
        ],
    ),
    row(
        "unsupported-media-type",
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        [
            "Unsupported content type",
            "Dieser Inhaltstyp wird nicht verstanden",
        ],
        [
            "Send application/json (PATCH: application/merge-patch+json).",
            "Senden Sie application/json (PATCH: application/merge-patch+json).",
        ],
    ),
    row(
        "validation-failed",
        StatusCode::UNPROCESSABLE_ENTITY,
        ["The body is not valid", "Der Body ist nicht gültig"],
        [
            "Correct everything in `errors`; the list is complete.",
            "Berichtigen Sie jede Stelle in `errors`; mehr ist es nicht.",
        ],
    ),
    row(
        "items-refused",
        StatusCode::UNPROCESSABLE_ENTITY,
        [
            "Some items were rejected",
            "Einige Einträge wurden abgelehnt",
        ],
        [
            "Nothing was changed. Correct the items in `items`, or apply the others only: a push with mode=each, a snapshot with skip_refused=true if each line has a key.",
            "Nichts wurde geändert. Berichtigen Sie die Einträge in `items`, oder lassen Sie die übrigen ausführen: eine Lieferung mit mode=each, einen Bestand mit skip_refused=true, wenn jede Zeile einen Schlüssel hat.",
        ],
    ),
    row(
        "busy",
        StatusCode::SERVICE_UNAVAILABLE,
        ["The database is busy", "Die Datenbank ist überlastet"],
        [
            "Nothing was changed. Try again after Retry-After seconds.",
            "Nichts wurde geändert. Versuchen Sie es nach Retry-After Sekunden erneut.",
        ],
    ),
    row(
        "storage-full",
        StatusCode::INSUFFICIENT_STORAGE,
        [
            "No space left for writing",
            "Zum Schreiben ist kein Platz mehr",
        ],
        [
            "Nothing was changed. The operator has to free space on the disk; try again after Retry-After seconds.",
            "Nichts wurde geändert. Der Betreiber muss auf der Platte Platz schaffen; versuchen Sie es nach Retry-After Sekunden erneut.",
        ],
    ),
    row(
        "storage-failing",
        StatusCode::SERVICE_UNAVAILABLE,
        [
            "The storage of the server is failing",
            "Der Speicher des Servers versagt",
        ],
        [
            "Nothing was changed. The operator has to check the disk; try again after Retry-After seconds.",
            "Nichts wurde geändert. Der Betreiber muss sich die Platte ansehen; versuchen Sie es nach Retry-After Sekunden erneut.",
        ],
    ),
    row(
        "index-behind",
        StatusCode::SERVICE_UNAVAILABLE,
        [
            "The search index is not up to date yet",
            "Der Suchindex ist noch nicht auf dem Stand",
        ],
        [
            "The latest writes are not searchable yet. Try again after Retry-After seconds; records are available by id already.",
            "Zuletzt Geschriebenes ist noch nicht auffindbar. Versuchen Sie es nach Retry-After Sekunden erneut; Datensätze über ihre Id sind schon da.",
        ],
    ),
    row(
        "internal",
        StatusCode::INTERNAL_SERVER_ERROR,
        ["The server failed", "Der Server hat versagt"],
        [
            "This is a fault of the server. Report the request_id to the operator.",
            "Das liegt an uns, nicht an Ihnen. Nennen Sie dem Betreiber die request_id.",
        ],
    ),
];
