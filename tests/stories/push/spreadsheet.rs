//! The spreadsheet part of docs/pushing.md, from the first table to the second.

use super::{SNAPSHOT, counts, feeder, supplied};
use serde_json::json;
use tests::{Answer, Call, Node, story};

fn send(node: &Node, token: &str, query: &str, table: &str) -> Call {
    let call = node.post(&format!("{SNAPSHOT}?{query}")).token(token);
    call.body("text/csv", table)
}

async fn plan(node: &Node, token: &str, table: &str) -> Answer {
    send(node, token, "dry_run=true&kind=actor", table)
        .await
        .expect(200)
}

async fn carry_out(node: &Node, token: &str, table: &str, plan: &Answer) -> Answer {
    let hash = plan.json["plan_hash"].as_str().unwrap();
    let query = format!("kind=actor&plan_hash={hash}");
    send(node, token, &query, table).await.expect(200)
}

fn cells(table: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new();
    let mut reader = reader.has_headers(false).from_reader(table.as_bytes());
    let rows = reader
        .records()
        .map(|row| row.unwrap().iter().map(str::to_owned).collect());
    rows.collect()
}

fn table(rows: &[Vec<String>]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.write_record(row).unwrap();
    }
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}

story!(a_table_goes_out_is_edited_and_comes_back, async |node| {
    let token = feeder(node, "hessen").await;
    let first = "external_id.id,name,home_region,publication,contact.phone\n\
        1,Praxis am Markt,hessen,published,'+49 561 1\n\
        2,Praxis am See,hessen,published,\n\
        3,Praxis am Wald,hessen,published,\n";
    let planned = plan(node, &token, first).await;
    assert_eq!(counts(&planned), json!({"created": 3}), "{}", planned.text);
    carry_out(node, &token, first, &planned).await;
    node.settled().await;

    let export = node.get("/v1/export?kind=actor&format=csv&home_region=hessen");
    let export = export.await.expect(200).text;
    let mut rows = cells(&export);
    let at = |name: &str| rows[0].iter().position(|heading| heading == name).unwrap();
    let (id, key, name) = (at("id"), at("external_id.id"), at("name"));
    let (system, home, publication) = (
        at("external_id.system"),
        at("home_region"),
        at("publication"),
    );
    // No edit, no change.
    let planned = plan(node, &token, &export).await;
    assert_eq!(
        counts(&planned),
        json!({"unchanged": 3}),
        "{}",
        planned.text
    );

    rows.retain(|row| row[key] != "3");
    let edited = rows.iter_mut().find(|row| row[key] == "2").unwrap();
    "Praxis am Bach".clone_into(&mut edited[name]);
    let hessen = edited[home].clone();
    let mut added = vec![String::new(); rows[0].len()];
    for (at, cell) in [
        (key, "4"),
        (system, "cms"),
        (name, "Praxis am Berg"),
        (home, &hessen),
        (publication, "published"),
    ] {
        cell.clone_into(&mut added[at]);
    }
    rows.push(added);
    let edited = table(&rows);
    let planned = plan(node, &token, &edited).await;
    let expected = json!({"created": 1, "updated": 1, "unchanged": 1, "deleted": 1});
    assert_eq!(counts(&planned), expected, "{}", planned.text);
    assert_eq!(planned.json["blocked_by"], json!([]));
    let sample = |status: &str| {
        let examples = planned.json["examples"].as_array().unwrap();
        examples
            .iter()
            .find(|one| one["status"] == status)
            .unwrap()
            .clone()
    };
    assert_eq!(sample("updated")["members"], json!(["name"]));
    assert_eq!(sample("deleted")["external_id"], "3");
    carry_out(node, &token, &edited, &planned).await;
    let names: Vec<_> = supplied(node)
        .await
        .into_iter()
        .map(|row| row.name.unwrap())
        .collect();
    assert_eq!(
        names,
        ["Praxis am Markt", "Praxis am Bach", "Praxis am Berg"]
    );

    // The same file again is no conflict, although its versions are older than its own result.
    let planned = plan(node, &token, &edited).await;
    assert_eq!(
        counts(&planned),
        json!({"unchanged": 3}),
        "{}",
        planned.text
    );
    let edited = edited.replace("Praxis am Bach", "Praxis am Fluss");
    let planned = plan(node, &token, &edited).await;
    assert_eq!(
        counts(&planned),
        json!({"updated": 1, "unchanged": 2}),
        "{}",
        planned.text
    );
    // A row that is restored keeps its id.
    let back: Vec<Vec<String>> = cells(&export)
        .into_iter()
        .filter(|row| row[key] == "3")
        .collect();
    assert!(!back[0][id].is_empty());
    let both = format!("{edited}{}", table(&back));
    let planned = plan(node, &token, &both).await;
    assert_eq!(
        counts(&planned),
        json!({"created": 1, "updated": 1, "unchanged": 2}),
        "{}",
        planned.text
    );
    carry_out(node, &token, &both, &planned).await;
    let path = format!("/v1/actors/{}", back[0][id]);
    let read = node.get(&path).await.expect(200);
    assert_eq!(read.json["name"], "Praxis am Wald");
});
