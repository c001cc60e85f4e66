pub mod device;
pub mod email;
pub mod entity;
pub mod lifetime;
pub mod migration;
pub mod password;
pub mod refresh_token;
pub mod rotation;
#[cfg(test)]
mod session_histories;
