"""Reads feeds with feedparser, page by page."""

import feedparser
from node import URL, get, publish, send


def page(path):
    """A feed that feedparser takes for well-formed."""
    text, headers = get(path)
    assert headers["Content-Type"].startswith("application/atom+xml"), headers["Content-Type"]
    feed = feedparser.parse(text, response_headers={"content-type": headers["Content-Type"]})
    assert feed.bozo == 0, (path, feed.get("bozo_exception"))
    assert feed.version == "atom10", feed.version
    links = {link.rel: link.href for link in feed.feed.links}
    assert all(link.startswith(("http://", "https://")) for link in links.values()), links
    assert feed.feed.updated and feed.feed.title and feed.feed.id.startswith("urn:uuid:")
    assert feed.feed.author == "Gesundheitsregion Beispiel (daten@beispiel.example)", feed.feed.author
    assert links["license"] == "https://creativecommons.org/licenses/by/4.0/"
    for entry in feed.entries:
        assert entry.id.startswith("urn:uuid:") and entry.updated and entry.title, entry
    return feed, links, text


def pages(path):
    """All entries of a feed, and the ids of its pages."""
    entries, ids = [], set()
    while path:
        feed, links, _ = page(path)
        assert links["self"] == (path if path.startswith("http") else URL + path), links
        assert len(feed.entries) <= 50
        entries += feed.entries
        ids.add(feed.feed.id)
        path = links.get("next")
    return entries, ids


name = "<b>Ärzte & \"Netz\"</b> Ende"
made, tag = publish("networks", {"name": name, "summary": "a < b && c > d \u2028 e", "language": "de"})
entries, ids = pages("/v1/networks.atom")
assert len(ids) == 1, ids
assert entries[0].id == f"urn:uuid:{made['id']}" and entries[0].title == name, entries[0]
assert entries[0].updated == made["updated_at"]
times = [entry.updated for entry in entries]
assert times == sorted(times, reverse=True)
for kind in ["actors", "projects", "events", "topics"]:
    pages(f"/v1/{kind}.atom?region=nordhessen" if kind != "topics" else "/v1/topics.atom")
regions, ids = pages("/v1/regions.atom")
assert len({entry.id for entry in regions}) == len(regions) > 100 and len(ids) == 1

_, _, text = page("/v1/changes.atom")
assert f"urn:uuid:{made['id']}" in text and "deleted-entry" not in text
send("DELETE", f"/v1/networks/{made['id']}", None, {"If-Match": tag})
feed, _, text = page("/v1/changes.atom?kind=network")
assert f'<at:deleted-entry ref="urn:uuid:{made["id"]}"' in text, text[:2000]
assert made["id"] not in [entry.id for entry in feed.entries]
assert name not in text
entries, _ = pages("/v1/changes.atom")
assert len({entry.id for entry in entries}) == len(entries) > 500
print(f"    feedparser: {len(entries)} entries")
