// npm run soak [-- --minutes 5]: load on three APIs (local verification, introspection, introspection with cacheTtl)
// while their issuer gets into every trouble. Exit code 1 where anything was not as the contract says.
// With --keycloak the issuer is a real Keycloak, killed with SIGKILL under load and restarted.
import { parseArgs } from 'node:util'
import { setTimeout as wait } from 'node:timers/promises'
import type { KeycloakOptions } from '../../index.js'
import { createTestRealm } from '../../lib/testing/index.js'
import { type Api, startApi, type Usage } from './child.js'
import { type Issuer, testRealmIssuer } from './issuer.js'
import { startLoad } from './load.js'
import { report, settle } from './report.js'

const MOST_MINUTES = 240

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '5' }, keycloak: { type: 'boolean', default: false } } })
const minutes = Number(values.minutes)
if (!(minutes > 0 && minutes <= MOST_MINUTES)) throw new Error(`--minutes must be a number up to ${MOST_MINUTES}`)

const limits = { jwks: { timeout: 2000, maxAge: 20_000 }, introspection: { timeout: 2000 } }
const { options, issuer, end } = values.keycloak ? await realKeycloak() : await embedded()
const apis: Api[] = await Promise.all([
  startApi('local', { ...options, ...limits }),
  startApi('introspecting', { ...options, ...limits, verifyTokensWithKeycloak: true }),
  startApi('introspecting, cacheTtl 1000', { ...options, ...limits, verifyTokensWithKeycloak: true, introspection: { timeout: 2000, cacheTtl: 1000 } })
])

const started = Date.now()
const load = startLoad(apis, issuer.kinds, issuer)
await wait(5000)
const warm: Usage[] = await Promise.all(apis.map((api) => api.usage()))
await issuer.chaos(started + minutes * 60_000)
await load.stop()
await wait(6000)

let good = report(load, (Date.now() - started) / 60_000)
for (const [at, api] of apis.entries()) good = await settle(api, warm[at]!, () => inFlight(api, issuer)) && good
await end()
console.log(good ? 'All as it should be.' : 'NOT as it should be.')
process.exit(good ? 0 : 1)

/** Calls that nobody will answer. */
async function inFlight (api: Api, { hang, kinds }: Issuer): Promise<void> {
  hang()
  const authorization = kinds[0]!.authorization()!
  await Promise.allSettled(Array.from({ length: 20 }, () => fetch(`${api.url}/profile`, { headers: { authorization }, signal: AbortSignal.timeout(5000) })))
}

async function embedded (): Promise<{ options: KeycloakOptions, issuer: Issuer, end: () => Promise<void> }> {
  const realm = await createTestRealm()
  return { options: realm.options, issuer: await testRealmIssuer(realm), end: () => realm.close() }
}

async function realKeycloak (): Promise<{ options: KeycloakOptions, issuer: Issuer, end: () => Promise<void> }> {
  const { keycloakIssuer } = await import('./keycloak.js')
  return keycloakIssuer()
}
