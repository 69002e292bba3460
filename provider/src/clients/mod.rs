//! Talking to clouds: settings, credentials, errors. A client is built when a resource first needs it, so what is local
//! never pays for one.

pub mod aws;
pub mod kubernetes;
