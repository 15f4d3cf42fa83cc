//! Tables as people save them: every encoding, separator, notation and format states the same.

use domain::access::rules::Role;
use serde_json::{Value, json};
use std::io::{Cursor, Write};
use std::path::PathBuf;
use tests::{Answer, Call, Node, story};
use uuid::Uuid;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const ODS: &str = "application/vnd.oasis.opendocument.spreadsheet";

async fn approver(node: &Node) -> String {
    let region = node.get("/v1/regions/hessen").await.expect(200);
    let region = Uuid::parse_str(region.id()).unwrap();
    node.token(Role::Approver, Some(region)).await
}

fn import(node: &Node, token: &str, query: &str, media_type: &str, body: &[u8]) -> Call {
    let call = node.post(&format!("/v1/import?kind=actor{query}"));
    call.token(token).body(media_type, body.to_vec())
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/tables")
}

fn files() -> Vec<String> {
    let files = std::fs::read_dir(folder()).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').unwrap().1 {
        "csv" => "text/csv",
        "tsv" => "text/tab-separated-values",
        "xlsx" => XLSX,
        "ods" => ODS,
        "json" => "application/json",
        "ndjson" => "application/x-ndjson",
        other => panic!("{other}"),
    }
}

/// The charset that must be given, from the name of the file.
fn charset(name: &str) -> String {
    match name.split('.').collect::<Vec<_>>().as_slice() {
        [_, charset, _] => format!("&charset={charset}"),
        _ => String::new(),
    }
}

async fn send(node: &Node, token: &str, name: &str) -> Answer {
    let body = std::fs::read(folder().join(name)).unwrap();
    let call = import(node, token, &charset(name), media_type(name), &body);
    call.await.expect(200)
}

fn reasons(answer: &Answer) -> Vec<(&str, &str, u64)> {
    let values = answer.json["values"].as_array().unwrap().iter();
    let reason = |one: &'_ Value| one["count"].as_u64().unwrap();
    let each = values.map(|one| {
        let text = |name: &str| one[name].as_str().unwrap();
        (text("pointer"), text("reason"), reason(one))
    });
    each.collect()
}

story!(every_way_to_save_a_table_states_the_same, async |node| {
    let token = approver(node).await;
    let names = files();
    assert!(names.len() >= 40, "{names:?}");
    for (at, name) in names.iter().enumerate() {
        let done = send(node, &token, name).await;
        let expected = if at == 0 {
            ("created", 4)
        } else {
            ("unchanged", 4)
        };
        assert_eq!(done.json[expected.0], expected.1, "{name}: {}", done.text);
        assert_eq!(done.json["failed"], 0, "{name}: {}", done.text);
    }
    // Generated clients and browsers say of any file that it is CSV.
    for name in names {
        let body = std::fs::read(folder().join(&name)).unwrap();
        let call = import(node, &token, &charset(&name), "text/csv", &body);
        let done = call.await.expect(200);
        assert_eq!(done.json["unchanged"], 4, "{name}: {}", done.text);
    }
    node.settled().await;
    let read = node
        .get("/v1/actors?external_id=praxen%7CP-2")
        .token(&token);
    let read = read.await.expect(200).json["items"][0].clone();
    assert_eq!(read["name"], "Klinik Am Weiß");
    assert_eq!(read["founded"], "1998-05");
    let place = json!({"street": "Große Gasse 2", "postal_code": "01067", "city": "Dresden", "country": "DE", "point": {"lat": 51.05, "lon": 13.7372}});
    assert_eq!(read["places"], json!([place]));
});

story!(a_report_tells_how_a_table_was_read, async |node| {
    let token = approver(node).await;
    let done = send(node, &token, "07-windows-1252-german-excel.csv").await;
    let table = &done.json["table"];
    assert_eq!(table["encoding"], "windows-1252");
    assert_eq!(table["separator"], ";");
    let plz = json!({"column": "E", "heading": "PLZ", "member": "places.postal_code"});
    assert_eq!(table["columns"][4], plz);
    assert!(
        reasons(&done).contains(&("/founded", "date", 2)),
        "{}",
        done.text
    );
    assert!(reasons(&done).contains(&("/places/point/lat", "number", 4)));

    let done = send(node, &token, "16-titles.csv").await;
    assert_eq!(done.json["table"]["heading"], 4, "{}", done.text);
    assert_eq!(done.json["table"]["skipped"], json!([1, 2]));

    let done = send(node, &token, "18-lost-zeros.csv").await;
    assert_eq!(reasons(&done), [("/places/postal_code", "zeros", 1)]);
    let value = &done.json["values"][0]["examples"][0];
    assert_eq!(
        value,
        &json!({"cell": "E3", "given": "1067", "taken": "01067"})
    );

    // Persons are in no record.
    let done = send(node, &token, "32-persons.csv").await;
    assert_eq!(done.json["values"][0]["code"], "left-out");
    assert_eq!(done.json["values"][0]["count"], 4);
    assert_eq!(done.json["table"]["columns"][16]["reason"], "person");

    let done = send(node, &token, "37-title-and-merged.xlsx").await;
    assert!(
        reasons(&done).contains(&("/places/city", "merged", 1)),
        "{}",
        done.text
    );
});

/// A workbook with these files.
fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        archive
            .start_file(*name, SimpleFileOptions::default())
            .unwrap();
        archive.write_all(content).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn xlsx(strings: &[u8], sheet: &[u8]) -> Vec<u8> {
    archive(&[
        (
            "xl/workbook.xml",
            br#"<workbook><sheets><sheet name="A" sheetId="1" r:id="r1"/></sheets></workbook>"#,
        ),
        (
            "xl/_rels/workbook.xml.rels",
            br#"<Relationships><Relationship Id="r1" Target="worksheets/s.xml"/></Relationships>"#,
        ),
        ("xl/sharedStrings.xml", strings),
        ("xl/worksheets/s.xml", sheet),
    ])
}

fn rows(cells: &str) -> Vec<u8> {
    format!("<worksheet><sheetData>{cells}</sheetData></worksheet>").into_bytes()
}

story!(a_workbook_that_deceives_is_refused, async |node| {
    let token = approver(node).await;
    let many = b"<si><t>aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa</t></si>"
        .repeat(900_000);
    let large = [
        (
            "too many texts",
            xlsx(&[b"<sst>", many.as_slice(), b"</sst>"].concat(), &rows("")),
        ),
        (
            "a long text",
            xlsx(
                &[
                    b"<sst><si><t>".as_slice(),
                    &b"a".repeat(3_000_000),
                    b"</t></si></sst>",
                ]
                .concat(),
                &rows(""),
            ),
        ),
        (
            "a long tag",
            xlsx(
                b"<sst/>",
                &[b"<worksheet ".as_slice(), &b" ".repeat(3_000_000)].concat(),
            ),
        ),
    ];
    for (what, file) in large {
        let refused = import(node, &token, "", XLSX, &file).await;
        refused.problem(413, "payload-too-large");
        assert!(file.len() < 1_000_000, "{what}");
    }
    for (what, file) in [
        ("no archive", b"PK\x03\x04 and then nothing".to_vec()),
        ("another one", archive(&[("a.txt", b"a")])),
        (
            "a text that is none",
            xlsx(
                b"<sst/>",
                &rows(r#"<row r="1"><c r="A1" t="s"><v>7</v></c></row>"#),
            ),
        ),
        (
            "a place that is none",
            xlsx(
                b"<sst/>",
                &rows(r#"<row r="1"><c r="ZZZZ1"><v>7</v></c></row>"#),
            ),
        ),
        (
            "an entity of its own",
            xlsx(
                b"<!DOCTYPE a [<!ENTITY b \"bbb\">]><sst><si><t>&b;</t></si></sst>",
                &rows(""),
            ),
        ),
        (
            "a file that breaks off",
            xlsx(
                b"<sst/>",
                b"<worksheet><sheetData><row><c t=\"inlineStr\"><is><t>a",
            ),
        ),
        (
            "the old format",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".repeat(100),
        ),
    ] {
        for media_type in [XLSX, ODS] {
            let refused = import(node, &token, "", media_type, &file).await;
            assert_eq!(refused.status, 400, "{what}: {}", refused.text);
        }
    }
    // Numbers that it declares are not believed.
    let strings = br#"<sst uniqueCount="99999999999999"><si><t>name</t></si></sst>"#;
    let sheet = rows(r#"<row r="1048576"><c r="A1048576" t="s"><v>0</v></c></row>"#);
    let done = import(node, &token, "", XLSX, &xlsx(strings, &sheet))
        .await
        .expect(200);
    assert_eq!(done.json["table"]["heading"], 1_048_576);
    let content = br#"<document><table name="A"><table-row number-rows-repeated="99999999999"><table-cell value-type="string"><p>name</p></table-cell></table-row></table></document>"#;
    let refused = import(node, &token, "", ODS, &archive(&[("content.xml", content)])).await;
    refused.problem(413, "payload-too-large");
});

story!(cells_that_cannot_be_read_are_named, async |node| {
    let token = approver(node).await;
    let strings = b"<sst><si><t>name</t></si><si><t>founded</t></si></sst>";
    let sheet = rows(concat!(
        r#"<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row>"#,
        r#"<row r="2"><c r="A2"><f>B2&amp;C2</f></c></row>"#,
        r##"<row r="3"><c r="A3" t="e"><f>1/0</f><v>#DIV/0!</v></c></row>"##,
    ));
    let done =
        import(node, &token, "", XLSX, &xlsx(strings, &sheet)).header("Accept-Language", "de");
    let done = done.await.expect(200);
    let error = |at: usize| done.json["errors"][at]["problem"]["errors"][0].clone();
    assert_eq!(error(0)["code"], "formula-without-value", "{}", done.text);
    assert_eq!(error(0)["pointer"], "/name");
    assert_eq!(error(1)["code"], "formula-error");
    assert!(error(1)["message"].as_str().unwrap().contains("#DIV/0!"));

    let table = "Name;Region;Zahlen: Wert;Zahlen: Messgröße;Zahlen: Genauigkeit\nA;Hessen;1.200;members;genau\nB;Hessen;ca. 50;members;\n";
    let done = import(node, &token, "", "text/csv", table.as_bytes())
        .await
        .expect(200);
    assert_eq!(
        error_of(&done, 0)["code"],
        "ambiguous-number",
        "{}",
        done.text
    );
    assert!(
        error_of(&done, 0)["message"]
            .as_str()
            .unwrap()
            .contains("1200")
    );
    assert_eq!(done.json["created"], 1);

    // A declared charset wins.
    let latin = b"Name;Region\nPraxis K\xe4the;Hessen\nPraxis Ole;Hessen\n";
    let done = import(node, &token, "", "text/csv; charset=utf-8", latin)
        .await
        .expect(200);
    assert_eq!(
        (&done.json["created"], &done.json["failed"]),
        (&json!(1), &json!(1)),
        "{}",
        done.text
    );
    assert!(
        error_of(&done, 0)["message"]
            .as_str()
            .unwrap()
            .contains("UTF-8"),
        "{}",
        done.text
    );

    // What looks like an old Mac's is never taken silently.
    let mac = b"Name;Region\nPraxis K\x8athe;Hessen\n";
    let refused = import(node, &token, "", "text/csv", mac).await;
    refused.problem(400, "invalid-parameter");
    let done = import(node, &token, "&charset=macintosh", "text/csv", mac)
        .await
        .expect(200);
    assert_eq!(done.json["created"], 1, "{}", done.text);
});

fn error_of(answer: &Answer, at: usize) -> Value {
    answer.json["errors"][at]["problem"]["errors"][0].clone()
}

story!(an_invalid_value_costs_itself_if_asked, async |node| {
    let token = approver(node).await;
    let table = "Quellsystem;Schlüssel;Name;Region;Website;E-Mail;Kategorie\n\
        l;1;Eins;Hessen;www.eins.example;kaputt;Krankenhaus\n";
    let first = "external_id.system,external_id.id,name,home_region,contact.email\nl,1,Eins,hessen,alt@eins.example\n";
    import(node, &token, "", "text/csv", first.as_bytes())
        .await
        .expect(200);

    let refused = import(node, &token, "", "text/csv", table.as_bytes())
        .await
        .expect(200);
    assert_eq!(refused.json["failed"], 1, "{}", refused.text);
    // The refusal names what would pass.
    let cure = "did you mean \\\"https://www.eins.example\\\"";
    assert!(refused.text.contains(cure), "{}", refused.text);

    let query = "&fix=urls&skip_invalid=members";
    let done = import(node, &token, query, "text/csv", table.as_bytes())
        .await
        .expect(200);
    assert_eq!(done.json["updated"], 1, "{}", done.text);
    let told = reasons(&done);
    for expected in [
        ("/contact/website", "url", 1),
        ("/contact/email", "invalid", 1),
        ("/home_region", "name", 1),
    ] {
        assert!(told.contains(&expected), "{told:?}");
    }
    node.settled().await;
    let read = node
        .get("/v1/actors?external_id=l%7C1&publication=draft")
        .token(&token)
        .await
        .expect(200);
    let contact = json!({"website": "https://www.eins.example", "email": "alt@eins.example"});
    assert_eq!(read.json["items"][0]["contact"], contact);
});

const COLUMNS: &str = "/v1/sync/systems/krankenhausliste/columns?kind=actor";
const HOSPITALS: usize = 2800;

/// The headings of a public list of hospitals, in its order.
const HEADINGS: [&str; 24] = [
    "Lfd. Nr.",
    "Standortnummer",
    "IK",
    "Name des Krankenhauses",
    "Straße und Hausnummer",
    "PLZ",
    "Ort",
    "Ortsteil",
    "Bundesland",
    "Kreis",
    "AGS",
    "Telefon",
    "Telefax",
    "E-Mail",
    "Link zum Krankenhaus",
    "Träger",
    "Trägerart",
    "Versorgungsstufe",
    "Betten",
    "Geo-Breite",
    "Geo-Länge",
    "Ansprechpartner",
    "Gründungsjahr",
    "Stand",
];

/// What the columns are.
fn mapping() -> Value {
    json!({
        "columns": {
            "Lfd. Nr.": null,
            "Standortnummer": "external_id.id",
            "IK": "identifiers.0.value",
            "Name des Krankenhauses": "name",
            "Bundesland": null,
            "Kreis": null,
            "AGS": null,
            "Telefax": null,
            "Link zum Krankenhaus": "contact.website",
            "Träger": null,
            "Trägerart": null,
            "Betten": "figures.value",
            "Stand": "figures.as_of",
        },
        "values": {
            "external_id.system": "krankenhausliste",
            "identifiers.0.scheme": "ik",
            "figures.measure": "beds",
            "figures.qualifier": "exact",
            "categories": "hospital",
            "places.country": "DE",
            "home_region": "hessen",
            "publication": "published",
        },
    })
}

/// An institution number of nine digits, which sites share.
fn ik(number: usize) -> String {
    let digits = format!("26{:06}", number % 1_000_000);
    let sum: u32 = digits
        .chars()
        .skip(2)
        .zip([2, 1].into_iter().cycle())
        .map(|(digit, weight)| {
            let product = digit.to_digit(10).unwrap() * weight;
            product / 10 + product % 10
        })
        .sum();
    format!("{digits}{}", sum % 10)
}

fn hospitals() -> String {
    let mut table = format!(
        "Krankenhäuser in Deutschland;;;\r\nStand 1.11.2026\r\n{}\r\n",
        HEADINGS.join(";")
    );
    for at in 0..HOSPITALS {
        // Every third site belongs to the institution before it.
        let institution = at - at % 3;
        let website = match at % 10 {
            0 => String::new(),
            1..=3 => format!("www.klinik-{at}.example"),
            _ => format!("https://klinik-{at}.example"),
        };
        let email = if at % 100 == 7 {
            "siehe Website".to_owned()
        } else {
            format!("info@klinik-{at}.example")
        };
        let beds = match at % 50 {
            0 => "k. A.".to_owned(),
            1 => "ca. 120".to_owned(),
            _ => (at % 900 + 20).to_string(),
        };
        let contact = if at % 7 == 0 {
            "Dr. Erika Mustermann"
        } else {
            ""
        };
        // The spreadsheet took the zero of each code below 10000.
        let postal_code = 1067 + at * 35;
        let cells = [
            (at + 1).to_string(),
            format!("77{at:04}"),
            ik(institution),
            format!("Klinik Nr. {at} Süd"),
            format!("Große Straße {at}"),
            postal_code.to_string(),
            "Kassel".to_owned(),
            String::new(),
            "Hessen".to_owned(),
            "Kassel".to_owned(),
            "6611000".to_owned(),
            format!("0561 {at}"),
            "0561 99".to_owned(),
            email,
            website,
            "Träger gGmbH".to_owned(),
            "freigemeinnützig".to_owned(),
            "Grundversorgung".to_owned(),
            beds,
            format!("51,{at:04}"),
            format!("9,{at:04}"),
            contact.to_owned(),
            "1923".to_owned(),
            "31.12.2025".to_owned(),
        ];
        table.push_str(&cells.join(";"));
        table.push_str("\r\n");
    }
    table
}

story!(a_list_of_hospitals_goes_in_with_one_mapping, async |node| {
    let admin = node.admin.clone();
    let wrong = json!({"columns": {"Betten": "figures.valeu", "IK": "name.0"}, "values": {}});
    let refused = node.put(COLUMNS).token(&admin).json(&wrong).await;
    let refused = refused.problem(422, "validation-failed");
    assert!(refused.text.contains("figures.value"), "{}", refused.text);
    let stored = node
        .put(COLUMNS)
        .token(&admin)
        .json(&mapping())
        .await
        .expect(200);
    let again = node.get(COLUMNS).token(&admin).await.expect(200);
    assert_eq!((&stored.json, &again.json), (&mapping(), &mapping()));

    let table = hospitals();
    let (bytes, _, _) = encoding_rs::WINDOWS_1252.encode(&table);
    let query = "&source=krankenhausliste&fix=urls&skip_invalid=members";
    let sent = |dry_run: &str| {
        import(
            node,
            &admin,
            &format!("{query}{dry_run}"),
            "text/csv",
            &bytes,
        )
    };
    let dry = sent("&dry_run=true").await.expect(200);
    let done = sent("").await.expect(200);
    assert_eq!(done.json["created"], HOSPITALS, "{}", done.text);
    // The dry run is the real run.
    for member in ["created", "failed", "values", "table", "removed"] {
        assert_eq!(dry.json[member], done.json[member], "{member}");
    }
    let count = |pointer: &str, reason: &str| {
        let all = reasons(&done);
        let found = all.iter().find(|one| (one.0, one.1) == (pointer, reason));
        found.map_or(0, |one| usize::try_from(one.2).unwrap())
    };
    let of = |is: fn(usize) -> bool| (0..HOSPITALS).filter(|at| is(*at)).count();
    assert_eq!(
        count("/contact/website", "url"),
        of(|at| (1..=3).contains(&(at % 10)))
    );
    assert_eq!(count("/contact/email", "invalid"), of(|at| at % 100 == 7));
    assert_eq!(count("/figures/value", "empty"), of(|at| at % 50 == 0));
    assert_eq!(count("/figures/value", "estimate"), of(|at| at % 50 == 1));
    assert_eq!(
        count("/places/postal_code", "zeros"),
        of(|at| 1067 + at * 35 < 10_000)
    );
    assert_eq!(count("/places/point/lat", "number"), HOSPITALS);
    assert_eq!(count("/figures/as_of", "date"), HOSPITALS);
    assert_eq!(
        count("", "person"),
        of(|at| at % 7 == 0),
        "{:?}",
        reasons(&done)
    );

    node.settled().await;
    let read = |at: usize| {
        node.get(&format!(
            "/v1/actors?external_id=krankenhausliste%7C77{at:04}"
        ))
    };
    let second = read(1).await.expect(200).json["items"][0].clone();
    assert_eq!(
        second["identifiers"],
        json!([{"scheme": "ik", "value": ik(0)}])
    );
    assert_eq!(second["places"][0]["postal_code"], "01102");
    assert_eq!(second["figures"][0]["qualifier"], "about");
    assert_eq!(second["figures"][0]["as_stated"], "ca. 120");
    assert_eq!(second["contact"]["website"], "https://www.klinik-1.example");
    assert!(!second.to_string().contains("Mustermann"));
    // Without a number of beds there is no figure.
    assert_eq!(
        read(0).await.expect(200).json["items"][0]["figures"],
        Value::Null
    );
    // The same list again changes nothing.
    assert_eq!(sent("").await.expect(200).json["unchanged"], HOSPITALS);
});

fn export(node: &Node, query: &str) -> Call {
    node.get(&format!(
        "/v1/export?kind=actor&home_region=hessen&publication=draft,published{query}"
    ))
}

story!(
    what_goes_out_for_a_spreadsheet_comes_back_unchanged,
    async |node| {
        let token = approver(node).await;
        send(node, &token, "01-paths.csv").await;
        node.settled().await;
        for (query, media_type) in [
            ("&format=csv&dialect=excel-de&labels=true", "text/csv"),
            ("&format=csv&labels=true", "text/csv"),
            ("&format=xlsx&labels=true", XLSX),
            ("&format=xlsx&fields=name,places", XLSX),
        ] {
            let exported = export(node, query)
                .token(&token)
                .header("Accept-Language", "de")
                .await
                .expect(200);
            let done = import(node, &token, "", media_type, &exported.bytes)
                .await
                .expect(200);
            assert_eq!(done.json["unchanged"], 4, "{query}: {}", done.text);
            assert_eq!(done.json["failed"], 0, "{query}: {}", done.text);
        }
        let german = export(
            node,
            "&format=csv&dialect=excel-de&labels=true&fields=name,places,home_region",
        );
        let german = german.token(&token).await.expect(200).text;
        let heading = german.lines().next().unwrap();
        assert!(heading.starts_with("\u{feff}\"Id\";"), "{heading}");
        assert!(heading.contains("\"PLZ\";\"Ort\""), "{heading}");
        assert!(german.contains("\"51,3155\""), "{german}");
        assert!(german.contains("\"Hessen\""), "{german}");

        // A workbook of several kinds has a sheet for each.
        let all = node
            .get("/v1/export?kind=region,actor&format=xlsx&home_region=hessen")
            .token(&token);
        let all = all.await.expect(200);
        assert_eq!(&all.bytes[..2], b"PK");
        let done = import(node, &token, "", XLSX, &all.bytes).await.expect(200);
        assert_eq!(done.json["table"]["sheet"], "actors", "{}", done.text);

        node.get("/v1/export?kind=actor&dialect=excel-de")
            .await
            .problem(400, "invalid-parameter");
        node.get("/v1/export?kind=actor,region&format=xlsx&fields=name")
            .await
            .problem(400, "invalid-parameter");
    }
);

story!(members_are_named_by_key_or_name_in_a_table, async |node| {
    let admin = node.admin.clone();
    send(node, &admin, "01-paths.csv").await;
    let network = json!({"name": "Netz Nord", "network_type": "cluster", "home_region": "hessen", "publication": "published"});
    node.post("/v1/networks")
        .token(&admin)
        .json(&network)
        .await
        .expect(201);
    let table = "Quellsystem;Schlüssel;Art der Beziehung;Von;Zu;Veröffentlicht;Seit\n\
        praxen;m1;member_of;actor/praxen|P-1;network/netz-nord;ja;1.3.2019\n\
        praxen;m2;member_of;actor/P-2;Netz Nord;ja;2020\n\
        praxen;m3;member_of;Pflegedienst Süd;network/Netz Nord;ja;\n\
        praxen;m4;member_of;actor/P-99;Netz Nord;ja;\n";
    let call = node.post("/v1/import?kind=relationship").token(&admin);
    let done = call.body("text/csv", table).await.expect(200);
    assert_eq!(done.json["created"], 3, "{}", done.text);
    assert_eq!(done.json["errors"][0]["line"], 5);
    node.settled().await;
    let members = node
        .get("/v1/actors?member_of=netz-nord&fields=name")
        .token(&admin)
        .await
        .expect(200);
    assert_eq!(members.json["total"], 3, "{}", members.text);
});

story!(a_report_may_be_a_workbook, async |node| {
    let token = approver(node).await;
    let table = "Praxen;;\nName;Region;Kategorie\nEins;Hessen;Arztpraxis\nZwei;Hessen;Arztpraxs\n;Nirgendwo;\n";
    let call = import(
        node,
        &token,
        "&annotated=true",
        "text/csv",
        table.as_bytes(),
    );
    let done = call.header("Accept-Language", "de").await.expect(200);
    assert_eq!(done.header("content-type"), XLSX);
    let mut workbook = zip::ZipArchive::new(Cursor::new(&done.bytes)).unwrap();
    let mut read = |name: &str| {
        let mut text = String::new();
        std::io::Read::read_to_string(&mut workbook.by_name(name).unwrap(), &mut text).unwrap();
        text
    };
    let names = read("xl/workbook.xml");
    assert!(
        names.contains("Ergebnis") && names.contains("Tabelle"),
        "{names}"
    );
    // The same cells at the same places, and what is wrong in comments.
    let cells = read("xl/worksheets/sheet2.xml");
    for (cell, text) in [("A3", "Eins"), ("C4", "Arztpraxs"), ("B5", "Nirgendwo")] {
        let at = cells
            .find(&format!("r=\"{cell}\""))
            .unwrap_or_else(|| panic!("{cell}: {cells}"));
        assert!(
            cells
                .get(at..)
                .unwrap()
                .split("</c>")
                .next()
                .unwrap()
                .contains(text),
            "{cell}: {cells}"
        );
    }
    let comments = read("xl/comments1.xml");
    assert!(
        comments.contains("ref=\"C4\"") && comments.contains("ref=\"A5\""),
        "{comments}"
    );
    assert!(comments.contains("ist erforderlich"), "{comments}");
    let refused = import(node, &token, "&annotated=true", "application/json", b"[]").await;
    refused.problem(400, "invalid-parameter");
});
