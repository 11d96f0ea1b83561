//! One message carried through the layers, inbound and outbound.
