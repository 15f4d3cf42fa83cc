//! Records in the words of schema.org, for search engines. No contact persons: what is indexed
//! cannot be taken back.

use crate::pages::markdown;
use crate::pages::words::{kind, list, text, texts};
use domain::base::json::insert;
use domain::base::kind::Kind;
use serde_json::{Value, json};

/// The schema.org type of a record; the most general one that is right.
fn type_of(kind: Kind, record: &Value) -> &'static str {
    match kind {
        Kind::Actor => match text(record, "/categories/0") {
            Some("hospital" | "specialist_clinic" | "rehabilitation_clinic") => "Hospital",
            Some("pharmacy") => "Pharmacy",
            Some("medical_practice" | "medical_care_centre") => "MedicalClinic",
            Some("university" | "university_of_applied_sciences") => "CollegeOrUniversity",
            Some("school") => "School",
            Some("state" | "municipality" | "district_authority" | "ministry" | "authority") => {
                "GovernmentOrganization"
            }
            Some("association" | "foundation" | "social_association" | "patient_organisation") => {
                "NGO"
            }
            _ => "Organization",
        },
        Kind::Network => "Organization",
        Kind::Project => "Project",
        Kind::Event => "Event",
        Kind::Region => "AdministrativeArea",
        Kind::Topic => "DefinedTerm",
        Kind::Relationship => "Thing",
    }
}

pub(super) fn of(record: &Value, url: &str) -> Value {
    let Some(kind) = kind(record) else {
        return json!({});
    };
    let mut data = json!({
        "@context": "https://schema.org",
        "@type": type_of(kind, record),
        "@id": url,
        "url": url,
        "name": text(record, "/name"),
    });
    let mut set = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            insert(&mut data, &[name], value);
        }
    };
    set(
        "description",
        text(record, "/summary").or_else(|| text(record, "/description")),
    );
    set(
        "inLanguage",
        text(record, "/language").filter(|_| kind == Kind::Event),
    );
    let organisation = [Kind::Actor, Kind::Network, Kind::Project].contains(&kind);
    if organisation {
        set("email", text(record, "/contact/email"));
        set("telephone", text(record, "/contact/phone"));
        set(
            "foundingDate",
            text(record, "/founded").filter(|date| is_exact(date)),
        );
        set(
            "dissolutionDate",
            text(record, "/dissolved").filter(|date| is_exact(date)),
        );
    }
    if kind == Kind::Event {
        set(
            "startDate",
            text(record, "/start").filter(|date| is_exact(date)),
        );
        set(
            "endDate",
            text(record, "/end").filter(|date| is_exact(date)),
        );
        set("eventStatus", status(text(record, "/status")));
        set("eventAttendanceMode", mode(text(record, "/mode")));
    }
    let names: Vec<&str> = list(record, "/names")
        .iter()
        .filter_map(|name| text(name, "/value"))
        .collect();
    if !names.is_empty() {
        insert(&mut data, &["alternateName"], json!(names));
    }
    let website = text(record, "/contact/website");
    let same: Vec<&str> = website.and_then(markdown::address).into_iter().collect();
    if !same.is_empty() {
        insert(&mut data, &["sameAs"], json!(same));
    }
    let topics: Vec<Value> = texts(record, "/topics")
        .into_iter()
        .filter_map(|topic| text(record, &format!("/included/topic/{topic}/name")))
        .map(|name| json!(name))
        .collect();
    if !topics.is_empty() && kind != Kind::Region && kind != Kind::Topic {
        let name = if kind == Kind::Event {
            "keywords"
        } else {
            "knowsAbout"
        };
        insert(&mut data, &[name], json!(topics));
    }
    if let Some(address) = list(record, "/places").first().and_then(address) {
        let name = if kind == Kind::Event {
            "location"
        } else {
            "address"
        };
        let value = if kind == Kind::Event {
            json!({"@type": "Place", "address": address})
        } else {
            address
        };
        if organisation || kind == Kind::Event {
            insert(&mut data, &[name], value);
        }
    }
    data
}

/// schema.org wants ISO 8601, which knows no doubt.
fn is_exact(date: &str) -> bool {
    !date.ends_with(['~', '?', '%'])
}

fn status(status: Option<&str>) -> Option<&'static str> {
    match status? {
        "cancelled" => Some("https://schema.org/EventCancelled"),
        "postponed" => Some("https://schema.org/EventPostponed"),
        "scheduled" | "held" => Some("https://schema.org/EventScheduled"),
        _ => None,
    }
}

fn mode(mode: Option<&str>) -> Option<&'static str> {
    match mode? {
        "in_person" => Some("https://schema.org/OfflineEventAttendanceMode"),
        "online" => Some("https://schema.org/OnlineEventAttendanceMode"),
        "hybrid" => Some("https://schema.org/MixedEventAttendanceMode"),
        _ => None,
    }
}

fn address(place: &Value) -> Option<Value> {
    let mut address = json!({"@type": "PostalAddress"});
    let mut known = false;
    for (member, name) in [
        ("/street", "streetAddress"),
        ("/postal_code", "postalCode"),
        ("/city", "addressLocality"),
        ("/country", "addressCountry"),
    ] {
        if let Some(value) = text(place, member) {
            insert(&mut address, &[name], value);
            known = true;
        }
    }
    known.then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubt_is_left_out_and_people_are_too() {
        let record = json!({"kind": "actor", "name": "Klinik", "founded": "1923~", "categories": ["hospital"],
            "places": [{"city": "Kassel"}, {"city": "Fulda"}], "contact": {"website": "https://a.example"}});
        let data = of(&record, "https://v.example/actors/klinik");
        assert_eq!(data["@type"], "Hospital");
        assert_eq!(data["address"]["addressLocality"], "Kassel");
        assert!(data.get("foundingDate").is_none());
        assert_eq!(data["sameAs"], json!(["https://a.example"]));
    }
}
