//! The service over HTTP, on SQLite with the in-process backplane and on Postgres with Redis.

mod app;
mod decisions;
mod ingest;
mod leaks;
