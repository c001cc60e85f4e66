//! The service over HTTP, on SQLite with the in-process backplane and on Postgres with Redis. A test whose
//! name ends with `s` and a number proves that line of docs/SECURITY.md.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![expect(clippy::disallowed_methods, reason = "a task of a test fails with the test")]

mod abuse;
mod account_locks;
mod acting_admins;
mod admin;
mod app;
mod audit;
mod bounds;
mod bystanders;
mod change_email;
mod compat;
mod cookies;
mod creators;
mod deletion;
mod deletion_races;
mod delivery;
mod directory;
mod events;
mod export;
mod forgotten_password;
mod held_back;
mod histories;
mod invitations;
mod leaks;
mod limits;
mod login;
mod login_by_mail;
mod mails;
mod openapi;
mod operations;
mod outage;
mod passwords;
mod personal_tokens;
mod pool;
mod profile;
mod proof_of_work;
mod races;
mod refresh;
mod refresh_limits;
mod roles;
mod service_tokens;
mod sessions;
mod shell_commands;
mod sign_up_modes;
mod signing_keys;
mod startup;
mod takeovers;
mod tokens;
mod user_admin;
