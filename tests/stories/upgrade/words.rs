//! Former names in requests are rejected, with the current name.

use reqwest::Method;
use serde_json::json;
use tests::story;

story!(
    a_former_name_is_rejected_with_the_current_one,
    async |node| {
        let body = json!({"name": "Netz", "form": "cluster", "home_region": "hessen"});
        let create = || node.post("/v1/networks").json(&body);
        let refused = create().await.problem(422, "validation-failed");
        let errors = refused.json["errors"].as_array().unwrap();
        assert_eq!(errors.len(), 1, "{}", refused.text);
        assert_eq!(errors[0]["pointer"], "/form");
        assert_eq!(errors[0]["code"], "renamed-member");
        assert_eq!(
            errors[0]["message"],
            "\"form\" is called \"network_type\" now"
        );
        let refused = create().header("accept-language", "de").await;
        let refused = refused.problem(422, "validation-failed");
        assert_eq!(
            refused.json["errors"][0]["message"],
            "„form“ heißt jetzt „network_type“"
        );

        let body = json!({"name": "Netz", "network_type": "cluster", "home_region": "hessen"});
        let made = node.post("/v1/networks").json(&body).await.expect(201);
        let path = format!("/v1/networks/{}", made.id());
        let patched = node
            .patch(&path)
            .if_match("*")
            .json(&json!({"form": "alliance"}));
        let patched = patched.await.problem(422, "validation-failed");
        assert_eq!(patched.json["errors"][0]["code"], "renamed-member");

        for (path, code, told) in [
            (
                "/v1/networks?form=cluster",
                "unknown-parameter",
                "It is called `network_type` now.",
            ),
            (
                "/v1/events?format=workshop",
                "invalid-parameter",
                "(the filter is called `event_type` now)",
            ),
        ] {
            let refused = node.get(path).await.problem(400, code);
            assert!(refused.text.contains(told), "{}", refused.text);
        }
        let fields = node.get("/v1/networks?fields=name,form").await;
        let fields = fields.problem(400, "invalid-parameter");
        assert!(
            fields.text.contains("it is called network_type now"),
            "{}",
            fields.text
        );

        let table = "kind,name,home_region,form\nnetwork,Netz,hessen,cluster\n";
        let table = node
            .call(Method::POST, "/v1/import")
            .token(&node.admin)
            .body("text/csv", table);
        let table = table.await.problem(422, "validation-failed");
        assert_eq!(
            table.json["errors"][0]["code"], "renamed-member",
            "{}",
            table.text
        );
    }
);
