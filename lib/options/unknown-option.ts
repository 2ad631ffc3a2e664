import { nearest } from '../util/spelling.js'

/** What options there are. */
export interface Known {
  /** The names of the options by the group they stand in; '' are those that stand in none. */
  names: Readonly<Record<string, readonly string[]>>
  /** What others call them, in small letters without separators, and what to do instead. */
  foreign?: Readonly<Record<string, string>>
}

const ISSUER = 'write issuer: "https://sso.example.com/realms/acme"'
const ROUTE = 'write it into the config of a route'
const KEYS = 'leave it out, since the keys are fetched below issuer, or serverUrl'

/** What other packages and Keycloak's own adapters call the options of the plugin. */
export const FOREIGN: Readonly<Record<string, string>> = {
  realm: ISSUER,
  realmname: ISSUER,
  url: ISSUER,
  baseurl: ISSUER,
  authserverurl: ISSUER,
  domain: ISSUER,
  host: ISSUER,
  resource: 'write "clientId"',
  secret: 'write "clientSecret"',
  credentials: 'write "clientSecret"',
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

/** The sentence about an option that there is not. */
export function unknownOption (name: string, path: readonly PropertyKey[], known: Known): string {
  const scope = path.join('.')
  const advice = adviceFor(name, scope, known)
  return `option "${dotted(scope, name.slice(0, 40))}" is unknown${advice === undefined ? '' : `; ${advice}`}`
}

function adviceFor (name: string, scope: string, { names, foreign = {} }: Known): string | undefined {
  const plain = plainly(name)
  const siblings = names[scope]!
  const meant = siblings.find((each) => plainly(each) === plain)
  if (meant !== undefined) return `write "${dotted(scope, meant)}"`
  if (scope === '' && Object.hasOwn(foreign, plain)) return foreign[plain]
  const begun = startedBy(plain, siblings)
  if (begun !== undefined) return `write "${dotted(scope, begun)}"`
  // An option of the plugin itself is likelier to be meant than one of a group that has the same name.
  const top = names['']!.find((each) => plainly(each) === plain)
  if (top !== undefined) return `write "${top}"`
  const elsewhere = Object.keys(names).flatMap((group) => names[group]!
    .filter((each) => plainly(each) === plain)
    .map((each) => `"${dotted(group, each)}"`))
  if (elsewhere.length > 0) return `write ${elsewhere.join(' or ')}`
  const near = nearest(plain, siblings, plain.length > 4 ? 3 : 1)
  return near === undefined ? undefined : `write "${dotted(scope, near)}"`
}

/** The one that a shortened name begins. */
function startedBy (plain: string, siblings: readonly string[]): string | undefined {
  const longer = siblings.filter((each) => plain.length > 2 && plainly(each).startsWith(plain))
  return longer.length === 1 ? longer[0] : undefined
}

/** However it is written: SNAKE_CASE, kebab-case, camelCase. */
function plainly (name: string): string {
  return name.toLowerCase().replaceAll(/[_-]/g, '')
}

function dotted (scope: string, name: string): string {
  return scope === '' ? name : `${scope}.${name}`
}
