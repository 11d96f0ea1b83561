//! What must survive a restart: history, replay and issued nonces.
