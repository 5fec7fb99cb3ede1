//! The pages as a person uses them, in Chromium where the machine has it: log in, start a job with
//! a peer, copy the invitation, watch the job end, end another; nothing on the console, at two
//! widths, light and dark. The pictures are in the folder for tests' files of the build
//! (`target/tmp/pages`).

#[path = "site/browser.rs"]
mod driver;
mod site;

use base64::{Engine, prelude::BASE64_STANDARD};
use driver::Browser;
use site::{Customer, Server};
use std::fs;
use std::path::Path;

const WIDTHS: [u32; 2] = [360, 1100];

/// Takes pictures of the page as it is, and looks whether it fits the screen.
fn look(browser: &mut Browser, name: &str) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
    fs::create_dir_all(&folder).unwrap();
    for width in WIDTHS {
        let mut pictures = Vec::new();
        for colours in ["light", "dark"] {
            let picture = browser.picture(width, colours);
            let picture = BASE64_STANDARD.decode(picture).unwrap();
            fs::write(folder.join(format!("{name}-{width}-{colours}.png")), &picture).unwrap();
            let wide = browser.evaluate("document.documentElement.scrollWidth - innerWidth");
            assert!(wide.as_i64().unwrap() <= 0, "{name} is wider than {width} pixels: {wide}");
            // Nor is anything of it out of sight, or out of its frame.
            let cut = browser.evaluate(
                "[...document.querySelectorAll('td, time, code, input, button, meter')]
                    .filter(one => one.getBoundingClientRect().right >
                        (one.closest('.card') || document.body).getBoundingClientRect().right - 8)
                    .length",
            );
            assert_eq!(cut, 0, "of {name} something is cut at {width} pixels");
            pictures.push(picture);
        }
        assert_ne!(pictures[0], pictures[1], "{name} is light in the dark");
    }
}

#[test]
fn a_person_starts_watches_and_ends_jobs() {
    let Some(mut browser) = Browser::start() else {
        println!("skipped: there is no Chromium (Debian's package chromium)");
        return;
    };
    let server = Server::start(&["--connect-seconds", "60"]);
    let customer = Customer::new();
    server.with_model("credit");
    server.succeed(&["peer", "add", "-a", "credit", "applicant", &customer.fingerprint]);
    let at = |path: &str| format!("{}{path}", server.address);
    let grant = serde_json::json!({ "origin": server.address,
        "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"] });
    browser.ask("Browser.grantPermissions", grant);

    // By the keyboard: the cursor is where the token goes.
    browser.go(&at("/"));
    assert_eq!(browser.evaluate("location.pathname"), "/login");
    browser.until("document.activeElement.id === 'token'");
    look(&mut browser, "login");
    browser.type_and_enter(&server.token);
    browser.until("location.pathname === '/' && document.readyState === 'complete'");
    assert_eq!(browser.evaluate("document.cookie"), "", "the page's scripts do not see it");

    // An invitation, which is copied with its button.
    browser.go(&at("/p/credit"));
    look(&mut browser, "project");
    browser.evaluate("document.querySelector('form[action$=\"/invite\"] button').focus()");
    browser.press("Enter", 13, "\r");
    browser.until("!!document.querySelector('#invitation [data-copy]')");
    look(&mut browser, "invitation");
    browser.evaluate("document.querySelector('#invitation [data-copy]').click()");
    browser.until("document.querySelector('#invitation [data-copy]').textContent === 'Copied'");
    let invitation = browser.evaluate("navigator.clipboard.readText()");
    let invitation = invitation.as_str().unwrap();
    assert!(invitation.starts_with("twain-peer:1:127.0.0.1:"), "{invitation}");

    // A job whose page follows it to its end by itself.
    browser.go(&at("/"));
    let line = "prove --id model --local-addr auto";
    browser.evaluate("document.getElementById('line').focus()");
    browser.type_and_enter(line);
    browser.until("location.pathname.startsWith('/r/') && document.readyState === 'complete'");
    browser.until("!!document.querySelector('.badge.running')");
    assert!(
        browser
            .evaluate("document.body.innerText")
            .as_str()
            .unwrap()
            .contains("The other side runs")
    );
    look(&mut browser, "job-running");
    let prove = ["prove", "--id", "data", "--invite", invitation, "--srs-path", "kzg.srs"];
    customer.succeed(&prove);
    browser
        .until("!!document.querySelector('.badge.complete') && !document.getElementById('live')");
    let page = browser.evaluate("document.body.innerText");
    assert!(page.as_str().unwrap().contains("done"), "{page}");
    look(&mut browser, "job-complete");

    // One that is ended by hand.
    browser.go(&at("/"));
    browser.evaluate("document.getElementById('line').focus()");
    browser.type_and_enter(line);
    browser
        .until("!!document.querySelector('.badge.running') && !!document.querySelector('.danger')");
    browser.evaluate("document.querySelector('button.danger').click()");
    browser
        .until("!!document.querySelector('.badge.cancelled') && !document.getElementById('live')");

    browser.go(&at("/"));
    look(&mut browser, "jobs");
    browser.go(&at("/operator"));
    look(&mut browser, "operator");
    browser.evaluate("document.querySelector('form[action=\"/logout\"] button').click()");
    browser.until("location.pathname === '/login'");
    assert!(browser.complaints.is_empty(), "{:?}", browser.complaints);
}
