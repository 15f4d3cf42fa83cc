//! Descriptions of the operations; the summaries are their titles.

use crate::formats::Format;
use crate::operation::media_type::Formats;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::validation::body::KindSchema;

/// The description of an operation; a test requires one for each. Operations of every kind have
/// `{kind}` or `{kinds}` in place of theirs.
#[must_use]
pub(super) fn of(id: &str, kind: Option<Kind>) -> String {
    let Some(kind) = kind else {
        return find(id).unwrap_or_default().to_owned();
    };
    let (one, many) = (kind.code(), kind.plural());
    let generic = if id.contains(many) {
        id.replace(many, "{kinds}")
    } else {
        id.replace(one, "{kind}")
    };
    let text = find(id).or_else(|| find(&generic)).unwrap_or_default();
    text.replace("{a}", KindSchema::of(kind).a)
        .replace("{kinds}", many)
        .replace("{kind}", one)
}

/// A description with the formats that have a path of their own.
#[must_use]
pub(super) fn with_formats(text: &str, path: &str, offered: Formats) -> String {
    let others = offered.of_paths().map(Formats::default);
    let others = others.map(|format| {
        let (name, extension) = (format.name(), format.extension());
        let accept = format.media_type();
        format!(
            " As {name} it is at `{path}.{extension}`, or here with `format={extension}` or `Accept: {accept}`."
        )
    });
    std::iter::once(text.to_owned()).chain(others).collect()
}

/// The description of an operation at the path of a format.
#[must_use]
pub(super) fn in_format(path: &str, format: &dyn Format) -> String {
    format!("Returns the same as `{path}`, as {}.", format.about())
}

fn find(id: &str) -> Option<&'static str> {
    let found = DESCRIPTIONS.iter().find(|(name, _)| *name == id);
    found.map(|(_, text)| *text)
}

/// By operation id.
const DESCRIPTIONS: &[(&str, &str)] = &[
    // The records of a kind.
    (
        "list_{kinds}",
        "Returns a page of the {kinds} that you may see, with the exact total. Filters are combined with AND; within one, a comma is OR. `facets` counts values among everything that matches. Follow `next` for further pages.",
    ),
    (
        "create_{kind}",
        "Creates {a} that this node owns. Everything wrong with the body is reported at once. With `dry_run=true` everything is checked and nothing written: the answer is 200 with `id: null`. Send an `Idempotency-Key` so that a repeated request creates nothing twice.",
    ),
    (
        "get_{kind}",
        "Returns {a} by its id or slug. The canonical record has a strong `ETag`, its version; with `lang`, `fields` or `include` the tag is weak. A former slug is answered with 308, a deleted record with 410 and its tombstone. A browser, which prefers `text/html`, gets 303 to the page of the record unless `format` is given.",
    ),
    (
        "replace_{kind}",
        "Replaces the whole body of {a}: members that are left out are removed. `If-Match` names the version that the change is based on. A body that changes nothing makes no new version.",
    ),
    (
        "patch_{kind}",
        "Changes single members of {a} by a JSON merge patch (RFC 7396): what is left out stays, `null` removes, a list is replaced whole. `If-Match` names the version that the change is based on. `application/json` is taken as the media type too.",
    ),
    (
        "delete_{kind}",
        "Deletes {a} and leaves a tombstone. Its relationships are deleted with it. A record that others still name is not deleted: the answer lists them.",
    ),
    (
        "list_{kind}_relationships",
        "Returns the relationships of {a} in which it is either end, labelled as they read from it, with the other end in short.",
    ),
    (
        "merge_{kind}",
        "Merges this record into another of its kind, which stays as it is. Requests for this one are answered with the other from then on; relationships of both are shown there. Can be undone.",
    ),
    (
        "diff_{kind}_version",
        "Returns what leads from one version of {a} to another, as a JSON patch (RFC 6902) between their bodies.",
    ),
    (
        "restore_{kind}_version",
        "Writes {a} again as it was in an earlier version, as a new version. Publication, slug and the key of its system stay as they are.",
    ),
    (
        "restore_{kind}",
        "Brings back {a} that was deleted, with its last body and the relationships that were deleted with it; what stays deleted is named. Contact persons and geometries are not kept by a deletion. If the record is there again, what is left of its relationships is restored.",
    ),
    (
        "unmerge_{kind}",
        "Brings back {a} that was merged into another one, with its own relationships.",
    ),
    (
        "list_{kind}_history",
        "Returns the versions of {a}, newest first, as far as you may see them: what happened, when, and why. The account that made a change is only shown to those who may read its drafts.",
    ),
    (
        "get_{kind}_version",
        "Returns {a} as it was in one version, if that version was public or you may read drafts; with the current names of members, and `Verbund-Upgraded: true` if it had others. Versions that were pruned or erased are answered with 410.",
    ),
    (
        "hide_{kind}",
        "Hides a record that came from a partner from everybody who reads this node; the partner's record and later updates are not affected. This node's own records are not hidden but unpublished.",
    ),
    (
        "unhide_{kind}",
        "Shows a record from a partner again that was hidden here.",
    ),
    (
        "list_{kind}_contact_persons",
        "Returns the people to ask about {a}. Everybody sees those who agreed to be shown, for as long as their consent is valid; editors of the record see all of them.",
    ),
    (
        "create_{kind}_contact_person",
        "Adds a person to ask about {a}, with purpose and consent. Contact persons are no part of the record: they are neither logged nor fed to partners. With `dry_run=true` nothing is written.",
    ),
    (
        "erase_{kind}",
        "Erases a record permanently with its history, its contact persons and everything that the log still holds of it; or, with `version`, what one earlier version said. Partners erase it too. Cannot be undone.",
    ),
    // Operations of a single kind.
    (
        "apply_to_network",
        "Applies for membership in a network that takes applications. Needs no account. Editors of the network read the application; it is deleted after a while.",
    ),
    (
        "list_network_applications",
        "Returns the applications for a network to its editors, newest first.",
    ),
    (
        "erase_network_application",
        "Erases an application permanently, once it is dealt with or on request of the applicant.",
    ),
    (
        "get_region_geometry",
        "Returns the area of a region as a GeoJSON geometry, if one was written.",
    ),
    (
        "put_region_geometry",
        "Writes the area of a region: a GeoJSON Polygon or MultiPolygon. Send `If-None-Match: *` for the first one, and `If-Match` with its tag to replace it.",
    ),
    (
        "list_relationships",
        "Returns relationships across the whole node: by type, roles, either end, kind, and the day on which they hold. Ends may be records, classes of records or wordings of the source.",
    ),
    (
        "get_relationship_confirmation",
        "Returns what either end of a relationship has stated of it: confirmed, disputed, or nothing.",
    ),
    (
        "put_relationship_confirmation",
        "States in the name of an end whether a relationship is right. Takes an approver of the region of that end; a disputed relationship is no longer public.",
    ),
    // Finding.
    (
        "search",
        "Searches records of all kinds (but relationships) as people type: umlauts, compounds, inflections and typos are understood. Narrow by `kind` and the filters that all kinds share.",
    ),
    (
        "suggest",
        "Returns completions of what was typed so far, best first, with the matching parts marked.",
    ),
    (
        "get_graph",
        "Returns the records and relationships around a record, up to three steps away, as vertices and edges for diagrams. `truncated` says whether the limits left something out.",
    ),
    (
        "export",
        "Streams every record that matches: as lines of NDJSON that `import` takes back, as a CSV table of one kind, or as GeoJSON. Takes the filters of the lists.",
    ),
    (
        "import",
        "Creates and replaces many records from NDJSON or a CSV table, each line for itself: lines that are refused do not stop the others, and the answer reports them. With `external_id`, repeating an import is harmless. `dry_run=true` writes nothing.",
    ),
    (
        "list_duplicates",
        "Returns pairs of records that are likely one thing, likeliest first, with what speaks for and against it and what to do about it.",
    ),
    // Exchange.
    (
        "get_sync",
        "Describes the feed of this node: who it is, how far its log goes, where changes, digests and records are.",
    ),
    (
        "list_sync_changes",
        "Returns first every published record, then every change in order, page by page. Keep the `next` of the last page and come back with it; `wait` holds the request until something happens. A cursor that no longer works is answered with 410 and `resync_url`.",
    ),
    (
        "get_sync_digest",
        "Returns a count and a digest per kind of what the feed holds, so that a consumer can tell whether its copy is complete.",
    ),
    (
        "list_sync_ids",
        "Returns id, version and hash of everything that the feed holds, for finding what differs after a digest did.",
    ),
    (
        "get_sync_records",
        "Returns records of the feed by their ids, for repairing a copy.",
    ),
    (
        "push_records",
        "Takes records of a supplying system under that system's own keys: items are created, changed, deleted or left alone, all or none.",
    ),
    (
        "push_snapshot",
        "Receives all records of a supplying system. First send them with `dry_run=true` and look at the plan; then send them again with the `plan_hash` to apply exactly that. Records that are missing from it are deleted.",
    ),
    (
        "get_columns",
        "Returns what the columns of the system's tables of a kind mean, beyond what their headings tell. Snapshots of the system use it, and imports with `source`.",
    ),
    (
        "set_columns",
        "Stores what the columns of the system's tables of a kind mean: a member for a heading, `null` to leave a column out, and values that are the same in every row.",
    ),
    (
        "list_partners",
        "Returns the nodes that this one copies records from, and the state of each.",
    ),
    (
        "create_partner",
        "Starts copying the records of another node from its feed.",
    ),
    (
        "get_partner",
        "Returns a partner: its position, delay, errors, and entries in quarantine.",
    ),
    (
        "patch_partner",
        "Changes the address, kinds or origin of a partner, or pauses and resumes it.",
    ),
    (
        "delete_partner",
        "Stops copying from a partner. Its copies stay unless `with_copies=true`.",
    ),
    (
        "approve_partner_deletions",
        "Approves deletions that were held back because a partner suddenly removed many records.",
    ),
    (
        "list_webhooks",
        "Returns the receivers that are notified of changes, and how deliveries to each go.",
    ),
    (
        "create_webhook",
        "Adds a receiver of notifications (Standard Webhooks). The secret that signs them is only in this answer.",
    ),
    (
        "get_webhook",
        "Returns a webhook with its filters, state and latest failure.",
    ),
    (
        "patch_webhook",
        "Changes address or filters of a webhook, or disables and enables it.",
    ),
    (
        "delete_webhook",
        "Deletes a webhook together with its pending and past deliveries.",
    ),
    (
        "list_{kind}_events",
        "Returns the events that {a} takes part in, organises, or is the subject of, with the filters of events. As a calendar it is at the same path with `.ics`.",
    ),
    (
        "list_event_events",
        "Returns the events that an event is related to: those of its series, and those that it reports on, with the filters of events. As a calendar it is at the same path with `.ics`.",
    ),
    (
        "list_changes_atom",
        "Returns what changed among the public records here, own ones and copies, newest first and each record once, as an Atom feed (RFC 4287). What is no longer public is a `deleted-entry` (RFC 6721). Feeds for people: programs that keep a copy follow `/v1/sync/changes`.",
    ),
    (
        "rotate_webhook",
        "Issues a new secret, which is only in this answer. The former one signs as well for another 24 hours.",
    ),
    (
        "list_webhook_deliveries",
        "Returns the deliveries of a webhook with their attempts, newest changes first.",
    ),
    (
        "replay_webhook_delivery",
        "Sends one delivery again, whatever became of it.",
    ),
    (
        "replay_webhook",
        "Sends everything again that changed since an entry of the log or a moment. If the answer is not `complete`, continue from `through`.",
    ),
    // People and access.
    (
        "get_contact_person",
        "Returns a contact person by id: what the public may see, or everything for editors of the record.",
    ),
    (
        "patch_contact_person",
        "Changes single members of a contact person by a JSON merge patch (RFC 7396).",
    ),
    (
        "delete_contact_person",
        "Deletes a contact person permanently. No history is kept.",
    ),
    (
        "export_personal_data",
        "Returns everything that this node holds about a person, as the answer to a request under Art. 15 GDPR.",
    ),
    (
        "list_accounts",
        "Returns the accounts of people, page by page.",
    ),
    (
        "create_account",
        "Creates an account for a person, with its grants. The password may be set here or left to an OpenID Connect issuer.",
    ),
    ("get_account", "Returns an account with its grants."),
    (
        "patch_account",
        "Changes the grants of an account by a JSON merge patch, or disables it.",
    ),
    (
        "delete_account",
        "Deletes an account. Its tokens stop working at once; the log keeps its id.",
    ),
    (
        "list_clients",
        "Returns the clients of programs, page by page.",
    ),
    (
        "create_client",
        "Creates a client for a program. Its secret is only in this answer.",
    ),
    ("get_client", "Returns a client with its grants."),
    (
        "patch_client",
        "Changes the grants of a client by a JSON merge patch, or disables it.",
    ),
    (
        "delete_client",
        "Deletes a client. Its tokens stop working at once; the log keeps its id.",
    ),
    (
        "get_me",
        "Returns the account that your token proves, its grants, and what the token allows of them.",
    ),
    (
        "put_password",
        "Sets another password for your own account. Guesses of the current one count as failed attempts to sign in.",
    ),
    (
        "create_token",
        "Issues a bearer token for a name and password or a client's id and secret (OAuth 2.0). Errors follow RFC 6749.",
    ),
    (
        "get_jwks",
        "Returns the public keys (RFC 7517) with which others can verify the tokens of this node.",
    ),
    (
        "get_authorization_server",
        "Returns the metadata of this node as an authorization server (RFC 8414).",
    ),
    // The node.
    (
        "get_service",
        "Returns name, version and origin of this node, and the addresses and limits of its parts. A browser, which prefers `text/html`, gets the first page of the explorer.",
    ),
    (
        "list_vocabularies",
        "Returns every closed vocabulary with its codes and their labels in German and English.",
    ),
    (
        "get_vocabulary",
        "Returns one closed vocabulary. That of relationship types also tells which kinds each type joins, and in which roles.",
    ),
    (
        "get_problem",
        "Explains a problem by the code in its `type`: what it means and what to do about it.",
    ),
    (
        "list_audit",
        "Returns the log of changes of the whole node to its admins, newest first.",
    ),
    (
        "get_ogc",
        "Returns the landing page of OGC API – Features: the address that QGIS, GDAL and other programs for maps ask for.",
    ),
    (
        "get_ogc_conformance",
        "Returns the parts of OGC API – Features that are offered: core and GeoJSON.",
    ),
    (
        "list_ogc_collections",
        "Returns the collections of features, one for each kind of record.",
    ),
    (
        "get_ogc_{kinds}",
        "Describes the collection of {kinds}: its coordinates and the address of its features.",
    ),
    (
        "list_ogc_{kinds}",
        "Returns a page of {kinds} as features with the exact number of matches; `bbox` and `datetime` filter. A record without a known place has no geometry.",
    ),
    ("get_ogc_{kind}", "Returns {a} as a feature."),
    (
        "get_reconciliation",
        "Returns the manifest of the reconciliation service (W3C Entity Reconciliation Community Group, 0.2), or with `queries` the candidates for a batch of names. Its address is what OpenRefine asks for.",
    ),
    (
        "reconcile",
        "Returns candidates for a batch of names, identifiers, former names or acronyms, best first, with a score from 0 to 100. A candidate is a `match` if it is safe to take it unseen: it alone has 95 or more, and the next one has at most 80.",
    ),
    (
        "suggest_entities",
        "Suggests records from the first letter on, for choosing one by hand.",
    ),
    ("suggest_types", "Suggests the kinds of records."),
    (
        "suggest_properties",
        "Suggests what a query may state in addition to the name.",
    ),
    (
        "get_catalogue_jsonld",
        "Returns the catalogue for data portals by DCAT-AP.de 3.0 as JSON-LD: a dataset per kind with its distributions, and this API as a data service.",
    ),
    (
        "get_catalogue_rdf",
        "Returns the catalogue for data portals by DCAT-AP.de 3.0 as RDF/XML, which harvesters read.",
    ),
    (
        "get_sitemap_index",
        "Returns the addresses of the sitemaps of this node's own public records.",
    ),
    (
        "get_sitemap",
        "Returns the addresses of public records of a kind, and when they changed. The index has the names of the sitemaps.",
    ),
    (
        "get_robots",
        "Returns what crawlers should leave alone, and the address of the sitemaps.",
    ),
    (
        "get_security",
        "Returns how to report a weakness of this node (RFC 9116), if its operator has set `contact_email`.",
    ),
    (
        "get_context",
        "Returns the context of this node's JSON-LD: what the names in it mean.",
    ),
    (
        "get_health_live",
        "Answers 200 as long as the process runs, whatever else is wrong.",
    ),
    (
        "get_health_ready",
        "Answers 200 if requests can be served, else 503.",
    ),
    (
        "get_health_writable",
        "Answers 200 if the last writes succeeded, else 503.",
    ),
    (
        "get_metrics",
        "Returns counters and gauges of this process in the OpenMetrics format, for Prometheus. Takes an admin, or the token that the configuration sets.",
    ),
];
