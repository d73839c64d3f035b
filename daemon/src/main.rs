//! cemsd
fn main() {}
