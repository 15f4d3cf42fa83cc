use proptest::prelude::*;

use crate::value::identifier::*;

fn identifier(scheme: &str, value: &str) -> Identifier {
    let scheme = scheme
        .parse()
        .unwrap_or_else(|fault| panic!("{scheme}: {fault:?}"));
    Identifier {
        scheme,
        value: value.to_owned(),
        valid: None,
    }
}

#[test]
fn right_values_pass() {
    for (scheme, values) in [
        ("ik", "260326822|109034270|108018007| 104212059 "),
        ("bsnr", "179999900"),
        ("telematik_id", "1-2c-Apotheke/12 34|5-2-260326822"),
        ("standortnummer", "773519|773519000"),
        (
            "ror",
            "https://ror.org/001w7jn25|05hkkdn48|ror.org/001w7jn25|HTTP://ROR.org/04TSK2644",
        ),
        ("wikidata", "Q42|q162684"),
        (
            "lei",
            "529900T8BM49AURSDO55|5493000IBP32UQZ0KL24|hwupkr0mpou8fgxbt394",
        ),
        ("isil", "DE-9|DE-Bo133|ZDB-1|OCLC-DLC"),
        ("handelsregister", "HRB 12345 Amtsgericht Bochum"),
        ("vereinsregister", "VR 2345 Amtsgericht Bochum"),
        ("vat", "DE136695976|ATU12345678|NL123456789B01"),
        ("nuts", "DE|DEA|DEA51"),
        ("ags", "05911000"),
        ("ars", "059110000000"),
        ("geonames", "2947416"),
        ("cordis", "101016775"),
        ("fkz", "03WIR0203A|13N 12345|EFRE-0800123/1"),
        ("urn:iso:std:iso:3166", "DE-NW"),
    ] {
        for value in values.split('|') {
            assert_eq!(
                identifier(scheme, value).check(),
                Ok(None),
                "{scheme} {value}"
            );
        }
    }
}

#[test]
fn wrong_shapes_are_refused() {
    for (scheme, values) in [
        (
            "ik",
            "|26032682|2603268222|26032682x|26 0326822|２６０３２６８２２",
        ),
        ("bsnr", "17999990"),
        ("telematik_id", " |a\u{7}b"),
        ("standortnummer", "77351|7735190"),
        (
            "ror",
            "|https://ror.org/101w7jn25|001w7jn2|0o1w7jn25|https://ror.com/001w7jn25|001w7jnx5",
        ),
        ("wikidata", "42|Q|P31|QQ1"),
        (
            "lei",
            "529900T8BM49AURSDO5|529900T8BM49AURSDOAB|529900T8BM49-URSDO55",
        ),
        ("isil", "DE9|DE-|-9|LIBRARY-9|DE-12345678901234|DE-ü"),
        ("handelsregister", ""),
        ("vereinsregister", "VR\n1"),
        ("vat", "136695976|DE12345678|DE 136695976|AT1|D1234567"),
        ("nuts", "D|DEA512|D1|dé"),
        ("ags", "05|05911|5911000"),
        ("ars", "05911000"),
        ("geonames", "geo:1"),
        ("cordis", "12345|1234567890"),
        ("fkz", "1|03WIR_0203"),
        ("https://example.org/scheme", " "),
    ] {
        for value in values.split('|') {
            let fault = identifier(scheme, value).check().unwrap_err();
            assert_eq!(fault.code.as_str(), "identifier-format", "{scheme} {value}");
            let keys: Vec<_> = fault.params.iter().map(|(key, _)| *key).collect();
            assert_eq!(keys, ["scheme", "given", "expected", "expected_de"]);
        }
    }
}

#[test]
fn wrong_check_digits_are_refused_or_reported() {
    let fault = |scheme, given, expected| {
        let fault = Fault::new(FaultCode::IdentifierCheckDigit).with("scheme", scheme);
        fault.with("given", given).with("expected", expected)
    };
    for (scheme, value, expected) in [
        ("ik", "260326823", "2"),
        ("ik", "260326282", "5"),
        ("ror", "https://ror.org/001w7jn26", "25"),
        ("lei", "529900T8BM49AURSDO56", "55"),
    ] {
        let refused = Err(fault(scheme, value, expected));
        assert_eq!(
            identifier(scheme, value).check(),
            refused,
            "{scheme} {value}"
        );
    }
    let warning = Ok(Some(fault("vat", "DE136695975", "6")));
    assert_eq!(identifier("vat", "DE136695975").check(), warning);
}

#[test]
fn schemes_are_known_or_uris() {
    for known in Scheme::KNOWN {
        assert_eq!(known.as_str().parse(), Ok(known));
    }
    for uri in ["https://fhir.de/sid/x", "urn:oid:1.2.276"] {
        assert_eq!(uri.parse(), Ok(Scheme::Other(uri.to_owned())));
    }
    for other in [
        "",
        "IK",
        "rorr",
        "ror:",
        ":x",
        "1a:b",
        "my scheme:1",
        "a:b c",
        "a:b|c",
        "javascript:alert(1)",
        "data:text/html,x",
    ] {
        let fault = other.parse::<Scheme>().unwrap_err();
        assert_eq!(fault.code.as_str(), "identifier-scheme", "{other}");
    }
    let fault = Fault::new(FaultCode::IdentifierScheme)
        .with("given", "rorr")
        .with("nearest", "ror");
    assert_eq!("rorr".parse::<Scheme>(), Err(fault));
    assert_eq!(
        "LANR".parse::<Scheme>().unwrap_err().code.as_str(),
        "identifier-person"
    );
}

#[test]
fn json_keeps_the_value_and_canonical_forms_meet() {
    let text = r#"{"scheme":"ror","value":"001W7JN25","valid":{"from":"2019"}}"#;
    let ror: Identifier = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&ror).unwrap(), text);
    assert_eq!(ror.normalise(), "https://ror.org/001w7jn25");
    assert_eq!(identifier("isil", " de-bo133").normalise(), "DE-BO133");
    assert_eq!(identifier("telematik_id", "1-2c-aB").normalise(), "1-2c-aB");
    let error = serde_json::from_str::<Scheme>(r#""lanr""#).unwrap_err();
    let fault = Fault::new(FaultCode::IdentifierPerson).with("scheme", "lanr");
    let said: serde_json::Error = fault.into_serde();
    assert!(error.to_string().starts_with(&said.to_string()), "{error}");
}

proptest! {
    #[test]
    fn any_value_is_judged_and_canonical_forms_are_stable(
        value in "\\PC*|[0-9]{5,12}|[A-Z0-9]{18}[0-9]{2}|DE[0-9]{9}|0[0-9a-z]{6}[0-9]{2}",
    ) {
        for scheme in Scheme::KNOWN {
            let judged = Identifier { scheme, value: value.clone(), valid: None };
            let canonical = judged.normalise();
            prop_assert_eq!(judged.scheme.normalise(&canonical), canonical.clone());
            let again = Identifier { value: canonical, ..judged.clone() };
            prop_assert_eq!(again.check().is_ok(), judged.check().is_ok());
        }
    }

    #[test]
    fn expected_check_digits_pass(body in "[A-Z0-9]{18}", ik in "[0-9]{8}", vat in "[0-9]{8}") {
        for (scheme, body, zeros) in
            [("lei", body, "00"), ("ik", ik, "0"), ("vat", format!("DE{vat}"), "0")]
        {
            let guess = identifier(scheme, &format!("{body}{zeros}"));
            let Some(check) = guess.scheme.missing_check(&guess.value) else { continue };
            prop_assert_eq!(identifier(scheme, &format!("{body}{check}")).check(), Ok(None));
        }
    }

    #[test]
    fn any_scheme_is_read_or_refused(text in "\\PC*") {
        if let Ok(scheme) = text.parse::<Scheme>() {
            prop_assert_eq!(scheme.to_string(), text);
        }
    }
}
