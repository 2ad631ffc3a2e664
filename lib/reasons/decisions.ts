import type { Entries } from './entry.js'

const PERMISSION = 'permission {rule} is not fulfilled'
const RESOURCES = '(Clients, its Authorization tab, Resources)'

/** The reasons of Keycloak's Authorization Services, and those why they could not decide. */
export const DECISIONS = {
  uma_denied: { sentence: `${PERMISSION}: Keycloak does not grant it: {advice}`, advice: 'let Keycloak explain it (Clients, its Authorization tab, Evaluate)' },
  uma_lightweight: { sentence: `${PERMISSION}: Keycloak does not grant it, and the token is lightweight: {advice}`, advice: 'switch "Always use lightweight access token" of its client off, since policies see no roles in such a token' },
  uma_dpop_bound: { sentence: `${PERMISSION}: Keycloak decides about no token that is bound to a key by DPoP: {advice}`, advice: 'decide by roles or scopes on this route, or let these clients use tokens that are not bound, or bound to a certificate' },
  uma_parameter_unfit: { sentence: `${PERMISSION}: a parameter of the URL cannot be part of a resource`, advice: 'none: the parameter is empty, too long, or has characters that Keycloak would read as something else' },
  uma_resource_unknown: { sentence: `${PERMISSION}: the resource server has no such resource: {advice}`, advice: `make it in Keycloak ${RESOURCES}, or correct its name, where small and capital letters count` },
  uma_scope_unknown: { sentence: `${PERMISSION}: the resource server has no such scope: {advice}`, advice: 'make it in Keycloak (Clients, its Authorization tab, Scopes), or correct its name' },
  uma_name_foreign: { sentence: `${PERMISSION}: the resource is one of another client, and named: {advice}`, advice: `write its id ${RESOURCES}, because only those of clientId can be found by name` },
  uma_off: { sentence: `${PERMISSION}: the realm of the token has no option uma: {advice}`, advice: 'give the issuer the option uma, or name the issuers of the route by `config.issuer`' },
  uma_token_refused: { sentence: 'Keycloak does not decide about the token: {advice}', advice: 'log in again, since its session has ended' },
  uma_answer_malformed: { sentence: 'the answer is no list of permissions or resources', advice: 'find out which server answers in place of Keycloak' },
  uma_resource_server: { sentence: 'the client of uma.resourceServer has no Authorization Services', advice: 'switch Authorization of that client on, or correct uma.resourceServer' },
  uma_protection_refused: { sentence: 'this client may not look up its resources', advice: 'switch Authorization of this client on, and "Remote resource management" in its settings; or write ids of resources instead of names' }
} as const satisfies Entries
