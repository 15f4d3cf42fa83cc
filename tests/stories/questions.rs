//! Questions of users, each answered by one or two requests.

use serde_json::{Value, json};
use tests::{Node, story};

async fn ask(node: &Node, path: &str) -> Value {
    node.get(&format!("/v1/{path}")).await.expect(200).json
}

/// The items of a list that has no further page.
async fn list(node: &Node, path: &str) -> Vec<Value> {
    let page = ask(node, path).await;
    let items = page["items"].as_array().unwrap().clone();
    assert_eq!(page["total"], items.len());
    assert_eq!(page["next"], Value::Null);
    items
}

fn names(items: &[Value]) -> Vec<&str> {
    let name = |item: &'_ Value| item["other"]["name"].is_string();
    assert!(items.iter().all(name), "{items:#?}");
    let names = items.iter().map(|item| item["other"]["name"].as_str());
    names.map(Option::unwrap).collect()
}

fn titles(items: &[Value]) -> Vec<&str> {
    let names = items.iter().map(|item| item["name"].as_str());
    names.map(Option::unwrap).collect()
}

const CLUSTER: &str = "networks/cluster-gesundheit-nordhessen";
const KCR: &str = "projects/klinikcluster-ruhr";

story!(
    which_sub_networks_does_the_cluster_have_and_in_which_fields,
    Seeded,
    async |node| {
        let parts = list(
            node,
            &format!("{CLUSTER}/relationships?type=part_of&lang=de"),
        )
        .await;
        let fields = [
            (
                "Nordhessen viszeral",
                vec![
                    "Chirurgie",
                    "Gastroenterologie",
                    "Onkologie",
                    "Weiterbildung",
                ],
            ),
            (
                "Nordhessen Netzwerk Freiheitstechnologien",
                vec!["Selbstbestimmtes Leben im Alter"],
            ),
            (
                "Nordhessen Netzwerk Betriebliche Gesundheit",
                vec!["Betriebliche Gesundheitsförderung"],
            ),
        ];
        assert_eq!(parts.len(), fields.len());
        for (part, (name, topics)) in parts.iter().zip(fields) {
            assert_eq!(part["label"], "hat als Teil");
            assert_eq!(part["other"]["name"], name);
            let slug = part["other"]["slug"].as_str().unwrap();
            let network = ask(node, &format!("networks/{slug}?include=topics")).await;
            let ids = network["topics"].as_array().unwrap().iter();
            let found: Vec<_> = ids
                .map(|id| &network["included"]["topic"][id.as_str().unwrap()]["name"])
                .collect();
            assert_eq!(found, topics, "{name}");
        }
    }
);

story!(
    which_networks_does_regionalmanagement_nordhessen_run,
    Seeded,
    async |node| {
        let path = "actors/regionalmanagement-nordhessen/relationships?type=operates&kind=network";
        let mut run = list(node, path).await;
        run.sort_by_key(|item| item["other"]["slug"].to_string());
        assert_eq!(
            names(&run),
            [
                "Cluster Gesundheit Nordhessen",
                "IT-Netzwerk Nordhessen",
                "Mo.WiN.net"
            ]
        );
    }
);

story!(
    who_cooperates_with_mo_win_net_and_on_what,
    Seeded,
    async |node| {
        let path = "networks/mo-win-net/relationships?type=cooperates_with&lang=de";
        let found = list(node, path).await;
        assert_eq!(names(&found), ["Cluster Gesundheit Nordhessen"]);
        assert_eq!(found[0]["label"], "kooperiert mit");
        assert_eq!(
            found[0]["subject"],
            "Pilotprojekt zum Schnelltransport medizinischer Gewebeproben per Drohne"
        );
    }
);

story!(
    how_many_members_does_the_cluster_declare,
    Seeded,
    async |node| {
        let cluster = ask(node, CLUSTER).await;
        let figures = cluster["figures"].as_array().unwrap().iter();
        let declared: Vec<_> = figures.filter(|f| f["measure"] == "members").collect();
        assert_eq!(
            declared,
            [&json!({
                "measure": "members",
                "value": 50,
                "qualifier": "about",
                "as_stated": "rund 50 Mitglieder",
            })]
        );
        // The count is a separate statement: the directory has five classes of members.
        let held = list(node, &format!("{CLUSTER}/relationships?type=member_of")).await;
        assert_eq!(held.len(), 5);
    }
);

story!(who_is_executing_agency, Seeded, async |node| {
    let path = "relationships?type=operates&role=executing_agency";
    let found = list(node, path).await;
    assert_eq!(found.len(), 1);
    let id = found[0]["from"]["id"].as_str().unwrap();
    let agency = ask(node, &format!("actors/{id}")).await;
    assert_eq!(agency["name"], "Hessen Trade & Invest GmbH");
});

story!(who_carries_out_the_klinikcluster, Seeded, async |node| {
    let path = format!("{KCR}/relationships?role=executing");
    assert_eq!(names(&list(node, &path).await), ["MedEcon Ruhr GmbH"]);
});

story!(
    which_participants_of_the_klinikcluster_are_networks,
    Seeded,
    async |node| {
        let path = format!("{KCR}/relationships?type=participates_in&kind=network");
        assert_eq!(
            names(&list(node, &path).await),
            [
                "MedEcon Ruhr e.V.",
                "BioMedTec Ruhr e.V.",
                "BioIndustry e.V."
            ]
        );
    }
);

story!(
    what_came_out_of_the_klinikcluster_and_how_is_it_linked,
    Seeded,
    async |node| {
        let path = format!("{KCR}/relationships?type=resulted_from&lang=de");
        let results = list(node, &path).await;
        let stroke_units =
            "Verbund der sog. Stroke Units der 26 neurologischen Kliniken des Ruhrgebietes";
        assert_eq!(
            names(&results),
            ["Teleradiologieverbund Ruhr", stroke_units]
        );
        assert_eq!(results[0]["label"], "führte zu");

        let path = "networks/teleradiologieverbund-ruhr/relationships?type=related_to";
        let links = list(node, path).await;
        assert_eq!(names(&links), [stroke_units]);
        assert_eq!(
            links[0]["note"],
            "Hierzu gehört auch die Verknüpfung mit dem Teleradiologieverbund."
        );
    }
);

story!(who_funds_the_klinikcluster, Seeded, async |node| {
    let path = format!("{KCR}/relationships?type=funds&lang=de");
    let funders = list(node, &path).await;
    assert_eq!(names(&funders), ["EU", "Land NRW"]);
    assert_eq!(funders[0]["label"], "wird gefördert von");
});

story!(
    what_can_a_municipality_reuse_and_where,
    Seeded,
    async |node| {
        let path = "projects/kommunale-versorgungskompetenzen-staerken";
        let project = ask(node, path).await;
        let outcomes = project["outcomes"].as_array().unwrap().iter();
        let for_municipalities: Vec<_> = outcomes
            .filter(|outcome| outcome["audiences"] == json!(["municipality"]))
            .collect();
        let [solutions] = &*for_municipalities else {
            panic!("{for_municipalities:#?}");
        };
        assert_eq!(
            solutions["title"],
            "über 60 konkrete Lösungsansätze für Kommunen (des Münsterlandes)"
        );

        let platform = solutions["available_at"]["id"].as_str().unwrap();
        let platform = ask(node, &format!("networks/{platform}")).await;
        assert_eq!(
            platform["name"],
            "Online-Plattform der „Gesundheitsregion Münsterland“"
        );
        assert_eq!(platform["network_type"], "platform");
    }
);

story!(
    which_events_did_the_digital_health_factory_have,
    Seeded,
    async |node| {
        let path = "projects/digital-health-factory-ruhr?include=relationships";
        let project = ask(node, path).await;
        let events = project["included"]["event"].as_object().unwrap().values();
        let mut events: Vec<_> = events
            .map(|event| {
                let date = event.get("start").unwrap_or(&event["posted"]);
                (date.as_str().unwrap(), event["name"].as_str().unwrap())
            })
            .collect();
        events.sort_by_key(|(date, _)| std::cmp::Reverse(*date));
        assert_eq!(
            events,
            [
                ("2021-04-18", "Ergebnisse der beiden lokalen Workshops"),
                ("2021-03-18", "Lokaler Workshop Bochum Wattenscheid"),
                ("2021-03-15", "Lokaler Workshop Dortmunder Nordstadt"),
                ("2021-01-27", "Regionaler Workshop Digital Local Care"),
                ("2021-01-21", "Regionaler Workshop Digital Chronic Care"),
                ("2020-11-04", "Auftaktveranstaltung"),
            ]
        );
    }
);

story!(which_report_covers_which_workshops, Seeded, async |node| {
    let path = "projects/digital-health-factory-ruhr?include=relationships";
    let project = ask(node, path).await;
    let events = project["included"]["event"].as_object().unwrap().values();
    let reports: Vec<_> = events.filter(|e| e["event_type"] == "report").collect();
    let [report] = &*reports else {
        panic!("{reports:#?}");
    };
    assert_eq!(report["name"], "Ergebnisse der beiden lokalen Workshops");

    let slug = report["slug"].as_str().unwrap();
    let path = format!("events/{slug}/relationships?type=concerns&kind=event");
    let mut covered = list(node, &path).await;
    covered.sort_by_key(|item| item["other"]["slug"].to_string());
    assert_eq!(
        names(&covered),
        [
            "Lokaler Workshop Bochum Wattenscheid",
            "Lokaler Workshop Dortmunder Nordstadt",
        ]
    );
});

story!(
    which_hospital_of_maximal_care_has_its_seat_in_nordhessen,
    Seeded,
    async |node| {
        let found = list(node, "actors?care_level=maximal&seat=nordhessen").await;
        assert_eq!(titles(&found), ["Klinikum Kassel"]);
        // Its seat is there; membership in the cluster is nowhere stated.
        let path = "actors?has_member=cluster-gesundheit-nordhessen";
        node.get(&format!("/v1/{path}"))
            .await
            .problem(400, "unknown-parameter");
        let members = "actors?member_of=cluster-gesundheit-nordhessen";
        assert!(list(node, members).await.is_empty());
    }
);

story!(
    which_projects_may_have_been_going_on_in_2010,
    Seeded,
    async |node| {
        let possible = list(node, "projects?active_on=2010").await;
        let kcr = possible
            .iter()
            .find(|one| one["slug"] == "klinikcluster-ruhr");
        assert_eq!(kcr.unwrap()["hit"], json!({"certainty": "possible"}));
        let certain = list(node, "projects?active_on=2010&certainty=certain").await;
        assert!(certain.is_empty());
        // It began in 2009.
        let before = list(node, "projects?active_on=2008").await;
        assert!(before.iter().all(|one| one["slug"] != "klinikcluster-ruhr"));
    }
);

story!(
    which_completed_projects_address_skilled_workers_and_rural_areas,
    Seeded,
    async |node| {
        let path = "projects?phase=completed&topic=fachkraeftemangel&topic=laendlicher-raum";
        let found = list(node, path).await;
        assert_eq!(titles(&found), ["Kommunale Versorgungskompetenzen stärken"]);
        let other = "projects?phase=concept&topic=fachkraeftemangel&topic=laendlicher-raum";
        assert!(list(node, other).await.is_empty());
        let audience = "projects?outcome_audience=municipality";
        assert_eq!(titles(&list(node, audience).await), titles(&found));
    }
);

story!(
    which_events_did_the_digital_health_factory_have_newest_first,
    Seeded,
    async |node| {
        let path = "events?concerns=project/digital-health-factory-ruhr&sort=-start";
        assert_eq!(
            titles(&list(node, path).await),
            [
                "Ergebnisse der beiden lokalen Workshops",
                "Lokaler Workshop Bochum Wattenscheid",
                "Lokaler Workshop Dortmunder Nordstadt",
                "Regionaler Workshop Digital Local Care",
                "Regionaler Workshop Digital Chronic Care",
                "Auftaktveranstaltung",
            ]
        );
    }
);

story!(which_events_were_in_bochum, Seeded, async |node| {
    // The event names Wattenscheid; the tree knows that this is in Bochum, and that the page's
    // Bochum is the district of the reference data.
    for region in ["bochum", "nordrhein-westfalen"] {
        let found = list(node, &format!("events?region={region}&event_type=workshop")).await;
        assert!(
            titles(&found).contains(&"Lokaler Workshop Bochum Wattenscheid"),
            "{region}: {found:#?}"
        );
    }
    let bochum = list(node, "events?region=bochum").await;
    assert_eq!(titles(&bochum), ["Lokaler Workshop Bochum Wattenscheid"]);
});

story!(which_events_of_2021_were_online, Seeded, async |node| {
    let path = "events?mode=online&start_from=2021&start_to=2021&sort=start";
    let found = list(node, path).await;
    assert_eq!(
        titles(&found),
        [
            "Regionaler Workshop Digital Chronic Care",
            "Regionaler Workshop Digital Local Care"
        ]
    );
    for event in &found {
        assert_eq!(event["hit"]["certainty"], "certain");
    }
    // Nothing begins on the date on which it was posted.
    let posted = list(node, "events?start_from=2021-03&start_to=2021-04").await;
    assert!(posted.is_empty());
});

story!(
    which_events_had_at_least_30_attending,
    Seeded,
    async |node| {
        let found = list(node, "events?attendance_min=30&sort=-start").await;
        assert_eq!(
            titles(&found),
            [
                "Regionaler Workshop Digital Local Care",
                "Regionaler Workshop Digital Chronic Care",
                "Auftaktveranstaltung",
            ]
        );
        let more = list(node, "events?attendance_min=31").await;
        assert_eq!(titles(&more), ["Regionaler Workshop Digital Local Care"]);
    }
);
