//! The OpenAPI document, generated from the annotations of the handlers. The scope of `bearer` is the lowest
//! role that an operation requires.

use http::openapi::{Conventions, Failure};
use utoipa::OpenApi;

use crate::{delivery, destination, preview, slack_app};

#[derive(OpenApi)]
#[openapi(
    info(title = "notify-service", description = "Notifications: destinations, rules and deliveries."),
    paths(
        destination::list_destinations,
        destination::create_destination,
        destination::get_destination,
        destination::update_destination,
        destination::delete_destination,
        destination::test_destination,
        destination::rotate_signing_secret,
        delivery::replay_destination,
        delivery::list_deliveries,
        delivery::get_delivery,
        delivery::replay_delivery,
        preview::list_recent_events,
        preview::preview_message,
        slack_app::receive_slack_interaction,
        slack_app::check_slack_code,
        slack_app::create_slack_link,
        slack_app::list_slack_links,
        slack_app::delete_slack_link,
    ),
    components(schemas(Failure)),
    modifiers(&Conventions)
)]
struct Document;

/// Every path of this service with its requests and responses.
pub fn openapi() -> utoipa::openapi::OpenApi {
    Document::openapi()
}
