import { nearest } from '../util/spelling.js'

/** The options that exist. */
export interface KnownOptions {
  /** The names of the options by group; the group '' has the options at the top. */
  names: Readonly<Record<string, readonly string[]>>
  /** Names of other packages, in lower case without separators, and the advice for each. */
  foreign?: Readonly<Record<string, string>>
}

const ISSUER = 'write issuer: "https://sso.example.com/realms/acme"'
const ROUTE = 'write it into the config of a route'
const KEYS = 'leave it out, since the keys are fetched below issuer, or serverUrl'

const ASSERTION = 'write clientAssertion: { key }'
const CERTIFICATE = 'write clientCertificate: { cert, key }'
const AUTHENTICATION = 'write one of "clientSecret", "clientAssertion" and "clientCertificate"'

/** Names of options in other packages and in Keycloak's own adapters, and the advice for each. */
export const FOREIGN_NAMES: Readonly<Record<string, string>> = {
  realm: ISSUER,
  realmname: ISSUER,
  url: ISSUER,
  baseurl: ISSUER,
  authserverurl: ISSUER,
  domain: ISSUER,
  host: ISSUER,
  secret: 'write "clientSecret"',
  authorizationservices: 'write "uma"',
  enforcer: 'write "uma"',
  policyenforcer: 'write "uma"',
  credentials: 'write "clientSecret"',
  privatekey: ASSERTION,
  privatekeyjwt: ASSERTION,
  clientkey: ASSERTION,
  clientprivatekey: ASSERTION,
  clientassertionkey: ASSERTION,
  clientassertionsigningkey: ASSERTION,
  clientassertiontype: 'leave it out, since it is always jwt-bearer',
  clientauthmethod: AUTHENTICATION,
  tokenendpointauthmethod: AUTHENTICATION,
  cert: CERTIFICATE,
  certificate: CERTIFICATE,
  clientcert: CERTIFICATE,
  tlsclientauth: CERTIFICATE,
  azp: 'write "authorizedParties"',
  clocktolerance: 'write "leeway"',
  clockskew: 'write "leeway"',
  jwksuri: KEYS,
  jwksurl: KEYS,
  publickey: KEYS,
  keycloakconfig: 'write its members as options, such as issuer',
  permission: ROUTE,
  permissions: ROUTE,
  roles: ROUTE,
  scope: ROUTE,
  prefix: 'register the plugin in a scope that has the prefix'
}

/** The sentence about an unknown option: `option "clockTolerance" is unknown; write "leeway"`. */
export function unknownOption (name: string, path: readonly PropertyKey[], known: KnownOptions): string {
  const scope = path.join('.')
  const advice = adviceFor(name, scope, known)
  return `option "${dotted(scope, name.slice(0, 40))}" is unknown${advice === undefined ? '' : `; ${advice}`}`
}

function adviceFor (name: string, scope: string, { names, foreign = {} }: KnownOptions): string | undefined {
  const plain = normalized(name)
  const siblings = names[scope]!
  const meant = siblings.find((each) => normalized(each) === plain)
  if (meant !== undefined) return `write "${dotted(scope, meant)}"`
  if (scope === '' && Object.hasOwn(foreign, plain)) return foreign[plain]
  const complete = completionOf(plain, siblings)
  if (complete !== undefined) return `write "${dotted(scope, complete)}"`
  // If an option at the top and one of a group have the same name, the user more likely means the one at the top.
  const top = names['']!.find((each) => normalized(each) === plain)
  if (top !== undefined) return `write "${top}"`
  const elsewhere = Object.keys(names).flatMap((group) => names[group]!
    .filter((each) => normalized(each) === plain)
    .map((each) => `"${dotted(group, each)}"`))
  if (elsewhere.length > 0) return `write ${elsewhere.join(' or ')}`
  const near = nearest(plain, siblings, plain.length > 4 ? 3 : 1)
  return near === undefined ? undefined : `write "${dotted(scope, near)}"`
}

/** The option whose name begins with a shortened name, if there is exactly one. */
function completionOf (plain: string, siblings: readonly string[]): string | undefined {
  const longer = siblings.filter((each) => plain.length > 2 && normalized(each).startsWith(plain))
  return longer.length === 1 ? longer[0] : undefined
}

/** The name without case and separators, which is the same for SNAKE_CASE, kebab-case and camelCase. */
function normalized (name: string): string {
  return name.toLowerCase().replaceAll(/[_-]/g, '')
}

function dotted (scope: string, name: string): string {
  return scope === '' ? name : `${scope}.${name}`
}
