"""Reads calendars with the package icalendar, and leaves them for ical.js."""

import datetime
import json

import icalendar
from node import SCRATCH, URL, get, publish, send

AT = datetime.datetime
UTC = datetime.timezone.utc
NASTY = 'Grüße, "Ärzte"; C:\\Pfad\nzweite Zeile ' + "ä€𝄞" * 60

days, _ = publish("events", {"name": "Tagung", "start": "2031-03-30", "end": "2031-03-31",
                             "event_type": "conference", "mode": "hybrid", "description": NASTY,
                             "places": [{"street": "Ständeplatz 1", "postal_code": "34117", "city": "Kassel",
                                         "point": {"lat": 51.31, "lon": 9.48}}]})
day, _ = publish("events", {"name": "Ein Tag", "start": "2032-02-29", "mode": "online"})
instant, _ = publish("events", {"name": "Mit Uhrzeit", "timezone": "Europe/Berlin",
                                "start": "2031-07-01T10:00:00+02:00", "end": "2031-07-01T12:30:00+02:00"})
off, tag = publish("events", {"name": "Fällt aus", "start": "2031-05-01"})
send("PATCH", f"/v1/events/{off['id']}", {"status": "cancelled"}, {"If-Match": tag})
later, tag = publish("events", {"name": "Verschoben", "start": "2031-06-01"})
send("PATCH", f"/v1/events/{later['id']}", {"status": "postponed", "start": None}, {"If-Match": tag})
left_out = [
    {"name": "Im März", "start": "2031-03"},
    {"name": "Irgendwann", "start": "2031"},
    {"name": "Ungefähr", "start": "2031-03-05~"},
    {"name": "Nur gemeldet", "posted": "2031-03-05"},
    {"name": "Bericht", "start": "2031-03-05", "event_type": "report"},
    {"name": "Entwurf", "start": "2031-03-05", "publication": "draft"},
    {"name": "Lange her", "start": "2001-03-05"},
]
left_out = [publish("events", event)[0]["id"] for event in left_out]

text, headers = get("/v1/events.ics")
assert headers["Content-Type"].startswith("text/calendar"), headers["Content-Type"]
with open(f"{SCRATCH}/events.ics", "w", encoding="utf-8", newline="") as file:
    file.write(text)
for line in text.split("\r\n"):
    assert len(line.encode()) <= 75, line
    assert "\n" not in line and "\r" not in line, line
calendar = icalendar.Calendar.from_ical(text)
assert not calendar.errors, calendar.errors
assert str(calendar["METHOD"]) == "PUBLISH" and str(calendar["VERSION"]) == "2.0"
assert str(calendar["NAME"]) == "Events – Gesundheitsregion Beispiel", calendar["NAME"]
assert calendar.decoded("REFRESH-INTERVAL") == datetime.timedelta(hours=6)
assert str(calendar["X-PUBLISHED-TTL"]) == "PT6H"
assert str(calendar["SOURCE"]) == f"{URL}/v1/events.ics", calendar["SOURCE"]

# Without entries, a calendar still has a component (RFC 5545, 3.6).
empty = icalendar.Calendar.from_ical(get("/v1/events.ics?start_from=2099")[0])
for one in (calendar, empty):
    assert [str(zone["TZID"]) for zone in one.walk("VTIMEZONE")] == ["UTC"], one
assert not empty.walk("VEVENT"), empty

entries = {}
for entry in calendar.walk("VEVENT"):
    assert not entry.errors, entry.errors
    entries[str(entry["UID"]).split("@")[0]] = entry
for missing in left_out:
    assert missing not in entries, missing


def dates(record):
    """Beginning and end of the entry of a record."""
    entry = entries[record["id"]]
    return entry.decoded("DTSTART"), entry.decoded("DTEND")


assert dates(days) == (datetime.date(2031, 3, 30), datetime.date(2031, 4, 1))
assert dates(day) == (datetime.date(2032, 2, 29), datetime.date(2032, 3, 1))
assert dates(instant) == (AT(2031, 7, 1, 8, tzinfo=UTC), AT(2031, 7, 1, 10, 30, tzinfo=UTC))
assert entries[off["id"]]["STATUS"] == "CANCELLED" and entries[off["id"]]["SEQUENCE"] == 1
assert dates(later) == (datetime.date(2031, 6, 1), datetime.date(2031, 6, 2))
assert entries[later["id"]]["STATUS"] == "CANCELLED" and "new date" in entries[later["id"]]["COMMENT"]
first = entries[days["id"]]
assert str(first["UID"]) == f"{days['id']}@beispiel" and first["SEQUENCE"] == 0
assert str(first["DESCRIPTION"]) == NASTY, first["DESCRIPTION"]
assert str(first["LOCATION"]) == "Ständeplatz 1, 34117 Kassel"
assert (first["GEO"].latitude, first["GEO"].longitude) == (51.31, 9.48)
assert str(first["URL"]) == f"{URL}/v1/events/{days['id']}"
assert [str(one) for one in first["CATEGORIES"].cats] == ["Conference", "Hybrid"]

single = icalendar.Calendar.from_ical(get(f"/v1/events/{days['slug']}.ics")[0])
assert [str(entry["UID"]) for entry in single.walk("VEVENT")] == [str(first["UID"])]
region = icalendar.Calendar.from_ical(get("/v1/regions/nordhessen/events.ics?lang=de")[0])
assert str(region["NAME"]).startswith("Veranstaltungen – "), region["NAME"]
old = get("/v1/events.ics?start_from=2001&start_to=2002")[0]
assert left_out[-1] in old and days["id"] not in old

expected = {
    days["id"]: ["2031-03-30", "2031-04-01"],
    day["id"]: ["2032-02-29", "2032-03-01"],
    instant["id"]: ["2031-07-01T08:00:00.000Z", "2031-07-01T10:30:00.000Z"],
}
with open(f"{SCRATCH}/expected.json", "w", encoding="utf-8") as file:
    json.dump({"dates": expected, "description": {days["id"]: NASTY}}, file)
print(f"    icalendar: {len(entries)} entries")
