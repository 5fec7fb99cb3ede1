//! Chromium without a window, told what to do through a pipe (its DevTools protocol): what a person
//! does with the pages, and what the browser says of them.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(60);

/// A browser with one page.
pub struct Browser {
    child: Child,
    pipe: ChildStdin,
    answers: Receiver<Value>,
    session: Option<String>,
    requests: u64,
    /// What the page's console and the browser's log have said.
    pub complaints: Vec<String>,
    _profile: TempDir,
}

impl Browser {
    /// Starts it; none if this machine has no Chromium.
    pub fn start() -> Option<Self> {
        let program = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
        let program = program.into_iter().find(|path| Path::new(path).exists())?;
        let profile = tempfile::tempdir().expect("a folder");
        // The protocol's two ends are the descriptors 3 and 4.
        let mut command = Command::new("sh");
        command.args(["-c", r#"exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null"#, program]);
        command.args([
            "--headless=new",
            "--remote-debugging-pipe",
            "--no-first-run",
            "--disable-gpu",
        ]);
        command.args(["--disable-background-networking", "--disable-component-update"]);
        command.arg(format!("--user-data-dir={}", profile.path().display()));
        if nix::unistd::geteuid().is_root() {
            command.arg("--no-sandbox");
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("starts");
        let pipe = child.stdin.take().expect("piped");
        let mut reader = BufReader::new(child.stdout.take().expect("piped"));
        let (sender, answers) = channel();
        std::thread::spawn(move || {
            let mut message = Vec::new();
            while reader.read_until(0, &mut message).is_ok_and(|length| length > 0) {
                message.pop();
                let Ok(value) = serde_json::from_slice(&message) else { return };
                message.clear();
                if sender.send(value).is_err() {
                    return;
                }
            }
        });
        let mut browser = Self {
            child,
            pipe,
            answers,
            session: None,
            requests: 0,
            complaints: Vec::new(),
            _profile: profile,
        };
        let target = browser.ask("Target.createTarget", json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let session = browser.ask("Target.attachToTarget", attach);
        browser.session = session["sessionId"].as_str().map(str::to_string);
        for domain in ["Page", "Runtime", "Log"] {
            browser.ask(&format!("{domain}.enable"), json!({}));
        }
        browser.ask("Emulation.setFocusEmulationEnabled", json!({ "enabled": true }));
        Some(browser)
    }

    /// Asks the browser something that it must do.
    pub fn ask(&mut self, method: &str, parameters: Value) -> Value {
        let answer = self.try_to(method, parameters);
        answer.unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// Asks the browser something, which a page that goes away may keep from being answered.
    fn try_to(&mut self, method: &str, parameters: Value) -> Result<Value, Value> {
        self.requests += 1;
        let mut request = json!({ "id": self.requests, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            request["sessionId"] = session.as_str().into();
        }
        let mut bytes = request.to_string().into_bytes();
        bytes.push(0);
        self.pipe.write_all(&bytes).expect("the browser is there");
        loop {
            let mut answer = self.answers.recv_timeout(PATIENCE).expect("the browser answers");
            if answer["id"] == self.requests {
                return match answer["error"].take() {
                    Value::Null => Ok(answer["result"].take()),
                    error => Err(error),
                };
            }
            self.hear(&answer);
        }
    }

    fn hear(&mut self, event: &Value) {
        let told = &event["params"];
        match event["method"].as_str() {
            Some("Runtime.consoleAPICalled") => self.complaints.push(told["args"].to_string()),
            Some("Runtime.exceptionThrown") => {
                self.complaints.push(told["exceptionDetails"].to_string());
            }
            Some("Log.entryAdded") => self.complaints.push(told["entry"].to_string()),
            _ => {}
        }
    }

    /// What an expression of the page's language gives.
    pub fn evaluate(&mut self, expression: &str) -> Value {
        let what = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true,
                           "userGesture": true });
        let mut answer = self.ask("Runtime.evaluate", what);
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {answer}");
        answer["result"]["value"].take()
    }

    /// Waits until an expression is true; pages may come and go meanwhile.
    pub fn until(&mut self, expression: &str) {
        let since = Instant::now();
        let what = json!({ "expression": expression, "returnByValue": true });
        let is_so = |answer: Result<Value, Value>| {
            answer.is_ok_and(|answer| answer["result"]["value"] == true)
        };
        while !is_so(self.try_to("Runtime.evaluate", what.clone())) {
            if since.elapsed() > PATIENCE {
                let text = self.evaluate("location.href + '\\n' + document.body.innerText");
                panic!("never {expression}: {}", text.as_str().unwrap_or_default());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Goes to an address.
    pub fn go(&mut self, address: &str) {
        // The page before this one must not be taken for it.
        self.evaluate("window.old = true");
        self.ask("Page.navigate", json!({ "url": address }));
        self.until("!window.old && document.readyState === 'complete'");
    }

    /// Types a text where the cursor is, and the key that sends a form.
    pub fn type_and_enter(&mut self, text: &str) {
        self.ask("Input.insertText", json!({ "text": text }));
        self.press("Enter", 13, "\r");
    }

    /// Presses a key.
    pub fn press(&mut self, key: &str, code: u32, text: &str) {
        let down = json!({ "type": "keyDown", "key": key, "code": key, "text": text,
                           "windowsVirtualKeyCode": code });
        self.ask("Input.dispatchKeyEvent", down);
        let up = json!({ "type": "keyUp", "key": key, "code": key, "windowsVirtualKeyCode": code });
        self.ask("Input.dispatchKeyEvent", up);
    }

    /// A picture of the page as PNG in base 64, for a width in pixels and a choice of colours.
    pub fn picture(&mut self, width: u32, colours: &str) -> String {
        let size = json!({ "width": width, "height": 900, "deviceScaleFactor": 1,
                           "mobile": width < 600 });
        self.ask("Emulation.setDeviceMetricsOverride", size);
        let feature = json!({ "features": [{ "name": "prefers-color-scheme", "value": colours }] });
        self.ask("Emulation.setEmulatedMedia", feature);
        let what = json!({ "format": "png", "captureBeyondViewport": true });
        let picture = self.ask("Page.captureScreenshot", what);
        picture["data"].as_str().expect("a picture").to_string()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
