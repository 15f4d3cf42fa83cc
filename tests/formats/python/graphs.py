"""Reads the graph around a record with NetworkX, and matches names as OpenRefine does."""

import io
import json
import urllib.parse
import urllib.request

import networkx
from node import URL, get, publish

network, _ = publish("networks", {"name": "Netz <&>", "places": [{"point": {"lat": 51.25, "lon": 9.5}}]})
actor, _ = publish("actors", {"name": "Ämter & \"Co\"", "categories": ["company"], "names": [{"value": "ÄC", "type": "acronym"}]})
publish("relationships", {"type": "member_of", "roles": ["chair"], "from": {"kind": "actor", "id": actor["id"]},
                          "to": {"kind": "network", "id": network["id"]}, "valid": {"from": "2010"}})
publish("relationships", {"type": "member_of", "from": {"as_stated": "weitere Kliniken", "class": {"kind": "actor"}},
                          "to": {"kind": "network", "id": network["id"]}})


def graph(around):
    """The graph in both formats."""
    described = json.loads(get(f"/v1/graph?{around}")[0])
    text, headers = get(f"/v1/graph.graphml?{around}")
    assert headers["Content-Type"].startswith("application/graphml+xml"), headers["Content-Type"]
    return described, networkx.read_graphml(io.BytesIO(text.encode()))


described, read = graph(f"from=network/{network['slug']}")
assert read.number_of_nodes() == 3 and read.number_of_edges() == 2, read
centre = read.nodes[network["id"]]
assert (centre["name"], centre["distance"], centre["latitude"]) == ("Netz <&>", 0, 51.25), centre
assert read.nodes[actor["id"]]["name"] == 'Ämter & "Co"'
edge = read.edges[actor["id"], network["id"]]
assert (edge["type"], edge["roles"], edge["from"]) == ("member_of", "chair", "2010"), edge
assert "weitere Kliniken" in [read.nodes[node].get("name") for node in read.nodes]
total = 0
for start in ["project/klinikcluster-ruhr", "network/cluster-gesundheit-nordhessen"]:
    described, read = graph(f"from={start}&depth=2")
    assert read.number_of_edges() == len(described["edges"]) > 10
    total += read.number_of_nodes()
print(f"    NetworkX: {total} nodes")

# ---- reconciliation -----------------------------------------------------------

manifest = json.loads(get("/reconcile")[0])
assert "0.2" in manifest["versions"] and manifest["name"]
for space in ["identifierSpace", "schemaSpace"]:
    assert urllib.parse.urlparse(manifest[space]).scheme, manifest
assert "{{id}}" in manifest["view"]["url"]
queries = {"0": {"query": "ÄC", "type": "actor", "limit": 3, "type_strict": "should"},
           "1": {"query": "Klinikum Kassel", "properties": [{"pid": "city", "v": "Kassel"}]},
           "2": {"query": "gibt es nicht, wirklich"}}
form = urllib.parse.urlencode({"queries": json.dumps(queries)}).encode()
with urllib.request.urlopen(URL + "/reconcile", data=form) as response:
    results = json.load(response)
assert list(results) == list(queries), results
for result in results.values():
    assert list(result) == ["result"], result
    scores = [candidate["score"] for candidate in result["result"]]
    assert scores == sorted(scores, reverse=True) and all(0 <= score <= 100 for score in scores)
    for candidate in result["result"]:
        assert isinstance(candidate["id"], str) and isinstance(candidate["name"], str), candidate
        assert isinstance(candidate["match"], bool)
        assert all(isinstance(one["id"], str) and one["name"] for one in candidate["type"])
best = results["0"]["result"][0]
assert best["id"] == actor["id"] and best["match"] is True, results["0"]
view = json.loads(get(manifest["view"]["url"].replace("{{id}}", best["id"]))[0])
assert [item["id"] for item in view["items"]] == [actor["id"]]
for what, prefix in [("entity", "Ämt"), ("type", "akt"), ("property", "pos")]:
    service = manifest["suggest"][what]
    address = service["service_url"] + service["service_path"] + "?" + urllib.parse.urlencode({"prefix": prefix})
    assert json.loads(get(address)[0])["result"], what
print(f"    reconciliation: {len(queries)} queries")
