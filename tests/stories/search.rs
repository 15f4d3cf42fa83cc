//! The text search against its acceptance table, over the reference data, the seed pages, the
//! fixtures of the table and thousands of generated records that are easily confused.

use domain::base::kind::Kind;
use persistence::meter::Meter;
use persistence::search::text::{
    NAMED, Scored, TextCache, TextFields, TextIndex, TextQuery, Texts, Typed, add, key,
};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;
use tantivy::collector::DocSetCollector;
use tantivy::query::TermSetQuery;
use tantivy::schema::{Field, STORED, STRING, Schema, Value as _};
use tantivy::{DocAddress, DocId, Index, IndexWriter, Searcher, TantivyDocument, Term};
use tests::generate;

const TABLE: &str = include_str!("../../data/search/acceptance.ndjson");
const FIXTURES: &str = include_str!("../../data/search/fixtures.ndjson");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    says: String,
    typed: Vec<String>,
    #[serde(default)]
    same: bool,
    #[serde(default)]
    finds: Vec<String>,
    #[serde(default)]
    misses: Vec<String>,
    #[serde(default)]
    first: Vec<String>,
    #[serde(default)]
    above: Vec<String>,
}

struct Searched {
    fields: TextFields,
    cache: TextCache,
    meter: Meter,
    name: Field,
    inside: Field,
    searcher: Searcher,
    regions: BTreeMap<String, Vec<String>>,
}

struct Hit {
    doc: DocAddress,
    name: String,
    score: f32,
}

impl Searched {
    fn new(records: &[Value]) -> Self {
        let mut schema = Schema::builder();
        let fields = TextFields::add_to(&mut schema);
        let name = schema.add_text_field("name", STORED);
        let inside = schema.add_text_field("inside", STRING);
        let index = Index::create_in_ram(schema.build());
        let mut writer: IndexWriter = index.writer_with_num_threads(1, 50_000_000).unwrap();
        let mut regions: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for record in records {
            let kind: Kind = serde_json::from_value(record["kind"].clone()).unwrap();
            let texts = Texts::of(kind, record);
            let mut document = TantivyDocument::new();
            document.add_text(name, record["name"].as_str().unwrap());
            add(&mut document, &fields, &texts);
            for place in record["places"].as_array().into_iter().flatten() {
                if let Some(region) = place["region"].as_str() {
                    document.add_text(inside, region);
                }
            }
            if let (Kind::Region, Some(slug)) = (kind, record["slug"].as_str()) {
                for name in &texts.names {
                    regions.entry(key(name)).or_default().push(slug.to_owned());
                }
            }
            writer.add_document(document).unwrap();
        }
        writer.commit().unwrap();
        let searcher = index.reader().unwrap().searcher();
        Self {
            fields,
            cache: TextCache::default(),
            meter: Meter::default(),
            name,
            inside,
            searcher,
            regions,
        }
    }

    fn text_index(&self) -> TextIndex<'_> {
        TextIndex {
            fields: &self.fields,
            cache: &self.cache,
            meter: &self.meter,
        }
    }

    fn hits(&self, typed: &str) -> Vec<Hit> {
        let typed = Typed::parse(typed)
            .take_apart(&self.fields, &self.searcher)
            .unwrap();
        let named = |key: &str| {
            let slugs = self.regions.get(key).into_iter().flatten();
            let terms = slugs.map(|slug| Term::from_field_text(self.inside, slug));
            let inside = TermSetQuery::new(terms);
            let inside = self.searcher.search(&inside, &DocSetCollector)?;
            let segments = 0..self.searcher.segment_readers().len();
            let members = segments.map(|segment| {
                let here = inside
                    .iter()
                    .filter(|at| at.segment_ord as usize == segment);
                let here: BTreeSet<DocId> = here.map(|at| at.doc_id).collect();
                here.into_iter().map(|doc| (doc, NAMED)).collect()
            });
            Ok((!inside.is_empty()).then(|| members.collect::<Vec<Scored>>()))
        };
        self.found(&typed.query(&self.text_index(), &named).unwrap())
    }

    /// The best first.
    fn found(&self, query: &TextQuery) -> Vec<Hit> {
        let mut found = Vec::new();
        for (segment, reader) in (0_u32..).zip(self.searcher.segment_readers()) {
            let here = (reader, segment as usize);
            let here = query.matches(&self.text_index(), here, |_| true).unwrap();
            let at = |doc| DocAddress::new(segment, doc);
            found.extend(here.into_iter().map(|(doc, score)| (score, at(doc))));
        }
        found.sort_by(|(a, first), (b, second)| b.total_cmp(a).then(first.cmp(second)));
        let name = |doc| {
            let document: TantivyDocument = self.searcher.doc(doc).unwrap();
            document
                .get_first(self.name)
                .unwrap()
                .as_str()
                .unwrap()
                .to_owned()
        };
        found
            .into_iter()
            .map(|(score, doc)| Hit {
                doc,
                name: name(doc),
                score,
            })
            .collect()
    }
}

fn records() -> Vec<Value> {
    let files = domain::data::REFERENCE
        .into_iter()
        .chain(domain::data::SEEDS.into_iter().map(|(_, file)| file))
        .chain([FIXTURES]);
    let mut records: Vec<Value> = files
        .flat_map(str::lines)
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|record: &Value| record["kind"] != "relationship")
        .collect();
    records.extend(generate::records(generate::MANY, 1));
    // The rules for drafts are tested below.
    records.retain(|record| record["publication"] == "published");
    records
}

static ALL: LazyLock<Searched> = LazyLock::new(|| Searched::new(&records()));

fn faults(row: &Row) -> Vec<String> {
    let mut faults = Vec::new();
    let mut first_hits: Option<BTreeMap<DocAddress, String>> = None;
    for typed in &row.typed {
        let hits = ALL.hits(typed);
        let names: Vec<&str> = hits.iter().map(|hit| hit.name.as_str()).collect();
        let at = |name: &str| names.iter().position(|found| *found == name);
        let mut fault = |what: String| {
            let top = &names[..names.len().min(6)];
            faults.push(format!(
                "{}: `{typed}` {what}; {} hits, first {top:?}",
                row.says,
                hits.len()
            ));
        };
        for name in &row.finds {
            if at(name).is_none() {
                fault(format!("does not find `{name}`"));
            }
        }
        for name in &row.misses {
            if at(name).is_some() {
                fault(format!("finds `{name}`"));
            }
        }
        let top: BTreeSet<&str> = names.iter().take(row.first.len()).copied().collect();
        if top != row.first.iter().map(String::as_str).collect() {
            fault(format!("does not begin with {:?}", row.first));
        }
        if let [above, below] = row.above.as_slice()
            && at(above).is_none_or(|a| at(below).is_some_and(|b| b < a))
        {
            fault(format!("has not `{above}` above `{below}`"));
        }
        let found: BTreeMap<DocAddress, String> =
            hits.iter().map(|hit| (hit.doc, hit.name.clone())).collect();
        match &first_hits {
            Some(others) if row.same && *others != found => {
                let only = |a: &BTreeMap<DocAddress, String>, b: &BTreeMap<DocAddress, String>| {
                    a.iter()
                        .filter(|(doc, _)| !b.contains_key(doc))
                        .take(5)
                        .map(|(_, name)| name.clone())
                        .collect::<Vec<_>>()
                };
                fault(format!(
                    "has other hits than `{}`: more {:?}, less {:?}",
                    row.typed[0],
                    only(&found, others),
                    only(others, &found)
                ));
            }
            Some(_) => {}
            None => first_hits = Some(found),
        }
    }
    faults
}

#[test]
fn the_acceptance_table_holds() {
    let rows: Vec<Row> = TABLE
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(rows.len() > 30);
    let faults: Vec<String> = rows.iter().flat_map(faults).collect();
    assert!(
        faults.is_empty(),
        "{} faults\n{}",
        faults.len(),
        faults.join("\n")
    );
}

#[test]
fn every_record_is_found_by_its_own_name_above_all_other_names() {
    let generated = generate::records(generate::MANY, 1);
    let sample = generated
        .iter()
        .filter(|record| record["publication"] == "published")
        .step_by(97);
    for record in sample {
        let name = record["name"].as_str().unwrap();
        let hits = ALL.hits(name);
        let own = hits.iter().find(|hit| hit.name == name);
        let own = own.unwrap_or_else(|| panic!("`{name}` does not find itself"));
        let top = &hits[0];
        assert!(
            own.score >= top.score - 8.0,
            "`{name}` is below `{}`",
            top.name
        );
    }
}

#[test]
fn equal_names_put_topics_last() {
    let hits = ALL.hits("Hospital Engineering");
    assert_eq!(
        [&*hits[0].name, &*hits[1].name],
        ["Hospital Engineering"; 2]
    );
    assert!(hits[0].score > hits[1].score, "the project above the topic");
}

#[test]
fn suggestions_come_from_the_first_letter() {
    let suggest = |q: &str| {
        let typed = Typed::parse(q)
            .take_apart(&ALL.fields, &ALL.searcher)
            .unwrap();
        ALL.found(&typed.suggest_query(&ALL.text_index()).unwrap())
    };
    for begun in ["t", "te", "tel", "teleradiologieverbund r"] {
        let hits = suggest(begun);
        assert!(
            hits.iter()
                .any(|hit| hit.name == "Teleradiologieverbund Ruhr"),
            "{begun}"
        );
        assert!(
            hits[0].name.to_lowercase().starts_with(begun),
            "{begun}: {}",
            hits[0].name
        );
    }
    assert!(
        suggest("kc")
            .iter()
            .any(|hit| hit.name == "Klinikcluster Ruhr")
    );
    assert_eq!(suggest("kcr")[0].name, "Klinikcluster Ruhr");
    for odd in [
        "", " ", "\"", "***", "\u{0}", "–", "„", "a\"b", "𝕏", "(", "\\", "%", "/",
    ] {
        suggest(odd);
    }
}

#[test]
fn a_draft_has_no_say_in_what_others_find() {
    let public: Value = serde_json::from_str(FIXTURES.lines().next().unwrap()).unwrap();
    let mut draft = public.clone();
    draft["name"] = "Univer Sitätsklinikum".into();
    draft["publication"] = "draft".into();
    let with = Searched::new(&[public.clone(), draft.clone()]);
    let typed = Typed::parse("Universitätsklinikum")
        .take_apart(&with.fields, &with.searcher)
        .unwrap();
    assert_eq!(typed, Typed::parse("Universitätsklinikum"));
    draft["publication"] = "published".into();
    let with = Searched::new(&[public, draft]);
    let typed = Typed::parse("Universitätsklinikum")
        .take_apart(&with.fields, &with.searcher)
        .unwrap();
    assert_ne!(
        typed,
        Typed::parse("Universitätsklinikum"),
        "and a published one has"
    );
}

#[test]
fn nothing_is_found_by_nothing() {
    for q in ["", " ", "\"\"", "\t\n"] {
        assert!(Typed::parse(q).is_empty(), "{q:?}");
        assert_eq!(ALL.hits(q).len(), 0, "{q:?}");
    }
}

#[test]
fn queries_take_milliseconds() {
    let rows: Vec<Row> = TABLE
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let typed: Vec<&String> = rows.iter().flat_map(|row| &row.typed).collect();
    ALL.hits("warm");
    let begun = std::time::Instant::now();
    for q in &typed {
        let typed = Typed::parse(q)
            .take_apart(&ALL.fields, &ALL.searcher)
            .unwrap();
        let query = typed.query(&ALL.text_index(), &|_| Ok(None));
        ALL.found(&query.unwrap());
    }
    let each = begun.elapsed() / u32::try_from(typed.len()).unwrap();
    // Ten times the expected duration: a guard against a change of complexity, not a measurement.
    assert!(each.as_millis() < 200, "{each:?} for a query");
}

#[test]
fn names_are_found_alike_however_they_are_spelt() {
    let plain = |name: &str| {
        name.replace('ä', "a")
            .replace('ö', "o")
            .replace('ü', "u")
            .replace('ß', "ss")
    };
    let spelt = |name: &str| {
        name.replace('ä', "ae")
            .replace('ö', "oe")
            .replace('ü', "ue")
            .replace('ß', "ss")
    };
    for record in generate::records(generate::MANY, 1).iter().step_by(139) {
        let name = record["name"].as_str().unwrap();
        let found = |q: &str| {
            ALL.hits(q)
                .iter()
                .map(|hit| hit.doc)
                .collect::<BTreeSet<_>>()
        };
        let hits = found(name);
        for other in [
            plain(name),
            spelt(name),
            name.to_lowercase(),
            name.to_uppercase(),
        ] {
            assert_eq!(found(&other), hits, "`{name}` and `{other}`");
        }
    }
}

#[test]
fn generated_records_are_the_same_every_time_and_valid() {
    let records = generate::records(500, 7);
    assert_eq!(records, generate::records(500, 7));
    assert_ne!(records, generate::records(500, 8));
    for record in &records {
        let kind: Kind = serde_json::from_value(record["kind"].clone()).unwrap();
        let mut body = record.clone();
        body.as_object_mut().unwrap().remove("kind");
        let checked = domain::validation::body::KindSchema::of(kind).check(body);
        assert!(checked.errors.is_empty(), "{record}: {:?}", checked.errors);
    }
}
