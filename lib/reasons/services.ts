import type { Entries } from './entry.js'

/** The reasons why Keycloak gives no token for another service. */
export const SERVICES = {
  service_account_off: { sentence: 'the client may have no token of its own: {advice}', advice: 'switch "Client authentication" and "Service accounts roles" of the client on (Capability config)' },
  service_scope_unknown: { sentence: 'the client may not ask for the scope[ {scope}]: {advice}', advice: 'correct the scope, or give the client that client scope as an optional one (Client scopes)' },
  service_token_bound: { sentence: 'the client gets tokens alone that are bound to a key: {advice}', advice: 'switch "Require DPoP bound tokens" and "OAuth 2.0 Mutual TLS Certificate Bound Access Tokens" of the client off' },
  service_token_refused: { sentence: 'Keycloak refuses the call in words that are not known here: {advice}', advice: "look at Keycloak's log, and at the policies of the client" },
  exchange_off: { sentence: 'the client may not exchange tokens: {advice}', advice: 'switch "Standard Token Exchange" of the client on (Capability config)' },
  exchange_bound: { sentence: 'the token of the caller is bound to a key, and Keycloak exchanges no such token: {advice}', advice: "use a token of the API's own (serviceToken)" },
  exchange_audience_unknown: { sentence: 'the audience[ {audience}] is no client of the realm: {advice}', advice: 'correct audience, which is the id of a client' },
  exchange_audience_unavailable: { sentence: 'the client may have no token for the audience[ {audience}]: {advice}', advice: 'give it a client scope with a mapper of the type "Audience" for that client, and ask for that scope if it is an optional one; or give the caller a role of that client' },
  exchange_audience_missing: { sentence: 'the exchanged token does not name the audience[ {audience}] in aud: {advice}', advice: 'give the client a mapper of the type "Audience" for it; a lightweight token needs "Add to lightweight access token" of the mapper' },
  exchange_not_in_audience: { sentence: 'the token of the caller does not name this client in aud: {advice}', advice: 'give the client that the caller logs in by a mapper of the type "Audience" for this client' },
  exchange_denied: { sentence: 'a policy of the realm denies the exchange', advice: "look at Keycloak's log, and at the policies of the client" },
  exchange_token_refused: { sentence: 'Keycloak exchanges the token of the caller no more: it has expired, was revoked, or its session has ended', advice: 'log in again' }
} as const satisfies Entries
