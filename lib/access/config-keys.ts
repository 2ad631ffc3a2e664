import { nearest } from '../util/spelling.js'

/** The keys of a route's config that belong to this plugin. */
export const CONFIG_KEYS = ['permission', 'scope', 'issuer', 'senderConstrained', 'acr', 'maxAge', 'authenticated', 'mcp', 'public', 'keycloak'] as const

/** The keys that are rules: each demands a token. */
export const RULE_KEYS = ['permission', 'scope', 'issuer', 'senderConstrained', 'acr', 'maxAge', 'authenticated', 'mcp'] as const

/** The keys that are refused beside config, where they would have no effect. */
export const REFUSED_BESIDE_CONFIG = ['permission', 'scope', 'issuer', 'senderConstrained', 'acr', 'maxAge', 'authenticated', 'mcp', 'public'] as const

/** Keys whose misspelling would leave a route open; and words near to them that are right, or belong to other packages. */
const CORRECTED_KEYS = ['permission', 'authenticated', 'senderConstrained']
const CORRECTED_SHORT_KEYS = ['issuer']
const NEVER_CORRECTED = new Set(['permission', 'authenticated', 'senderConstrained', 'permissive', 'authenticator', 'issuer', 'issue', 'issues', 'issued', 'isUser', 'acr', 'maxAge', 'mcp'])

/** Members of a rule that no other package has: beside the rule, in config itself, they would leave a route open. */
const OF_A_RULE = ['realmRole', 'clientRole', 'authorizedParty']

/** The place of the rules of tools. */
const MCP_TOOLS = 'mcp: { tools: … }'

/** Names that a demand for a login has in protocols and other packages, in lower case without separators, and ours. */
const LOGIN_SYNONYMS = new Map<string, 'acr' | 'maxAge'>([
  ...['acr', 'acrs', 'acrvalue', 'acrvalues', 'minacr', 'requiredacr', 'loa', 'minloa'].map((word) => [word, 'acr'] as const),
  ...['maxage', 'maxauthage', 'authmaxage', 'maxauthtime', 'defaultmaxage'].map((word) => [word, 'maxAge'] as const)
])

/** Misspellings of `mcp`, and names of its tools beside it, in lower case without separators. */
const MCP_SYNONYMS = new Map<string, string>([
  ...['mcp', 'mpc', 'mcps'].map((word) => [word, 'mcp'] as const),
  ...['mcptools', 'mcptoolrules'].map((word) => [word, MCP_TOOLS] as const)
])

/** Keys that stand for the rules of tools if `mcp` is beside them; without it they are of other packages. */
const TOOL_SYNONYMS = new Set(['tool', 'tools', 'toolrules', 'requiredtools'])

/** Keys that seem to demand roles, scopes or an issuer, in lower case without separators: most of them are of other packages. */
const RULE_SYNONYMS = new Set(['role', 'roles', 'realm', 'realms', 'iss', 'issuername', 'tenant', 'tenants', 'client', 'clients', 'azp', 'authorizedparties', 'group', 'groups', 'org', 'organization', 'organizations', 'scopes', 'scop', 'authorize', 'authorization', 'requiredroles', 'requiredscope', 'requiredscopes', 'requiredpermissions', 'dpop', 'mtls', 'cnf', 'dpoprequired', 'requiredpop', 'requirepop', 'dpopbound', 'bound', 'senderconstraint', 'tools', 'requiredtools'])

/** Keys of other packages that demand any valid token, in lower case without separators. */
const TOKEN_SYNONYMS = new Set(['auth', 'authentication', 'requireauthentication', 'requireauth', 'requiresauth', 'protected', 'secured'])

/**
 * The right spelling or place of a key; `undefined` if the key is not wrong.
 * @param value its value, if it is at hand
 */
export function correctionOf (key: string, value?: unknown): string | undefined {
  if (NEVER_CORRECTED.has(key)) return undefined
  if ((key === 'any' || key === 'all') && Array.isArray(value)) return `permission: { ${key}: … }`
  const known = MCP_SYNONYMS.get(plainWord(key)) ?? LOGIN_SYNONYMS.get(plainWord(key))
  if (known !== undefined) return known
  const member = nearest(key.replaceAll(/[_-]/g, ''), OF_A_RULE, 1)
  if (member !== undefined) return `permission: { ${member}: … }`
  return nearest(key, CORRECTED_KEYS, 2) ?? nearest(key, CORRECTED_SHORT_KEYS, 1)
}

/** The place of a key that seems to have the rules of tools, in or beside a config with `mcp`. */
export function placeBesideMcp (key: string): string | undefined {
  return TOOL_SYNONYMS.has(plainWord(key)) ? MCP_TOOLS : undefined
}

/**
 * Does a key look like a rule, although the plugin does not know it?
 * @param isOpen is the route open to anonymous callers? If not, a key that demands any valid token is fulfilled anyway
 */
export function looksLikeRule (key: string, isOpen: boolean): boolean {
  const plain = plainWord(key)
  return RULE_SYNONYMS.has(plain) || (isOpen && TOKEN_SYNONYMS.has(plain)) || (plain === 'scope' && key !== 'scope')
}

function plainWord (key: string): string {
  return key.toLowerCase().replaceAll(/[_-]/g, '')
}
