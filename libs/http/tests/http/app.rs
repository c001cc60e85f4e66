//! A service with a few paths of each kind.

use actix_web::web::{Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use clap::Parser;
use contracts::{Claims, Clock, Holder, Role};
use http::{
    ApiError, BodyLimit, Caller, Http, HttpConfig, MaybeCaller, Server, ValidJson, ValidPath, ValidQuery,
    endpoint,
};
use identity::KeyConfig;
use platform::{Platform, ProcessConfig};
use serde::{Deserialize, Serialize};
use testing::{Backend, Client, Stores};
use uuid::Uuid;
use validator::Validate;

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    process: ProcessConfig,
    #[command(flatten)]
    http: HttpConfig,
    #[command(flatten)]
    keys: KeyConfig,
}

#[derive(Deserialize, Serialize, Validate)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Parcel {
    #[validate(length(min = 1, max = 5))]
    short_name: String,
}

#[derive(Deserialize, Validate)]
#[serde(deny_unknown_fields)]
struct Paging {
    #[validate(range(min = 1, max = 100))]
    limit: u64,
}

fn routes(config: &mut ServiceConfig) {
    config
        .app_data(BodyLimit(100))
        .service(endpoint("/parcels").get(list).post(create))
        .service(endpoint("/parcels/{id}").get(get))
        .service(endpoint("/freight").post(weigh))
        .service(endpoint("/me").get(me))
        .service(endpoint("/maybe").get(maybe))
        .service(endpoint("/broken").get(broken));
}

async fn list(ValidQuery(paging): ValidQuery<Paging>) -> HttpResponse {
    http::list(vec![1, 2], paging.limit, Some("next".into()))
}

async fn create(ValidJson(parcel): ValidJson<Parcel>) -> HttpResponse {
    http::created(parcel)
}

/// Reads a large body and responds with its size.
async fn weigh(request: HttpRequest, body: Payload) -> Result<HttpResponse, ApiError> {
    http::expect_large_body(&request);
    Ok(http::ok(http::read_body(body, 1024 * 1024).await?.len()))
}

async fn get(ValidPath(id): ValidPath<Uuid>) -> HttpResponse {
    http::ok(id)
}

async fn me(caller: Caller) -> Result<HttpResponse, ApiError> {
    caller.require(Role::Engineer)?;
    Ok(http::ok(caller.user_id))
}

async fn maybe(MaybeCaller(caller): MaybeCaller) -> HttpResponse {
    http::ok(caller.map(|caller| caller.user_id))
}

async fn broken() -> Result<HttpResponse, ApiError> {
    Err(ApiError::internal("the database said: password=hunter2"))
}

pub(crate) struct App {
    pub client: Client,
    pub platform: Platform,
    /// The client of `/metrics`, if it has its own port.
    pub operations: Option<Client>,
    pub stores: Stores,
}

impl Drop for App {
    fn drop(&mut self) {
        self.platform.lifecycle().stop.cancel();
    }
}

impl App {
    pub(crate) async fn start(backend: Backend) -> Self {
        Self::start_with(backend, &[]).await
    }

    pub(crate) async fn start_with(backend: Backend, more: &[&str]) -> Self {
        let stores = backend.start().await;
        let arguments = ["test", "--workers", "1", "--jwt-access-secret", "of a test"];
        let Cli { process, http, keys } = Cli::parse_from(arguments.iter().chain(more));
        let clock = Clock::system();
        let platform = Platform::connect("test", process, &keys, &stores.redis_url(), vec![], clock).unwrap();
        platform.tokens().revocations.synced().await;
        testing::eventually("the backplane is connected", async || platform.backplane().is_connected()).await;
        let http = Http::new(http, &platform).unwrap();
        let server = Server::bind(platform.clone(), http, 0, routes).unwrap();
        let client = Client::new(format!("http://{}", server.address()));
        let operations = server.operations_address().map(|address| Client::new(format!("http://{address}")));
        tokio::task::spawn_local(server.run());
        Self { client, platform, operations, stores }
    }

    /// Returns the address of the service as `host:port`.
    pub(crate) fn authority(&self) -> &str {
        self.client.base().trim_start_matches("http://")
    }

    pub(crate) fn token(&self, role: Role) -> String {
        let now = self.platform.clock().now();
        let holder = Holder {
            subject: Uuid::new_v4().to_string(),
            email: "a@example.com".into(),
            role,
            account_id: None,
            generation: 1,
            session: Uuid::new_v4(),
        };
        let claims = Claims::access(holder, now, now + chrono::TimeDelta::minutes(15));
        self.platform.tokens().keys.sign(&claims).unwrap()
    }
}
