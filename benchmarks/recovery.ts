// npm run bench:recovery: how long after Keycloak's return an API answers 200 again, as seen by a client that asks
// every few milliseconds: one that never had keys, and one whose introspection fails fast.
import { setTimeout as wait } from 'node:timers/promises'
import Fastify, { type FastifyInstance } from 'fastify'
import keycloak, { type KeycloakOptions } from '../index.js'
import { createTestRealm, type TestRealm } from '../lib/testing/index.js'

const TIMES = 20
const EVERY = 5
const OUTAGE = 3000

const realm = await createTestRealm()
await measure('keys, never had before', {})
await measure('introspection', { verifyTokensWithKeycloak: true })
await realm.close()

async function measure (what: string, options: Partial<KeycloakOptions>): Promise<void> {
  const took: number[] = []
  for (let times = 0; times < TIMES; times++) took.push(await once(realm, options))
  took.sort((a, b) => a - b)
  console.log(`${what}: ${TIMES} outages of ${OUTAGE / 1000} s, over ${Math.round(took[TIMES / 2]!)} ms after Keycloak's return (median; worst ${Math.round(took.at(-1)!)} ms)`)
}

async function once (realm: TestRealm, options: Partial<KeycloakOptions>): Promise<number> {
  const app = Fastify()
  await app.register(keycloak, { ...realm.options, ...options })
  app.get('/me', { config: { authenticated: true } }, async () => 'me')
  const token = realm.token()
  if (options.verifyTokensWithKeycloak === true && await ask(app, token) !== 200) throw new Error('a good token was refused')
  await realm.down()
  const end = performance.now() + OUTAGE * (0.8 + 0.4 * Math.random())
  while (performance.now() < end) {
    const status = await ask(app, token)
    if (status !== 503) throw new Error(`${status} while Keycloak was away`)
    await wait(EVERY)
  }
  await realm.up()
  const back = performance.now()
  while (await ask(app, token) !== 200) await wait(EVERY)
  const took = performance.now() - back
  await app.close()
  return took
}

async function ask (app: FastifyInstance, token: string): Promise<number> {
  return (await app.inject({ url: '/me', headers: { authorization: `Bearer ${token}` } })).statusCode
}
