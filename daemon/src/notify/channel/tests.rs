//! Channels against scripted peers.
