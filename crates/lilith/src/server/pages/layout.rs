//! What all pages have.

use maud::{DOCTYPE, Markup, html};

/// What the pages of a visitor have.
pub struct Menu {
    /// What their forms carry.
    pub form: String,
    /// Whether the server is theirs.
    pub operator: bool,
}

/// A page with its title, for a visitor or for nobody.
pub fn page(title: &str, menu: Option<Menu>, content: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Lilith" }
                link rel="stylesheet" href="/static/style.css";
                link rel="icon" href="/static/icon.svg";
                script src="/static/script.js" defer {}
            }
            body {
                a.skip href="#content" { "To the content" }
                header {
                    a.brand href="/" { "Lilith" }
                    @if let Some(menu) = &menu {
                        nav aria-label="Main" {
                            a href="/" { "Jobs" }
                            @if menu.operator { a href="/operator" { "Server" } }
                        }
                        form method="post" action="/logout" {
                            (form_key(menu))
                            button.plain { "Log out" }
                        }
                    }
                }
                main #content { h1 { (title) } (content) }
            }
        }
    }
}

/// What every form carries.
pub fn form_key(menu: &Menu) -> Markup {
    html! { input type="hidden" name="form" value=(menu.form); }
}

/// A page that says one thing.
pub fn message(title: &str, text: &str) -> Markup {
    page(
        title,
        None,
        html! {
            p.card role="alert" { (text) }
            p { a href="/" { "To the jobs" } }
        },
    )
}

/// A state as a word with a colour.
pub fn badge(state: &str) -> Markup {
    html! { span class={ "badge " (state.to_lowercase()) } { (state) } }
}

/// A fingerprint, large and in groups, to be compared by reading it out.
pub fn fingerprint(text: &str) -> Markup {
    let digits = text.strip_prefix("sha256:").unwrap_or(text).as_bytes();
    let groups: Vec<_> = digits.chunks(4).map(String::from_utf8_lossy).collect();
    html! {
        code.fingerprint aria-label={ "fingerprint " (text) } {
            @for group in &groups { span { (group) } " " }
        }
    }
}

/// A text to be copied.
pub fn copyable(what: &str, text: &str) -> Markup {
    html! {
        div.copyable {
            code { (text) }
            button.plain type="button" data-copy=(text) { "Copy " (what) }
        }
    }
}

/// How much is used of what there is.
pub fn bar(what: &str, used: f64, limit: f64, unit: &str) -> Markup {
    html! {
        div.quota {
            span { (what) }
            meter min="0" max=(limit) value=(used.min(limit)) { (used) }
            span.dim { (short(used)) " of " (short(limit)) " " (unit) }
        }
    }
}

/// A number in few digits.
pub fn short(number: f64) -> String {
    match number {
        n if n >= 1e9 => format!("{:.1} G", n / 1e9),
        n if n >= 1e6 => format!("{:.1} M", n / 1e6),
        n if n >= 1e4 => format!("{:.1} k", n / 1e3),
        n => format!("{n:.0}"),
    }
}

/// How long ago a time was.
pub fn age(then: i64) -> String {
    let seconds = (crate::identifiers::now() - then).max(0) / 1000;
    match seconds {
        s if s < 120 => format!("{s} s"),
        s if s < 7200 => format!("{} min", s / 60),
        s if s < 172_800 => format!("{} h", s / 3600),
        s => format!("{} days", s / 86_400),
    }
}

/// A time that is written as in answers (RFC 3339), for people.
pub fn moment(text: &str) -> Markup {
    let parts = text.get(..10).zip(text.get(11..19));
    html! {
        time datetime=(text) {
            @match parts {
                Some((day, time)) => { (day) " " (time) " UTC" }
                None => (text),
            }
        }
    }
}
