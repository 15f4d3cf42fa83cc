// What a frontend team does in its first hour, with a client generated from the document:
// openapi-typescript and openapi-fetch with their defaults, under `tsc --strict`.
//
// Lines marked @ts-expect-error must not compile: there the document keeps a mistake from being made.

import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

const baseUrl = process.env["NODE_URL"] ?? "";
const token = process.env["NODE_TOKEN"] ?? "";
const client = createClient<paths>({
  baseUrl,
  headers: { authorization: `Bearer ${token}` },
  // A comma is OR, a repeated parameter AND: lists of codes are written with commas.
  querySerializer: { array: { style: "form", explode: false } },
});

type Problem = components["schemas"]["Problem"];

/** The answer, or an exception with what the problem says. */
function expect<T>(answer: { data?: T; error?: Problem | undefined }): T {
  if (answer.data === undefined) {
    throw new Error(answer.error?.detail ?? "no answer");
  }
  return answer.data;
}

// A list; optional members may be absent.
const networks = expect(await client.GET("/v1/networks", { params: { query: { limit: 2 } } }));
const first = networks.items[0];
assert(first !== undefined && first.name.length > 0);
// @ts-expect-error A summary may be absent.
void (() => first.summary.length);
void first.summary?.length;
const kind: "network" = first.kind;
assert.equal(kind, "network");

// Page by page, until there is no `next`.
const seen = new Set<string>();
let cursor: string | undefined;
do {
  const page = expect(await client.GET("/v1/actors", {
    params: { query: { limit: 5, ...(cursor === undefined ? {} : { cursor }) } },
  }));
  page.items.forEach((actor) => seen.add(actor.id));
  const next = page.next === undefined ? undefined : new URL(page.next, baseUrl).searchParams;
  cursor = next?.get("cursor") ?? undefined;
  if (cursor === undefined) assert.equal(seen.size, page.total);
} while (cursor !== undefined);

// Every default of the document is taken.
expect(await client.GET("/v1/networks", {
  params: { query: { limit: 20, highlights: false, geometry: false } },
}));

// Filters are codes; several of them mean OR.
const either = expect(await client.GET("/v1/search", {
  params: { query: { kind: ["actor", "network"], limit: 1 } },
}));
assert(either.total > networks.total);
// @ts-expect-error A relationship is not searched for.
void (() => client.GET("/v1/search", { params: { query: { kind: ["relationship"] } } }));

// A dry run: everything is checked, nothing has an id.
const body: components["schemas"]["ActorInput"] = { name: "Klinik am Musterbach", home_region: "hessen" };
const rehearsed = await client.POST("/v1/actors", { params: { query: { dry_run: true } }, body });
assert.equal(rehearsed.response.status, 200);
assert.equal(expect(rehearsed).id, null);

// And really.
const created = expect(await client.POST("/v1/actors", {
  params: { header: { "Idempotency-Key": `"${crypto.randomUUID()}"` } },
  body,
}));
const id = created.id;
assert(id !== null);
const path = { id };

// What is wrong with a body.
const wrong = await client.POST("/v1/actors", { body: { name: "", home_region: "nowhere" } });
assert(wrong.error !== undefined);
assert.deepEqual(wrong.error.errors?.map((fault) => fault.pointer).sort(), ["/home_region", "/name"]);

// @ts-expect-error A change is based on a version.
void (() => client.PATCH("/v1/actors/{id}", { params: { path }, body: { summary: "x" } }));
const patched = expect(await client.PATCH("/v1/actors/{id}", {
  params: { path, header: { "If-Match": '"1"' } },
  body: { summary: "Ein Beispiel.", contact: { phone: "+49 561 1" } },
  headers: { "content-type": "application/merge-patch+json" },
}));
assert.equal(patched.summary, "Ein Beispiel.");
const removed = expect(await client.PATCH("/v1/actors/{id}", {
  params: { path, header: { "If-Match": '"2"' } },
  body: { summary: null },
}));
assert.equal(removed.summary, undefined);

// Somebody was faster: the problem says which version there is.
const stale = await client.PATCH("/v1/actors/{id}", {
  params: { path, header: { "If-Match": '"1"' } },
  body: { summary: "Zu spät." },
});
const current: number | undefined = stale.error?.current;
assert.equal(current, 3);

// Hits differ by kind.
const hits = expect(await client.GET("/v1/search", { params: { query: { q: "Klinik", highlights: true } } }));
for (const hit of hits.items) {
  if (hit.kind === "actor") {
    const categories: readonly string[] = hit.categories ?? [];
    void categories;
    // @ts-expect-error Actors have no start.
    void hit.start;
  }
  const marked: Record<string, string> | undefined = hit.hit?.highlights;
  const score: number | undefined = hit.hit?.score;
  assert(marked !== undefined && score !== undefined);
}

// What comes along is typed by kind and id.
const extended = expect(await client.GET("/v1/networks", {
  params: { query: { include: ["home_region"], limit: 1 } },
}));
const region: components["schemas"]["RegionRecord"] | undefined =
  Object.values(extended.included?.region ?? {})[0];
assert(region !== undefined && region.level !== undefined);

// The map has paths of its own.
const map = expect(await client.GET("/v1/networks.geojson", { params: { query: { limit: 1 } } }));
assert.equal(map.type, "FeatureCollection");
assert(map.features[0] !== undefined && map.features[0].properties.name.length > 0);

// Both ends of a relationship.
const around = expect(await client.GET("/v1/networks/{id}/relationships", { params: { path: { id: first.id } } }));
for (const one of around.items) {
  const end: components["schemas"]["End"] = one.to;
  if ("class" in end) assert(end.class.kind.length > 0);
  assert(one.label.length > 0);
}

// Gone: the tombstone tells when and why.
const deleted = await client.DELETE("/v1/actors/{id}", { params: { path, header: { "If-Match": '"3"' } } });
assert.equal(deleted.response.status, 204);
const gone = await client.GET("/v1/actors/{id}", { params: { path } });
const tombstone: components["schemas"]["ProblemTombstone"] | undefined = gone.error?.tombstone;
assert.equal(tombstone?.cause, "deleted");

console.log("    TypeScript: the sample ran");
