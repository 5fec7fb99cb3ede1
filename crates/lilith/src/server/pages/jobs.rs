//! The pages of jobs: all of them, and one with its phases, its log, and what the other side needs.

use super::layout::{age, badge, copyable, fingerprint, form_key, moment, page};
use super::visitor::{PageError, Plain, Visitor};
use crate::database::{Command, Event, Project, Recipe, Role, audit, cancel as ask};
use crate::identifiers::rfc3339;
use crate::server::answer::answer;
use crate::server::app::App;
use crate::server::extract::{Path, Query};
use crate::server::routes::events as event_stream;
use crate::server::routes::recipes::find;
use crate::server::routes::submit::submit;
use axum::extract::{Form, State};
use axum::http::HeaderMap;
use axum::response::{Html, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;
use twain_jobs::bodies::{Body, CommandBody};
use twain_party::Phase;

/// Which jobs.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Filter {
    artifact: Option<String>,
    status: Option<String>,
    cursor: Option<String>,
}

/// All jobs, newest first.
pub async fn list(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Query(filter): Query<Filter>,
) -> Result<Html<String>, PageError> {
    let own = visitor.who.token.project.clone();
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let project = own.clone().or(given(&filter.artifact));
    let (state, cursor) = (given(&filter.status), given(&filter.cursor));
    let (projects, recipes, commands) = app.database.read(|connection| {
        let projects = Project::all(connection)?;
        let recipes =
            Recipe::list(connection, project.as_deref(), state.as_deref(), cursor.as_deref(), 50)?;
        let commands: Result<Vec<_>, crate::error::ServiceError> =
            recipes.iter().map(|recipe| Command::all(connection, &recipe.id)).collect();
        Ok((projects, recipes, commands?))
    })?;
    let projects: Vec<_> = projects
        .into_iter()
        .filter(|project| own.as_ref().is_none_or(|own| *own == project.name))
        .collect();
    let content = html! {
        (projects_list(&projects))
        @if !projects.is_empty() && visitor.who.at_least(Role::Run).is_ok() {
            (run_form(&visitor, &projects))
        }
        form.filter method="get" action="/" {
            label { "Project " select name="artifact" {
                option value="" { "all" }
                @for it in &projects {
                    option selected[project.as_ref() == Some(&it.name)] { (it.name) }
                }
            } }
            label { "State " select name="status" {
                option value="" { "all" }
                @for it in ["active", "complete", "errored", "cancelled"] {
                    option selected[state.as_deref() == Some(it)] { (it) }
                }
            } }
            button.plain { "Show" }
        }
        @if recipes.is_empty() {
            p.card { "No jobs here yet. Start one above, or with "
                code { "lilith job -a PROJECT --command \"…\"" } "." }
        } @else {
            table {
                thead { tr { th { "Job" } th { "Project" } th { "State" } th { "Age" } } }
                tbody { @for (recipe, commands) in recipes.iter().zip(&commands) {
                    (row(recipe, commands))
                } }
            }
            @if recipes.len() == 50 {
                @if let Some(last) = recipes.last() {
                    a href={ "/?cursor=" (last.id) "&artifact=" (project.as_deref().unwrap_or(""))
                        "&status=" (state.as_deref().unwrap_or("")) } { "Older" }
                }
            }
        }
    };
    Ok(Html(page("Jobs", Some(visitor.menu()), content).into_string()))
}

fn row(recipe: &Recipe, commands: &[Command]) -> Markup {
    let names: Vec<&str> = commands.iter().map(|it| it.job.command.as_str()).collect();
    let running = commands.iter().find(|command| !command.state.is_final());
    html! {
        tr {
            td data-label="Job" { a href={ "/r/" (recipe.id) } { (names.join(" → ")) } }
            td data-label="Project" { a href={ "/p/" (recipe.project) } { (recipe.project) } }
            td data-label="State" {
                @match running {
                    Some(command) => {
                        (badge(command.state.name()))
                        @if let Some(phase) = &command.phase { " " span.dim { (phase) } }
                        @if let Some(note) = &command.note { " " span.dim { (note) } }
                    }
                    None => (badge(&recipe.state)),
                }
            }
            td data-label="Age" { time datetime=(rfc3339(recipe.created)) { (age(recipe.created)) } }
        }
    }
}

fn projects_list(projects: &[Project]) -> Markup {
    html! {
        @if projects.is_empty() {
            p.card { "There is no project yet. Make one: "
                code { "lilith create-artifact -a credit --side model -m network.onnx" } }
        } @else {
            ul.projects { @for project in projects {
                li { a href={ "/p/" (project.name) } { (project.name) } " "
                    span.dim { "holds the " (project.side) "'s secret" } }
            } }
        }
    }
}

fn run_form(visitor: &Visitor, projects: &[Project]) -> Markup {
    html! {
        form.card method="post" action="/run" {
            (form_key(&visitor.menu()))
            label { "Project " select name="artifact" {
                @for project in projects { option { (project.name) } }
            } }
            label for="line" { "Command" }
            input #line name="line" required placeholder="prove --id model --local-addr auto";
            button { "Start" }
        }
    }
}

/// A job to be started.
#[derive(Debug, Deserialize)]
pub struct Start {
    form: String,
    artifact: String,
    line: String,
}

/// Starts a job.
pub async fn run(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Form(start): Form<Start>,
) -> Result<Redirect, PageError> {
    visitor.check_form(&start.form)?;
    let words = twain_jobs::from_line(&start.line)?;
    let command = CommandBody { words, outputs: None, old: false };
    let body = Body { artifact: start.artifact, commands: vec![command], ..Body::default() };
    let answer = submit(&app, &visitor.who, body, None).await?;
    Ok(Redirect::to(&format!("/r/{}", answer["id"].as_str().unwrap_or_default())))
}

/// One job.
pub async fn show(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Html<String>, PageError> {
    let recipe = find(&app, &visitor.who, &id, Role::Read)?;
    // Before the rest: what happens meanwhile is told once more, not left out.
    let latest = app.database.read(|connection| Event::latest(connection, &id))?;
    let commands = answer(&app, &recipe, true)?;
    let project = app.database.read(|connection| Project::find(connection, &recipe.project))?;
    let active = recipe.state == "active";
    let content = html! {
        div.actions {
            span { (badge(&recipe.state)) " in " a href={ "/p/" (recipe.project) } { (recipe.project) } }
            @if active && visitor.who.at_least(Role::Run).is_ok() {
                form method="post" action={ "/r/" (id) "/cancel" } {
                    (form_key(&visitor.menu()))
                    button.danger { "Cancel" }
                }
            }
        }
        p.dim { "Recipe " code { (id) } ", asked for "
            (moment(&rfc3339(recipe.created))) }
        @for command in &commands { (one(&app, command, project.as_ref())) }
        @if active { p #live data-events={ "/r/" (id) "/events?after=" (latest) } role="status" {
            "Running; this page loads itself again when something changes." } }
    };
    Ok(Html(page("Job", Some(visitor.menu()), content).into_string()))
}

fn one(app: &App, command: &Value, project: Option<&Project>) -> Markup {
    let text = |name: &str| command[name].as_str().unwrap_or_default();
    let words = command["command"]["command"].as_array().into_iter().flatten();
    let line: Vec<&str> = words.filter_map(Value::as_str).collect();
    let port = command["port"].as_u64().and_then(|port| u16::try_from(port).ok());
    let (phase, state) = (text("phase"), text("state"));
    let at = Phase::OF_PROOF.iter().position(|one| one.name() == phase).unwrap_or(0);
    let phases = Phase::OF_PROOF.len();
    let names = Phase::OF_PROOF.map(Phase::name).join(",");
    // What the page's script fills in while it runs.
    let is_open = !["complete", "errored", "cancelled"].contains(&state);
    let done = if state == "complete" { phases } else { at };
    html! {
        section.card aria-label={ "Command " (command["index"]) } data-command=(command["index"]) {
            h2 { code { (line.join(" ")) } " " (badge(state)) }
            @if is_open || !phase.is_empty() {
                div.phases {
                    progress max=(phases) value=(done) data-phases=(names) aria-label="phases" {}
                    span.phase { (if state == "complete" { "done" } else { phase }) }
                }
            }
            @if !text("note").is_empty() { p.note { (text("note")) } }
            @if let Some(message) = command["error"]["message"].as_str() {
                p.bad { strong { (command["error"]["code"].as_str().unwrap_or_default()) } ": " (message) }
            }
            dl {
                @for (name, what) in
                    [("queued_at", "queued"), ("started_at", "started"), ("ended_at", "ended")]
                {
                    @if !text(name).is_empty() { dt { (what) } dd { (moment(text(name))) } }
                }
                dt { "attempts" } dd { (command["attempt"]) }
                @if let Some(traffic) = command["progress"]["traffic"].as_object() {
                    @for name in ["sent", "received"] {
                        dt { (name) } dd { (traffic.get(name).cloned().unwrap_or_default()) " bytes" }
                    }
                }
            }
            @if let (Some(port), Some(project)) = (port, project) {
                h3 { "The other side runs" }
                @let other = if project.side == "model" { "data" } else { "model" };
                @let line = format!("twain prove --id {other} --remote-peer {} --peer {}",
                    app.peer_address(port), project.fingerprint);
                (copyable("the command", &line))
                (fingerprint(&project.fingerprint))
            }
            @if is_open || !text("logs").is_empty() {
                details open[state != "complete"] { summary { "Log" } pre.log { (text("logs")) } }
            }
        }
    }
}

/// Ends a job.
pub async fn cancel(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(form): Form<Plain>,
) -> Result<Redirect, PageError> {
    visitor.check_form(&form.form)?;
    let recipe = find(&app, &visitor.who, &id, Role::Run)?;
    let token = &visitor.who.token.id;
    app.database.write(|write| {
        ask(write, &id)?;
        audit(write, token, Some(&recipe.project), "cancel", Some(&id), "done")
    })?;
    Ok(Redirect::to(&format!("/r/{id}")))
}

/// Which events a page has not shown.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Since {
    after: Option<i64>,
}

/// The events of a job, for the page's script.
pub async fn events(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(since): Query<Since>,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    find(&app, &visitor.who, &id, Role::Read)?;
    let what = event_stream::What { log: true, after: since.after };
    Ok(event_stream::response(app, id, what, &headers))
}
