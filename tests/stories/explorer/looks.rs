//! The explorer in a real browser: accessibility, keyboard, speed, requests.
//!
//! `AXE` names the script of axe-core (`tests/setup/axe.sh` sets it). A missing one fails the test: a
//! skipped one would look like a success.

use crate::browser::{Browser, program, with_browser};
use serde_json::json;
use std::time::Duration;
use tests::{Node, story};
use thirtyfour::prelude::*;

/// The states of pages that are checked, without language.
const STATES: [&str; 14] = [
    "/",
    "/?q=Klinik",
    "/?q=gibtesnicht",
    "/networks?network_type=cluster",
    "/actors?region=nordrhein-westfalen",
    "/networks/cluster-gesundheit-nordhessen",
    "/projects/klinikcluster-ruhr",
    "/projects/klinikcluster-ruhr/history",
    "/regions/nordrhein-westfalen",
    "/graph?from=network/cluster-gesundheit-nordhessen&depth=2",
    "/calendar?past=true",
    "/data",
    "/?regoin=hessen",
    "/nowhere",
];

async fn set_width(browser: &Browser, width: u32) {
    let set = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500});
    browser
        .command("Emulation.setDeviceMetricsOverride", set)
        .await;
}

/// The violations that axe finds, each with the elements.
async fn violations(browser: &Browser) -> Vec<String> {
    let script = "const done = arguments[arguments.length - 1]; \
         axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}) \
            .then(found => done(found.violations.map(one => one.id + ': ' + one.nodes.map(node => node.html.slice(0, 160) + ' ' + node.failureSummary).join(' | '))), \
                  error => done(['axe failed: ' + error]))";
    let found = browser
        .page
        .execute_async(script, Vec::new())
        .await
        .unwrap();
    let found = found.json().as_array().unwrap().clone();
    found
        .iter()
        .map(|one| one.as_str().unwrap().to_owned())
        .collect()
}

fn axe() -> String {
    let path = program("AXE", "");
    let read = std::fs::read_to_string(&path);
    read.unwrap_or_else(|why| {
        panic!("AXE names no script of axe-core ({path}); tests/setup/axe.sh sets it: {why}")
    })
}

async fn is_accessible(browser: &Browser, node: &Node, prefix: &str) {
    let axe = axe();
    for width in [360, 1280] {
        set_width(browser, width).await;
        for path in STATES {
            let url = format!("{}{prefix}{path}", node.base);
            browser.open(&url).await;
            let clean = path != "/?regoin=hessen" && path != "/nowhere";
            if clean {
                browser.was_clean(node).await;
            }
            browser.page.execute(&axe, Vec::new()).await.unwrap();
            let found = violations(browser).await;
            assert!(found.is_empty(), "{url} at {width}: {found:#?}");
            fits(browser, &url, width).await;
        }
    }
}

/// Whether nothing on the page is wider than the screen.
async fn fits(browser: &Browser, url: &str, width: u32) {
    let wide = "return document.documentElement.scrollWidth - window.innerWidth";
    let mut beyond = 0;
    // A busy browser may not have applied the style or the width yet.
    for _ in 0..50 {
        let answer = browser.page.execute(wide, Vec::new()).await.unwrap();
        beyond = answer.json().as_i64().unwrap();
        if beyond <= 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{url} at {width} is wider than the screen by {beyond}");
}

story!(long_words_do_not_widen_a_page, Seeded, async |node| {
    let word = "Gesundheitsmanagement".repeat(10);
    for (kind, more) in [
        ("events", json!({"start": "2099-05-01"})),
        (
            "networks",
            json!({"description": format!("Text:\n\n    {word} im Code\n\n{word}")}),
        ),
    ] {
        let mut body = json!({"name": word, "publication": "published", "home_region": "hessen"});
        body["summary"] = json!(format!("Kurz: {word}"));
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let path = format!("/v1/{kind}");
        node.post(&path).json(&body).await.expect(201);
    }
    node.settled().await;
    let slug = word.to_lowercase();
    with_browser(async |browser| {
        for width in [360, 1280] {
            set_width(browser, width).await;
            for path in ["/?q=Gesundheitsmanagement*", "/", "/calendar", "/networks"] {
                let url = format!("{}{path}", node.base);
                browser.open(&url).await;
                fits(browser, &url, width).await;
            }
            let url = format!("{}/networks?q={slug}", node.base);
            browser.open(&url).await;
            browser.find(".hit h3 a").await.click().await.unwrap();
            browser.find("article.record").await;
            fits(browser, "the record", width).await;
        }
    })
    .await;
});

story!(german_pages_are_accessible, Seeded, async |node| {
    node.settled().await;
    with_browser(async |browser| is_accessible(browser, node, "").await).await;
});

story!(english_pages_are_accessible, Seeded, async |node| {
    node.settled().await;
    with_browser(async |browser| is_accessible(browser, node, "/en").await).await;
});

/// Presses Tab until the focused element matches; what has the focus must be visible.
async fn tab_to(browser: &Browser, css: &str) {
    for _ in 0..150 {
        browser
            .page
            .action_chain()
            .key_down(Key::Tab)
            .key_up(Key::Tab)
            .perform()
            .await
            .unwrap();
        let script = "const one = document.activeElement, style = getComputedStyle(one); \
             return [one.matches(arguments[0]), one === document.body || style.outlineStyle !== 'none' || style.boxShadow !== 'none' || one.matches('a.node'), one.outerHTML.slice(0, 120)]";
        let state = browser
            .page
            .execute(script, vec![css.into()])
            .await
            .unwrap();
        let state = state.json().as_array().unwrap().clone();
        assert_eq!(state[1], true, "the focus cannot be seen on {}", state[2]);
        if state[0] == true {
            return;
        }
    }
    panic!("{css} cannot be reached");
}

async fn press(browser: &Browser, key: Key) {
    browser
        .page
        .action_chain()
        .key_down(key.clone())
        .key_up(key)
        .perform()
        .await
        .unwrap();
}

async fn type_in(browser: &Browser, text: &str) {
    let typing = browser.page.action_chain().send_keys(text);
    typing.perform().await.unwrap();
}

async fn heading(browser: &Browser) -> String {
    browser.find("h1").await.text().await.unwrap()
}

/// Waits until the address contains a text.
async fn arrived(browser: &Browser, at: &str) {
    for _ in 0..600 {
        if browser
            .page
            .current_url()
            .await
            .unwrap()
            .as_str()
            .contains(at)
        {
            browser.find("main h1").await;
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!(
        "{} instead of {at}",
        browser.page.current_url().await.unwrap()
    );
}

story!(the_keyboard_is_enough, Seeded, async |node| {
    node.settled().await;
    with_browser(async |browser| {
        browser.open(&format!("{}/networks", node.base)).await;
        // Search.
        tab_to(browser, "#q").await;
        type_in(browser, "Cluster").await;
        press(browser, Key::Enter).await;
        arrived(browser, "q=Cluster").await;
        // A filter.
        tab_to(browser, "input[name=network_type][value=cluster]").await;
        type_in(browser, " ").await;
        tab_to(browser, ".filters button").await;
        press(browser, Key::Enter).await;
        arrived(browser, "network_type=cluster").await;
        // A record.
        tab_to(browser, ".hit h3 a[href$='/cluster-gesundheit-nordhessen']").await;
        press(browser, Key::Enter).await;
        arrived(browser, "/networks/cluster-gesundheit-nordhessen").await;
        // Its diagram, and a neighbour there.
        tab_to(browser, "a[href^='/graph?']").await;
        press(browser, Key::Enter).await;
        arrived(browser, "/graph?").await;
        tab_to(browser, "a.node[data-kind=actor]").await;
        press(browser, Key::Enter).await;
        arrived(browser, "/actors/").await;
        let neighbour = heading(browser).await;
        assert!(!neighbour.is_empty());
        // And back.
        browser.page.back().await.unwrap();
        arrived(browser, "/graph?").await;
        browser.page.back().await.unwrap();
        arrived(browser, "/networks/cluster-gesundheit-nordhessen").await;
        assert_eq!(heading(browser).await, "Cluster Gesundheit Nordhessen");
        browser.was_clean(node).await;
    })
    .await;
});

story!(suggestions_lead_to_records, Seeded, async |node| {
    node.settled().await;
    with_browser(async |browser| {
        browser.open(&format!("{}/networks", node.base)).await;
        tab_to(browser, "#q").await;
        type_in(browser, "Telerad").await;
        browser.find("#suggestions li").await;
        press(browser, Key::Down).await;
        press(browser, Key::Enter).await;
        arrived(browser, "teleradiologie").await;
        browser.was_clean(node).await;
    })
    .await;
});

story!(the_first_page_is_quick, Seeded, async |node| {
    node.settled().await;
    with_browser(async |browser| {
        let mut best = f64::MAX;
        for _ in 0..5 {
            browser.open(&format!("{}/networks", node.base)).await;
            browser.find(".hit").await;
            let script = "const done = arguments[arguments.length - 1]; \
                 const look = () => { \
                     const painted = performance.getEntriesByName('first-contentful-paint')[0]; \
                     if (painted) done(painted.startTime); else setTimeout(look, 20); \
                 }; \
                 look()";
            let shown = browser.page.execute_async(script, Vec::new());
            let shown = shown.await.unwrap();
            best = best.min(shown.json().as_f64().unwrap());
        }
        // Milliseconds; the server is compiled without optimisation and shares the machine.
        assert!(best < 1500.0, "{best} ms");
    })
    .await;
});
