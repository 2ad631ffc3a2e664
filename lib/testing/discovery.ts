import type { Algorithm } from '../../types/options.js'
import type { LoginMetadata } from './login/index.js'
import { ALGORITHMS } from './jws.js'

/**
 * The discovery document (OpenID Connect Discovery 1.0 section 3), which is also the metadata of the authorization server
 * (RFC 8414 section 2). It must name the endpoints of a login even if the realm
 * has no login; they answer 404 then, and `TestRealm.token()` is the only source of tokens.
 */
export function discovery (issuer: string, algorithms: readonly Algorithm[], login: LoginMetadata | undefined): object {
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
    backchannel_logout_session_supported: true,
    ...(login !== undefined && loginMetadata(issuer, endpoint, login))
  }
}

/** The CORS headers: Keycloak lets pages of any origin read the document. */
export function openTo (origin: string | undefined): Record<string, string> {
  return origin === undefined ? {} : { 'access-control-allow-origin': origin, vary: 'Origin' }
}

/** RFC 8414 section 2, RFC 7591 section 3, RFC 9207 section 3, OpenID Connect RP-Initiated Logout 1.0 section 2.1. */
function loginMetadata (issuer: string, endpoint: string, { levels, scopes, clientAuthentication, registrationPath }: LoginMetadata): object {
  return {
    userinfo_endpoint: `${endpoint}/userinfo`,
    end_session_endpoint: `${endpoint}/logout`,
    grant_types_supported: ['authorization_code', 'refresh_token'],
    response_modes_supported: ['query', 'fragment'],
    code_challenge_methods_supported: ['S256'],
    token_endpoint_auth_methods_supported: clientAuthentication,
    scopes_supported: scopes,
    ...(registrationPath !== undefined && { registration_endpoint: issuer + registrationPath }),
    acr_values_supported: levels,
    dpop_signing_alg_values_supported: ALGORITHMS,
    authorization_response_iss_parameter_supported: true
  }
}
