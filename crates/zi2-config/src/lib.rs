//! The configuration, resolved once, and the sender map.
