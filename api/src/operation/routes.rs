//! Routes that document themselves.
//!
//! A handler's extractors declare the input of the operation and its reply the output, so the
//! OpenAPI document is derived from the handler's type and cannot drift from it.

use crate::formats::{Documented, Format};
use crate::http::problem::{Code, Problem, ProblemDocument};
use crate::operation::description;
use crate::operation::media_type::{Accepted, Formats};
use crate::state::State;
use actix_web::dev::{AppService, HttpServiceFactory, Payload};
use actix_web::http::Method;
use actix_web::http::header;
use actix_web::{FromRequest, Handler, HttpMessage, HttpRequest, HttpResponse, Responder, web};
use domain::base::json::insert;
use domain::base::kind::Kind;
pub use domain::base::schema::reference;
use domain::validation::body::KindSchema;
use futures::future::LocalBoxFuture;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;
use utoipa::ToSchema;

#[derive(Debug, Default, Clone)]
pub struct Draft {
    kind: Option<Kind>,
    formats: &'static [&'static dyn Format],
    parameters: Vec<Value>,
    request_body: Option<Value>,
    responses: BTreeMap<u16, Value>,
    problems: BTreeSet<Code>,
    security: Option<Vec<Value>>,
    access: Option<&'static str>,
    schemas: Map<String, Value>,
    clashes: BTreeSet<String>,
}

impl Draft {
    /// The kind of the operation, if it has a single one.
    #[must_use]
    pub const fn kind(&self) -> Option<Kind> {
        self.kind
    }

    /// The schema of that kind.
    ///
    /// # Panics
    /// If the operation has no single kind. Only describing a route calls this, and the tests
    /// describe every route.
    #[must_use]
    #[expect(
        clippy::expect_used,
        reason = "a mistake in the list of routes, which every test of the document finds"
    )]
    pub fn kind_schema(&self) -> &'static KindSchema {
        KindSchema::of(self.kind.expect("an operation on records of one kind"))
    }

    /// The formats to be documented.
    #[must_use]
    pub const fn formats(&self) -> &'static [&'static dyn Format] {
        self.formats
    }

    /// The response 200 in the formats to be documented.
    pub fn success(
        &mut self,
        description: &str,
        document: impl Fn(&dyn Format) -> Documented,
    ) -> Value {
        let mut response = json!({"description": description});
        for format in self.formats {
            let documented = document(*format);
            self.components(documented.components);
            let content = json!({"schema": documented.schema, "example": documented.example});
            insert(&mut response, &["content", format.media_type()], content);
        }
        response
    }

    /// Adds a parameter (OpenAPI parameter object).
    ///
    /// Swagger UI fills in examples of optional parameters, which would make its first request a
    /// strange one; so they go into the description.
    pub fn parameter(&mut self, mut parameter: Value) {
        let required = parameter.get("required") == Some(&json!(true));
        let members = parameter.as_object_mut().filter(|_| !required);
        let example = members
            .and_then(|members| members.shift_remove("example"))
            .filter(|example| *example != json!(""));
        if let Some(example) = example {
            let description = parameter.get("description").and_then(Value::as_str);
            let text = example
                .as_str()
                .map_or_else(|| example.to_string(), str::to_owned);
            let told = format!("{} For example `{text}`.", description.unwrap_or_default());
            insert(&mut parameter, &["description"], told);
        }
        self.parameters.push(parameter);
    }

    /// Makes a previously added parameter optional.
    pub fn optional(&mut self, name: &str) {
        let named = |one: &&mut Value| one.get("name") == Some(&json!(name));
        let members = self.parameters.iter_mut().find(named);
        if let Some(members) = members.and_then(Value::as_object_mut) {
            members.shift_remove("required");
        }
    }

    /// States another default of a previously added parameter.
    pub fn default_of(&mut self, name: &str, value: u64) {
        let named = |one: &&mut Value| one.get("name") == Some(&json!(name));
        if let Some(parameter) = self.parameters.iter_mut().find(named) {
            insert(parameter, &["schema", "default"], value);
        }
    }

    /// Leaves out previously added parameters.
    pub fn without(&mut self, names: &[&str]) {
        self.parameters.retain(|one| {
            let name = one.get("name").and_then(Value::as_str);
            !name.is_some_and(|name| names.contains(&name))
        });
    }

    pub fn request_body(&mut self, body: Value) {
        self.request_body = Some(body);
    }

    pub fn response(&mut self, status: u16, response: Value) {
        self.responses.insert(status, response);
    }

    /// Adds a header to every success response described so far.
    pub fn success_header(&mut self, name: &str, description: &str) {
        let object = json!({"description": description, "schema": {"type": "string"}});
        for (_, response) in self.responses.range_mut(200..300) {
            insert(response, &["headers", name], object.clone());
        }
    }

    pub fn problem(&mut self, code: Code) {
        self.problems.insert(code);
    }

    /// Declares the callers: `access` in a word (`x-access`), and the required scope of the token.
    pub fn access(&mut self, access: &'static str, token: Option<&str>) {
        self.access = Some(access);
        let security = self.security.get_or_insert_default();
        if access == "read" {
            security.push(json!({}));
        }
        if !["public", "credentials"].contains(&access) {
            let scopes: Vec<&str> = token.into_iter().collect();
            // Only OAuth has scopes in the document.
            security.push(json!({"bearer": []}));
            security.push(json!({"oauth2": scopes}));
        }
    }

    pub fn components(&mut self, schemas: Map<String, Value>) {
        register(&mut self.schemas, schemas, &mut self.clashes);
    }

    /// Registers the schema of a type with all referenced ones, and returns a reference to it.
    pub fn schema<T: ToSchema>(&mut self) -> Value {
        self.components(domain::base::schema::of::<T>());
        reference(&T::name())
    }

    fn finish(&mut self, [id, summary, description, tag]: [&str; 4]) -> Value {
        let problem = self.schema::<ProblemDocument>();
        self.problems.insert(Code::Internal);
        self.problems.insert(Code::NotAcceptable);
        self.problems.insert(Code::UriTooLong);
        self.problems.insert(Code::RateLimited);
        for code in Code::ALL {
            if self.problems.contains(code) {
                let kind = code.kind();
                let status = kind.status.as_u16();
                let more = format!("`{}`: {}", kind.code, kind.title.en);
                merge_problem(&mut self.responses, status, &more, &problem);
            }
        }
        let responses: Map<String, Value> = std::mem::take(&mut self.responses)
            .into_iter()
            .map(|(status, response)| (status.to_string(), response))
            .collect();
        let mut operation = json!({
            "operationId": id,
            "summary": summary,
            "description": description,
            "tags": [tag],
            "parameters": std::mem::take(&mut self.parameters),
            "responses": responses,
        });
        if let Some(body) = self.request_body.take() {
            insert(&mut operation, &["requestBody"], body);
        }
        if let Some(security) = self.security.take() {
            insert(&mut operation, &["security"], Value::Array(security));
        }
        if let Some(access) = self.access {
            insert(&mut operation, &["x-access"], access);
        }
        operation
    }
}

fn merge_problem(responses: &mut BTreeMap<u16, Value>, status: u16, more: &str, schema: &Value) {
    let response = responses.entry(status).or_insert_with(|| {
        let mut response = json!({
            "description": "",
            "content": {"application/problem+json": {"schema": schema}},
        });
        if let Some((header, description)) = header_of(status) {
            let object = json!({"description": description, "schema": {"type": "string"}});
            insert(&mut response, &["headers", header], object);
        }
        response
    });
    let before = response
        .get("description")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let separator = if before.is_empty() { "" } else { " · " };
    let description = format!("{before}{separator}{more}");
    insert(response, &["description"], description);
}

fn header_of(status: u16) -> Option<(&'static str, &'static str)> {
    match status {
        308 => Some(("Location", "Current address of the record.")),
        401 => Some(("WWW-Authenticate", "How to authenticate (RFC 6750).")),
        429 | 503 | 507 => Some(("Retry-After", "Seconds to wait.")),
        _ => None,
    }
}

/// Decides whether a caller may call the operation at all.
pub type Admission = LocalBoxFuture<'static, Result<(), Problem>>;

pub trait Extract: FromRequest {
    fn describe(draft: &mut Draft);

    /// The caller is identified before anything else is read: a missing permission takes precedence
    /// over other errors, and unauthorized callers cannot make the server read a body.
    fn admission(_request: &HttpRequest) -> Option<Admission> {
        None
    }
}

pub trait Reply: Responder {
    /// The formats in which it is offered.
    fn formats(_kind: Option<Kind>) -> Formats {
        Formats::JSON
    }

    fn describe(draft: &mut Draft);
}

impl<R: Reply> Reply for Result<R, Problem> {
    fn formats(kind: Option<Kind>) -> Formats {
        R::formats(kind)
    }

    fn describe(draft: &mut Draft) {
        R::describe(draft);
    }
}

pub trait Extractors: FromRequest {
    fn describe(draft: &mut Draft);

    fn admission(request: &HttpRequest) -> Option<Admission>;
}

macro_rules! extractors {
    ($($name:ident)*) => {
        impl<$($name: Extract + 'static),*> Extractors for ($($name,)*) {
            fn describe(_draft: &mut Draft) {
                $($name::describe(_draft);)*
            }

            fn admission(_request: &HttpRequest) -> Option<Admission> {
                None$(.or_else(|| $name::admission(_request)))*
            }
        }
    };
}
extractors!();
extractors!(A);
extractors!(A B);
extractors!(A B C);
extractors!(A B C D);
extractors!(A B C D E);
extractors!(A B C D E F);
extractors!(A B C D E F G);
extractors!(A B C D E F G H);

/// The arguments of a handler with the reply `R`.
struct Admitted<Args, R>(Args, PhantomData<R>);

/// The only format of a path that ends with its extension.
#[derive(Clone, Copy)]
struct OfPath(Formats);

impl<Args: Extractors + 'static, R: Reply> FromRequest for Admitted<Args, R> {
    type Error = actix_web::Error;
    type Future = LocalBoxFuture<'static, actix_web::Result<Self>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let of_path = request.app_data::<OfPath>();
        let formats = match of_path {
            Some(OfPath(formats)) => *formats,
            None => R::formats(request.app_data::<Kind>().copied()),
        };
        request.extensions_mut().insert(formats);
        let admission = Args::admission(request);
        // A link to such a path cannot set headers.
        let accepted = match of_path {
            Some(OfPath(formats)) => Ok(formats.default()),
            None => formats.negotiate(request),
        };
        let accepted = accepted.and_then(|format| addressable(request, format));
        let (request, mut payload) = (request.clone(), payload.take());
        Box::pin(async move {
            if let Some(admission) = admission {
                admission.await?;
            }
            request.extensions_mut().insert(Accepted(accepted?));
            let args = Args::from_request(&request, &mut payload).await;
            args.map(|args| Self(args, PhantomData)).map_err(Into::into)
        })
    }
}

/// Refuses a format with absolute addresses if those of this server are not known.
fn addressable(
    request: &HttpRequest,
    format: &'static dyn Format,
) -> Result<&'static dyn Format, Problem> {
    let state = request.app_data::<web::Data<State>>();
    let known = state.is_some_and(|state| state.site.base().is_some());
    if format.has_addresses() && !known {
        return Err(Problem::new(Code::PublicUrlMissing));
    }
    Ok(format)
}

/// One operation: a method, its documentation and its handler.
struct Route {
    method: Method,
    describe: Box<dyn Fn() -> (Value, Draft)>,
    serve: Box<dyn Fn(Method) -> actix_web::Route>,
}

/// The routes of a part of the API, mounted and documented together.
pub struct Routes {
    tag: &'static str,
    kind: Option<Kind>,
    paths: Vec<PathRoutes>,
}

struct PathRoutes {
    path: String,
    kind: Option<Kind>,
    of_path: Option<Formats>,
    routes: Vec<Route>,
}

#[derive(Debug, Default)]
pub struct Description {
    pub paths: Map<String, Value>,
    pub schemas: Map<String, Value>,
    /// Names of two different schemas; there must be none.
    pub clashes: BTreeSet<String>,
}

impl Routes {
    /// No routes yet; `tag` groups them in the document.
    #[must_use]
    pub fn new(tag: &'static str) -> Self {
        Self {
            tag,
            kind: None,
            paths: Vec::new(),
        }
    }

    #[must_use]
    pub fn of(schema: &KindSchema) -> Self {
        Self::new(schema.tag).of_kind(schema)
    }

    #[must_use]
    pub const fn of_kind(mut self, schema: &KindSchema) -> Self {
        self.kind = Some(schema.kind);
        self
    }

    /// Adds an operation. `problems` are those that neither the extractors nor the reply declare.
    #[must_use]
    pub fn route<F, Args>(
        mut self,
        method: Method,
        path: &str,
        (id, summary): (&str, &str),
        problems: &[Code],
        handler: F,
    ) -> Self
    where
        F: Handler<Args>,
        Args: Extractors + 'static,
        F::Output: Reply + 'static,
    {
        let offered = <F::Output as Reply>::formats(self.kind);
        for of_path in offered.of_paths() {
            let format = of_path.default();
            let (name, extension) = (format.name(), format.extension());
            let short = summary.split(':').next().unwrap_or_default();
            let names = [
                &format!("{id}_{extension}"),
                &format!("{short} as {name}"),
                &description::in_format(path, format),
            ];
            let route = (method.clone(), handler.clone());
            let path = format!("{path}.{extension}");
            self.mount(
                route,
                &path,
                names.map(String::as_str),
                problems,
                Some(of_path),
            );
        }
        let described = description::of(id, self.kind);
        let text = description::with_formats(&described, path, offered);
        let route = (method, handler);
        self.mount(route, path, [id, summary, &text], problems, None);
        self
    }

    fn mount<F, Args>(
        &mut self,
        (method, handler): (Method, F),
        path: &str,
        texts: [&str; 3],
        problems: &[Code],
        of_path: Option<Formats>,
    ) where
        F: Handler<Args>,
        Args: Extractors + 'static,
        F::Output: Reply + 'static,
    {
        let [id, summary, description] = texts.map(str::to_owned);
        let tag = self.tag;
        let problems = problems.to_vec();
        let writes = method != Method::GET;
        let kind = self.kind;
        let offered = of_path.unwrap_or_else(|| <F::Output as Reply>::formats(kind));
        let describe = move || {
            let mut draft = Draft {
                kind,
                formats: offered.documented(),
                ..Draft::default()
            };
            Args::describe(&mut draft);
            if offered.is_negotiated() {
                draft.parameter(offered.parameter());
                draft.problem(Code::InvalidParameter);
            }
            if offered.all().iter().any(|format| format.has_addresses()) {
                draft.problem(Code::PublicUrlMissing);
            }
            <F::Output as Reply>::describe(&mut draft);
            for code in &problems {
                draft.problem(*code);
            }
            if writes {
                draft.problem(Code::StorageFull);
            }
            (draft.finish([&id, &summary, &description, tag]), draft)
        };
        let handler = move |args: Admitted<Args, F::Output>| handler.call(args.0);
        let route = Route {
            method,
            describe: Box::new(describe),
            serve: Box::new(move |method| web::method(method).to(handler.clone())),
        };
        self.add(PathRoutes {
            path: path.to_owned(),
            kind,
            of_path,
            routes: vec![route],
        });
    }

    #[must_use]
    pub fn get<F, Args>(
        self,
        path: &str,
        names: (&str, &str),
        problems: &[Code],
        handler: F,
    ) -> Self
    where
        F: Handler<Args>,
        Args: Extractors + 'static,
        F::Output: Reply + 'static,
    {
        self.route(Method::GET, path, names, problems, handler)
    }

    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        for one in other.paths {
            self.add(one);
        }
        self
    }

    fn add(&mut self, one: PathRoutes) {
        match self.paths.iter_mut().find(|known| known.path == one.path) {
            Some(known) => {
                known.kind = known.kind.or(one.kind);
                known.routes.extend(one.routes);
            }
            None => self.paths.push(one),
        }
    }

    #[must_use]
    pub fn describe(&self) -> Description {
        let mut described = Description::default();
        for PathRoutes { path, routes, .. } in &self.paths {
            let mut operations = Map::new();
            for route in routes {
                let (operation, draft) = (route.describe)();
                operations.insert(route.method.as_str().to_ascii_lowercase(), operation);
                described.clashes.extend(draft.clashes);
                register(
                    &mut described.schemas,
                    draft.schemas,
                    &mut described.clashes,
                );
            }
            described.paths.insert(path.clone(), operations.into());
        }
        described
    }
}

/// Registers schemas and records the names that another schema already has.
fn register(
    known: &mut Map<String, Value>,
    schemas: Map<String, Value>,
    clashes: &mut BTreeSet<String>,
) {
    for (name, schema) in schemas {
        if known.get(&name).is_some_and(|one| *one != schema) {
            clashes.insert(name.clone());
        }
        known.insert(name, schema);
    }
}

impl HttpServiceFactory for Routes {
    fn register(mut self, config: &mut AppService) {
        // The first that matches is taken, and `{id}` matches a whole segment with its extension.
        self.paths.sort_by_key(|one| one.of_path.is_none());
        for one in self.paths {
            let PathRoutes {
                path,
                kind,
                of_path,
                routes,
            } = one;
            let mut allow: Vec<String> = vec!["OPTIONS".to_owned()];
            let mut resource = web::resource(path.as_str());
            if let Some(kind) = kind {
                resource = resource.app_data(kind);
            }
            if let Some(formats) = of_path {
                resource = resource.app_data(OfPath(formats));
            }
            for route in &routes {
                allow.push(route.method.to_string());
                resource = resource.route((route.serve)(route.method.clone()));
                if route.method == Method::GET {
                    allow.push("HEAD".to_owned());
                    // actix leaves out the body of a response to HEAD.
                    resource = resource.route((route.serve)(Method::HEAD));
                }
            }
            allow.sort();
            let allow = allow.join(", ");
            let options = allow.clone();
            resource
                .route(web::method(Method::OPTIONS).to(move || {
                    let allow = options.clone();
                    async move {
                        HttpResponse::NoContent()
                            .insert_header((header::ALLOW, allow))
                            .finish()
                    }
                }))
                .default_service(web::to(move || {
                    let problem =
                        Problem::new(Code::MethodNotAllowed).header(header::ALLOW, &allow);
                    async move { Err::<HttpResponse, Problem>(problem) }
                }))
                .register(config);
        }
    }
}

impl std::fmt::Debug for Routes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let paths = self.paths.iter().map(|one| &one.path);
        f.debug_list().entries(paths).finish()
    }
}
