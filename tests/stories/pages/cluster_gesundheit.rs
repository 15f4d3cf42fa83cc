use super::page::Page;
use super::render::{
    around, exactly, figure, follow, genitive, items, label, lines, named, other, others, record,
    text, texts, told, topics,
};
use serde_json::{Value, json};
use tests::{Node, story};

const PAGE: &str = include_str!("../../pages/000.txt");
const CLUSTER: &str = "networks/cluster-gesundheit-nordhessen";

async fn executing_agency(node: &Node) -> (Value, Value) {
    let found = record(node, "relationships?type=operates&role=executing_agency").await;
    let [operates] = items(&found, "items");
    let agency = record(node, &format!("actors/{}", text(operates, "/from/id"))).await;
    (operates.clone(), agency)
}

async fn footer(node: &Node) -> Vec<String> {
    let (operates, agency) = executing_agency(node).await;
    let [ministry] = exactly(around(node, "actors/hessen-trade-invest-gmbh", "related_to").await);
    let ministry = follow(node, &ministry, "").await;
    let [role] = items(&operates, "roles");
    let role = label(node, "relationship_role", role).await;
    let [place] = items(&agency, "places");
    let [logo, ministry_logo] = [&agency, &ministry].map(|actor| {
        let [logo] = items(actor, "media");
        assert_eq!(logo["type"], "logo");
        text(logo, "/caption")
    });
    vec![
        text(&agency, "/name").to_owned(),
        text(place, "/label").to_owned(),
        format!("• {}", text(place, "/street")),
        format!("{} {}", text(place, "/postal_code"), text(place, "/city")),
        format!("Tel {}", text(&agency, "/contact/phone")),
        text(&agency, "/contact/email").to_owned(),
        format!("• {ministry_logo} {role}: {logo}"),
    ]
}

story!(the_page, Seeded, async |node| {
    let cluster = record(node, CLUSTER).await;
    let mut page = Page::of(PAGE);
    let mut shown = vec![text(&cluster, "/name").to_owned()];
    shown.extend(lines(text(&cluster, "/description")));
    shown.extend(footer(node).await);
    page.shows(&shown);
    assert_eq!(page.leftovers(), [""; 0]);
});

story!(its_facts, Seeded, async |node| {
    let cluster = record(node, CLUSTER).await;
    let [short] = exactly(named(&cluster, "short"));
    let [operator] = exactly(around(node, CLUSTER, "operates").await);
    let operator = genitive(other(&operator));
    let [region] = exactly(around(node, CLUSTER, "serves").await);
    let activities: [&str; 4] = texts(&cluster, "activities");
    let [sectors, everybody] = texts(&cluster, "audiences");
    let [strengthen, care, beyond] = texts(&cluster, "goals");
    let [shortage, rural, demography, chronic] = texts(&cluster, "challenges");
    let members = figure(node, &cluster, "members").await;
    let classes = around(node, CLUSTER, "member_of").await;
    let [start_ups, sme, insurers, social, hospital] = others(&classes);

    let mut facts = vec![
        format!("fördert das {short} des {operator} die Zusammenarbeit von {sectors}"),
        strengthen.to_owned(),
        format!("Für {} hat die Gesundheitswirtschaft", other(&region)),
    ];
    facts.extend(seated(node).await);
    facts.extend([
        format!(
            "Das Cluster will im gesamten Sektor Impulse setzen: {}",
            activities.join(" ")
        ),
        format!(
            "Die Bandbreite der {members} reicht von {start_ups} sowie {sme} über {insurers} und {social} bis zum {hospital}."
        ),
        care.to_owned(),
        format!("zu begegnen: {shortage}, {rural}, {demography} und {chronic}."),
    ]);
    facts.extend(sub_networks(node, &cluster).await);
    facts.extend(sister_networks(node, &operator).await);
    facts.extend([format!("der {everybody} adressiert"), beyond.to_owned()]);
    facts.extend(joining(&cluster));
    Page::of(PAGE).states(&facts);
});

async fn seated(node: &Node) -> Vec<String> {
    let region = record(node, "regions/nordhessen").await;
    let company = record(node, "actors/b-braun").await;
    let hospital = record(node, "actors/klinikum-kassel").await;
    let [clinics, special] = exactly(around(node, "regions/nordhessen", "related_to").await);
    assert!(other(&clinics).contains(other(&special)));
    for actor in [&company, &hospital] {
        let [place] = items(actor, "places");
        assert_eq!(place["region"], region["id"]);
    }
    // „Maximalversorgung" is the level, „Maximalversorger" the provider.
    let level = label(node, "care_level", &hospital["care_level"]).await;
    let level = level.replace("versorgung", "versorger");
    vec![
        format!(
            "{} von bedeutenden Playern der Branche, darunter {}, {}.",
            text(&company, "/places/0/label"),
            text(&company, "/name"),
            text(&company, "/summary")
        ),
        format!(
            "von {} bis zum {level} {} – sind {}.",
            other(&clinics),
            text(&hospital, "/name"),
            text(&hospital, "/places/0/label")
        ),
    ]
}

async fn sub_networks(node: &Node, cluster: &Value) -> Vec<String> {
    let figures = cluster["figures"].as_array().unwrap().iter();
    let [several] = exactly(figures.filter(|figure| figure["measure"] == "sub_networks"));
    let parts = around(node, CLUSTER, "part_of").await;
    let [viszeral, freedom, workplace] = exactly(&parts);
    // The page names three as examples, so there are at least three.
    assert_eq!(several["qualifier"], "at_least");
    assert_eq!(several["value"], parts.len());

    let surgery = follow(node, viszeral, "include=topics").await;
    let mut fields = topics(&surgery);
    fields.truncate(3);
    let [initiative] =
        exactly(around(node, "networks/nordhessen-viszeral", "participates_in").await);
    let home = follow(node, freedom, "").await;
    let [goal] = texts(&home, "goals");
    let health = follow(node, workplace, "").await;
    let [advice] = texts(&health, "activities");
    let path = "networks/nordhessen-netzwerk-betriebliche-gesundheit";
    let partners = around(node, path, "cooperates_with").await;
    let [insurers, pension_and_accident, accident, social] = others(&partners);
    assert!(pension_and_accident.contains(accident));
    vec![
        format!(
            "Das übergreifende Cluster hat {} etabliert.",
            text(several, "/as_stated")
        ),
        format!(
            "{} zum Beispiel engagiert sich im Bereich der {} und {}, unter anderem mit einer {}.",
            other(viszeral),
            fields[..2].join(", "),
            fields[2],
            other(&initiative),
        ),
        format!("Das {} setzt sich für ein {goal} ein.", other(freedom)),
        format!(
            "Und das {} {advice} – in Kooperation mit {insurers}, {pension_and_accident} sowie {social}.",
            other(workplace),
        ),
    ]
}

/// The operator's other networks, and their cooperation with the cluster.
async fn sister_networks(node: &Node, operator: &str) -> Vec<String> {
    let run = around(node, "actors/regionalmanagement-nordhessen", "operates").await;
    let [_, sisters @ ..]: [&str; 3] = others(&run);
    let cooperations = around(node, CLUSTER, "cooperates_with").await;
    assert_eq!(others(&cooperations), sisters);
    let [it, mobility] = exactly(&cooperations);
    let mobility_network = follow(node, mobility, "").await;
    let [as_stated] = exactly(named(&mobility_network, "as_stated"));
    let [pilot] = exactly(around(node, CLUSTER, "participates_in").await);
    assert_eq!(text(mobility, "/subject"), other(&pilot));
    vec![
        format!("mit den weiteren Clustern des {operator} zusammen."),
        format!(
            "in Projekten mit dem {} um die {}",
            other(it),
            text(it, "/subject")
        ),
        format!("mit dem {as_stated} wurde ein {} umgesetzt.", other(&pilot)),
    ]
}

fn joining(cluster: &Value) -> Vec<String> {
    let joining = &cluster["joining"];
    assert_eq!(joining["open"], true);
    let [
        companies,
        providers,
        medicine,
        pharmacy,
        care,
        chambers,
        social,
        insurers,
    ] = texts(joining, "audiences");
    let [
        exchange,
        connection,
        cooperation,
        resources,
        support,
        together,
    ] = texts(joining, "benefits");
    vec![
        format!(
            "Neue Mitglieder sind willkommen – ob {companies} oder {providers}, ob {medicine}, {pharmacy} oder {care}, ob {chambers}, {social} oder {insurers}."
        ),
        format!("Im Cluster können sie {exchange}, {connection} und {cooperation}."),
        format!("haben die Mitglieder {resources} und auf {support}."),
        format!("Vor allem aber können sie {together}."),
    ]
}

story!(its_traps, Seeded, async |node| {
    // B. Braun and the Klinikum Kassel have their seat there; that they are members is not stated.
    for actor in ["b-braun", "klinikum-kassel"] {
        let around = record(node, &format!("actors/{actor}/relationships")).await;
        assert_eq!(around["total"], 0, "{actor}");
    }
    for member in around(node, CLUSTER, "member_of").await {
        assert_eq!(member["other"]["class"]["kind"], "actor", "{member:#}");
        assert_eq!(member["other"]["id"], Value::Null, "{member:#}");
    }

    // The address in the footer is the publisher's, not the cluster's.
    let cluster = record(node, CLUSTER).await;
    assert_eq!(cluster["places"], Value::Null);
    assert_eq!(cluster["contact"], Value::Null);
    let (operates, agency) = executing_agency(node).await;
    assert_eq!(cluster["source"]["publisher"], agency["name"]);
    assert_eq!(
        operates["to"],
        json!({"as_stated": "Technologieland Hessen"})
    );
    let path = format!("actors/{}", text(&agency, "/id"));
    assert_eq!(told(node, &path).await, ["1 operates", "1 related_to"]);
    let [ministry] = exactly(around(node, &path, "related_to").await);
    assert!(other(&ministry).starts_with("Hessisches Ministerium"));

    // The relationships of the cluster on the page, and no more.
    assert_eq!(
        told(node, CLUSTER).await,
        [
            "2 cooperates_with",
            "5 member_of",
            "1 operates",
            "3 part_of",
            "1 participates_in",
            "1 serves",
        ]
    );

    // Nordhessen lies in Hessen.
    let [state] = exactly(around(node, "regions/nordhessen", "part_of").await);
    assert_eq!(
        (text(&state, "/direction"), other(&state)),
        ("from", "Hessen")
    );
});
