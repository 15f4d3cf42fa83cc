//! Bulk bodies: limits and rejections.

use super::{RECORDS, SNAPSHOT, counts, delete, feeder, line, lines, push};
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use std::io::Write;
use tests::raw::Raw;
use tests::{Call, story};

fn packed(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn replaced(table: &[u8], end: &[u8]) -> Vec<u8> {
    let lines: Vec<&[u8]> = table.split(|byte| *byte == b'\n').collect();
    lines.join(end)
}

story!(bodies_may_be_packed_within_limits, async |node| {
    let token = feeder(node, "hessen").await;
    let send = |coding: &str, bytes: Vec<u8>| -> Call {
        let call = node.post(&format!("{SNAPSHOT}?dry_run=true")).token(&token);
        let call = call.header("content-encoding", coding);
        call.body("application/x-ndjson", bytes)
    };
    let body = lines(&[line("1", "Eins"), line("2", "Zwei")]).into_bytes();
    for coding in ["gzip", "x-gzip", "GZIP"] {
        let plan = send(coding, packed(&body)).await.expect(200);
        assert_eq!(counts(&plan), json!({"created": 2}));
    }
    let plan = send("identity", body.clone()).await.expect(200);
    assert_eq!(counts(&plan), json!({"created": 2}));
    // A bomb, one that is not gzip, a truncated one, and another coding.
    let bomb = packed(&vec![b' '; 20 * 1024 * 1024]);
    assert!(bomb.len() < 64 * 1024);
    send("gzip", bomb).await.problem(413, "payload-too-large");
    send("gzip", body.clone())
        .await
        .problem(400, "malformed-json");
    let mut cut = packed(&body);
    cut.truncate(cut.len() / 2);
    send("gzip", cut).await.problem(400, "malformed-json");
    send("br", body.clone())
        .await
        .problem(415, "unsupported-media-type");
    let call = node.post(&format!("{SNAPSHOT}?dry_run=true")).token(&token);
    let call = call.body("text/html", body.clone());
    call.await.problem(415, "unsupported-media-type");
    // Other routes do not unpack.
    let call = node
        .post(RECORDS)
        .token(&token)
        .header("content-encoding", "gzip");
    let call = call.body("application/json", packed(b"{}"));
    call.await.problem(415, "unsupported-media-type");
});

story!(bodies_are_bounded, async |node| {
    let token = feeder(node, "hessen").await;
    let send = |body: Vec<u8>| {
        let call = node.post(&format!("{SNAPSHOT}?dry_run=true")).token(&token);
        call.body("application/x-ndjson", body)
    };
    // Too many lines, whatever they contain.
    send(b"1\n".repeat(10_001))
        .await
        .problem(413, "payload-too-large");
    // A line longer than any record is invalid, and the next one is not.
    let mut body = vec![b'x'; 2 * 1024 * 1024];
    body.push(b'\n');
    body.extend(lines(&[line("1", "Eins")]).into_bytes());
    let plan = send(body).await.expect(200);
    assert_eq!(counts(&plan), json!({"created": 1, "failed": 1}));
    assert_eq!(
        plan.json["examples"][0]["problem"]["errors"][0]["code"],
        "too-long"
    );
    // A body that is announced as too large is not read.
    let mut raw = Raw::open(&node.base).await;
    let head = format!(
        "POST {SNAPSHOT}?dry_run=true HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-type: text/csv\r\ncontent-length: 100000000\r\n\r\n"
    );
    assert!(raw.send(head).await);
    assert_eq!(raw.answer().await.unwrap().status, 413);
    let items: Vec<Value> = (0..501)
        .map(|number| delete("actor", &number.to_string()))
        .collect();
    let call = push(node, &token, &items);
    call.await.problem(422, "validation-failed");
});

story!(tables_are_what_spreadsheets_make_of_them, async |node| {
    let token = feeder(node, "hessen").await;
    let send = |table: &[u8]| {
        let call = node
            .post(&format!("{SNAPSHOT}?dry_run=true&kind=actor"))
            .token(&token);
        call.body("text/csv", table)
    };
    let good: [&[u8]; 3] = [
        b"external_id.id,name,home_region,name_is_description\n1,Eins,hessen,true\n",
        b"\xef\xbb\xbfexternal_id.id;name;home_region;name_is_description\r\n1;Eins;hessen;WAHR\r\n;;;\r\n",
        b"\"external_id.id\",\"name\",\"home_region\",\"goals\"\r\n\"1\",\"Ei\r\nns\",\"hessen\",\"a;b\\;c\"",
    ];
    for table in good {
        let plan = send(table).await.expect(200);
        assert_eq!(counts(&plan), json!({"created": 1}), "{}", plan.text);
    }
    let faulty: [(&[u8], &str); 4] = [
        (b"external_id.id,name,home_region\n1,Eins\n", "cells"),
        (
            b"external_id.id,name,home_region\n1,a\x01b,hessen\n",
            "control",
        ),
        (
            b"external_id.id,name,home_region,name_is_description\n1,Eins,hessen,vielleicht\n",
            "/name_is_description",
        ),
        (
            b"external_id.id,name,home_region,kind\n1,Eins,hessen,network\n",
            "network",
        ),
    ];
    for (table, told) in faulty {
        // With any line endings, an empty line in between, or a byte order mark.
        let tables = [
            (table.to_vec(), 2),
            (replaced(table, b"\r\n"), 2),
            (replaced(table, b"\n\n"), 3),
            (replaced(table, b"\r\n\r\n"), 3),
            (
                [b"\xef\xbb\xbf", replaced(table, b"\r\n").as_slice()].concat(),
                2,
            ),
        ];
        for (table, line) in tables {
            let plan = send(&table).await.expect(200);
            assert_eq!(counts(&plan), json!({"failed": 1}));
            let errors = plan.json["examples"][0]["problem"]["errors"].to_string();
            assert!(errors.contains(told), "{errors}");
            assert_eq!(plan.json["examples"][0]["line"], line, "{table:?}");
        }
    }
    for heading in ["naem\n", "name,name\n"] {
        send(heading.as_bytes())
            .await
            .problem(422, "validation-failed");
    }
});
