import type { Entries } from './entry.js'

const LIGHTWEIGHT = 'set verifyTokensWithKeycloak: true, or switch "Always use lightweight access token" of its client off'
const USER_CLAIM = 'the claim {claim}, which identifies the user (userIdClaim),'
const ROLES = 'permission {rule} {verdict} the roles {where}'
const PERMISSION = 'permission {rule} is not fulfilled'
const ABSENT = 'Either the user has no such role, or the client of the token passes none on (Full scope allowed, the client scope "roles"), or permissionPath names another place'

/** The reasons about the caller of a request: no token, a user whom the application does not know, a missing right. */
export const CALLERS = {
  token_missing: { sentence: 'no token', advice: 'send "Authorization: Bearer" and the token; look for a proxy that strips the header' },
  authorization_repeated: { sentence: 'more than one Authorization header', advice: 'send one' },
  authorization_empty: { sentence: 'no token after Bearer', advice: 'send the token after "Bearer" and a space' },
  dpop_authorization_empty: { sentence: 'no token after DPoP', advice: 'send the token after "DPoP" and a space' },
  dpop_authorization_malformed: { sentence: 'not exactly one token after DPoP', advice: 'send one token, without quotes, spaces or tabs' },
  authorization_malformed: { sentence: 'not exactly one token after Bearer', advice: 'send one token, without quotes, spaces or tabs' },

  user_claim_missing: { sentence: `${USER_CLAIM} is missing: {advice}`, advice: 'give the client of the token {cure}[, and switch {switch} of its mapper on]' },
  user_claim_lightweight: { sentence: `${USER_CLAIM} is missing: the token is lightweight: {advice}`, advice: LIGHTWEIGHT },
  user_claim_not_string: { sentence: `${USER_CLAIM} is {kind}, not a string`, advice: 'correct its mapper in Keycloak' },
  user_claim_not_integer: { sentence: `${USER_CLAIM} is a number with a fraction or beyond 2^53: {advice}`, advice: 'have its mapper write a String' },
  user_claim_not_text: { sentence: `${USER_CLAIM} is {kind}, and neither text nor a whole number`, advice: 'have its mapper write a String' },
  email_verified_missing: { sentence: 'email_verified is missing, and userIdClaim is "email": {advice}', advice: 'give the client of the token the client scope "email"' },
  email_unverified: { sentence: 'email_verified is not true, and userIdClaim is "email": {advice}', advice: 'let the user verify the address, or set acceptUnverifiedEmail: true' },
  user_unknown: { sentence: 'syncUser returned no user', advice: "look for the user in the application's database" },
  user_disabled: { sentence: 'isActive of the user is false', advice: "look for the user in the application's database" },

  scope_missing: { sentence: 'scope {scopes} is missing in the claim scope of the token', advice: 'ask for it at login (`scope`), give it to the client in Keycloak (Client scopes), and switch "Include in token scope" of it on' },
  scope_claim_missing: { sentence: 'scope {scopes} is missing: the token has no claim scope', advice: 'ask for it at login (`scope`), give it to the client in Keycloak (Client scopes), and switch "Include in token scope" of it on' },
  scope_claim_not_string: { sentence: 'scope {scopes} is missing: the claim scope is {kind}, not a string', advice: 'correct the mapper that writes it' },
  issuer_denied: { sentence: 'the token is of the issuer {name}, and the route is for {issuers}', advice: 'log in at a realm that `config.issuer` of the route names' },
  rule_not_fulfilled: { sentence: 'permission {rule} is not fulfilled', advice: 'look at the rule function of the route' },
  role_missing: { sentence: ROLES, advice: 'give the user the role in Keycloak, or correct permissionPath' },
  roles_absent: { sentence: `${ROLES}: the token has no {segment}[ in {parent}]. {advice}`, advice: ABSENT },
  roles_misplaced: { sentence: `${ROLES}: the token has no {segment} in {parent}. What is there is {kind}`, advice: 'correct permissionPath' },
  roles_not_array: { sentence: `${ROLES}, which are {kind} there and not an array: {advice}`, advice: 'switch Multivalued of the mapper on in Keycloak' },
  realm_role_missing: { sentence: `${PERMISSION}: realm role {role} is not among the roles at realm_access.roles: {advice}`, advice: 'assign it to the user (Role mapping), and let the client of the token pass it on (Full scope allowed, or Scope)' },
  realm_roles_absent: { sentence: `${PERMISSION}: the token has no array of roles at realm_access.roles: {advice}`, advice: 'give the client of the token the client scope "roles", whose mapper "realm roles" writes it' },
  client_role_missing: { sentence: `${PERMISSION}: client role {role} is not among the roles at {where}: {advice}`, advice: 'assign it to the user (Role mapping), and let the client of the token pass it on (Full scope allowed, or Scope)' },
  client_roles_absent: { sentence: `${PERMISSION}: the token has no array of roles at {where}: {advice}`, advice: 'assign a role of that client to the user, and give the client of the token the client scope "roles", whose mapper "client roles" writes it' },
  group_missing: { sentence: `${PERMISSION}: the group is not among the groups at {claim}: {advice}`, advice: 'let the user join it (Groups, Members), and switch "Full group path" of the mapper on' },
  groups_absent: { sentence: `${PERMISSION}: the token has no array of groups at {claim}: {advice}`, advice: 'give the client of the token a mapper of the type "Group Membership" that writes this claim ("Token Claim Name", "Add to access token"), or correct groupsClaim' },
  organization_missing: { sentence: `${PERMISSION}: the claim organization does not name it: {advice}`, advice: 'let the user join it (Organizations, Members), and ask for the scope "organization:*" at login' },
  organization_absent: { sentence: `${PERMISSION}: the token names no organization: {advice}`, advice: 'let the user join one, and ask for the scope "organization:*" at login: for "organization" alone Keycloak writes nothing if the user has several' },
  organization_role_missing: { sentence: `${PERMISSION}: the user is a member without the role {role}: {advice}`, advice: 'give a group of the organization the role and the user the group; the mapper "Organization Group Membership" writes it with "Add group role mappings" on' },
  authorized_party_other: { sentence: `${PERMISSION}: azp[ {azp}] is not the client of the rule`, advice: 'call with a token of that client, or correct the rule' },
  alternatives_missing: { sentence: `${PERMISSION}: none of its alternatives is`, advice: 'give the user one of them in Keycloak, or correct the rule' },
  claim_lightweight: { sentence: `${PERMISSION}: the token is lightweight, without {claim}: {advice}`, advice: LIGHTWEIGHT },
  roles_lightweight: { sentence: `${ROLES}: the token is lightweight, without roles: {advice}`, advice: LIGHTWEIGHT },
  acr_missing: { sentence: 'the login has no level: acr is missing: {advice}', advice: 'give the client of the token the client scope "acr"; with introspection, switch "Add to token introspection" of its mapper on' },
  acr_not_string: { sentence: 'the login has no level: acr is {kind}, not a string', advice: 'look for a mapper of the client that writes this claim' },
  acr_too_low: { sentence: 'the level of the login is too low: acr[ {acr}][ {where}] is not enough for {wanted}', advice: 'log in again with the acr_values of the challenge; if that changes nothing, look at "ACR to LoA Mapping" of the realm and at its step-up flow' },
  auth_time_missing: { sentence: 'the age of the login is unknown: auth_time is missing: {advice}', advice: 'log in by the browser, since service accounts and the password grant have none, and give the client of the token the client scope "basic"' },
  auth_time_malformed: { sentence: 'the age of the login is unknown: auth_time is {kind}, not a date', advice: 'look for a mapper of the client that writes this claim' },
  auth_time_future: { sentence: 'the age of the login is unknown: auth_time is in the future, by {seconds} s: {advice}', advice: "set this machine's clock and Keycloak's by NTP, or raise leeway" },
  login_too_old: { sentence: 'the login[ {where}] is {seconds} s old, and {maxAge} s are allowed', advice: 'log in again with the max_age of the challenge, or with prompt=login' },
  login_lightweight: { sentence: '{claim} is missing, because the token is lightweight: {advice}', advice: LIGHTWEIGHT },
  login_not_enough: { sentence: 'a handler of the application demands a login with {demand}', advice: 'log in again with the acr_values and max_age of the challenge' },
  refused_by_application: { sentence: '{sentence}', advice: 'look at the application: it threw this KeycloakError itself' }
} as const satisfies Entries
