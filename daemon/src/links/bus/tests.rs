//! Lines and buses under virtual time, against slaves that misbehave on purpose.

mod bus;
mod faults;
mod reload;
mod slave;
mod texts;
mod traps;
