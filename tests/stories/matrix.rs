//! Every operation of the document as every role.
//!
//! Operations declare in `x-access` who may call them; the meaning for each role is repeated here
//! by hand, after the documented role table. A new route is tested without a change here.

use domain::access::account::TokenScope;
use domain::access::rules::Role;
use domain::base::kind::Kind;
use domain::base::vocabulary::Coded;
use reqwest::Method;
use sea_orm::{ConnectionTrait, EntityTrait, QueryOrder, Statement};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tests::call::encoded;
use tests::tables::{account, account_grant, node, signing_key};
use tests::{Answer, Backend, Call, Forge, Node, story};
use uuid::Uuid;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    /// An anonymous caller.
    Anybody,
    /// A caller with an invalid token.
    Bad,
    Here(Role),
    Elsewhere(Role),
    Node(Role),
    /// An admin of the whole node whose token has one scope only.
    Narrowed(TokenScope),
}

struct Caller {
    name: String,
    who: Who,
    authorization: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    In,
    Unauthorized,
    Forbidden,
    NotFound,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    /// A published record of the home region, or no record at all.
    Public,
    Draft,
    /// A published record without home region.
    Homeless,
    HomelessDraft,
}

/// The role table: the expected result of a call.
fn fate(access: &str, who: Who, about: About) -> Fate {
    use Role::{Admin, Approver, Editor, Feeder, Reader};
    let draft = matches!(about, About::Draft | About::HomelessDraft);
    let homeless = matches!(about, About::Homeless | About::HomelessDraft);
    let sees = !draft
        || match who {
            Who::Anybody | Who::Bad | Who::Elsewhere(_) => false,
            Who::Here(role) => role != Feeder && !homeless,
            Who::Node(role) => role != Feeder,
            Who::Narrowed(scope) => scope == TokenScope::Directory,
        };
    let writes = match who {
        Who::Anybody | Who::Bad | Who::Elsewhere(_) | Who::Node(Reader | Feeder) => false,
        Who::Here(role) => [Editor, Approver, Admin].contains(&role) && !homeless,
        Who::Node(Editor | Approver) => !homeless,
        Who::Node(Admin) => true,
        Who::Narrowed(scope) => scope == TokenScope::Directory && !homeless,
    };
    let shapes = writes && matches!(who, Who::Node(Admin));
    let approves = writes && !matches!(who, Who::Here(Editor) | Who::Node(Editor));
    // A token without the scope is rejected before the record is looked up.
    let reaches = !matches!(who, Who::Narrowed(scope) if scope != TokenScope::Directory);
    let is_admin = matches!(who, Who::Node(Admin) | Who::Narrowed(TokenScope::Admin));
    // Whether a rejection may reveal the record.
    let refused = if sees || !reaches {
        Fate::Forbidden
    } else {
        Fate::NotFound
    };
    let signed_in = |fate: Fate| match who {
        Who::Anybody | Who::Bad => Fate::Unauthorized,
        Who::Here(_) | Who::Elsewhere(_) | Who::Node(_) | Who::Narrowed(_) => fate,
    };
    match access {
        "public" => Fate::In,
        // A bearer token is not a client's credential.
        "credentials" if who == Who::Anybody => Fate::In,
        "credentials" => Fate::Unauthorized,
        "read" if who == Who::Bad => Fate::Unauthorized,
        "read" if sees => Fate::In,
        "read" => Fate::NotFound,
        "account" => signed_in(Fate::In),
        "write" => signed_in(if writes { Fate::In } else { refused }),
        "shape" => signed_in(if shapes { Fate::In } else { refused }),
        "approve" => signed_in(if approves { Fate::In } else { refused }),
        // The records of this story are the node's own, and only copies are hidden.
        "hide" => signed_in(refused),
        // Feeders have the system of the URL in this story.
        "push" => signed_in(match who {
            Who::Here(Feeder)
            | Who::Elsewhere(Feeder)
            | Who::Node(Feeder | Admin)
            | Who::Narrowed(TokenScope::Sync) => Fate::In,
            _ => Fate::Forbidden,
        }),
        // Lines without permission are reported per line.
        "import" => signed_in(match who {
            Who::Here(role) | Who::Elsewhere(role) | Who::Node(role)
                if [Editor, Approver, Admin].contains(&role) =>
            {
                Fate::In
            }
            Who::Narrowed(TokenScope::Directory) => Fate::In,
            _ => Fate::Forbidden,
        }),
        "admin" => signed_in(if is_admin { Fate::In } else { Fate::Forbidden }),
        other => panic!("x-access: {other} is new; say here who may"),
    }
}

fn fate_of(answer: &Answer) -> Fate {
    match answer.status {
        401 => Fate::Unauthorized,
        403 => Fate::Forbidden,
        404 => Fate::NotFound,
        status if status < 500 => Fate::In,
        _ => panic!("{}", answer.text),
    }
}

/// The number of rows of each table, and all data about permissions.
pub(crate) async fn snapshot(node: &Node) -> (BTreeMap<String, i64>, String) {
    let db = node.store.db().reader();
    // A log consumer may still write pairs for what was written before.
    let tables = match node.backend {
        Backend::Sqlite => {
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' \
                AND name <> 'duplicate_pair'"
        }
        Backend::Postgres => {
            "SELECT CAST(tablename AS text) FROM pg_tables WHERE schemaname = 'public' \
                AND tablename <> 'duplicate_pair'"
        }
    };
    let query = |sql: &str| Statement::from_string(db.get_database_backend(), sql.to_owned());
    let mut counts = BTreeMap::new();
    for row in db.query_all_raw(query(tables)).await.unwrap() {
        let table: String = row.try_get_by_index(0).unwrap();
        let count = format!("SELECT count(*) FROM {table}");
        let count = db.query_one_raw(query(&count)).await.unwrap().unwrap();
        counts.insert(table, count.try_get_by_index(0).unwrap());
    }
    let accounts = account::Entity::find()
        .order_by_asc(account::Column::Id)
        .all(db)
        .await
        .unwrap();
    let grants = account_grant::Entity::find()
        .order_by_asc(account_grant::Column::Id)
        .all(db)
        .await
        .unwrap();
    let keys = signing_key::Entity::find().all(db).await.unwrap();
    let head = node::Entity::find_by_id(1).one(db).await.unwrap();
    let head = head.unwrap().head;
    (
        counts,
        format!("{head} {accounts:?} {grants:?} {}", keys.len()),
    )
}

async fn region(node: &Node, slug: &str) -> Uuid {
    let read = node.get(&format!("/v1/regions/{slug}")).await.expect(200);
    Uuid::parse_str(read.id()).unwrap()
}

async fn callers(node: &Node) -> Vec<Caller> {
    let (here, there) = (
        region(node, "nordhessen").await,
        region(node, "muensterland").await,
    );
    let mut tokens = Vec::new();
    for role in Role::ALL {
        tokens.push((Who::Here(*role), node.token(*role, Some(here)).await));
        tokens.push((Who::Elsewhere(*role), node.token(*role, Some(there)).await));
        if *role != Role::Admin {
            tokens.push((Who::Node(*role), node.token(*role, None).await));
        }
    }
    for scope in TokenScope::ALL {
        tokens.push((Who::Narrowed(*scope), node.narrowed(&[*scope]).await));
    }
    let callers = tokens.into_iter().map(|(who, token)| Caller {
        name: format!("{who:?}"),
        who,
        authorization: Some(format!("Bearer {token}")),
    });
    let bad = bad_tokens(node)
        .await
        .into_iter()
        .map(|(name, value)| Caller {
            name: name.to_owned(),
            who: Who::Bad,
            authorization: Some(value),
        });
    let nobody = Caller {
        name: "no token".to_owned(),
        who: Who::Anybody,
        authorization: None,
    };
    // The admin comes last, because those calls take effect.
    let admin = Caller {
        name: "admin".to_owned(),
        who: Who::Node(Role::Admin),
        authorization: Some(format!("Bearer {}", node.admin)),
    };
    let last = [admin];
    callers.chain(bad).chain([nobody]).chain(last).collect()
}

/// Every kind of invalid token; `tokens.rs` has them all.
async fn bad_tokens(node: &Node) -> Vec<(&'static str, String)> {
    let me = node.get("/v1/me").token(&node.admin).await.expect(200);
    let admin = Uuid::parse_str(me.json["account"].as_str().unwrap()).unwrap();
    let good = Forge::of(node, admin).await;
    let secret = jsonwebtoken::EncodingKey::from_secret(b"secret");
    let forged = good.clone().header("alg", "HS256");
    let forged = forged.signed_with(secret, jsonwebtoken::Algorithm::HS256);
    // An admin who was locked out, and a client that was revoked.
    let mut gone = Vec::new();
    for (plural, name) in [("accounts", "locked-out"), ("clients", "revoked")] {
        let path = format!("/v1/{plural}");
        let body = json!({"name": name, "grants": [{"role": "admin"}]});
        let made = node.post(&path).json(&body).await.expect(201);
        let id = made.json["account"]["id"].as_str().unwrap().to_owned();
        let one = format!("{path}/{id}");
        let lock = json!({"disabled": true});
        node.patch(&one).if_match("*").json(&lock).await.expect(200);
        gone.push(Forge::of(node, Uuid::parse_str(&id).unwrap()).await);
    }
    let bearer = |forge: &Forge| format!("Bearer {}", forge.token());
    vec![
        ("nonsense", "Bearer nonsense".to_owned()),
        ("another scheme", "Basic YWRtaW46YWRtaW4=".to_owned()),
        ("forged", bearer(&forged)),
        ("expired", bearer(&good.clone().time("exp", -60))),
        (
            "of another node",
            bearer(&good.clone().claim("iss", "urn:verbund:elsewhere")),
        ),
        (
            "for another service",
            bearer(&good.clone().claim("aud", "elsewhere")),
        ),
        ("locked out", bearer(&gone[0])),
        ("revoked client", bearer(&gone[1])),
    ]
}

/// The first example of a request body, with its media type.
fn example(operation: &Value) -> Option<(String, Value)> {
    let contents = operation.pointer("/requestBody/content")?.as_object()?;
    let (media_type, content) = contents.iter().next()?;
    Some((media_type.clone(), content["example"].clone()))
}

fn kind_of(path: &str) -> Option<Kind> {
    let maps = path.strip_prefix("/ogc/collections/");
    let plural = path.strip_prefix("/v1/").or(maps)?.split('/').next()?;
    let mut kinds = Kind::ALL.iter().copied();
    kinds.find(|kind| kind.plural() == plural)
}

/// The example of a record as a new record of the home region.
fn own(kind: Kind, mut body: Value, publication: &str, number: usize) -> Value {
    let members = body.as_object_mut().unwrap();
    for unique in ["slug", "external_id", "identifiers"] {
        members.remove(unique);
    }
    members.insert("publication".to_owned(), json!(publication));
    if kind != Kind::Topic {
        members.insert("home_region".to_owned(), json!("nordhessen"));
    }
    if kind == Kind::Relationship {
        let year = format!("{}", 1900 + number);
        members.insert("valid".to_owned(), json!({"from": year}));
    } else {
        let name = format!("Beispiel {number}");
        members.insert("name".to_owned(), json!(name));
    }
    body
}

struct Operation<'a> {
    method: Method,
    path: &'a str,
    described: &'a Value,
    access: &'a str,
    kind: Option<Kind>,
}

impl Operation<'_> {
    fn takes(&self, name: &str) -> bool {
        let parameters = self.described["parameters"].as_array().unwrap();
        parameters.iter().any(|one| one["name"] == name)
    }

    fn has_target(&self) -> bool {
        self.path.contains("{id}")
    }

    /// The call for a target.
    /// The required parameters of the operation, with their examples.
    fn required(&self) -> impl Iterator<Item = String> {
        let parameters = self.described["parameters"].as_array().into_iter();
        let needed = parameters
            .flatten()
            .filter(|one| one["in"] == "query" && one["required"] == true);
        needed.map(|one| {
            let (name, example) = (one["name"].as_str(), one["example"].as_str());
            format!("{}={}", name.unwrap(), encoded(example.unwrap()))
        })
    }

    fn call(&self, node: &Node, target: &str, number: usize) -> Call {
        let mut path = self.path.replace("{id}", target);
        for (variable, value) in [
            ("{version}", "1"),
            ("{name}", "not-found"),
            ("{system}", "cms"),
            ("{delivery}", "0193e5a0-0000-7000-8000-000000000000"),
        ] {
            path = path.replace(variable, value);
        }
        let mut query: Vec<String> = self.required().collect();
        if self.takes("dry_run") {
            query.push("dry_run=true".to_owned());
        }
        if !query.is_empty() {
            path = format!("{path}?{}", query.join("&"));
        }
        let mut call = node.call(self.method.clone(), &path);
        if self.takes("If-Match") {
            call = call.if_match("*");
        }
        match (example(self.described), self.kind) {
            (Some((media_type, body)), Some(kind))
                if body.get("name").is_some()
                    || body.get("type").is_some_and(|_| kind == Kind::Relationship) =>
            {
                // Replacing keeps the publication, creating makes a draft.
                let mut body = own(kind, body, "draft", number);
                if self.has_target() {
                    body.as_object_mut().unwrap().remove("publication");
                }
                call.body(&media_type, body.to_string())
            }
            (Some((media_type, Value::Object(mut members))), None) => {
                if let Some(name) = members.get_mut("name") {
                    *name = json!(format!("example-{number}"));
                }
                let body = Value::Object(members);
                if media_type == "application/x-www-form-urlencoded" {
                    // The attempts of one account are limited.
                    let form = format!("grant_type=password&username=anna-{number}&password=x");
                    call.body(&media_type, form)
                } else {
                    call.body(&media_type, body.to_string())
                }
            }
            (Some((media_type, body)), _) => call.body(&media_type, body.to_string()),
            (None, _) => call,
        }
    }

    /// The URL at which a member of a collection is created, and the operation: there, or below a
    /// record.
    async fn created_at<'d>(
        &self,
        node: &Node,
        document: &'d Value,
        collection: &str,
        number: usize,
    ) -> (String, &'d Value) {
        let paths = document["paths"].as_object().unwrap();
        let create = &document["paths"][collection]["post"];
        let below = collection.replacen("/v1", "/{id}", 1);
        let known = paths.iter().find(|(path, _)| path.ends_with(&below));
        let (Some((path, methods)), true) = (known, create.is_null()) else {
            return (collection.to_owned(), create);
        };
        let of_record = Operation {
            method: Method::POST,
            path,
            described: &methods["post"],
            access: self.access,
            kind: kind_of(path),
        };
        let target = Box::pin(of_record.target(node, document, "published", number)).await;
        (path.replace("{id}", &target), &methods["post"])
    }

    /// A target: a record of the home region, or a new member of the collection.
    async fn target(
        &self,
        node: &Node,
        document: &Value,
        publication: &str,
        number: usize,
    ) -> String {
        let collection = match self.kind {
            Some(kind) => format!("/v1/{}", kind.plural()),
            None => self.path.split("/{id}").next().unwrap().to_owned(),
        };
        let created = self.created_at(node, document, &collection, number);
        let (collection, create) = created.await;
        let (media_type, body) = example(create).unwrap_or_else(|| {
            panic!(
                "{} has no target: POST {collection} has no example",
                self.path
            )
        });
        let body = if let Some(kind) = self.kind {
            own(kind, body, publication, number)
        } else {
            let mut body = body;
            body["name"] = json!(format!("target-{number}"));
            body
        };
        let made = node.post(&collection).body(&media_type, body.to_string());
        let made = made.await.expect(201);
        let id = made.json["id"].as_str();
        let id = id.or_else(|| made.json["account"]["id"].as_str());
        let id = id.unwrap_or_else(|| panic!("no id: {}", made.text));
        // Parts below a record are written before they are read.
        let part = &document["paths"][self.path]["put"];
        let below = !self.path.ends_with("{id}");
        if let (true, Some((media_type, body))) = (below, example(part)) {
            let put = node.put(&self.path.replace("{id}", id));
            let put = put.body(&media_type, body.to_string());
            let mut written = put.clone().header("if-none-match", "*").await;
            if written.status == 428 {
                // It always exists, and has a tag for changes.
                written = put.if_match("*").await;
            }
            assert!(written.status < 300, "{} {}", self.path, written.text);
        }
        id.to_owned()
    }
}

/// Calls one operation on one target as every role; rejected calls change nothing. Returns the
/// deviations from the role table.
async fn everybody(
    node: &Node,
    operation: &Operation<'_>,
    callers: &[Caller],
    (target, about, number): (&str, About, usize),
) -> Vec<String> {
    // Merging regions changes the tree, which is reserved for admins.
    let shapes = operation.kind == Some(Kind::Region) && operation.path.ends_with("/merge");
    let access = if shapes { "shape" } else { operation.access };
    let expected = |caller: &Caller| fate(access, caller.who, about);
    let (let_in, refused): (Vec<_>, Vec<_>) =
        callers.iter().partition(|one| expected(one) == Fate::In);
    let before = snapshot(node).await;
    let mut wrong = Vec::new();
    for (round, callers) in [refused, let_in].into_iter().enumerate() {
        for (index, caller) in callers.into_iter().enumerate() {
            // Every creation uses another example.
            let number = number * 100 + round * 50 + index;
            let mut call = operation.call(node, target, number).anonymous();
            if let Some(value) = &caller.authorization {
                call = call.header("authorization", value);
            }
            let answer = call.await;
            let told = format!(
                "{} {} about {about:?} by {}: {} {}",
                operation.method, operation.path, caller.name, answer.status, answer.text
            );
            // A target that the last caller removed is gone for the next, and a part below a record
            // may never have existed.
            let below = !operation.path.ends_with("{id}");
            let consumed = round == 1 && operation.method == Method::DELETE && (index > 0 || below);
            let fate = fate_of(&answer);
            let right = fate == expected(caller) || (consumed && fate == Fate::NotFound);
            if !right && !names_nothing(operation, fate, expected(caller)) {
                wrong.push(told.clone());
            }
            if fate == Fate::Unauthorized {
                let challenge = match (operation.access, caller.who) {
                    ("credentials", _) => "Basic realm=\"verbund\"",
                    (_, Who::Anybody) => "Bearer",
                    _ => crate::tokens::INVALID,
                };
                assert_eq!(answer.header("www-authenticate"), challenge, "{told}");
            }
        }
        if round == 0 {
            let after = snapshot(node).await;
            assert_eq!(after, before, "{} {}", operation.method, operation.path);
        }
    }
    wrong
}

/// Whether the operation is about something that the test has not created or configured.
fn names_nothing(operation: &Operation<'_>, fate: Fate, expected: Fate) -> bool {
    let unknown = ["{name}", "{delivery}", "/security.txt"];
    let unknown = unknown.iter().any(|one| operation.path.contains(one));
    unknown && fate == Fate::NotFound && expected == Fate::In
}

story!(
    every_operation_lets_in_whom_the_role_table_names,
    Seeded,
    async |node| {
        let document = tests::conform::document();
        let callers = callers(node).await;
        let mut number = 0;
        let mut tried = 0;
        let mut wrong = Vec::new();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, described) in methods.as_object().unwrap() {
                let access = described["x-access"].as_str();
                let operation = Operation {
                    method: Method::from_bytes(method.to_uppercase().as_bytes()).unwrap(),
                    path,
                    described,
                    access: access
                        .unwrap_or_else(|| panic!("{method} {path} does not say who may call it")),
                    kind: kind_of(path),
                };
                assert!(described["security"].is_array(), "{method} {path}");
                let topic = operation.kind == Some(Kind::Topic);
                let publications: &[&str] = match (operation.has_target(), operation.kind) {
                    (true, Some(_)) => &["published", "draft"],
                    _ => &["published"],
                };
                for publication in publications {
                    number += 1;
                    let about = match (*publication, topic) {
                        ("draft", false) => About::Draft,
                        ("draft", true) => About::HomelessDraft,
                        (_, true) => About::Homeless,
                        (_, false) => About::Public,
                    };
                    let target = if operation.has_target() {
                        operation.target(node, document, publication, number).await
                    } else {
                        String::new()
                    };
                    let about = (target.as_str(), about, number);
                    wrong.extend(everybody(node, &operation, &callers, about).await);
                    tried += 1;
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(tried > 60, "{tried}");
        tests::audit::audit(node.store.db()).await;
    }
);
