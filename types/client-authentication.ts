import type { JsonWebKey, KeyObject } from 'node:crypto'
import type { Algorithm } from './algorithm.js'

/** Returns the client's secret, or a promise of it. */
export type ClientSecretProvider = () => string | Promise<string>

/**
 * A private key that signs assertions: PEM (its text, not its path), a JWK, or a KeyObject of `node:crypto`, such as that of an encrypted PEM.
 * RSA from 2048 bits, P-256, P-384, P-521, Ed25519, Ed448.
 */
export type ClientKey = string | Buffer | JsonWebKey | KeyObject

/**
 * Returns the private key, or a promise of it. It is called at the first call to Keycloak, and again when Keycloak refuses an assertion, at
 * most once a second.
 */
export type ClientKeyProvider = () => ClientKey | Promise<ClientKey>

/** The key of `private_key_jwt`: the plugin signs a new assertion for each call to Keycloak. */
export interface ClientAssertionKey {
  /** The private key, or a function that returns it, so that it can be changed without a restart. */
  key: ClientKey | ClientKeyProvider
  /**
   * The algorithm of the signature, which must fit the key.
   * @default the member alg of a JWK, else RS256 for RSA, ES256, ES384 or ES512 by the curve, EdDSA
   */
  algorithm?: Algorithm
  /**
   * The id of the key in Keycloak (`kid`).
   * @default the member kid of a JWK, else none
   */
  keyId?: string
}

/**
 * Returns an assertion that somebody else signed, such as a Kubernetes service account token, or a promise of it. It is called for each call
 * to Keycloak, because many assertions are good once only.
 *
 * @example
 * () => readFile('/var/run/secrets/tokens/keycloak', 'utf8')
 */
export type ClientAssertionProvider = () => string | Promise<string>

/** The certificate of `tls_client_auth` (RFC 8705 section 2.1) and its private key, both as PEM: their text, not their path. */
export interface ClientCertificate {
  /** The certificate. Those of the authorities between it and the one that Keycloak trusts may follow. */
  cert: string | Buffer
  /** Its private key, not encrypted. */
  key: string | Buffer
}

/**
 * Returns the certificate and its key, or a promise of them. It is called at the first call to Keycloak, in the background during the last
 * fifth of the certificate's time, and when Keycloak refuses the certificate.
 */
export type ClientCertificateProvider = () => ClientCertificate | Promise<ClientCertificate>
