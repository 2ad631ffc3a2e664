import type { Entries } from './entry.js'

const STATUS = 'status {status} instead of 200'
const CREDENTIALS = 'correct clientId and its secret, key or certificate; the check at start says which of them is wrong'
const CLOCKS = 'set the clocks of this machine and of Keycloak by NTP'
const CLOSING = 'none: the server is being stopped'
const BUSY = 'share answers by introspection.cacheTtl, or find out why Keycloak is slow'

/** The reasons why Keycloak could not be asked, or its answer could not be used, except failures of the network. */
export const OUTAGES = {
  no_answer: { sentence: 'no answer within {milliseconds} ms', advice: 'look at Keycloak and at the network on the way; raise jwks.timeout, introspection.timeout or outbound.timeout' },
  call_failed: { sentence: 'the call failed', advice: 'look at the address, and at the proxies on the way' },
  status_unexpected: { sentence: STATUS, advice: 'look at Keycloak, and at the proxy before it' },
  https_required: { sentence: `${STATUS}: the realm demands HTTPS`, advice: 'write https:// in issuer or serverUrl, or lower Require SSL of the realm' },
  realm_disabled: { sentence: `${STATUS}: the realm is disabled`, advice: 'switch the realm on in Keycloak (Realm settings)' },
  realm_unknown: { sentence: `${STATUS}: there is no such realm`, advice: 'correct the end of issuer or serverUrl, where small and capital letters count' },
  path_unknown: { sentence: `${STATUS}: Keycloak has no such path`, advice: 'correct the path before /realms/ in issuer or serverUrl' },
  client_public: { sentence: `${STATUS}: the client is public`, advice: 'switch Client authentication of the client on' },
  client_unknown: { sentence: `${STATUS}: the client is unknown, disabled or authenticates in another way`, advice: 'correct clientId, switch the client on, or look at its Client Authenticator; the check at start says more' },
  client_assertion: { sentence: `${STATUS}: the client authenticates by a signed JWT, not by a secret`, advice: 'write clientAssertion, or set Client Authenticator of the client to "Client Id and Secret"' },
  client_certificate: { sentence: `${STATUS}: the client authenticates by a certificate`, advice: 'write clientCertificate, or set Client Authenticator of the client to "Signed JWT"' },
  client_secret_jwt: { sentence: `${STATUS}: the client signs its JWT by its secret`, advice: 'set Client Authenticator of the client to "Signed JWT"' },
  client_protocol: { sentence: `${STATUS}: the client is a SAML client`, advice: "name this API's own client of OpenID Connect by clientId" },
  client_policy: { sentence: `${STATUS}: a client policy of the realm forbids the call`, advice: 'exempt the client (Realm settings, Client policies)' },
  secret_wrong: { sentence: `${STATUS}: the secret is not that of the client`, advice: 'copy clientSecret from the Credentials tab of the client' },
  credentials_refused: { sentence: `${STATUS}: the client or its secret is refused`, advice: CREDENTIALS },
  assertion_signature: { sentence: `${STATUS}: the assertion is signed by another key than that of the client`, advice: 'give the public part of clientAssertion.key to the client (Keys tab)' },
  assertion_key_unknown: { sentence: `${STATUS}: the client has no key that fits the assertion`, advice: 'look at kid, alg and use of the keys of the client (Keys tab), and at clientAssertion.keyId' },
  assertion_algorithm: { sentence: `${STATUS}: the client demands another algorithm of assertions`, advice: 'set clientAssertion.algorithm to the Signature Algorithm of the client (Credentials tab)' },
  assertion_expired: { sentence: `${STATUS}: the assertion has expired`, advice: CLOCKS },
  assertion_early: { sentence: `${STATUS}: the assertion comes from the future`, advice: CLOCKS },
  assertion_audience: { sentence: `${STATUS}: the assertion is for another audience`, advice: 'write the issuer of the realm as the only audience of the assertion' },
  assertion_claims: { sentence: `${STATUS}: the assertion lacks a claim`, advice: 'give the assertion exp, iat and jti' },
  assertion_reused: { sentence: `${STATUS}: the assertion was used before`, advice: 'return a new assertion at each call of the function clientAssertion' },
  question_refused: { sentence: STATUS, advice: 'look at the log of Keycloak: it refuses the request, not this client' },
  body_encoded: { sentence: 'the body is encoded, although the request asked for identity', advice: 'switch off the compression of the proxy before Keycloak for these paths' },
  body_too_long: { sentence: 'the body has more than {bytes} bytes', advice: 'raise limits.keySetBytes or limits.introspectionBytes, if the answer comes from Keycloak' },
  body_not_json: { sentence: 'the body is not a JSON object', advice: 'find out which server answers in place of Keycloak' },
  token_answer_malformed: { sentence: 'the answer has no Bearer token that can be used', advice: 'find out which server answers in place of Keycloak; raise limits.tokenLength if the token is longer' },
  discovery_malformed: { sentence: 'the body is not a discovery document', advice: 'correct issuer or serverUrl' },
  key_set_malformed: { sentence: 'the answer is not a key set', advice: 'find out which server answers in place of Keycloak' },
  key_set_empty: { sentence: 'the key set has no signing key', advice: 'give the realm an active key provider for signatures (Realm settings, Keys)' },
  keys_failed_recently: { sentence: 'the last fetch of the keys failed a moment ago', advice: 'look at the failure before, in the log and in health()' },
  keys_waited_for: { sentence: '{count} requests wait for the key set already', advice: 'look at Keycloak, which is slow to answer its keys' },
  secret_missing: { sentence: 'the function clientSecret returned no secret', advice: 'correct the function: it throws, returns no string, or takes longer than introspection.timeout' },
  client_key_missing: { sentence: 'the function clientAssertion.key returned no key that signs', advice: 'correct the function: it throws, returns no private key that fits algorithm, or takes longer than introspection.timeout' },
  assertion_missing: { sentence: 'the function clientAssertion returned no assertion', advice: 'correct the function: it throws, returns no JWT, or takes longer than introspection.timeout' },
  client_certificate_missing: { sentence: 'the function clientCertificate returned no certificate with its key', advice: 'correct the function: it throws, returns no certificate that is valid today with its key, or takes longer than introspection.timeout' },
  breaker_open: { sentence: 'Keycloak is known to be away', advice: 'look at the failure before, in the log and in health()' },
  calls_pending: { sentence: '{count} calls are pending already', advice: 'raise introspection.maxPending or outbound.maxPending, or share answers by introspection.cacheTtl' },
  call_displaced: { sentence: 'a call of a user with fewer calls took its place', advice: BUSY },
  connections_busy: { sentence: 'none of {connections} connections was free within {milliseconds} ms', advice: BUSY },
  caller_gone: { sentence: 'nobody waits for the answer any more', advice: 'none: the client hung up' },
  revocations_unheard: { sentence: 'the store of revocations has not been read for longer than revocation.maxLag', advice: 'look at the store; raise revocation.maxLag' },
  issuers_failed: { sentence: 'the function issuers failed for this issuer', advice: 'look at the warning before: the function throws, takes longer than 5 s, or returns a wrong entry' },
  issuers_busy: { sentence: 'the function issuers cannot be asked about this issuer now: too many wait', advice: 'look for a flood of tokens of made-up issuers; make the function faster' },
  api_closing: { sentence: 'the API is closing', advice: CLOSING },
  api_closed: { sentence: 'the API is closed', advice: CLOSING }
} as const satisfies Entries
