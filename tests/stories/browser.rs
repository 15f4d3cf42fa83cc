//! Swagger UI in a real browser: headless Chromium, driven over `WebDriver`.
//!
//! `CHROMEDRIVER` and `CHROME_BIN` name the programs (`tests/setup/chromium.sh` sets them). A
//! missing browser fails the test: a skipped one would look like a success.

use futures::FutureExt;
use serde_json::{Value, json};
use std::panic::AssertUnwindSafe;
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;
use tests::{Node, story};
use thirtyfour::prelude::*;
use thirtyfour::{ChromiumLikeCapabilities, LoggingPrefsLogLevel};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// Time limit of one step in the browser on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

const SWITCHES: [&str; 9] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1300,1400",
];

/// A browser with its own profile, and the driver that started it.
pub(crate) struct Browser {
    pub(crate) page: WebDriver,
    _driver: Child,
    _profile: TempDir,
}

pub(crate) fn program(variable: &str, usual: &str) -> String {
    #[expect(clippy::disallowed_methods, reason = "the tests' own configuration")]
    let named = std::env::var(variable);
    named.unwrap_or_else(|_| usual.to_owned())
}

impl Browser {
    async fn start() -> Self {
        let profile = tempfile::tempdir().unwrap();
        let (driver, port) = driver().await;
        let mut wanted = DesiredCapabilities::chrome();
        let browser = program("CHROME_BIN", "/usr/bin/chromium");
        wanted.set_binary(&browser).unwrap();
        for switch in SWITCHES {
            wanted.add_arg(switch).unwrap();
        }
        let folder = format!("--user-data-dir={}", profile.path().display());
        wanted.add_arg(&folder).unwrap();
        for log in ["browser", "performance"] {
            wanted
                .set_logging_prefs(log, LoggingPrefsLogLevel::All)
                .unwrap();
        }
        let page = WebDriver::new(format!("http://127.0.0.1:{port}"), wanted).await;
        let page = page.unwrap_or_else(|why| {
            panic!("{browser} does not start; install it, or name it in CHROME_BIN: {why}")
        });
        Self {
            page,
            _driver: driver,
            _profile: profile,
        }
    }

    pub(crate) async fn open(&self, url: &str) {
        // An open page would only scroll to the new fragment.
        self.page.goto("about:blank").await.unwrap();
        self.page.get_log("browser").await.unwrap();
        self.page.get_log("performance").await.unwrap();
        self.page.goto(url).await.unwrap();
    }

    /// Waits for the first element that matches a CSS selector.
    pub(crate) async fn find(&self, css: &str) -> WebElement {
        let query = self.page.query(By::Css(css));
        let query = query.wait(PATIENCE, Duration::from_millis(100));
        let found = query.first().await;
        found.unwrap_or_else(|why| panic!("{css}: {why}"))
    }

    /// Clicks by script: a click by coordinates hits whatever has scrolled there.
    pub(crate) async fn click(&self, css: &str) {
        let element = self.find(css).await.to_json().unwrap();
        let script = "arguments[0].click()";
        self.page.execute(script, vec![element]).await.unwrap();
    }

    /// Sets an input as a person does, so that the page notices.
    async fn fill(&self, css: &str, text: &str) {
        let element = self.find(css).await.to_json().unwrap();
        // React replaces the setter of the element; that of its prototype is the real one. Swagger
        // UI waits for more keys until the field loses focus.
        let script = "const [field, text] = arguments; \
             const own = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), 'value'); \
             own.set.call(field, text); \
             for (const name of ['input', 'change', 'focusout']) \
                 field.dispatchEvent(new Event(name, {bubbles: true}));";
        let arguments = vec![element, text.into()];
        self.page.execute(script, arguments).await.unwrap();
    }

    /// Sends a command of the Chrome `DevTools` protocol.
    pub(crate) async fn command(&self, method: &str, parameters: Value) -> Value {
        let answer = self.page.cdp().send_raw(method, parameters).await;
        answer.unwrap_or_else(|why| panic!("{method}: {why}"))
    }

    /// Seconds that the page has kept a core busy since it was opened.
    async fn busy(&self) -> f64 {
        let all = self.command("Performance.getMetrics", json!({})).await;
        let mut all = all["metrics"].as_array().unwrap().iter();
        let tasks = all.find(|one| one["name"] == "TaskDuration").unwrap();
        tasks["value"].as_f64().unwrap()
    }

    /// Whether something is wider than the screen.
    pub(crate) async fn overflows(&self) -> bool {
        let script = "return document.documentElement.scrollWidth > screen.width";
        let answer = self.page.execute(script, Vec::new()).await.unwrap();
        answer.json().as_bool().unwrap()
    }

    /// All requests since the page was opened went to the node, and the console has no errors.
    pub(crate) async fn was_clean(&self, node: &Node) {
        let mut requested = 0;
        for entry in self.page.get_log("performance").await.unwrap() {
            let event: Value = serde_json::from_str(&entry.message).unwrap();
            let event = &event["message"];
            if event["method"] != "Network.requestWillBeSent" {
                continue;
            }
            let url = event["params"]["request"]["url"].as_str().unwrap();
            let own = url.strip_prefix(&node.base);
            let home = own.is_some_and(|rest| rest.starts_with('/'));
            let inline = url.starts_with("data:") || url.starts_with("blob:");
            assert!(home || inline, "the page asks {url}");
            requested += usize::from(home);
        }
        assert!(requested > 0, "the log of requests is empty");
        let console = self.page.get_log("browser").await.unwrap();
        let errors: Vec<_> = console.iter().filter(|one| one.level == "SEVERE").collect();
        assert!(errors.is_empty(), "{errors:?}");
    }
}

async fn driver() -> (Child, u16) {
    let name = program("CHROMEDRIVER", "chromedriver");
    let mut child = Command::new(&name)
        .arg("--port=0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap_or_else(|why| {
            panic!("{name} does not start; install it, or name it in CHROMEDRIVER: {why}")
        });
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let said = async {
        while let Some(line) = lines.next_line().await.unwrap() {
            if let Some((_, port)) = line.split_once("successfully on port ") {
                return port.trim_end_matches('.').parse().ok();
            }
        }
        None
    };
    let port = tokio::time::timeout(PATIENCE, said).await.ok().flatten();
    let port = port.unwrap_or_else(|| panic!("{name} does not say on which port it listens"));
    // Its further output is read, so that it never blocks.
    actix_web::rt::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    (child, port)
}

/// Runs the story with a browser, which is closed even if the story fails.
pub(crate) async fn with_browser(story: impl AsyncFnOnce(&Browser)) {
    let browser = Browser::start().await;
    let outcome = AssertUnwindSafe(story(&browser)).catch_unwind().await;
    let ended = browser.page.quit().await;
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
    ended.unwrap();
}

async fn authorize(browser: &Browser, token: &str) {
    browser.click(".auth-wrapper .btn.authorize").await;
    browser.fill("#auth-bearer-value", token).await;
    browser.click(".auth-btn-wrapper button[type=submit]").await;
    // The dialog offers to log out once it has the token.
    browser.find("[aria-label='Remove authorization']").await;
    browser.click(".auth-btn-wrapper .btn-done").await;
}

async fn sign_in(browser: &Browser, name: &str, password: &str) {
    browser.click(".auth-wrapper .btn.authorize").await;
    browser.fill("#oauth_username", name).await;
    browser.fill("#oauth_password", password).await;
    // The dialog has a form for each flow; this one is that of the password.
    let press = "const form = document.querySelector('#oauth_password').closest('.auth-container'); \
         form.querySelector('button.authorize').click();";
    browser.page.execute(press, Vec::new()).await.unwrap();
    browser
        .find(".auth-container [aria-label='Remove authorization']")
        .await;
    browser.click(".auth-btn-wrapper .btn-done").await;
}

/// Presses Execute in an operation and returns the displayed status and body.
async fn execute(browser: &Browser, operation: &str) -> (String, String) {
    browser.click(&format!("{operation} .btn.execute")).await;
    let answer = format!("{operation} .live-responses-table tbody tr.response");
    let status = browser
        .find(&format!("{answer} .response-col_status"))
        .await;
    let status = status.text().await.unwrap();
    // Text below the fold counts too.
    let body = browser.find(&format!("{answer} .highlight-code")).await;
    let body = body.prop("textContent").await.unwrap().unwrap_or_default();
    (status.lines().next().unwrap_or_default().to_owned(), body)
}

story!(swagger_ui_reads_and_writes, Seeded, async |node| {
    with_browser(async |browser| {
        // The shortest address leads to the page.
        browser.open(&format!("{}/docs", node.base)).await;
        let title = browser.find(".info .title").await.text().await.unwrap();
        assert!(title.starts_with("Verbund"), "{title}");
        let address = browser.page.current_url().await.unwrap();
        assert_eq!(address.as_str(), format!("{}/docs/", node.base));
        browser.was_clean(node).await;

        // Anyone can read.
        let page = format!("{}/docs/#/Networks/get_network", node.base);
        browser.open(&page).await;
        let read = "#operations-Networks-get_network";
        let field = |name: &str| format!("{read} tr[data-param-name='{name}'] input");
        browser.fill(&field("id"), "mo-win-net").await;
        for optional in ["lang", "fields", "If-None-Match"] {
            browser.fill(&field(optional), "").await;
        }
        let (status, body) = execute(browser, read).await;
        assert_eq!(status, "200", "{body}");
        assert!(body.contains("Mo.WiN.net"), "{body}");
        browser.was_clean(node).await;

        // The page fills every default in, and each is taken.
        let page = format!("{}/docs/#/Networks/list_networks", node.base);
        browser.open(&page).await;
        let (status, body) = execute(browser, "#operations-Networks-list_networks").await;
        assert_eq!(status, "200", "{body}");
        browser.was_clean(node).await;

        // A caller with a token can write.
        let page = format!("{}/docs/#/Actors/create_actor", node.base);
        browser.open(&page).await;
        authorize(browser, &node.admin).await;
        let write = "#operations-Actors-create_actor";
        let body = r#"{"name": "Klinik im Browser", "home_region": "nordhessen", "publication": "published"}"#;
        browser
            .fill(&format!("{write} tr[data-param-name='dry_run'] select"), "")
            .await;
        browser
            .fill(&format!("{write} textarea.body-param__text"), body)
            .await;
        let (status, body) = execute(browser, write).await;
        assert_eq!(status, "201", "{body}");
        browser.was_clean(node).await;
        node.get("/v1/actors/klinik-im-browser").await.expect(200);
    })
    .await;
});

story!(swagger_ui_is_quick_and_fits_a_phone, async |node| {
    with_browser(async |browser| {
        // Time of the thread, so that other processes do not count.
        let threads = json!({"timeDomain": "threadTicks"});
        browser.command("Performance.enable", threads).await;
        let phone = json!({"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": true});
        let set = "Emulation.setDeviceMetricsOverride";
        browser.command(set, phone).await;
        browser.open(&format!("{}/docs/", node.base)).await;
        browser.find(".opblock-tag").await;
        browser.find(".auth-wrapper .btn.authorize").await;
        let busy = browser.busy().await;
        assert!(busy < 2.0, "{busy} s");
        assert!(!browser.overflows().await);
        let page = format!("{}/docs/#/Actors/list_actors", node.base);
        browser.open(&page).await;
        browser.find(".responses-table .response").await;
        assert!(!browser.overflows().await);
    })
    .await;
});

story!(
    swagger_ui_signs_in_with_name_and_password,
    Seeded,
    async |node| {
        let account = serde_json::json!({"name": "anna", "grants": [{"role": "approver", "region": "nordhessen"}]});
        let made = node.post("/v1/accounts").json(&account).await.expect(201);
        let password = made.json["password"].as_str().unwrap();
        with_browser(async |browser| {
            let page = format!("{}/docs/#/Actors/create_actor", node.base);
            browser.open(&page).await;
            sign_in(browser, "anna", password).await;
            let write = "#operations-Actors-create_actor";
            let body = r#"{"name": "Klinik mit Passwort", "home_region": "nordhessen", "publication": "published"}"#;
            let dry_run = format!("{write} tr[data-param-name='dry_run'] select");
            browser.fill(&dry_run, "").await;
            let field = format!("{write} textarea.body-param__text");
            browser.fill(&field, body).await;
            let (status, body) = execute(browser, write).await;
            assert_eq!(status, "201", "{body}");
            browser.was_clean(node).await;
            node.get("/v1/actors/klinik-mit-passwort").await.expect(200);
        })
        .await;
    }
);
