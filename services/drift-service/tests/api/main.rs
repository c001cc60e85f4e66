//! The service over HTTP, on SQLite with the in-process backplane and on Postgres with Redis.

mod alerts;
mod app;
mod bounds;
mod decisions;
mod ingest;
mod leaks;
mod lifecycle;
mod lists;
mod logs;
mod parallel;
mod roles;
mod scans;
mod summary;
