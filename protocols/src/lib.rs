#![doc = include_str!("../README.md")]

pub mod ascii;
pub mod hj212;
pub mod instrument;
pub mod lineproto;
pub mod modbus;
