//! The two bit sets of the negotiation. They say what may be used; what we want is in `negotiation`.

macro_rules! bit_set {
    ($(#[$doc:meta])* $name:ident { $($(#[$bit_doc:meta])* $bit:ident = $value:expr;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $name(u32);

        impl $name {
            $($(#[$bit_doc])* pub const $bit: $name = $name($value);)*
            /// No bit.
            pub const NONE: $name = $name(0);

            /// Takes the bits as they are on the wire; unknown ones are kept, and drop out at the intersection.
            pub const fn from_bits(bits: u32) -> $name { $name(bits) }

            /// The bits as they are on the wire.
            pub const fn bits(self) -> u32 { self.0 }

            /// Whether all bits of `other` are in this set.
            pub const fn contains(self, other: $name) -> bool { self.0 & other.0 == other.0 }

            /// The bits in either set.
            #[must_use]
            pub const fn with(self, other: $name) -> $name { $name(self.0 | other.0) }

            /// The bits in both sets.
            #[must_use]
            pub const fn and(self, other: $name) -> $name { $name(self.0 & other.0) }

            /// The bits of this set that are not in `other`.
            #[must_use]
            pub const fn without(self, other: $name) -> $name { $name(self.0 & !other.0) }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({:#x})"), self.0)
            }
        }
    };
}

bit_set! {
    /// What a filter may do to a message (SMFIF_*). This crate itself only ever uses those of [`Actions::USABLE`].
    Actions {
        /// Add and insert header fields (SMFIF_ADDHDRS).
        ADD_HEADERS = 0x1;
        /// Change and delete header fields (SMFIF_CHGHDRS).
        CHANGE_HEADERS = 0x10;
        /// Hold the message (SMFIF_QUARANTINE).
        QUARANTINE = 0x20;
        /// Choose the macros of each stage (SMFIF_SETSYMLIST).
        REQUEST_MACROS = 0x100;
        /// The actions this crate has replies for. Bodies and envelopes are never touched.
        USABLE = 0x131;
        /// All of version 6: what Postfix and Sendmail offer.
        VERSION_6 = 0x1ff;
    }
}

bit_set! {
    /// Steps of the protocol to leave out or to add (SMFIP_*).
    Protocol {
        /// No CONNECT.
        NO_CONNECT = 0x1;
        /// No HELO.
        NO_HELO = 0x2;
        /// No MAIL.
        NO_MAIL = 0x4;
        /// No RCPT.
        NO_RCPT = 0x8;
        /// No body.
        NO_BODY = 0x10;
        /// No header fields.
        NO_HEADERS = 0x20;
        /// No end of headers.
        NO_END_OF_HEADERS = 0x40;
        /// Header fields are not answered.
        NR_HEADER = 0x80;
        /// No unknown SMTP commands.
        NO_UNKNOWN = 0x100;
        /// No DATA.
        NO_DATA = 0x200;
        /// Skip may answer a body chunk.
        SKIP = 0x400;
        /// CONNECT is not answered.
        NR_CONNECT = 0x1000;
        /// HELO is not answered.
        NR_HELO = 0x2000;
        /// MAIL is not answered.
        NR_MAIL = 0x4000;
        /// RCPT is not answered.
        NR_RCPT = 0x8000;
        /// DATA is not answered.
        NR_DATA = 0x1_0000;
        /// Unknown commands are not answered.
        NR_UNKNOWN = 0x2_0000;
        /// The end of headers is not answered.
        NR_END_OF_HEADERS = 0x4_0000;
        /// Body chunks are not answered.
        NR_BODY = 0x8_0000;
        /// Header values keep their leading space.
        LEADING_SPACE = 0x10_0000;
        /// Every NR flag.
        NO_REPLIES = 0xF_F080;
        /// All of version 6: what Postfix and Sendmail offer.
        VERSION_6 = 0x1F_FFFF;
    }
}
