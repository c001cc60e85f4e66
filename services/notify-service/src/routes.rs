use actix_web::web::{Data, ServiceConfig};
use http::endpoint;

use crate::{State, delivery, destination, preview, slack_app};

/// The routes of this service, as Caddy exposes them.
pub fn routes(state: State) -> impl Fn(&mut ServiceConfig) + Clone + Send + 'static {
    let state = Data::new(state);
    move |config| {
        config
            .app_data(state.clone())
            .service(
                endpoint("/api/v1/notifications/destinations")
                    .get(destination::list_destinations)
                    .post(destination::create_destination),
            )
            .service(
                endpoint("/api/v1/notifications/destinations/{id}")
                    .get(destination::get_destination)
                    .patch(destination::update_destination)
                    .delete(destination::delete_destination),
            )
            .service(
                endpoint("/api/v1/notifications/destinations/{id}/test").post(destination::test_destination),
            )
            .service(
                endpoint("/api/v1/notifications/destinations/{id}/rotate-secret")
                    .post(destination::rotate_signing_secret),
            )
            .service(
                endpoint("/api/v1/notifications/destinations/{id}/replay").post(delivery::replay_destination),
            )
            .service(endpoint("/api/v1/notifications/deliveries").get(delivery::list_deliveries))
            .service(endpoint("/api/v1/notifications/deliveries/{id}").get(delivery::get_delivery))
            .service(endpoint("/api/v1/notifications/deliveries/{id}/replay").post(delivery::replay_delivery))
            .service(endpoint("/api/v1/notifications/events").get(preview::list_recent_events))
            .service(
                endpoint("/api/v1/notifications/slack/{destination}/interactions")
                    .post(slack_app::receive_slack_interaction),
            )
            .service(endpoint("/api/v1/notifications/slack/codes").post(slack_app::check_slack_code))
            .service(
                endpoint("/api/v1/notifications/slack/links")
                    .get(slack_app::list_slack_links)
                    .post(slack_app::create_slack_link),
            )
            .service(endpoint("/api/v1/notifications/slack/links/{id}").delete(slack_app::delete_slack_link))
            .service(endpoint("/api/v1/notifications/preview").post(preview::preview_message));
    }
}
