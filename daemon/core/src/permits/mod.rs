//! What follows from a permit (排污许可证) beside its limits and amounts: when an amount will be
//! reached, what the tax on emissions starts from, and how long equipment may be out of order.

pub mod projection;
pub mod repair;
pub mod tax;
