//! The console as a browser and a program see it, over canned data and real sockets.

mod api;
mod assets;
mod forms;
mod http;
mod live;
mod pages;
