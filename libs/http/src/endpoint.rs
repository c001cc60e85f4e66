use actix_web::dev::{AppService, HttpServiceFactory};
use actix_web::guard::{self, Guard};
use actix_web::http::{Method, header};
use actix_web::middleware::from_fn;
use actix_web::{FromRequest, Handler, HttpResponse, Resource, Responder, Route, web};

use crate::contract::{accepts_old, mark_old};

/// The methods of one path. Any other method gets 405 with `Allow`, which actix's own resources leave out.
pub struct Endpoint {
    resource: Resource,
    allowed: Vec<Method>,
    contract: Contract,
}

#[derive(Clone, Copy)]
enum Contract {
    Current,
    /// The contract of the replaced stack, at a path of its own.
    Old,
    /// The contract of the replaced stack, at a path that the current contract has as well.
    OldAtSharedPath,
}

/// Creates an endpoint at `path`, a pattern of actix's router.
pub fn endpoint(path: &str) -> Endpoint {
    Endpoint { resource: web::resource(path), allowed: Vec::new(), contract: Contract::Current }
}

/// Creates an endpoint of the old contract at a path that the current contract does not have. Register it only with
/// `COMPAT_ROUTES=true`.
pub fn old_endpoint(path: &str) -> Endpoint {
    Endpoint { contract: Contract::Old, ..endpoint(path) }
}

/// Creates an endpoint of the old contract at a path of both contracts. Register it before the endpoint of the current
/// contract, which gets the requests that ask for it and all other methods.
pub fn shared_endpoint(path: &str) -> Endpoint {
    Endpoint { contract: Contract::OldAtSharedPath, ..endpoint(path) }
}

macro_rules! method {
    ($(#[$doc:meta])* $name:ident, $($allowed:ident),+) => {
        $(#[$doc])*
        #[must_use]
        pub fn $name<F, Args>(self, handler: F) -> Self
        where
            F: Handler<Args>,
            Args: FromRequest + 'static,
            F::Output: Responder + 'static,
        {
            self.on(&[$(Method::$allowed),+], handler)
        }
    };
}

impl Endpoint {
    method!(
        /// Registers a handler for GET and HEAD.
        get, GET, HEAD
    );
    method!(
        /// Registers a handler for POST.
        post, POST
    );
    method!(
        /// Registers a handler for PUT.
        put, PUT
    );
    method!(
        /// Registers a handler for PATCH.
        patch, PATCH
    );
    method!(
        /// Registers a handler for DELETE.
        delete, DELETE
    );

    fn on<F, Args>(mut self, methods: &[Method], handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.allowed.extend_from_slice(methods);
        let route = Route::new().guard(any_of(methods)).to(handler);
        Self { resource: self.resource.route(route), ..self }
    }
}

fn any_of(methods: &[Method]) -> impl Guard + use<> {
    let methods = methods.to_vec();
    guard::fn_guard(move |context| methods.contains(&context.head().method))
}

impl HttpServiceFactory for Endpoint {
    fn register(self, config: &mut AppService) {
        let allow = self.allowed.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
        let refuse = move || {
            let answer =
                HttpResponse::MethodNotAllowed().insert_header((header::ALLOW, allow.as_str())).finish();
            async move { answer }
        };
        let resource = self.resource.default_service(web::to(refuse));
        match self.contract {
            Contract::Current => resource.register(config),
            Contract::Old => resource.wrap(from_fn(mark_old)).register(config),
            Contract::OldAtSharedPath => {
                let resource = resource.guard(any_of(&self.allowed)).guard(guard::fn_guard(accepts_old));
                resource.wrap(from_fn(mark_old)).register(config);
            }
        }
    }
}
