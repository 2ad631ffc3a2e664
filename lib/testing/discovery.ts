import type { Algorithm } from '../../types/options.js'

/**
 * The discovery document (OpenID Connect Discovery 1.0 section 3). The endpoints for logging in are named, since it
 * must name them, but answer 404: this realm hands out tokens by `TestRealm.token()`.
 */
export function discovery (issuer: string, algorithms: readonly Algorithm[]): object {
  const endpoint = `${issuer}/protocol/openid-connect`
  return {
    issuer,
    authorization_endpoint: `${endpoint}/auth`,
    token_endpoint: `${endpoint}/token`,
    introspection_endpoint: `${endpoint}/token/introspect`,
    jwks_uri: `${endpoint}/certs`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: algorithms,
    introspection_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
    backchannel_logout_supported: true,
    backchannel_logout_session_supported: true
  }
}
