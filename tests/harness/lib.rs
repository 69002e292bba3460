//! What every acceptance test stands on.
