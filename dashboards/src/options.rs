//! What the daemon tells the console besides data.

use cems_core::model::Role;
use tokio::sync::watch;

/// Options of [`router`](crate::router).
#[derive(Debug, Clone, Default)]
pub struct ConsoleOptions {
    /// Send the session cookie with `Secure` (the console is reached through TLS).
    pub secure_cookie: bool,
    /// Shown by `cemsd demo`: that all data are simulated, and the log-ins.
    pub demo_banner: Option<DemoBanner>,
    /// Address under which people reach the console, without a slash at the end; `None`: what
    /// leaves
    /// the console has no links.
    pub public_url: Option<String>,
    /// Turns true when the daemon stops: live streams then end, so that a graceful shutdown does
    /// not wait for them. `None`: they end when the backend's change channel closes.
    pub closing: Option<watch::Receiver<bool>>,
}

/// What the banner of a demo says.
#[derive(Debug, Clone)]
pub struct DemoBanner {
    /// One log-in per role, listed on the log-in page.
    pub accounts: Vec<DemoAccount>,
    /// Simulated seconds per real second; countdowns on the pages run at this speed. 1 or more.
    pub speed: u32,
}

/// A log-in of the demo.
#[derive(Debug, Clone)]
pub struct DemoAccount {
    /// User name.
    pub user: String,
    /// Password, shown openly.
    pub password: String,
    /// What it may do.
    pub role: Role,
}
