//! The service over HTTP, on SQLite + in-process and on Postgres + Redis. Tests whose names begin with
//! `s` and a number hold that line of the security review.

mod app;
mod login;
mod refresh;
