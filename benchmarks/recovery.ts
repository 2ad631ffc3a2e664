// npm run bench:recovery: the time from Keycloak's return to the first 200 of an API, for a client that asks every few milliseconds: of
// an API that never had keys, and of one whose introspection fails fast.
import { setTimeout as sleep } from 'node:timers/promises'
import Fastify, { type FastifyInstance } from 'fastify'
import keycloak, { type KeycloakOptions } from '../index.js'
import { createTestRealm, type TestRealm } from '../lib/testing/index.js'
import { spreadOf, whole } from './figures.js'

const TIMES = 20
const INTERVAL_MS = 5
const OUTAGE_MS = 3000

const realm = await createTestRealm()
await measure('keys, never had before', {})
await measure('introspection', { verifyTokensWithKeycloak: true })
await realm.close()

async function measure (name: string, options: Partial<KeycloakOptions>): Promise<void> {
  const took: number[] = []
  for (let times = 0; times < TIMES; times++) took.push(await once(realm, options))
  const { median, max } = spreadOf(took)
  console.log(`${name}: ${TIMES} outages of ${OUTAGE_MS / 1000} s, over ${whole(median)} ms after Keycloak's return (median; worst ${whole(max)} ms)`)
}

async function once (realm: TestRealm, options: Partial<KeycloakOptions>): Promise<number> {
  const app = Fastify()
  await app.register(keycloak, { ...realm.options, ...options })
  app.get('/me', { config: { authenticated: true } }, async () => 'me')
  const token = realm.token()
  if (options.verifyTokensWithKeycloak === true && await ask(app, token) !== 200) throw new Error('a good token was refused')
  await realm.down()
  const end = performance.now() + OUTAGE_MS * (0.8 + 0.4 * Math.random())
  while (performance.now() < end) {
    const status = await ask(app, token)
    if (status !== 503) throw new Error(`${status} while Keycloak was away`)
    await sleep(INTERVAL_MS)
  }
  await realm.up()
  const back = performance.now()
  while (await ask(app, token) !== 200) await sleep(INTERVAL_MS)
  const took = performance.now() - back
  await app.close()
  return took
}

async function ask (app: FastifyInstance, token: string): Promise<number> {
  return (await app.inject({ url: '/me', headers: { authorization: `Bearer ${token}` } })).statusCode
}
