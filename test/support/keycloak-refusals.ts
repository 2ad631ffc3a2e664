// What Keycloak answers when it refuses, recorded from 26.7.3 and 26.4.7 by changing a realm through its admin API.

/** Introspection by the client `api`, with its secret unless another trouble is named. */
export const REFUSALS: ReadonlyArray<{
  trouble: string
  version: string
  status: number
  body: { error: string, error_description?: string }
  check: string
  /** The sentence of the check at start. */
  says: RegExp
}> = [
  {
    trouble: 'a wrong secret',
    version: '26.7.3',
    status: 401,
    body: { error: 'invalid_client', error_description: 'Client authentication failed.' },
    check: 'credentials',
    says: /^introspection: clientSecret is not the secret of the client "api" \(status 401\): copy it from the Credentials tab of the client in Keycloak, without white space around it;/
  },
  {
    trouble: 'a client that is unknown, disabled, or authenticates by an X.509 certificate',
    version: '26.7.3',
    status: 401,
    body: { error: 'invalid_client', error_description: 'Invalid client or Invalid client credentials' },
    check: 'credentials',
    says: /^introspection: the realm "test" has no client "api" that is enabled and has a secret \(status 401\): correct clientId, .*switch that client on; .*Client Authenticator to "Client Id and Secret";/
  },
  {
    trouble: 'whatever is wrong with the client or its secret: unknown, disabled, bearer-only, by certificate or JWT',
    version: '26.4.7',
    status: 401,
    body: { error: 'invalid_request', error_description: 'Authentication failed.' },
    check: 'credentials',
    says: /^introspection: clientSecret is not the secret of the client "api", or there is no such client, or it is disabled, bearer-only or has to prove itself otherwise \(status 401\): copy it .*, and look at clientId;/
  },
  {
    trouble: 'a public client',
    version: '26.7.3 and 26.4.7',
    status: 403,
    body: { error: 'invalid_request', error_description: 'Client not allowed.' },
    check: 'credentials',
    says: /^introspection: the client "api" may not ask, because it is public \(status 403\): in Keycloak switch its Client authentication on/
  },
  {
    trouble: 'a client that authenticates by a signed JWT',
    version: '26.7.3',
    status: 400,
    body: { error: 'invalid_client', error_description: 'Parameter client_assertion_type is missing' },
    check: 'credentials',
    says: /^introspection: the client "api" has to prove itself by a signed JWT, not by a secret \(status 400\): in its Credentials tab/
  },
  {
    trouble: 'a client of SAML',
    version: '26.7.3 and 26.4.7',
    status: 400,
    body: { error: 'invalid_client', error_description: 'Wrong client protocol.' },
    check: 'credentials',
    says: /^introspection: the client "api" is a SAML client \(status 400\): name this API's own client of OpenID Connect by clientId;/
  },
  {
    trouble: 'a client policy with the executor reject-request',
    version: '26.7.3 and 26.4.7',
    status: 400,
    body: { error: 'invalid_request', error_description: 'Request not allowed' },
    check: 'credentials',
    says: /^introspection: a client policy of the realm "test" forbids the client "api" to ask, or to ask by a secret \(status 400\): exempt the client/
  },
  {
    trouble: 'a client policy with the executor secure-client-authenticator',
    version: '26.7.3 and 26.4.7',
    status: 400,
    body: { error: 'invalid_request', error_description: 'Configured client authentication method not allowed for client' },
    check: 'credentials',
    says: /^introspection: a client policy of the realm "test" forbids/
  },
  {
    trouble: 'a realm that is disabled, whose discovery and keys are answered all the same',
    version: '26.7.3 and 26.4.7',
    status: 403,
    body: { error: 'access_denied', error_description: 'Realm not enabled' },
    check: 'realm_disabled',
    says: /^introspection: the realm "test" is disabled \(status 403\): switch it on in Keycloak/
  },
  {
    trouble: 'a realm that demands HTTPS',
    version: '26.7.3 and 26.4.7',
    status: 403,
    body: { error: 'invalid_request', error_description: 'HTTPS required' },
    check: 'https_required',
    says: /^introspection: the realm "test" demands HTTPS \(status 403\): write https:\/\/ in issuer; or in Keycloak lower Require SSL/
  }
]
