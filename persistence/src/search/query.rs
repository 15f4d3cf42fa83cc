//! Translation of a filter to a query of the index.

use super::doc_set::DocSet;
use super::document::{EVERYTHING, SERVES, number, regions_key};
use super::edge_terms::{EdgeTerms, edge_token};
use super::fields::Fields;
use super::filter::{self, Condition, Filter, Test};
use super::segments::SegmentData;
use super::text::{NAMED, Scored, TextCache, TextIndex, TextQuery, Typed};
use super::trees::Trees;
use crate::error::{Result, StoreError};
use crate::meter::Meter;
use domain::access::rules::{Scope, Visibility};
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use domain::kinds::common::Publication;
use domain::kinds::relationship::on::RelationshipsOn;
use domain::kinds::relationship::table;
use domain::validation::body::KindSchema;
use domain::value::edtf::EdtfDate;
use std::cell::{Cell, OnceCell};
use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::Arc;
use tantivy::collector::DocSetCollector;
use tantivy::postings::SegmentPostings;
use tantivy::query::{
    AllQuery, BooleanQuery, EmptyQuery, EnableScoring, Occur, Query, RangeQuery, TermQuery,
    TermSetQuery, Weight,
};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocSet as _, Searcher, SegmentReader, TERMINATED, TantivyError, Term};
use uuid::Uuid;

pub(super) struct Maker<'a> {
    pub(super) fields: &'a Fields,
    pub(super) trees: &'a Trees,
    pub(super) searcher: &'a Searcher,
    pub(super) visibility: &'a Visibility,
    /// The relationships that count.
    pub(super) on: RelationshipsOn,
    pub(super) cache: &'a TextCache,
    pub(super) meter: &'a Meter,
    /// Terms to which the names in a typed text expand.
    pub(super) named: Cell<usize>,
}

/// Terms to which the conditions of one query may expand: several times the regions of a country.
pub(super) const MAX_TERMS: usize = 200_000;

/// Words and phrases of a typed text.
pub(super) const MAX_WORDS: usize = 64;

/// Terms between two checks whether the client still waits.
const TERMS: usize = 256;

/// Pairs of regions grow quadratically; beyond this only relationships within one region are
/// searched.
const MAX_PAIRED: usize = 40;

/// What makes a record a member of a region, network or topic.
#[derive(Clone, Copy)]
enum Membership {
    Facet(&'static str),
    Edge(&'static str),
}

const MEMBERSHIPS: [Membership; 5] = [
    Membership::Facet("seat"),
    Membership::Facet("topic"),
    Membership::Edge("serves"),
    Membership::Edge("member_of"),
    Membership::Edge("part_of"),
];

/// Maximum number of records for a name in a query.
const MAX_NAMED: usize = 20;

impl Maker<'_> {
    /// Refuses a filter whose conditions expand to too many terms.
    pub(super) fn check(&self, filter: &Filter) -> Result<()> {
        let mut terms = 0;
        for condition in &filter.conditions {
            terms += self.terms(condition, filter);
            if terms > MAX_TERMS {
                return Err(StoreError::TooBroad {
                    parameter: condition.parameter.clone(),
                    most: MAX_TERMS,
                });
            }
        }
        Ok(())
    }

    /// The number of terms to which a condition expands.
    fn terms(&self, condition: &Condition, filter: &Filter) -> usize {
        // Published records are found by public relationships only.
        let audiences = || {
            if filter.publications.is_empty() {
                return 1;
            }
            1 + self.editorial_keys().len()
        };
        let of = |test: &Test| match test {
            Test::Names { record, .. } => self.trees.same(&[*record]).len(),
            Test::Below { record, .. } => self.trees.size_below(*record),
            Test::Region(region) => self.trees.size_below(*region) * (2 + audiences()),
            Test::Related { other, below, .. } => {
                let others = if *below {
                    self.trees.size_below(*other)
                } else {
                    self.trees.same(&[*other]).len()
                };
                others * audiences()
            }
            Test::Is { .. }
            | Test::Id(_)
            | Test::ExternalId(_)
            | Test::Identifier(_)
            | Test::Programme(_)
            | Test::UpdatedSince(_)
            | Test::ActiveOn(..)
            | Test::Within { .. }
            | Test::Attendance(_) => 1,
        };
        condition.any.iter().map(of).sum()
    }

    /// The conditions of a filter, without that of the parameter `but`.
    pub(super) fn conditions<'q>(
        &'q self,
        filter: &'q Filter,
        but: Option<&str>,
    ) -> Conditions<'q> {
        let mut all = Vec::new();
        let kinds: Vec<&str> = filter.kinds.iter().map(|kind| kind.code()).collect();
        all.push(Part::new(
            Some(format!("kind={}", kinds.join(","))),
            move || Matching::query(self.kinds(&filter.kinds)),
        ));
        // What depends on the caller is not kept.
        let public = filter.publications.is_empty();
        let without = but.map(str::to_owned);
        all.push(Part::new(
            public.then(|| "published".to_owned()),
            move || Matching::query(self.visible(filter, without.as_deref())),
        ));
        let conditions = filter.conditions.iter();
        for condition in conditions.filter(|one| Some(one.parameter.as_str()) != but) {
            let key = condition.key(self.trees.generation(), self.on);
            all.push(Part::new(key.filter(|_| public), move || {
                self.condition(condition, filter)
            }));
        }
        Conditions {
            parts: all,
            meter: self.meter,
        }
    }

    fn kinds(&self, kinds: &[Kind]) -> Box<dyn Query> {
        any_of(
            kinds
                .iter()
                .map(|kind| term(self.fields.facet, &format!("kind={kind}"))),
        )
    }

    /// What the caller may see of the requested publications; published by default.
    fn visible(&self, filter: &Filter, but: Option<&str>) -> Box<dyn Query> {
        let published = term(
            self.fields.facet,
            &format!("publication={}", Publication::Published.code()),
        );
        if filter.publications.is_empty() {
            return any_of([published]);
        }
        let mut seen = vec![published];
        let draft_of = |region: &Uuid| term(self.fields.token, &format!("draft_of={region}"));
        let own: Box<dyn Query> = match self.visibility {
            Visibility::Public => any_of(seen),
            Visibility::Drafts { regions, supplied } => {
                seen.extend(regions.iter().map(draft_of));
                seen.extend(supplied.iter().flat_map(|one| self.drafts_by(one)));
                any_of(seen)
            }
            Visibility::Everything => Box::new(AllQuery),
        };
        let mut all = vec![(Occur::Must, own)];
        for list in filter
            .publications
            .iter()
            .filter(|_| but != Some("publication"))
        {
            let terms = list
                .iter()
                .map(|one| term(self.fields.facet, &format!("publication={}", one.code())));
            all.push((Occur::Must, any_of(terms)));
        }
        Box::new(BooleanQuery::new(all))
    }

    fn drafts_by(&self, (system, scope): (&String, &Scope)) -> Vec<Term> {
        let drafts = |key: &str| term(self.fields.token, &format!("draft_by={key}"));
        match scope {
            Scope::Node => vec![drafts(system)],
            Scope::Regions(regions) => {
                let keys = regions.iter().map(|region| format!("{system}|{region}"));
                keys.map(|key| drafts(&key)).collect()
            }
        }
    }

    fn condition(&self, condition: &Condition, filter: &Filter) -> Matching {
        let mut all = Matching::default();
        for test in &condition.any {
            let one = self.test(test, filter);
            all.terms.extend(one.terms);
            all.edges.extend(one.edges);
            all.queries.extend(one.queries);
        }
        all
    }

    fn test(&self, test: &Test, filter: &Filter) -> Matching {
        let fields = self.fields;
        let tokens = |field: Field, name: &str, ids: BTreeSet<Uuid>| {
            ids.into_iter()
                .map(|id| term(field, &format!("{name}={id}")))
                .collect::<Vec<_>>()
        };
        Matching::terms(match test {
            Test::Is { name, value } => vec![term(fields.facet, &format!("{name}={value}"))],
            Test::Names { name, record } => tokens(fields.facet, name, self.trees.same(&[*record])),
            Test::Below { name, record } => {
                tokens(fields.facet, name, self.trees.below(&[*record], self.on))
            }
            Test::Region(region) => return self.region(*region, filter),
            Test::Related {
                code,
                role,
                other,
                below,
            } => {
                let others = if *below {
                    self.trees.below(&[*other], self.on)
                } else {
                    self.trees.same(&[*other])
                };
                return Matching::edges(self.related(code, *role, &others, filter));
            }
            Test::Id(id) => vec![term(fields.id, &id.to_string())],
            Test::ExternalId(key) => vec![term(fields.token, &format!("external_id={key}"))],
            Test::Identifier(key) => vec![term(fields.token, &format!("identifier={key}"))],
            Test::Programme(text) => return Matching::query(self.programme(text)),
            Test::UpdatedSince(at) => {
                return Matching::query(at_least(Term::from_field_i64(
                    fields.updated,
                    at.timestamp_micros(),
                )));
            }
            Test::ActiveOn(when, certain) => {
                return Matching::query(self.active_on(*when, *certain));
            }
            Test::Within {
                bound,
                from,
                to,
                certain,
            } => {
                let span = (from.as_ref(), to.as_ref());
                return Matching::query(self.within(*bound, span, *certain));
            }
            Test::Attendance(least) => {
                return Matching::query(at_least(Term::from_field_f64(fields.attendance, *least)));
            }
        })
    }

    /// Seat or area of work in the region or below; regions themselves count as being there.
    fn region(&self, region: Uuid, filter: &Filter) -> Matching {
        let ids = self.trees.below(&[region], self.on);
        let mut terms = Vec::with_capacity(2 * ids.len());
        for id in &ids {
            terms.push(term(self.fields.facet, &format!("seat={id}")));
            terms.push(term(self.fields.facet, &format!("itself={id}")));
        }
        Matching {
            terms,
            edges: self.related(SERVES, None, &ids, filter),
            queries: Vec::new(),
        }
    }

    fn related(
        &self,
        code: &str,
        role: Option<&str>,
        others: &BTreeSet<Uuid>,
        filter: &Filter,
    ) -> Vec<EdgeTerms> {
        let holds = self.on.of(table::named(code));
        let tokens: Vec<String> = others
            .iter()
            .map(|other| edge_token(code, role, *other))
            .collect();
        let edges = |field, token| EdgeTerms {
            field,
            token,
            holds,
        };
        let public = tokens.iter().cloned();
        let mut all: Vec<EdgeTerms> = public.map(|token| edges(self.fields.edge, token)).collect();
        // A request for published records uses public relationships only.
        if filter.publications.is_empty() {
            return all;
        }
        for key in self.editorial_keys() {
            let keyed = tokens.iter().map(|token| format!("{key}|{token}"));
            all.extend(keyed.map(|token| edges(self.fields.editorial, token)));
        }
        all
    }

    fn editorial_keys(&self) -> Vec<String> {
        match self.visibility {
            Visibility::Public => Vec::new(),
            Visibility::Everything => vec![EVERYTHING.to_owned()],
            // Suppliers find their drafts by public data only.
            Visibility::Drafts { regions, .. } => {
                let mut keys: Vec<String> = regions.iter().map(|one| regions_key([one])).collect();
                if regions.len() <= MAX_PAIRED {
                    for first in regions {
                        let later = regions.iter().filter(|second| *second > first);
                        keys.extend(later.map(|second| regions_key([first, second])));
                    }
                }
                keys
            }
        }
    }

    /// Funded by a programme whose name has all these words.
    fn programme(&self, text: &str) -> Box<dyn Query> {
        let words = super::text::stems(text).into_iter();
        let words =
            words.map(|stem| any_of([term(self.fields.token, &format!("programme={stem}"))]));
        let all: Vec<_> = words.map(|query| (Occur::Must, query)).collect();
        if all.is_empty() {
            return Box::new(EmptyQuery);
        }
        Box::new(BooleanQuery::new(all))
    }

    /// [`domain::value::edtf::Bounds::active_on`] for the index.
    fn active_on(&self, when: EdtfDate, certain: bool) -> Box<dyn Query> {
        let fields = self.fields;
        let (first, last) = when.possible();
        let day = |field, day| Term::from_field_i64(field, number(day));
        let mut all = vec![
            (Occur::Must, at_most(day(fields.from_earliest, last))),
            (Occur::Must, at_least(day(fields.to_latest, first))),
        ];
        if certain {
            if !when.is_exact() {
                return Box::new(EmptyQuery);
            }
            all.push((Occur::Must, at_most(day(fields.from_latest, first))));
            all.push((Occur::Must, at_least(day(fields.to_earliest, last))));
        }
        Box::new(BooleanQuery::new(all))
    }

    /// [`domain::value::edtf::Moment::within`] for the index.
    fn within(
        &self,
        bound: filter::Bound,
        (from, to): (Option<&EdtfDate>, Option<&EdtfDate>),
        certain: bool,
    ) -> Box<dyn Query> {
        let fields = self.fields;
        if certain
            && [from, to]
                .into_iter()
                .flatten()
                .any(|date| !date.is_exact())
        {
            return Box::new(EmptyQuery);
        }
        let (first, last) = match (bound, certain) {
            (filter::Bound::Begin, false) => (fields.start_first, fields.start_last),
            (filter::Bound::Begin, true) => (fields.start_surely_first, fields.start_surely_last),
            (filter::Bound::End, false) => (fields.end_first, fields.end_last),
            (filter::Bound::End, true) => (fields.end_surely_first, fields.end_surely_last),
        };
        let mut all = Vec::new();
        let mut must = |query| all.push((Occur::Must, query));
        if let Some(from) = from {
            let field = if certain { first } else { last };
            must(at_least(Term::from_field_i64(
                field,
                number(from.possible().0),
            )));
        }
        if let Some(to) = to {
            let field = if certain { last } else { first };
            must(at_most(Term::from_field_i64(
                field,
                number(to.possible().1),
            )));
        }
        if all.is_empty() {
            return at_least(Term::from_field_i64(first, i64::MIN));
        }
        Box::new(BooleanQuery::new(all))
    }

    /// The typed text; the name of a region, a network or a topic also finds its members.
    pub(super) fn text(&self, typed: &str, beginnings: bool) -> Result<TextQuery> {
        let index = self.text_index();
        let typed = Typed::parse(typed);
        if typed.size() > MAX_WORDS {
            return Err(StoreError::TooManyWords(MAX_WORDS));
        }
        let typed = typed.take_apart(index.fields, self.searcher)?;
        if beginnings {
            return Ok(typed.suggest_query(&index)?);
        }
        let query = typed.query(&index, &|key| self.named(key))?;
        if self.named.get() > MAX_TERMS {
            return Err(StoreError::TooBroad {
                parameter: "q".to_owned(),
                most: MAX_TERMS,
            });
        }
        Ok(query)
    }

    pub(super) const fn text_index(&self) -> TextIndex<'_> {
        TextIndex {
            fields: &self.fields.text,
            cache: self.cache,
            meter: self.meter,
        }
    }

    /// The members of the regions, networks and topics of a name, by segment; `None` if none has
    /// this name.
    fn named(&self, key: &str) -> tantivy::Result<Option<Vec<Scored>>> {
        let name = term(self.fields.token, &format!("named={key}"));
        if self.searcher.doc_freq(&name)? == 0 {
            return Ok(None);
        }
        stop_if_abandoned(self.meter)?;
        let all = BooleanQuery::new(vec![
            (Occur::Must, self.kinds(&standing_for_their_members())),
            (
                Occur::Must,
                any_of([term(self.fields.facet, "publication=published")]),
            ),
            (Occur::Must, any_of([name])),
        ]);
        let found = self.searcher.search(&all, &DocSetCollector)?;
        let found: BTreeSet<_> = found.into_iter().collect();
        let found = found.into_iter().take(MAX_NAMED);
        let ids: BTreeSet<Uuid> = found.filter_map(|address| self.id_at(address)).collect();
        let ids: Vec<Uuid> = ids.into_iter().collect();
        let below = self.trees.below(&ids, self.on);
        self.named
            .set(self.named.get() + below.len() * MEMBERSHIPS.len());
        if below.is_empty() || self.named.get() > MAX_TERMS {
            return Ok(None);
        }
        let key = format!("members {} {:?} {ids:?}", self.trees.generation(), self.on);
        let readers = self.searcher.segment_readers().iter();
        let members = readers.map(|reader| {
            let read = || self.members(reader, &below);
            self.cache.list(reader.segment_id(), &key, read)
        });
        Ok(Some(members.collect::<tantivy::Result<_>>()?))
    }

    /// The members of regions, networks and topics in a segment, deleted ones included.
    fn members(&self, reader: &SegmentReader, of: &BTreeSet<Uuid>) -> tantivy::Result<Scored> {
        let mut set = DocSet::empty(reader.max_doc());
        let mut visited = 0;
        for id in of {
            stop_if_abandoned(self.meter)?;
            for membership in MEMBERSHIPS {
                visited += match membership {
                    Membership::Facet(name) => {
                        let term = term(self.fields.facet, &format!("{name}={id}"));
                        add_all_with(&mut set, reader, &term)?
                    }
                    Membership::Edge(code) => {
                        let edges = EdgeTerms {
                            field: self.fields.edge,
                            token: edge_token(code, None, *id),
                            holds: self.on.of(table::named(code)),
                        };
                        add_all_related(&mut set, reader, &edges, self.meter)?
                    }
                };
            }
        }
        self.meter.terms((of.len() * MEMBERSHIPS.len()) as u64);
        self.meter.documents(visited);
        Ok(set.iter().map(|doc| (doc, NAMED)).collect())
    }

    fn id_at(&self, address: tantivy::DocAddress) -> Option<Uuid> {
        let reader = self.searcher.segment_reader(address.segment_ord);
        let column = reader.fast_fields().str(super::fields::ID).ok()??;
        let mut text = String::new();
        column
            .ord_to_str(column.ords().first(address.doc_id)?, &mut text)
            .ok()?;
        Uuid::try_parse(&text).ok()
    }
}

/// Conditions that must all be met.
pub(super) struct Conditions<'q> {
    parts: Vec<Part<'q>>,
    meter: &'q Meter,
}

/// One of them: it is expanded and prepared only if no set of its key is known.
struct Part<'q> {
    /// The same for the same documents; `None` if they should not be kept.
    key: Option<String>,
    make: Box<dyn Fn() -> Matching + 'q>,
    made: OnceCell<Made>,
}

struct Made {
    terms: Vec<Term>,
    edges: Vec<EdgeTerms>,
    weights: Vec<Box<dyn Weight>>,
}

impl<'q> Part<'q> {
    fn new(key: Option<String>, make: impl Fn() -> Matching + 'q) -> Self {
        Self {
            key,
            make: Box::new(make),
            made: OnceCell::new(),
        }
    }

    fn made(&self, searcher: &Searcher) -> tantivy::Result<&Made> {
        if let Some(made) = self.made.get() {
            return Ok(made);
        }
        let Matching {
            terms,
            edges,
            queries,
        } = (self.make)();
        let scoring = || EnableScoring::disabled_from_searcher(searcher);
        let weights = queries.iter().map(|query| query.weight(scoring()));
        let made = Made {
            terms,
            edges,
            weights: weights.collect::<tantivy::Result<_>>()?,
        };
        Ok(self.made.get_or_init(|| made))
    }

    fn read(
        &self,
        searcher: &Searcher,
        reader: &SegmentReader,
        meter: &Meter,
    ) -> tantivy::Result<DocSet> {
        let mut set = DocSet::empty(reader.max_doc());
        let mut visited = 0;
        let made = self.made(searcher)?;
        for some in made.terms.chunks(TERMS) {
            stop_if_abandoned(meter)?;
            meter.terms(some.len() as u64);
            for term in some {
                visited += add_all_with(&mut set, reader, term)?;
            }
        }
        for some in made.edges.chunks(TERMS) {
            stop_if_abandoned(meter)?;
            for edges in some {
                visited += add_all_related(&mut set, reader, edges, meter)?;
            }
        }
        for weight in &made.weights {
            weight.for_each_no_score(reader, &mut |docs| {
                visited += docs.len() as u64;
                for doc in docs {
                    set.insert(*doc);
                }
            })?;
        }
        meter.documents(visited);
        Ok(set)
    }
}

/// Adds the documents with a term; returns how many.
fn add_all_with(set: &mut DocSet, reader: &SegmentReader, term: &Term) -> tantivy::Result<u64> {
    let index = reader.inverted_index(term.field())?;
    let postings = index.read_postings(term, IndexRecordOption::Basic)?;
    Ok(postings.map_or(0, |postings| add_all(set, postings)))
}

/// Adds the documents with relationships; returns how many.
fn add_all_related(
    set: &mut DocSet,
    reader: &SegmentReader,
    edges: &EdgeTerms,
    meter: &Meter,
) -> tantivy::Result<u64> {
    let index = reader.inverted_index(edges.field)?;
    let terms = edges.find(&index)?;
    meter.terms(terms.len().max(1) as u64);
    let mut added = 0;
    for term in &terms {
        let postings = index.read_postings_from_terminfo(term, IndexRecordOption::Basic)?;
        added += add_all(set, postings);
    }
    Ok(added)
}

fn add_all(set: &mut DocSet, mut postings: SegmentPostings) -> u64 {
    let mut added = 0;
    let mut doc = postings.doc();
    while doc != TERMINATED {
        set.insert(doc);
        added += 1;
        doc = postings.advance();
    }
    added
}

/// [`Meter::check`] between what tantivy calls; the error never reaches a caller.
fn stop_if_abandoned(meter: &Meter) -> tantivy::Result<()> {
    meter
        .check()
        .map_err(|why| TantivyError::InternalError(why.to_string()))
}

impl Conditions<'_> {
    /// The documents of a segment that meet them, deleted ones included.
    pub(super) fn matches(
        &self,
        searcher: &Searcher,
        reader: &SegmentReader,
        data: &SegmentData,
    ) -> tantivy::Result<DocSet> {
        let mut all: Option<DocSet> = None;
        for part in &self.parts {
            stop_if_abandoned(self.meter)?;
            let read = || part.read(searcher, reader, self.meter);
            let set = match &part.key {
                Some(key) => data.set(key, read)?,
                None => Arc::new(read()?),
            };
            match &mut all {
                Some(all) => all.intersect(&set),
                None => all = Some(DocSet::clone(&set)),
            }
        }
        Ok(all.unwrap_or_else(|| DocSet::empty(reader.max_doc())))
    }
}

fn standing_for_their_members() -> Vec<Kind> {
    let kinds = Kind::ALL.iter().copied();
    kinds
        .filter(|kind| KindSchema::of(*kind).stands_for_its_members)
        .collect()
}

/// What matches: documents with any of these terms or relationships, or what a query finds.
#[derive(Default)]
struct Matching {
    terms: Vec<Term>,
    edges: Vec<EdgeTerms>,
    queries: Vec<Box<dyn Query>>,
}

impl Matching {
    fn terms(terms: Vec<Term>) -> Self {
        Self {
            terms,
            ..Self::default()
        }
    }

    fn edges(edges: Vec<EdgeTerms>) -> Self {
        Self {
            edges,
            ..Self::default()
        }
    }

    fn query(query: Box<dyn Query>) -> Self {
        Self {
            queries: vec![query],
            ..Self::default()
        }
    }
}

fn term(field: Field, text: &str) -> Term {
    Term::from_field_text(field, text)
}

fn any_of(terms: impl IntoIterator<Item = Term>) -> Box<dyn Query> {
    let mut terms: Vec<Term> = terms.into_iter().collect();
    match terms.pop() {
        None => Box::new(EmptyQuery),
        Some(only) if terms.is_empty() => Box::new(TermQuery::new(only, IndexRecordOption::Basic)),
        Some(last) => {
            terms.push(last);
            Box::new(TermSetQuery::new(terms))
        }
    }
}

fn at_least(least: Term) -> Box<dyn Query> {
    Box::new(RangeQuery::new(Bound::Included(least), Bound::Unbounded))
}

fn at_most(most: Term) -> Box<dyn Query> {
    Box::new(RangeQuery::new(Bound::Unbounded, Bound::Included(most)))
}
