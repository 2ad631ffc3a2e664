// Realms that a function finds in a table of tenants: added, changed and ended while the API runs.
import { randomUUID } from 'node:crypto'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import keycloak from '../../index.js'
import type { IssuerOptions, SeveralIssuersOptions } from '../../types/options.js'
import { decode, get, refused } from './helpers.js'
import { apiClient, loginClient, mapper, ownRealm, person, type OwnRealm } from './own-realm.js'

/** A realm with the user alice, whose tokens have this `sub` if one is given. */
async function tenant (t: Test, sub?: string): Promise<OwnRealm & { name: string }> {
  const name = `tenant-${randomUUID()}`
  const protocolMappers = sub === undefined ? [] : [mapper('sub', 'oidc-hardcoded-claim-mapper', { 'claim.name': 'sub', 'claim.value': sub, 'jsonType.label': 'String' })]
  return {
    name,
    ...await ownRealm(t, {
      realm: name,
      clients: [apiClient('api', `${name}-secret`), loginClient('cli', { protocolMappers })],
      users: [person('alice')]
    })
  }
}

/** An API whose table of tenants a test may change. */
async function api (t: Test, settings: Partial<SeveralIssuersOptions> = {}): Promise<FastifyInstance & { table: Map<string, IssuerOptions>, asked: string[] }> {
  const app: FastifyInstance = Fastify()
  t.teardown(() => app.close())
  const table = new Map<string, IssuerOptions>()
  const asked: string[] = []
  const issuers = async (iss: string) => {
    asked.push(iss)
    return table.get(iss) ?? null
  }
  await app.register(keycloak, { clientId: 'api', audience: 'api', verifyTokensWithKeycloak: true, ...settings, issuers })
  app.get('/me', { config: { authenticated: true } }, async ({ issuer, auth }) => ({ issuer, sub: auth.sub }))
  return Object.assign(app, { table, asked })
}

function row ({ name, issuer }: { name: string, issuer: string }): IssuerOptions {
  return { name, issuer, clientSecret: `${name}-secret` }
}

t.test('a realm that is made while the API runs is served as soon as the table has it', async (t) => {
  const app = await api(t)
  const first = await tenant(t)
  app.table.set(first.issuer, row(first))
  t.match((await get(app, '/me', await first.token('alice'))).json(), { issuer: first.name })

  const second = await tenant(t)
  app.table.set(second.issuer, row(second))
  for (let times = 0; times < 3; times++) t.match((await get(app, '/me', await second.token('alice'))).json(), { issuer: second.name })
  t.strictSame(app.asked, [first.issuer, second.issuer], 'the table is asked once for each realm')
  t.match(app.keycloak.health().issuers, { [first.name]: { ok: true }, [second.name]: { ok: true } })
})

t.test('a realm of the same server that the table does not have is 401', async (t) => {
  const app = await api(t)
  const stranger = await tenant(t)
  for (let times = 0; times < 3; times++) refused(t, await get(app, '/me', await stranger.token('alice')), 'token_not_valid')
  t.equal(app.asked.length, 1)
})

t.test('a tenant whose answer is forgotten has ended, or has another secret', async (t) => {
  const app = await api(t)
  const realm = await tenant(t)
  const token = await realm.token('alice')
  app.table.set(realm.issuer, { ...row(realm), clientSecret: 'wrong' })
  refused(t, await get(app, '/me', token), 'keycloak_unavailable')
  app.table.set(realm.issuer, row(realm))
  app.keycloak.forgetIssuer(realm.issuer)
  t.equal((await get(app, '/me', token)).statusCode, 200)
  app.table.delete(realm.issuer)
  app.keycloak.forgetIssuer(realm.issuer)
  refused(t, await get(app, '/me', token), 'token_not_valid')
})

t.test('more realms than maxIssuers take turns', async (t) => {
  const app = await api(t, { maxIssuers: 1 })
  const realms = [await tenant(t), await tenant(t)]
  for (const realm of realms) app.table.set(realm.issuer, row(realm))
  for (let round = 0; round < 2; round++) {
    for (const realm of realms) t.match((await get(app, '/me', await realm.token('alice'))).json(), { issuer: realm.name })
  }
  t.equal(Object.keys(app.keycloak.health().issuers ?? {}).length, 1)
})

t.test('two realms may give their users one sub, and request.issuer tells them apart', async (t) => {
  const app = await api(t, { verifyTokensWithKeycloak: false })
  const one = await tenant(t)
  const { sub = '' } = decode(await one.token('alice')).claims
  const other = await tenant(t, sub)
  for (const realm of [one, other]) {
    app.table.set(realm.issuer, row(realm))
    t.strictSame((await get(app, '/me', await realm.token('alice'))).json(), { issuer: realm.name, sub })
  }
})
