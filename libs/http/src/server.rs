use std::io;
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::time::Duration;

use actix_http::{HttpService, Protocol};
use actix_server::{Server as Workers, ServerHandle};
use actix_service::{
    IntoServiceFactory, ServiceFactory, ServiceFactoryExt, fn_factory, fn_service, map_config,
};
use actix_web::App;
use actix_web::dev::AppConfig;
use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};
use anyhow::{Context, Result, ensure};
use platform::{Platform, stop_on_signals};
use socket2::{Domain, Socket, Type};
use tokio::net::TcpStream;

use crate::bare_errors::Connection;
use crate::observe::{RequestMetrics, observe};
use crate::{ApiError, Http, operations, takeover};

const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// Long enough for a phone that changes networks. Accepted sockets inherit it from the listener.
const STALL_TIMEOUT: Duration = Duration::from_secs(9);
/// Bytes that the kernel buffers for a peer that does not read. Its own default may reach megabytes.
const SEND_BUFFER: usize = 256 * 1024;
const BACKLOG: i32 = 2_048;
/// Time limit for the head of a request; for the body it is `REQUEST_BODY_SECONDS`.
const CLIENT_REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
const CLIENT_DISCONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// A server that is bound to its port. It serves until its platform stops.
pub struct Server {
    address: SocketAddr,
    operations: Option<SocketAddr>,
    server: Workers,
    handle: ServerHandle,
    platform: Platform,
}

impl Server {
    /// Binds to `port`; 0 selects a free one. `routes` is called once in each worker thread.
    ///
    /// # Errors
    /// If the port is taken or a metric is registered twice.
    pub fn bind<F>(platform: Platform, http: Http, port: u16, routes: F) -> Result<Self>
    where
        F: Fn(&mut ServiceConfig) + Clone + Send + 'static,
    {
        let metrics = web::Data::new(RequestMetrics::register(platform.metrics())?);
        let shared = web::Data::new(platform.clone());
        let config = http.config.clone();
        let http = web::Data::new(http);
        let has_old_contract = platform.config().compat_routes;
        let has_operations = config.metrics_listen.is_none();
        let app = move || {
            App::new()
                .app_data(shared.clone())
                .app_data(metrics.clone())
                .app_data(http.clone())
                .wrap(from_fn(observe))
                .configure(if has_operations { operations::detailed } else { operations::brief })
                .configure(|config| {
                    if has_old_contract {
                        operations::old(config, has_operations);
                    }
                })
                .configure(routes.clone())
                .default_service(web::to(unknown_path))
        };
        let listener = listen((config.address(), port).into())
            .with_context(|| format!("cannot listen on PORT {port} at {}", config.address()))?;
        let address = listener.local_addr()?;
        let mut workers =
            Workers::build().shutdown_timeout(platform.config().shutdown_seconds).disable_signals();
        if let Some(count) = config.workers {
            workers = workers.workers(count);
        }
        let (clock, stopping) = (platform.clock().clone(), workers.graceful_shutdown_signal());
        let mut workers = workers.listen(platform.service(), listener, move || {
            let (app, clock, stopping) = (app.clone(), clock.clone(), stopping.clone());
            let for_upgrades = app.clone();
            let http = HttpService::build()
                .keep_alive(KEEP_ALIVE)
                .client_request_timeout(CLIENT_REQUEST_TIMEOUT)
                .client_disconnect_timeout(CLIENT_DISCONNECT_TIMEOUT)
                .graceful_shutdown_signal(move || {
                    let stopping = stopping.clone();
                    async move { stopping.notified().await }
                })
                .local_addr(address)
                .upgrade(fn_factory(move || {
                    let app = map_config(for_upgrades(), |_| AppConfig::default()).new_service(());
                    async move {
                        let app = Rc::new(app.await?);
                        Ok::<_, ()>(fn_service(move |(request, framed)| {
                            takeover::serve(Rc::clone(&app), request, framed)
                        }))
                    }
                }))
                .finish(map_config(app().into_factory().map_err(|error| error.error_response()), |_| {
                    AppConfig::default()
                }));
            fn_service(move |stream: TcpStream| {
                let peer = stream.peer_addr().ok();
                let connection = Connection::new(stream, clock.clone());
                async move { Ok((connection, Protocol::Http1, peer)) }
            })
            .and_then(http)
        })?;
        let mut operations = None;
        if let Some(wanted) = config.metrics_listen {
            let listener =
                listen(wanted).with_context(|| format!("cannot listen on METRICS_LISTEN {wanted}"))?;
            operations = Some(listener.local_addr()?);
            let shared = web::Data::new(platform.clone());
            let app = move || App::new().app_data(shared.clone()).configure(operations::detailed);
            workers = workers.listen("operations", listener, move || {
                let app = map_config(app().into_factory().map_err(|error| error.error_response()), |_| {
                    AppConfig::default()
                });
                HttpService::build().client_request_timeout(CLIENT_REQUEST_TIMEOUT).finish(app).tcp()
            })?;
        }
        let server = workers.run();
        Ok(Self { address, operations, handle: server.handle(), server, platform })
    }

    /// Returns the address on which the server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the address of `/metrics`, if it has its own.
    pub fn operations_address(&self) -> Option<SocketAddr> {
        self.operations
    }

    /// Serves until the platform's `stop`. Then, within the time limit, sends the last messages to sockets,
    /// answers open requests, and waits for background tasks.
    ///
    /// # Errors
    /// If the server or a background task failed.
    pub async fn run(self) -> Result<()> {
        let Self { server, handle, platform, .. } = self;
        let limit = Duration::from_secs(platform.config().shutdown_seconds);
        let ending = platform.lifecycle().end(limit, async || handle.stop(true).await);
        let serving = async {
            let served = server.await;
            // If the server ends by itself, the rest of the process stops as well.
            platform.lifecycle().stop.cancel();
            served
        };
        let (served, ()) = tokio::join!(serving, ending);
        ensure!(!platform.lifecycle().tasks.have_failed(), "a background task failed");
        Ok(served?)
    }
}

/// Listens on an address. The kernel closes a connection whose peer has taken no bytes for [`STALL_TIMEOUT`],
/// because the process cannot close it while a write is pending.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.set_send_buffer_size(SEND_BUFFER)?;
    // All that is queued for a socket is sent in one write: holding it back would gain nothing.
    socket.set_tcp_nodelay(true)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(STALL_TIMEOUT))?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Binds to `port` and serves until a signal arrives.
///
/// # Errors
/// See [`Server::bind`] and [`Server::run`].
pub async fn serve<F>(platform: Platform, http: Http, port: u16, routes: F) -> Result<()>
where
    F: Fn(&mut ServiceConfig) + Clone + Send + 'static,
{
    stop_on_signals(&platform)?;
    let service = platform.service();
    let server = Server::bind(platform, http, port, routes)?;
    tracing::info!(address = %server.address(), "{service} listens");
    server.run().await
}

async fn unknown_path() -> Result<actix_web::HttpResponse, ApiError> {
    Err(ApiError::not_found("there is nothing at this path"))
}
