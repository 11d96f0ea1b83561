//! The milter protocol, version 6: codec, session and server.
