use crate::http::problem::{Code, Problem};
use actix_web::http::header;
use domain::base::json::insert;
use domain::base::vocabulary::Coded;
use domain::exchange::sync::ResyncReason;
use domain::value::reference::RecordRef;
use persistence::StoreError;
use persistence::error::{Conflict, Denied, Tombstone, Unique};
use serde_json::json;
use std::io::ErrorKind;

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Invalid(errors) => invalid(errors),
            StoreError::TooLarge { size, limit } => Self::new(Code::PayloadTooLarge).detail(
                format!("The record would have {size} bytes; it may have {limit}."),
                format!("Der Datensatz hätte {size} Bytes; er darf {limit} haben."),
            ),
            StoreError::NotFound => Self::new(Code::NotFound),
            StoreError::Gone(tombstone) => gone(&tombstone),
            StoreError::Moved { to } => Self::new(Code::Moved).member("moved_to", json!(to)),
            StoreError::AmbiguousSlug { candidates } => {
                Self::new(Code::AmbiguousSlug).member("candidates", json!(candidates))
            }
            StoreError::Forbidden(denied) => forbidden(denied),
            StoreError::Conflict(conflict) => in_the_way(&conflict),
            StoreError::PreconditionFailed { current } => stale(current),
            StoreError::OutOfOrder { given, stored } => Self::new(Code::PreconditionFailed).detail(
                format!("`system_version` {given} is older than {stored}, which the system sent before."),
                format!("`system_version` {given} ist älter als {stored}, was das System schon gesendet hat."),
            ),
            StoreError::StillReferenced { by, total, hidden } => {
                still_referenced(&by, total, hidden)
            }
            StoreError::UnknownReference { parameter, value } => {
                Self::new(Code::UnknownReference).detail(
                    format!("`{parameter}={value}` references nothing that you may see; use an id, a slug or kind/slug."),
                    format!("`{parameter}={value}` nennt nichts, was Sie sehen dürfen; richtig ist eine Id, ein Slug oder kind/slug."),
                )
                .correct(parameter, Some(&value), None)
            }
            StoreError::VersionGone => Self::new(Code::VersionGone),
            StoreError::NotSuperseded { version } => Self::new(Code::InvalidParameter).detail(
                format!("`version={version}` is the newest version; change the record first, or erase all of it."),
                format!("`version={version}` ist die neueste Fassung; ändern Sie zuerst den Datensatz, oder tilgen Sie ihn ganz."),
            ),
            StoreError::ApplicationsClosed => Self::new(Code::ApplicationsClosed),
            StoreError::TooManyApplications => {
                Self::new(Code::TooManyApplications).header(header::RETRY_AFTER, "3600")
            }
            StoreError::KeyReused => Self::new(Code::IdempotencyKeyReused),
            StoreError::KeyInUse => {
                Self::new(Code::IdempotencyKeyInUse).header(header::RETRY_AFTER, "1")
            }
            StoreError::ResponseErased => Self::new(Code::Gone).detail(
                "The record that this request created has been erased. To create it again, use a new Idempotency-Key.",
                "Was diese Anfrage schon einmal angelegt hat, wurde inzwischen getilgt. Um es neu anzulegen, nehmen Sie einen neuen Idempotency-Key.",
            ),
            StoreError::TooBroad { parameter, most } => Self::new(Code::InvalidParameter).detail(
                format!("`{parameter}` means too much, with everything below it: the conditions of a query may expand to {most} terms. Name smaller regions, topics or networks, or fewer."),
                format!("`{parameter}` meint mit allem, was darunter liegt, zu viel: Die Bedingungen einer Anfrage dürfen {most} Terme ergeben. Nennen Sie kleinere Regionen, Themen oder Netzwerke, oder weniger."),
            ),
            StoreError::TooManyWords(most) => Self::new(Code::InvalidParameter).detail(
                format!("`q` has too many words; it may have {most} words and phrases."),
                format!("`q` hat zu viele Wörter; erlaubt sind {most} Wörter und Wortfolgen."),
            ),
            // The client has gone.
            StoreError::Abandoned => Self::new(Code::Overloaded),
            StoreError::Overloaded => Self::new(Code::Overloaded).header(header::RETRY_AFTER, "1"),
            StoreError::Behind => Self::new(Code::IndexBehind).header(header::RETRY_AFTER, "1"),
            StoreError::Resync(reason) => resync(reason),
            StoreError::BadCursor => Self::new(Code::InvalidCursor),
            StoreError::Busy(cause) => {
                tracing::warn!(error = %cause, "database busy, retries exhausted");
                Self::new(Code::Busy).header(header::RETRY_AFTER, "1")
            }
            StoreError::Unconfirmed(cause) => {
                tracing::error!(error = %cause, "database connection lost during a commit");
                unconfirmed()
            }
            StoreError::StorageFull(cause) => {
                tracing::error!(error = %cause, "no space left for the database");
                storage_full()
            }
            StoreError::StorageFailing(cause) => {
                tracing::error!(error = %cause, "database storage failing");
                storage_failing()
            }
            StoreError::Database(cause) => {
                tracing::error!(error = %cause, "database error");
                Self::new(Code::Internal)
            }
            StoreError::Outdated => {
                tracing::error!("a newer release writes to this database; stop this one");
                Self::new(Code::Busy).header(header::RETRY_AFTER, STORAGE_RETRY)
            }
            StoreError::LeaseLost => Self::new(Code::Busy).header(header::RETRY_AFTER, "1"),
            StoreError::Partner(cause)
            | StoreError::Corrupt(cause) | StoreError::Setup(cause) | StoreError::Search(cause) => {
                tracing::error!(error = cause, "store error");
                Self::new(Code::Internal)
            }
        }
    }
}

/// Seconds before callers retry if storage is full or fails.
const STORAGE_RETRY: &str = "10";

fn storage_full() -> Problem {
    Problem::new(Code::StorageFull).header(header::RETRY_AFTER, STORAGE_RETRY)
}

fn storage_failing() -> Problem {
    Problem::new(Code::StorageFailing).header(header::RETRY_AFTER, STORAGE_RETRY)
}

impl Problem {
    /// A file of the server could not be written or read.
    pub(crate) fn of_file(cause: &std::io::Error) -> Self {
        tracing::error!(error = %cause, "cannot use a temporary file");
        match cause.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => storage_full(),
            _ => storage_failing(),
        }
    }
}

fn unconfirmed() -> Problem {
    Problem::new(Code::Busy)
        .detail(
            "The connection to the database was lost while the change was being committed, so it may or may not have taken effect. Read the record before you try again; a request with an Idempotency-Key can simply be repeated.",
            "Die Verbindung zur Datenbank brach ab, während die Änderung bestätigt wurde; sie kann wirksam geworden sein oder nicht. Lesen Sie den Datensatz, bevor Sie es erneut versuchen; eine Anfrage mit Idempotency-Key kann einfach wiederholt werden.",
        )
        .header(header::RETRY_AFTER, "1")
}

/// 410 with the reason; the route adds the address for a fresh start.
fn resync(reason: ResyncReason) -> Problem {
    let labels = reason.labels();
    Problem::new(Code::ResyncRequired)
        .detail(
            format!(
                "The cursor is no longer valid: {}. Start from scratch at `resync_url`.",
                labels.en
            ),
            format!(
                "Der Cursor gilt nicht mehr: {}. Beginnen Sie neu bei `resync_url`.",
                labels.de
            ),
        )
        .member("reason", json!(reason))
}

pub(crate) fn invalid(errors: Vec<domain::base::fault::FieldError>) -> Problem {
    let count = errors.len();
    let problem = Problem::new(Code::ValidationFailed).errors(errors);
    match count {
        1 => problem.detail(
            "One error in the body must be corrected; see `errors`.",
            "Eine Stelle im Body muss berichtigt werden; siehe `errors`.",
        ),
        more => problem.detail(
            format!("{more} errors in the body must be corrected; see `errors`."),
            format!("{more} Stellen im Body müssen berichtigt werden; siehe `errors`."),
        ),
    }
}

fn stale(current: i64) -> Problem {
    let problem = Problem::new(Code::PreconditionFailed);
    if current == 0 {
        return problem.detail(
            "There is nothing here yet; create it with If-None-Match: *.",
            "Hier ist noch nichts; legen Sie es mit If-None-Match: * an.",
        );
    }
    let tag = format!("\"{current}\"");
    problem
        .detail(
            format!("The current version is {tag}. Read it again, apply your change, and send If-Match: {tag}."),
            format!("Die aktuelle Version ist {tag}. Lesen Sie neu, ändern Sie, und senden Sie If-Match: {tag}."),
        )
        .member("current", json!(current))
        .header(header::ETAG, &tag)
}

/// Records that the caller may not see are not counted.
fn still_referenced(by: &[RecordRef], total: usize, hidden: bool) -> Problem {
    let problem = Problem::new(Code::StillReferenced)
        .member("referenced_by", json!(by))
        .member("total", json!(total));
    let (en, de) = (
        format!("{total} records still reference this one; change those in `referenced_by` first."),
        format!("{total} Datensätze nennen diesen noch; ändern Sie zuerst die in `referenced_by`."),
    );
    let (hidden_en, hidden_de) = (
        "Records that you may not see reference this one; ask an admin of this node.",
        "Datensätze, die Sie nicht sehen dürfen, nennen diesen; fragen Sie, wer diesen Knoten verwaltet.",
    );
    match (total, hidden) {
        (_, false) => problem.detail(en, de),
        (0, true) => problem.detail(hidden_en, hidden_de),
        (_, true) => problem.detail(format!("{en} {hidden_en}"), format!("{de} {hidden_de}")),
    }
}

fn gone(tombstone: &Tombstone) -> Problem {
    let envelope = &tombstone.envelope;
    let mut stone = json!({
        "id": envelope.id,
        "kind": envelope.kind,
        "origin": envelope.origin,
        "version": envelope.version,
        "deleted_at": domain::base::clock::rfc3339(envelope.updated_at),
        "cause": tombstone.cause,
    });
    if let Some(into) = tombstone.merged_into {
        insert(&mut stone, &["merged_into"], json!(into));
    }
    Problem::new(Code::Gone).member("tombstone", stone)
}

fn forbidden(denied: Denied) -> Problem {
    let (reason, en, de) = match denied {
        Denied::Region => (
            "home-region",
            "The record belongs to a region for which you have no editor's grant.",
            "Der Datensatz gehört einer Region, für die Sie keine Redaktionsrechte haben.",
        ),
        Denied::Homeless => (
            "no-home-region",
            "Records without a home region, such as topics, belong to the admin.",
            "Datensätze ohne Heimatregion, etwa Themen, pflegt die Verwaltung.",
        ),
        Denied::Publish => (
            "publication",
            "Only an approver of the region moves records into or out of `published`, or published ones to another region; send `\"publication\": \"review\"` instead.",
            "Nur wer Freigaberechte hat, setzt Datensätze auf `published`, nimmt sie zurück oder verschiebt veröffentlichte in eine andere Region; senden Sie stattdessen `\"publication\": \"review\"`.",
        ),
        Denied::RegionTree => (
            "region-tree",
            "Only an admin of the whole node changes the tree of regions, since grants follow it.",
            "Nur die Verwaltung des ganzen Knotens ändert, welche Region Teil welcher ist, denn Rechte folgen diesem Baum.",
        ),
        Denied::Copy => (
            "copy",
            "The record is a copy; it is written at its origin only.",
            "Der Datensatz ist eine Kopie; geschrieben wird er nur an seinem Ursprung.",
        ),
        Denied::OwnEnd => (
            "own-end",
            "Writing a relationship needs an editor's grant for one of its ends.",
            "Für eine Beziehung brauchen Sie Redaktionsrechte an einem ihrer Enden.",
        ),
        Denied::End => (
            "end",
            "Only an approver of the record at an end makes statements for it, if it is a record of this node.",
            "Für ein Ende spricht nur, wer Freigaberechte an dem Datensatz dort hat, wenn es ein Datensatz dieses Knotens ist.",
        ),
        Denied::Hide => (
            "hide",
            "Copies are hidden by an approver of their home region or by an admin.",
            "Kopien blendet aus, wer Freigaberechte in ihrer Heimatregion hat, oder die Verwaltung.",
        ),
        Denied::NotACopy => (
            "own-record",
            "The record is this node's own; only copies are hidden. Change its `publication` instead.",
            "Der Datensatz gehört diesem Knoten; nur Kopien werden ausgeblendet. Ändern Sie stattdessen seine `publication`.",
        ),
        Denied::OwnedBySystem => return Problem::new(Code::OwnedBySystem),
        Denied::Admin => (
            "admin",
            "Only an admin of the whole node may do this.",
            "Das darf nur die Verwaltung des ganzen Knotens.",
        ),
    };
    Problem::new(Code::Forbidden)
        .detail(en, de)
        .member("reason", json!(reason))
}

fn in_the_way(conflict: &Conflict) -> Problem {
    let value = &conflict.value;
    let (what, en, de) = match conflict.what {
        Unique::Slug => (
            "slug",
            format!("Another record of this kind has the slug \"{value}\"; choose another or leave it out."),
            format!("Ein anderer Datensatz dieser Art hat den Slug „{value}“; wählen Sie einen anderen oder lassen Sie ihn weg."),
        ),
        Unique::ExternalId => (
            "external_id",
            format!("Another record of this kind has the external id {value}; change that record instead."),
            format!("Ein anderer Datensatz dieser Art hat die externe Id {value}; ändern Sie stattdessen diesen."),
        ),
        Unique::Identifier => (
            "identifier",
            format!("Another record has the identifier {value}; if both are one real thing, keep one record."),
            format!("Ein anderer Datensatz hat die Kennung {value}; sind beide dasselbe, genügt ein Datensatz."),
        ),
        Unique::Relationship => (
            "relationship",
            "The same relationship exists already: type, ends, roles and start are equal, and neither has a stated end.".to_owned(),
            "Diese Beziehung gibt es schon: Typ, Enden, Rollen und Beginn sind gleich, und keine hat ein Ende.".to_owned(),
        ),
        Unique::Merged => (
            "merged",
            format!("The record {value} was merged into another one; change that one instead, or undo the merge."),
            format!("Der Datensatz {value} wurde mit einem anderen zusammengeführt; ändern Sie stattdessen diesen, oder nehmen Sie die Zusammenführung zurück."),
        ),
        Unique::AccountName => (
            "name",
            format!("Another account or client is called \"{value}\"; choose another name."),
            format!("Ein anderes Konto oder Programm heißt „{value}“; wählen Sie einen anderen Namen."),
        ),
        Unique::PartnerName => (
            "name",
            format!("Another partner is called \"{value}\"; choose another name."),
            format!("Ein anderer Partner heißt „{value}“; wählen Sie einen anderen Namen."),
        ),
        Unique::WebhookName => (
            "name",
            format!("Another webhook is called \"{value}\"; choose another name."),
            format!("Ein anderer Webhook heißt „{value}“; wählen Sie einen anderen Namen."),
        ),
        Unique::Subject => (
            "subject",
            format!("The subject \"{value}\" of this issuer has an account already; change that one."),
            format!("Das Subject „{value}“ dieses Issuers hat schon ein Konto; ändern Sie dieses."),
        ),
    };
    let problem = Problem::new(Code::Conflict)
        .detail(en, de)
        .member("pointer", json!(conflict.field))
        .member("unique", json!(what));
    match conflict.other {
        Some(other) => problem.member("other", json!(other)),
        None => problem,
    }
}
