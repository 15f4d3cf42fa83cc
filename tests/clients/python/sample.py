"""What a team that writes Python does in its first hour, with a client generated from the document by
openapi-python-client, under `mypy --strict`."""

import os
from http import HTTPStatus
from io import BytesIO
from urllib.parse import parse_qs, urlparse
from uuid import UUID

from verbund_client import AuthenticatedClient
from verbund_client.api.actors import (
    create_actor,
    delete_actor,
    get_actor,
    list_actors,
    patch_actor,
)
from verbund_client.api.export import import_
from verbund_client.api.networks import list_network_relationships, list_networks
from verbund_client.api.projects import list_projects
from verbund_client.api.relationships import list_relationships
from verbund_client.api.search import get_graph, search
from verbund_client.models import (
    ActorInput,
    ActorListItem,
    ActorPage,
    ActorPatch,
    ActorPreview,
    ActorRecord,
    Graph,
    ImportReport,
    NetworkPage,
    Problem,
    ProjectPage,
    RelationshipPage,
    RelationshipsAroundPage,
    SearchPage,
)
from verbund_client.types import UNSET, File, Unset

client = AuthenticatedClient(base_url=os.environ["NODE_URL"], token=os.environ["NODE_TOKEN"])

# A list; the client sends every default of the document by itself.
networks = list_networks.sync(client=client, limit=2)
assert isinstance(networks, NetworkPage)
network = networks.items[0]
assert network.name and network.kind == "network"

# Page by page, until there is no `next`.
seen: set[UUID] = set()
cursor: str | Unset = UNSET
while True:
    page = list_actors.sync(client=client, limit=5, cursor=cursor)
    assert isinstance(page, ActorPage)
    seen.update(actor.id for actor in page.items)
    if isinstance(page.next_, Unset):
        assert len(seen) == page.total
        break
    cursor = parse_qs(urlparse(page.next_).query)["cursor"][0]

# A dry run, and really.
body = ActorInput(name="Klinik am Beispielbach", home_region="hessen")
rehearsed = create_actor.sync(client=client, body=body, dry_run=True)
assert isinstance(rehearsed, ActorPreview) and rehearsed.id is None
created = create_actor.sync(client=client, body=body)
assert isinstance(created, ActorRecord)
key = str(created.id)

# What is wrong with a body.
wrong = create_actor.sync(client=client, body=ActorInput(name="", home_region="nowhere"))
assert isinstance(wrong, Problem) and not isinstance(wrong.errors, Unset)
assert sorted(fault.pointer for fault in wrong.errors) == ["/home_region", "/name"]

# A change is based on a version.
patched = patch_actor.sync(
    id=key, client=client, body=ActorPatch(summary="Ein Beispiel."), if_match='"1"'
)
assert isinstance(patched, ActorRecord) and patched.summary == "Ein Beispiel."
removed = patch_actor.sync(id=key, client=client, body=ActorPatch(summary=None), if_match='"2"')
assert isinstance(removed, ActorRecord) and isinstance(removed.summary, Unset)
stale = patch_actor.sync(id=key, client=client, body=ActorPatch(summary="x"), if_match='"1"')
assert isinstance(stale, Problem) and stale.current == 3

# Hits differ by kind.
found = search.sync(client=client, q="Klinik", highlights=True)
assert isinstance(found, SearchPage)
actors = [hit for hit in found.items if isinstance(hit, ActorListItem)]
assert actors and all(hit.kind == "actor" for hit in actors)
assert {hit.kind for hit in found.items} > {"actor"}

# Relationships, graph, projects, import.
around = list_network_relationships.sync(id=str(network.id), client=client)
assert isinstance(around, RelationshipsAroundPage)
assert all(one.label for one in around.items)
everywhere = list_relationships.sync(client=client, limit=5)
assert isinstance(everywhere, RelationshipPage) and everywhere.total > 5
graph = get_graph.sync(client=client, from_=f"network/{network.slug}")
assert isinstance(graph, Graph)
projects = list_projects.sync(client=client)
assert isinstance(projects, ProjectPage)
records = b'{"kind":"actor","name":"Praxis Import","home_region":"hessen"}\n{"kind":"actor"}\n'
imported = import_.sync(client=client, body=File(payload=BytesIO(records)), dry_run=True)
assert isinstance(imported, ImportReport) and imported.created == 1 and imported.failed == 1

# Gone.
deleted = delete_actor.sync_detailed(id=key, client=client, if_match='"3"')
assert deleted.status_code == HTTPStatus.NO_CONTENT
gone = get_actor.sync(id=key, client=client)
assert isinstance(gone, Problem) and not isinstance(gone.tombstone, Unset)
assert gone.tombstone.cause == "deleted"

print("    Python: the sample ran")
