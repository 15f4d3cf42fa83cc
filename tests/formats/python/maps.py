"""Reads maps with OWSLib, by OGC API - Features."""

from node import URL, publish
from owslib.ogcapi.features import Features

for number in range(5):
    publish("actors", {"name": f"Praxis {number}", "categories": ["medical_practice"],
                       "places": [{"city": "Kassel", "point": {"lat": 51.3 + number / 10, "lon": 9.5}}]})

service = Features(URL + "/ogc")
assert service.api()["openapi"].startswith("3.")
assert "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core" in service.conformance()["conformsTo"]
names = service.feature_collections()
assert {"actors", "networks", "regions", "events"} <= set(names), names
actors = service.collection("actors")
assert actors["itemType"] == "feature" and actors["extent"]["spatial"]["bbox"]
box = service.collection_items("actors", bbox=[9.45, 51.25, 9.6, 51.45], limit=1)
assert box["numberMatched"] == 2 and box["numberReturned"] == 1, box
assert box["features"][0]["geometry"]["coordinates"][0] == 9.5
assert [link for link in box["links"] if link["rel"] == "next"]
item = service.collection_item("actors", box["features"][0]["id"])
assert item["properties"]["name"].startswith("Praxis"), item
events = service.collection_items("events", datetime_="2021-01-01/2021-12-31")
assert events["numberMatched"] > 0
print(f"    OWSLib: {len(names)} collections")
