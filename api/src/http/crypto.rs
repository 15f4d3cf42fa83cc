//! The cryptography provider of the process.

/// Selects the cryptography of tokens and of outgoing connections for the whole process.
pub fn install() {
    // It fails only if the selection was made before.
    let _ = jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER.install_default();
    let _ = rustls::crypto::ring::default_provider().install_default();
}
