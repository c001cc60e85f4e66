//! The service over HTTP, on SQLite with the in-process backplane and on Postgres with Redis. A test whose
//! name ends with `s` and a number proves that line of docs/SECURITY.md.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![expect(clippy::disallowed_methods, reason = "a task of a test fails with the test")]

mod alerts;
mod app;
mod bounds;
mod compat;
mod costs;
mod deciding;
mod decisions;
mod exports;
mod follow;
mod groups;
mod guard;
mod ingest;
mod leaks;
mod lifecycle;
mod limits;
mod lists;
mod logs;
mod monthly;
mod overview;
mod parallel;
mod positions;
mod read_only;
mod rehearsals;
mod returns;
mod roles;
mod rules;
mod saved_views;
mod scan_history;
mod scans;
mod search;
mod stacks;
mod summary;
mod trust;
mod undo;
mod until;
