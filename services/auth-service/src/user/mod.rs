//! Users, and the changes to them.

pub mod account;
pub mod admin;
pub mod change_email;
pub mod change_password;
pub mod confirm_password;
pub mod create_admin;
pub mod deletion;
pub mod demo;
pub mod directory;
pub mod email;
pub mod entity;
pub mod export;
pub mod forgotten_password;
pub mod handlers;
pub mod legacy;
pub mod locked_user;
pub mod mail_handlers;
pub mod me;
pub mod name;
pub mod new_email;
pub mod profile;
pub mod reset_password;
pub mod sign_up;
pub mod verify_email;
