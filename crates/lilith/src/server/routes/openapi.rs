//! The document of the interface, made from the functions that answer.

use super::{artifacts, events, health, peers, projects, recipes, submit, tokens, upload};
use axum::Json;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

#[derive(OpenApi)]
#[openapi(
    info(title = "Lilith", description = "Hosted peers and proving jobs, on one's own servers"),
    paths(
        health::ping,
        health::healthz,
        health::readyz,
        health::metrics,
        tokens::list,
        tokens::create,
        tokens::revoke,
        tokens::audit,
        projects::list,
        projects::show,
        projects::remove,
        projects::set_limits,
        projects::webhook,
        projects::rotate_webhook,
        upload::create,
        upload::update,
        upload::update_first_generation,
        artifacts::download,
        artifacts::download_short,
        artifacts::remove,
        peers::put,
        peers::remove,
        peers::invite,
        submit::recipe,
        recipes::list,
        recipes::show,
        recipes::cancel,
        recipes::log,
        recipes::resend,
        events::stream,
    ),
    modifiers(&Keys),
    security(("api_key" = []), ("bearer" = []))
)]
struct Interface;

struct Keys;

impl Modify for Keys {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_with(Default::default);
        let key = ApiKey::Header(ApiKeyValue::new("X-API-KEY"));
        components.add_security_scheme("api_key", SecurityScheme::ApiKey(key));
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    }
}

/// The document; needs no token.
pub async fn document() -> Json<utoipa::openapi::OpenApi> {
    Json(Interface::openapi())
}
