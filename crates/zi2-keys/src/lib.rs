//! Fetching and keeping keys: DNS look-ups and our own key files.
