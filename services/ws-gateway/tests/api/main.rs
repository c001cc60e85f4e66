//! The gateway from outside: a real server, clients that speak the protocols, on both backplanes.

mod app;
mod authentication;
mod engine;
mod plain;
mod relay;
mod stock;
