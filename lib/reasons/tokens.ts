import type { Entries } from './entry.js'

const ACCESS = 'send the access token'
const LIGHTWEIGHT = 'set verifyTokensWithKeycloak: true, or switch "Always use lightweight access token" of its client off'
const NO_PROOF = 'and no proof of its key is checked here: {advice}'
const BEARER = 'let the client request it without DPoP and without a certificate, or set the option dpop or mtls'

/** The reasons about a token: its form, its header, its signature, its claims. */
export const TOKENS = {
  token_not_string: { sentence: 'the token is not a string', advice: 'pass the characters of the token to app.keycloak.verify()' },
  token_too_long: { sentence: 'the token is too long', advice: 'raise limits.tokenLength, or give the token fewer roles' },
  token_malformed: { sentence: 'the token does not have three parts', advice: 'send the whole access_token that Keycloak returned' },
  header_not_base64url: { sentence: 'the header is not canonical base64url', advice: ACCESS },
  header_not_json: { sentence: 'the header is not a JSON object', advice: ACCESS },
  payload_not_base64url: { sentence: 'the payload is not canonical base64url', advice: ACCESS },
  payload_not_json: { sentence: 'the payload is not a JSON object', advice: ACCESS },
  signature_missing: { sentence: 'the token has no signature', advice: 'send the whole access_token that Keycloak returned' },
  signature_not_base64url: { sentence: 'the signature is not canonical base64url', advice: 'log in again; find out which proxy or program alters tokens' },
  signature_length: { sentence: 'the signature has the wrong length', advice: 'log in again; find out which proxy or program alters tokens' },
  signature_invalid: { sentence: 'the signature does not verify', advice: 'log in again; the token is forged, or was altered on its way' },

  typ_not_allowed: { sentence: 'header "typ" is not allowed: {advice}', advice: 'an access token has JWT or at+jwt' },
  crit_not_allowed: { sentence: 'header "crit" is not allowed, because no extension is supported', advice: ACCESS },
  alg_unknown: { sentence: 'the algorithm is not allowed', advice: ACCESS },
  alg_not_allowed: { sentence: 'the algorithm is not allowed: the token says {alg}: {advice}', advice: 'add it to the option algorithms if this realm signs access tokens by it' },
  alg_symmetric: { sentence: 'the algorithm is not allowed: HS256, HS384 and HS512 are for tokens that Keycloak alone reads, such as refresh tokens: {advice}', advice: ACCESS },
  alg_none: { sentence: 'the algorithm is not allowed: alg is none, so the token has no signature', advice: ACCESS },
  kid_not_string: { sentence: 'the kid is not a string', advice: ACCESS },
  kid_missing: { sentence: 'no key of the realm fits kid and alg: the token has no kid, and the realm has no key or several keys for its alg', advice: 'send a token of this realm' },
  kid_unknown: { sentence: 'no key of the realm fits kid and alg', advice: 'log in again: the key was withdrawn, is of another realm or is invented; look for a proxy that answers the keys of another server' },
  kid_on_cooldown: { sentence: 'the kid is unknown, and jwks.cooldown does not allow another fetch of the keys yet', advice: 'try again in a second; if the refusal stays, see `kid_unknown`' },
  key_other_algorithm: { sentence: "no key of the realm fits kid and alg: the realm's key of that kid is for another algorithm than the token says, or for no signatures", advice: 'look at the key in Keycloak (Realm settings, Keys)' },

  id_token: { sentence: 'the token is an ID token, which tells a client who logged in: {advice}', advice: ACCESS },
  refresh_token: { sentence: 'the token is a refresh token, which is for Keycloak alone: {advice}', advice: ACCESS },
  offline_token: { sentence: 'the token is an offline token, a refresh token for Keycloak alone: {advice}', advice: ACCESS },
  logout_token: { sentence: 'the token is a logout token, which is for the route of backchannelLogout: {advice}', advice: ACCESS },
  registration_token: { sentence: 'the token is a client registration token: {advice}', advice: ACCESS },
  dpop_proof: { sentence: 'the token is a DPoP proof, which goes into the header DPoP: {advice}', advice: ACCESS },
  security_event: { sentence: 'the token is a security event: {advice}', advice: ACCESS },
  introspection_response: { sentence: 'the token is an introspection response: {advice}', advice: ACCESS },
  issuer_other: { sentence: 'the token is from another issuer than the option issuer', advice: 'correct issuer, or the configuration of the client that sent it' },

  iat_missing: { sentence: 'iat is missing', advice: ACCESS },
  iat_future: { sentence: 'iat is in the future[, by {seconds} s]: {advice}', advice: "set this machine's clock and Keycloak's by NTP, or raise leeway" },
  nbf_future: { sentence: 'nbf is in the future[, by {seconds} s]', advice: 'send the token later, or set both clocks by NTP' },
  exp_missing: { sentence: 'exp is missing', advice: ACCESS },
  exp_passed: { sentence: 'exp has passed', advice: "refresh the token; if it was just issued, this machine's clock is ahead" },
  date_not_number: { sentence: '{claim} is not a finite number', advice: 'look for a mapper of the client that writes this claim' },
  iss_missing: { sentence: 'iss is missing', advice: ACCESS },
  issuer_unknown: { sentence: 'iss is none of the issuers', advice: 'log in at a realm of the option issuers, or add this one to it' },
  issuer_not_selected: { sentence: 'the token is of another issuer than selectIssuer ties the request to', advice: 'log in at the realm that belongs to this host or path' },
  iss_mismatch: { sentence: 'iss is not the issuer: the token is from another issuer than the option issuer[, {iss} and not {issuer}]', advice: 'correct issuer, or the hostname option of Keycloak' },
  aud_missing: { sentence: 'aud is missing[ {where}]: {advice}', advice: 'add {wanted}, the option audience, by an audience mapper in Keycloak' },
  aud_malformed: { sentence: 'aud is neither a string nor an array of strings[, but {kind}]', advice: 'look for a mapper of the client that writes this claim' },
  aud_mismatch: { sentence: 'aud[ {aud}] names none of the audience[ {audience}]: {advice}', advice: 'add an audience mapper for {wanted} in Keycloak, let the client ask for the scope that has it, or correct the option audience' },
  azp_missing: { sentence: 'azp is missing, which authorizedParties demands: {advice}', advice: 'send the access token that Keycloak issued to one of these clients' },
  azp_mismatch: { sentence: 'azp[ {azp}] is none of authorizedParties {parties}: {advice}', advice: 'add this client to authorizedParties, or send a token of a client that is in it' },
  token_too_old: { sentence: 'the token was issued {maxTokenAge} s ago or earlier, which is maxTokenAge: {advice}', advice: 'refresh the token, or set Access Token Lifespan in Keycloak to this time' },
  at_jwt_required: { sentence: 'header "typ" is not at+jwt, which tokenType demands: {advice}', advice: 'in Keycloak, switch on "Use "at+jwt" as access token header type" (Advanced settings) of the client that sent it' },
  at_jwt_claim_missing: { sentence: '{claim} is missing, which tokenType at+jwt demands', advice: 'give the client that sent it the mapper of this claim: the client scope basic has one for sub' },
  typ_mismatch: { sentence: 'typ is not Bearer[ but {typ}]: the token is no access token', advice: ACCESS },
  claim_not_string: { sentence: '{claim} is {kind}, not a string', advice: 'look for a mapper of the client that writes this claim' },
  dpop_bound: { sentence: `the token is sender-constrained (DPoP), ${NO_PROOF}`, advice: BEARER },
  sender_constrained: { sentence: `the token is sender-constrained (cnf), ${NO_PROOF}`, advice: BEARER },
  cnf_malformed: { sentence: 'cnf has no thumbprint that could be checked', advice: 'look for a mapper of the client that writes this claim' },
  cnf_method_unknown: { sentence: 'cnf has a method other than jkt and x5t#S256', advice: 'look for a mapper of the client that writes this claim' },
  dpop_typ_unbound: { sentence: 'typ is DPoP, and cnf has no jkt: {advice}', advice: 'Keycloak writes such tokens for a client with DPoP and certificate-bound tokens both on: switch one of them off' },
  lightweight: { sentence: 'the token is lightweight, without aud: {advice}', advice: LIGHTWEIGHT },

  token_lives_too_long: { sentence: 'the token lives longer than revocation.maxTokenLifetime', advice: 'raise revocation.maxTokenLifetime, or lower Access Token Lifespan in Keycloak' },
  issued_before_not_before: { sentence: 'the token was issued before the not-before date', advice: 'log in again' },
  session_logged_out: { sentence: 'the session was logged out', advice: 'log in again' },
  user_logged_out: { sentence: 'the user was logged out', advice: 'log in again' },
  sid_not_string: { sentence: 'sid is not a string', advice: 'look for a mapper of the client that writes this claim' },

  token_inactive: { sentence: 'Keycloak says that the token is not active: it was revoked, its session has ended, its user or client is disabled, or Keycloak is asked by another host name than its iss has', advice: 'log in again; if all tokens are refused so, set the hostname option of Keycloak' },
  token_inactive_audience: { sentence: 'Keycloak says that the token is not active, and the aud of the token lacks clientId {client}, without which Keycloak {versions} tells a client nothing: {advice}', advice: "give the token's client an audience mapper" },
  token_inactive_lightweight: { sentence: 'Keycloak says that the token is not active: its session has ended, or its user, client or clientId {client} has lost the right to it; a lightweight token does not show whether clientId is in its aud', advice: 'log in again; give the client of the token an audience mapper for clientId' },
  introspection_refused: { sentence: 'Keycloak refuses to introspect the token (status 400): an organization that its scope names is gone, or its user has left it', advice: 'log in again' },
  introspection_mismatch: { sentence: 'introspection answered with another {claim}', advice: 'find out which server answers in place of Keycloak, or which mapper writes this claim' }
} as const satisfies Entries
