//! The page of the server: for its operator.

use super::layout::{age, moment, page, short};
use super::visitor::{PageError, Visitor};
use crate::database::{Audit, Token, ports};
use crate::identifiers::rfc3339;
use crate::server::app::App;
use axum::extract::State;
use axum::response::Html;
use maud::html;
use std::sync::Arc;

/// The server: its executor, its ports, its tokens, its callbacks, and who did what.
pub async fn show(
    State(app): State<Arc<App>>,
    visitor: Visitor,
) -> Result<Html<String>, PageError> {
    visitor.who.operator()?;
    let (held, tokens, entries, callbacks) = app.database.read(|connection| {
        let mut statement = connection.prepare_cached(
            "SELECT recipe, state, tries, answer FROM callbacks ORDER BY next DESC LIMIT 50",
        )?;
        let callbacks = statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
        let callbacks: Vec<(String, String, i64, Option<String>)> =
            callbacks.collect::<Result<_, _>>()?;
        Ok((
            ports::all(connection)?,
            Token::all(connection)?,
            Audit::latest(connection, 50)?,
            callbacks,
        ))
    })?;
    let range = &app.options.peer_ports;
    let running = app.executor.list_ours()?.len();
    let content = html! {
        section.card {
            h2 { "Executor" }
            p { (app.executor.name()) ": " (running) " of " (app.options.slots()) " slots in use" }
            h2 { "Ports for peers" }
            p { (app.options.peer_host) ", " (range.start()) " to " (range.end()) ": "
                (held.len()) " held" }
            ul { @for (port, recipe) in &held {
                li { (port) " by " a href={ "/r/" (recipe) } { (recipe) } }
            } }
            p { (short(app.relay.carried() as f64)) " bytes carried" }
        }
        section.card {
            h2 { "Tokens" }
            table { thead { tr { th { "Id" } th { "Role" } th { "Project" } th { "Last used" } th { "Name" } } }
                tbody { @for token in &tokens { tr {
                    td data-label="Id" { code.brief { (token.id) } }
                    td data-label="Role" { (token.role.name()) }
                    td data-label="Project" { (token.project.as_deref().unwrap_or("all")) }
                    td data-label="Last used" {
                        (token.last_used.map_or("never".into(), |at| age(at) + " ago"))
                    }
                    td data-label="Name" { (token.name) }
                } } } }
        }
        section.card {
            h2 { "Callbacks" }
            @if callbacks.is_empty() { p { "None yet." } }
            @else { table { thead { tr { th { "Recipe" } th { "State" } th { "Tries" } th { "Answer" } } }
                tbody { @for (recipe, state, tries, answer) in &callbacks { tr {
                    td data-label="Recipe" { a href={ "/r/" (recipe) } { (recipe) } }
                    td data-label="State" { (state) }
                    td data-label="Tries" { (tries) }
                    td data-label="Answer" { (answer.as_deref().unwrap_or("")) }
                } } } } }
        }
        section.card {
            h2 { "Who did what" }
            table { thead { tr { th { "When" } th { "Token" } th { "Project" } th { "What" } } }
                tbody { @for entry in &entries { tr {
                    td data-label="When" { (moment(&rfc3339(entry.at))) }
                    td data-label="Token" { code.brief { (entry.token) } }
                    td data-label="Project" { (entry.project.as_deref().unwrap_or("")) }
                    td data-label="What" { (entry.action) " " span.dim { (entry.subject.as_deref().unwrap_or("")) } }
                } } } }
        }
    };
    Ok(Html(page("Server", Some(visitor.menu()), content).into_string()))
}
