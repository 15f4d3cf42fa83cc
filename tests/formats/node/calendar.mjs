// Reads the calendar with ical.js, which browsers and mail programs use: whatever the time zone of
// the reader, a day stays the same day and an instant the same instant.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import ICAL from "ical.js";

const folder = process.argv[2];
const text = readFileSync(`${folder}/events.ics`, "utf8");
const expected = JSON.parse(readFileSync(`${folder}/expected.json`, "utf8"));

const calendar = new ICAL.Component(ICAL.parse(text));
const entries = new Map();
for (const component of calendar.getAllSubcomponents("vevent")) {
    const event = new ICAL.Event(component);
    entries.set(event.uid.split("@")[0], event);
}
const told = (time) => (time.isDate ? time.toString() : time.toJSDate().toISOString());
for (const [id, dates] of Object.entries(expected.dates)) {
    const event = entries.get(id);
    assert.ok(event, id);
    assert.deepEqual([told(event.startDate), told(event.endDate)], dates);
}
for (const [id, description] of Object.entries(expected.description)) {
    assert.equal(entries.get(id).description, description);
}
console.log(`    ical.js in ${process.env.TZ}: ${entries.size} entries`);
