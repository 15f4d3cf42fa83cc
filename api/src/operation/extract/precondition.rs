//! Conditional requests (RFC 9110, 13): `If-Match` and `If-None-Match`.

use crate::http::problem::{Code, Problem};
use crate::operation::routes::{Draft, Extract};
use actix_web::HttpRequest;
use actix_web::http::header::{HeaderName, HeaderValue, IF_MATCH, IF_NONE_MATCH};
use persistence::write::Precondition;
use serde_json::json;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Tag {
    weak: bool,
    opaque: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Tags {
    Any,
    Some(Vec<Tag>),
}

/// The versions that a write may replace; required.
#[derive(Debug)]
pub struct IfMatch(pub Precondition);

/// The versions that a write may replace, if given.
#[derive(Debug)]
pub struct MayMatch(pub Precondition);

#[derive(Debug)]
pub struct IfNoneMatch(Option<Tags>);

/// The state of a geometry before it is written: some version, or absent.
#[derive(Debug)]
pub struct GeometryCondition(pub Option<Precondition>);

impl IfNoneMatch {
    /// Whether the caller has the representation with this tag (weak comparison).
    #[must_use]
    pub fn has(&self, tag: &str) -> bool {
        let opaque = tag.trim_start_matches("W/").trim_matches('"');
        match &self.0 {
            None => false,
            Some(Tags::Any) => true,
            Some(Tags::Some(tags)) => tags.iter().any(|one| one.opaque == opaque),
        }
    }
}

fn parse(request: &HttpRequest, name: &HeaderName) -> Result<Option<Tags>, Problem> {
    let mut tags = Vec::new();
    for value in request.headers().get_all(name) {
        let text = value.to_str().map_err(|_| malformed(name, "non-ASCII"))?;
        if text.trim() == "*" {
            return Ok(Some(Tags::Any));
        }
        for part in text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
        {
            let (weak, quoted) = match part.strip_prefix("W/") {
                Some(rest) => (true, rest),
                None => (false, part),
            };
            let opaque = quoted
                .strip_prefix('"')
                .and_then(|rest| rest.strip_suffix('"'))
                .filter(|opaque| !opaque.contains('"'))
                .ok_or_else(|| malformed(name, part))?;
            tags.push(Tag {
                weak,
                opaque: opaque.to_owned(),
            });
        }
    }
    let present = request.headers().contains_key(name);
    match (present, tags.is_empty()) {
        (false, _) => Ok(None),
        (true, true) => Err(malformed(name, "")),
        (true, false) => Ok(Some(Tags::Some(tags))),
    }
}

fn malformed(name: &HeaderName, given: &str) -> Problem {
    Problem::new(Code::InvalidHeader).detail(
        format!("`{name}: {given}` contains no entity tag; send the ETag in quotes, such as \"17\", or *."),
        format!("`{name}: {given}` enthält kein Entity-Tag; senden Sie das ETag in Anführungszeichen, etwa \"17\", oder *."),
    )
}

/// The versions of tags. `W/"17"` counts as `"17"`, since proxies weaken tags; the weak tags of
/// other representations match no version.
fn precondition(tags: Tags) -> Precondition {
    match tags {
        Tags::Any => Precondition::Any,
        Tags::Some(tags) => {
            let versions = tags.iter().filter_map(|tag| tag.opaque.parse().ok());
            Precondition::Versions(versions.collect())
        }
    }
}

/// Whether all tags are of representations that a write cannot be based on.
fn foreign(tags: &Tags) -> bool {
    match tags {
        Tags::Any => false,
        Tags::Some(tags) => tags
            .iter()
            .all(|tag| tag.weak && tag.opaque.parse::<i64>().is_err()),
    }
}

impl IfMatch {
    fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let tags =
            parse(request, &IF_MATCH)?.ok_or_else(|| Problem::new(Code::PreconditionRequired))?;
        if foreign(&tags) {
            return Err(Problem::new(Code::PreconditionFailed).detail(
                "This tag belongs to another representation (translated, shortened or extended). Fetch the canonical record without lang, fields and include, and send its ETag.",
                "Dieses Tag gehört zu einer anderen Darstellung (übersetzt, gekürzt oder erweitert). Holen Sie den kanonischen Datensatz ohne lang, fields und include und senden Sie dessen ETag.",
            ));
        }
        let expected = precondition(tags);
        Ok(Self(match parse(request, &IF_NONE_MATCH)? {
            None => expected,
            Some(known) => without(expected, known),
        }))
    }
}

/// A precondition that `If-None-Match` narrows (RFC 9110, 13.2.2).
fn without(expected: Precondition, known: Tags) -> Precondition {
    match (expected, precondition(known)) {
        (Precondition::Any, Precondition::Versions(known)) => Precondition::Except(known),
        (Precondition::Versions(mut versions), Precondition::Versions(known)) => {
            versions.retain(|version| !known.contains(version));
            Precondition::Versions(versions)
        }
        // Whatever there is has a version.
        (_, Precondition::Any | Precondition::Except(_)) | (Precondition::Except(_), _) => {
            Precondition::Versions(Vec::new())
        }
    }
}

/// Whether a response to GET or HEAD is not what `If-Match` asks for (RFC 9110, 13.1.1). A weak tag of
/// a response matches none.
///
/// # Errors
/// 400 if the header has no entity tag.
pub(crate) fn is_unmatched(request: &HttpRequest, etag: &HeaderValue) -> Result<bool, Problem> {
    let current = etag.to_str().unwrap_or_default();
    Ok(match parse(request, &IF_MATCH)? {
        None | Some(Tags::Any) => false,
        Some(Tags::Some(tags)) => {
            let is_current = |one: &Tag| current == format!("\"{}\"", one.opaque);
            !tags.iter().any(is_current)
        }
    })
}

from_head!(IfMatch);

impl Extract for IfMatch {
    fn describe(draft: &mut Draft) {
        draft.parameter(json!({
            "name": "If-Match",
            "in": "header",
            "required": true,
            "description": "The ETag of the version that the change is based on; 428 without it.",
            "schema": {"type": "string", "maxLength": 500},
            "example": "\"1\"",
        }));
        for code in [
            Code::InvalidHeader,
            Code::PreconditionFailed,
            Code::PreconditionRequired,
        ] {
            draft.problem(code);
        }
    }
}

from_head!(MayMatch);

impl MayMatch {
    fn of(request: &HttpRequest) -> Result<Self, Problem> {
        if request.headers().contains_key(IF_MATCH) {
            return IfMatch::of(request).map(|IfMatch(expected)| Self(expected));
        }
        Ok(Self(Precondition::Any))
    }
}

impl Extract for MayMatch {
    fn describe(draft: &mut Draft) {
        draft.parameter(json!({
            "name": "If-Match",
            "in": "header",
            "description": "ETag of the expected version; any version if absent.",
            "schema": {"type": "string", "maxLength": 500},
            "example": "\"1\"",
        }));
        draft.problem(Code::InvalidHeader);
        draft.problem(Code::PreconditionFailed);
    }
}

from_head!(IfNoneMatch);

impl IfNoneMatch {
    fn of(request: &HttpRequest) -> Result<Self, Problem> {
        parse(request, &IF_NONE_MATCH).map(Self)
    }
}

impl Extract for IfNoneMatch {
    fn describe(draft: &mut Draft) {
        draft.parameter(json!({
            "name": "If-None-Match",
            "in": "header",
            "description": "ETag of the caller's copy; 304 if it is still current.",
            "schema": {"type": "string", "maxLength": 500},
            "example": "\"1\"",
        }));
        draft.response(304, json!({"description": "The caller's copy is current."}));
        draft.problem(Code::InvalidHeader);
        // `If-Match` holds for reading too.
        draft.problem(Code::PreconditionFailed);
    }
}

from_head!(GeometryCondition);

impl GeometryCondition {
    fn of(request: &HttpRequest) -> Result<Self, Problem> {
        match parse(request, &IF_NONE_MATCH) {
            Err(problem) => Err(problem),
            Ok(Some(Tags::Any)) => Ok(Self(None)),
            Ok(Some(Tags::Some(_))) => Err(malformed(&IF_NONE_MATCH, "a tag; only * is allowed")),
            Ok(None) => IfMatch::of(request).map(|IfMatch(condition)| Self(Some(condition))),
        }
    }
}

impl Extract for GeometryCondition {
    fn describe(draft: &mut Draft) {
        IfMatch::describe(draft);
        // One of the two is sufficient.
        draft.optional("If-Match");
        draft.parameter(json!({
            "name": "If-None-Match",
            "in": "header",
            "description": "`*` for the first geometry of a region.",
            "schema": {"type": "string", "maxLength": 10},
            "example": "*",
        }));
    }
}
