//! Lines and buses under virtual time.
