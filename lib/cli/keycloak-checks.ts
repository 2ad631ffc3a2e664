import { warnOfRisks } from '../options/risky-settings.js'
import type { RealmSettings } from '../options/options.js'
import type { Finding } from '../doctor/finding.js'
import { checkRealmState } from '../doctor/realm-state.js'
import { type CheckName, runEachCheck } from '../doctor/run-checks.js'
import { type Check, CheckList } from './check.js'
import type { OpenRealm } from './open-realms.js'

/** The good news of each check. */
const PASSED: Readonly<Record<CheckName, (settings: RealmSettings) => string | undefined>> = {
  discovery: ({ baseUrl }) => `Keycloak answers at ${baseUrl}`,
  issuer: ({ issuer }) => `tokens will carry iss "${issuer}"`,
  keys: ({ algorithms }) => `the realm has a key for ${algorithms.join(' or ')}`,
  introspection: ({ clientId }) => `the client "${clientId}" may introspect`,
  clock: () => 'no difference of the clocks was found',
  audience: () => undefined,
  units: () => undefined
}

/** The checks that need an answer of Keycloak. */
const OF_KEYCLOAK: readonly CheckName[] = ['issuer', 'keys', 'introspection', 'clock']

/** The checks of the start, for one realm: its options first, and then its Keycloak. */
export async function keycloakChecks ({ settings, realm }: OpenRealm): Promise<Check[]> {
  const list = new CheckList({ subject: 'keycloak', issuer: settings.issuer })
  addRisks(list, settings)
  const made = await runEachCheck(realm.check.context)
  for (const { name, findings } of made) {
    const isOff = name === 'introspection' && !settings.verifyTokensWithKeycloak
    if (isOff) list.add(name, 'skipped', { message: 'it needs KEYCLOAK_CLIENT_SECRET, or another proof of the client' })
    else addFindings(list, name, findings, PASSED[name](settings))
  }
  const missing = OF_KEYCLOAK.filter((each) => !made.some(({ name }) => name === each))
  for (const name of missing) list.add(name, 'skipped', { message: 'it needs an answer of Keycloak' })
  if (missing.length > 0) return list.checks
  const state = await checkRealmState(realm.check.context.keycloakClient, settings)
  addFindings(list, 'realm', state === undefined ? [] : [state], 'the realm is switched on')
  return list.checks
}

/** The warnings of the start about options. */
function addRisks (list: CheckList, settings: RealmSettings): void {
  const warn = ({ code }: { code?: string }, message: string): void => list.add('options', 'warning', { code, message })
  warnOfRisks(settings, { warn, info: warn, debug: warn })
}

/** @param good absent for a check that has nothing to say if all is well */
function addFindings (list: CheckList, name: Check['check'], findings: readonly Finding[], good: string | undefined): void {
  for (const { check, sentence } of findings) list.add(name, 'failed', { code: check, message: sentence })
  if (findings.length === 0 && good !== undefined) list.add(name, 'passed', { message: good })
}
