// What each version of Keycloak does. The tests expect that of the version they run against, so that none is left out on an older
// one. docs/keycloak-versions.md says the same to readers.
import { serverInfo } from './admin.js'

/** The first version of each minor line that does it; all lines after the last one do. */
const SINCE = {
  /** Introspection calls a token inactive whose `aud` lacks the client that asks. */
  demandsCallerInAud: ['26.4.12', '26.6.2', '26.7.0'],
  /** The answer to a client that may not introspect tells the reason. */
  tellsWhyClientIsRefused: ['26.7.0'],
  /** A client that is "bearer-only" may introspect. */
  letsBearerOnlyIntrospect: ['26.7.0'],
  /** Introspection of a token for one organization is 400 when its user has left it. */
  refusesTokenOfLeftOrganization: ['26.7.0'],
  /** A token for all organizations has those that are enabled; before, it has none if one of them is disabled. */
  leavesOutDisabledOrganizations: ['26.5.0'],
  /** The console has these names of docs/setup-keycloak.md. */
  consoleSaysRequirePkce: ['26.7.0'],
  consoleSaysServiceAccountRoles: ['26.5.0'],
  /** Organizations have groups. */
  hasOrganizationGroups: ['26.7.0'],
  /** The logout of a user by an administrator is a call for each of the user's sessions. */
  callsForEachSession: ['26.7.0'],
  /** A refresh of an offline session for the scope openid alone gives tokens that tell their kind by jti. */
  keepsOfflineKind: ['26.7.0']
} as const satisfies Record<string, readonly string[]>

/** The version of the server. */
export const { version } = await serverInfo()

/** Does the server do it? */
export function does (capability: keyof typeof SINCE): boolean {
  const lines: readonly string[] = SINCE[capability]
  const line = lines.find((first) => minorOf(first) === minorOf(version)) ?? lines.at(-1)!
  return compare(version, line) >= 0
}

function minorOf (text: string): string {
  return text.split('.', 2).join('.')
}

function compare (one: string, other: string): number {
  const [a, b] = [one, other].map((text) => text.split('.').map(Number))
  const at = a!.findIndex((part, place) => part !== b![place])
  return at < 0 ? 0 : a![at]! - b![at]!
}
