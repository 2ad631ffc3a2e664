// An API of three realms on one server, each with a client and a secret of its own.
import { randomUUID } from 'node:crypto'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import keycloak from '../../index.js'
import type { IssuerOptions, SeveralIssuersOptions } from '../../types/options.js'
import { get } from './helpers.js'
import { apiClient, loginClient, ownRealm, person, type OwnRealm } from './own-realm.js'

export const NAMES = ['acme', 'globex', 'initech'] as const
export type Name = typeof NAMES[number]

/** The users of each realm; alice is in two of them, and is two people. */
export const USERS = { acme: 'alice', globex: 'alice', initech: 'bob' } as const

export const realms = {} as Record<Name, OwnRealm & { realm: string }>
for (const name of NAMES) {
  const realm = `${name}-${randomUUID()}`
  realms[name] = {
    realm,
    ...await ownRealm(t, {
      realm,
      roles: { client: { api: [{ name: 'read' }] } },
      clients: [apiClient('api', `${name}-secret`), loginClient('cli')],
      users: [person(USERS[name], { clientRoles: { api: name === 'initech' ? [] : ['read'] } })]
    })
  }
}

/** The list of the realms, with further options of each. */
export function entries (more: Partial<Record<Name, Partial<IssuerOptions>>> = {}): IssuerOptions[] {
  return NAMES.map((name) => ({ name, issuer: realms[name].issuer, clientSecret: `${name}-secret`, ...more[name] }))
}

/** The API of all three; closed when the test ends. */
export async function apiOfThree (t: Test, settings: Partial<SeveralIssuersOptions> = {}): Promise<FastifyInstance> {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(keycloak, { issuers: entries(), clientId: 'api', audience: 'api', ...settings })
  app.get('/me', { config: { authenticated: true } }, async (request) => ({ issuer: request.issuer, username: request.user.username, sub: request.auth.sub }))
  app.get('/read', { config: { permission: 'read' } }, async (request) => ({ issuer: request.issuer }))
  app.get('/acme', { config: { issuer: 'acme' } }, async (request) => ({ issuer: request.issuer }))
  app.get('/partners', { config: { issuer: ['globex', 'initech'] } }, async (request) => ({ issuer: request.issuer }))
  app.get('/of/:tenant', { config: { authenticated: true } }, async (request) => ({ issuer: request.issuer }))
  app.get('/open', async (request) => ({ issuer: request.issuer }))
  return app
}

/** The access token of each realm's user. */
export async function tokens (): Promise<Record<Name, string>> {
  return Object.fromEntries(await Promise.all(NAMES.map(async (name) => [name, await realms[name].token(USERS[name])])))
}

/** The status of GET /me, or of another path, with each of the tokens. */
export async function statuses (app: FastifyInstance, of: Record<Name, string>, path = '/me'): Promise<Record<Name, number>> {
  return Object.fromEntries(await Promise.all(NAMES.map(async (name) => [name, (await get(app, path, of[name])).statusCode]))) as Record<Name, number>
}
