//! Test kit: vectors, worlds, scripted peers.
