import type { ScopeName } from './declared.js'

/** The protected resource of OAuth 2.0 that this API is (RFC 9728). */
export interface ResourceOptions {
  /**
   * The URL of this API as clients call it, such as `https://api.example.com/mcp`: https, or http to this machine; without query,
   * fragment and slash at its end. It is the default of `audience`.
   */
  resource: string
  /**
   * Scopes of the document in addition to those that the rules of routes name: those that a handler checks.
   * @default []
   */
  scopes?: readonly ScopeName[]
  /** The name of this API for people. */
  name?: string
  /** The URL of a page for developers of clients. */
  documentation?: string
  /** The issuers, if the option `issuers` is a function, which cannot list them. */
  authorizationServers?: string | readonly string[]
}

/** The protected resource metadata of this API (RFC 9728 section 2). */
export interface ResourceMetadata {
  /** The URL of this API: the option `resource`. */
  resource: string
  /** The issuers whose tokens are accepted. */
  authorization_servers: string[]
  /** The scopes that routes, their tools and the option `resource.scopes` name; left out if there are none. */
  scopes_supported?: string[]
  /** Tokens come in the Authorization header. */
  bearer_methods_supported: ['header']
  /** The option `resource.name`: a name for people. */
  resource_name?: string
  /** The option `resource.documentation`: the URL of a page for developers. */
  resource_documentation?: string
  /** The algorithms of DPoP proofs; left out without the option `dpop`. */
  dpop_signing_alg_values_supported?: string[]
  /** Are tokens refused that are not bound to a key by DPoP? Left out if they are not. */
  dpop_bound_access_tokens_required?: true
  /** Are tokens accepted that are bound to a client certificate? Left out if they are not. */
  tls_client_certificate_bound_access_tokens?: true
}
