"""Reads linked data with PyLD and rdflib, without any other server, and checks the catalogue for data
portals with pyshacl against the rules of DCAT-AP.de."""

import json
import os
import xml.etree.ElementTree as ElementTree

from node import SCRATCH, URL, get, load, publish, send
from pyld import jsonld
from pyshacl import validate
from rdflib import Graph, Literal, Namespace, URIRef
from rdflib.compare import isomorphic
from rdflib.namespace import DCAT, DCTERMS, RDF

SCHEMA = "https://schema.org/"
ORG = "http://www.w3.org/ns/org#"
HERE = os.path.dirname(os.path.abspath(__file__))


def loader(address, _options=None):
    """Nothing but this node is asked."""
    assert address.startswith(URL + "/"), address
    text, headers = get(address)
    return {"contextUrl": None, "documentUrl": address, "document": json.loads(text),
            "contentType": headers["Content-Type"].split(";")[0]}


jsonld.set_document_loader(loader)


def members(value):
    """The names of members that mean something, at any depth."""
    if isinstance(value, list):
        return sum((members(one) for one in value), [])
    if not isinstance(value, dict):
        return []
    names = [name for name in value if not name.startswith("@")]
    return names + sum((members(one) for one in value.values()), [])


def read(path, headers=None):
    """A document and its expanded form, in which every member has a meaning."""
    text, answer = get(path, headers)
    assert answer["Content-Type"].startswith("application/ld+json"), answer["Content-Type"]
    document = json.loads(text)
    expanded = jsonld.expand(document)
    found = members(expanded)
    assert len(found) == len(members(document)), (path, sorted(members(document)), sorted(found))
    known = (SCHEMA, ORG, "http://purl.org/dc/terms/", "http://www.w3.org/2004/02/skos/core#",
             "urn:verbund:vocabulary:")
    assert all(name.startswith(known) for name in found), found
    assert jsonld.normalize(document, {"algorithm": "URDNA2015", "format": "application/n-quads"})
    return document, expanded


# ---- records ------------------------------------------------------------------

network, _ = publish("networks", {"name": "Netz", "founded": "2009~", "identifiers": [
    {"scheme": "wikidata", "value": "Q42"}], "figures": [
    {"measure": "members", "value": 50, "qualifier": "about", "as_stated": "rund 50"},
    {"measure": "employees", "value": 35, "qualifier": "more_than"}]})
actor, _ = publish("actors", {"name": "Klinik", "categories": ["hospital"], "founded": "1923", "language": "de",
                              "translations": {"en": {"name": "Clinic"}},
                              "places": [{"city": "Kassel", "point": {"lat": 51.3, "lon": 9.4}, "region": "nordhessen"}],
                              "contact": {"website": "https://klinik.example/", "email": "post@klinik.example"},
                              "licence": "https://creativecommons.org/publicdomain/zero/1.0/"})
publish("relationships", {"type": "member_of", "roles": ["chair"], "valid": {"from": "2010-05", "to": "2012"},
                          "from": {"kind": "actor", "id": actor["id"]}, "to": {"kind": "network", "id": network["id"]}})
series, _ = publish("events", {"name": "Reihe", "start": "2031"})
event, _ = publish("events", {"name": "Abend", "start": "2031-05-01T18:00:00+02:00", "mode": "hybrid", "status": "postponed",
                              "registration_url": "https://klinik.example/abend", "places": [{"city": "Kassel"}]})
publish("relationships", {"type": "part_of", "from": {"kind": "event", "id": event["id"]}, "to": {"kind": "event", "id": series["id"]}})
publish("relationships", {"type": "involved_in", "roles": ["organiser"], "from": {"kind": "actor", "id": actor["id"]},
                          "to": {"kind": "event", "id": event["id"]}})

assert "memberOf" not in read(f"/v1/actors/{actor['slug']}.jsonld")[0], "the membership has ended"
clinic, expanded = read(f"/v1/actors/{actor['slug']}.jsonld?relationships_on=any")
assert expanded[0]["@id"] == f"{URL}/v1/actors/{actor['id']}"
assert expanded[0]["@type"] == [SCHEMA + "Hospital", ORG + "Organization"]
assert clinic["foundingDate"] == "1923" and clinic["url"] == "https://klinik.example/"
assert clinic["dct:license"] == "https://creativecommons.org/publicdomain/zero/1.0/"
role = clinic["memberOf"][0]
assert role["@type"] == ["OrganizationRole", "org:Membership"], role
assert (role["startDate"], role["endDate"], role["roleName"]) == ("2010-05", "2012", ["chair"]), role
assert role["memberOf"]["@id"] == f"{URL}/v1/networks/{network['id']}" and role["memberOf"]["name"] == "Netz"
assert "vb:changed" not in clinic
english, _ = read(f"/v1/actors/{actor['id']}?lang=en", {"Accept": "application/ld+json"})
assert english["name"] == "Clinic" and english["vb:changed"] is True

cluster, expanded = read(f"/v1/networks/{network['id']}.jsonld?relationships_on=any")
assert "foundingDate" not in cluster
assert cluster["sameAs"] == ["http://www.wikidata.org/entity/Q42"]
assert cluster["dct:license"] == "https://creativecommons.org/licenses/by/4.0/"
assert cluster["numberOfEmployees"]["minValue"] == 35 and "value" not in cluster["numberOfEmployees"]
assert cluster["vb:figure"][0]["vb:qualifier"] == "about", cluster["vb:figure"]
assert cluster["member"][0]["member"]["name"] == "Klinik"
evening, _ = read(f"/v1/events/{event['id']}.jsonld")
assert evening["eventStatus"] == SCHEMA + "EventPostponed"
assert evening["eventAttendanceMode"] == SCHEMA + "MixedEventAttendanceMode"
assert evening["superEvent"][0]["name"] == "Reihe" and evening["organizer"][0]["@type"] == "Hospital"
assert [place["@type"] for place in evening["location"]] == ["Place", "VirtualLocation"]

nodes = [clinic, cluster, evening]
for kind in ["actors", "networks", "projects", "events", "regions", "topics", "relationships"]:
    page, _ = read(f"/v1/{kind}.jsonld?limit=5")
    assert page["@type"] == "ItemList" and page["numberOfItems"] >= len(page["itemListElement"]) > 0
    if "vb:next" in page:
        read(page["vb:next"])
    nodes += page["itemListElement"]
    for item in page["itemListElement"]:
        nodes.append(read(item["@id"].removeprefix(URL) + ".jsonld")[0])
with open(f"{SCRATCH}/nodes.json", "w", encoding="utf-8") as file:
    json.dump(nodes, file)
print(f"    PyLD: {len(nodes)} nodes")

# ---- the catalogue ------------------------------------------------------------

shapes = Graph().parse(f"{HERE}/shapes.ttl", format="turtle")
text, headers = get("/dcat.rdf")
assert headers["Content-Type"].startswith("application/rdf+xml")
catalogue = Graph().parse(data=text, format="xml")
other = Graph().parse(data=get("/dcat.jsonld")[0], format="json-ld")
assert isomorphic(catalogue, other)


def conforms(graph):
    """Whether a catalogue keeps the rules."""
    fine, _, report = validate(graph, shacl_graph=shapes, inference="none")
    return fine, report


fine, report = conforms(catalogue)
assert fine, report
datasets = list(catalogue.subjects(RDF.type, DCAT.Dataset))
distributions = list(catalogue.subjects(RDF.type, DCAT.Distribution))
assert len(datasets) == 7 and len(distributions) > 25, (len(datasets), len(distributions))
# What is downloaded is whole; the others are pages, and say so.
downloads = {str(address) for address in catalogue.objects(None, DCAT.downloadURL)}
assert downloads and all("/v1/export?" in address for address in downloads), downloads
for address in downloads:
    body, answer = load(address)
    assert body and answer["Link"], address
for distribution in distributions:
    whole = (distribution, DCAT.downloadURL, None) in catalogue
    described = (distribution, DCTERMS.description, None) in catalogue
    assert whole != described, distribution

DCATDE = Namespace("http://dcat-ap.de/def/dcatde/")
VCARD = Namespace("http://www.w3.org/2006/vcard/ns#")
FOAF = Namespace("http://xmlns.com/foaf/0.1/")
mutants = [
    ("no title", lambda graph: graph.remove((datasets[0], DCTERMS.title, None))),
    ("no description", lambda graph: graph.remove((datasets[0], DCTERMS.description, None))),
    ("no publisher", lambda graph: graph.remove((datasets[0], DCTERMS.publisher, None))),
    ("publisher without a name", lambda graph: graph.remove((None, FOAF.name, None))),
    ("no contact", lambda graph: graph.remove((datasets[0], DCAT.contactPoint, None))),
    ("contact without an address", lambda graph: graph.remove((None, VCARD.hasEmail, None))),
    ("no address", lambda graph: graph.remove((distributions[0], DCAT.accessURL, None))),
    ("no licence", lambda graph: graph.remove((distributions[0], DCTERMS.license, None))),
    ("another list of licences", lambda graph: graph.set((distributions[0], DCTERMS.license, URIRef("https://lizenz.example/1")))),
    ("no attribution", lambda graph: graph.remove((distributions[0], DCATDE.licenseAttributionByText, None))),
    ("a theme as text", lambda graph: graph.set((datasets[0], DCAT.theme, Literal("Gesundheit")))),
    ("a date as text", lambda graph: graph.set((datasets[0], DCTERMS.modified, Literal("gestern")))),
    ("a media type as text", lambda graph: graph.set((distributions[0], DCAT.mediaType, Literal("text/csv")))),
    ("no endpoint", lambda graph: graph.remove((None, DCAT.endpointURL, None))),
    ("no distribution", lambda graph: graph.remove((datasets[0], DCAT.distribution, None))),
]
for name, change in mutants:
    mutant = Graph()
    mutant += catalogue
    change(mutant)
    assert not conforms(mutant)[0], f"the rules do not notice: {name}"
print(f"    pyshacl: {len(datasets)} datasets, {len(distributions)} distributions, {len(mutants)} mutants refused")

# ---- sitemaps -----------------------------------------------------------------

SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
addresses = []
for page in ElementTree.fromstring(get("/sitemap.xml")[0]).iter(SITEMAP + "loc"):
    addresses += [one.text for one in ElementTree.fromstring(get(page.text)[0]).iter(SITEMAP + "loc")]
assert len(set(addresses)) == len(addresses) > 50
assert f"{URL}/networks/{network['slug']}" in addresses
assert f"Sitemap: {URL}/sitemap.xml" in get("/robots.txt")[0]
security = get("/.well-known/security.txt")[0]
assert "Contact: mailto:daten@beispiel.example" in security and "Expires: " in security
print(f"    sitemaps: {len(addresses)} addresses")
