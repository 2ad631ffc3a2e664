import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import type { Test } from 'tap'
import keycloak from '../../index.js'
import type { TestRealm } from '../../lib/testing/index.js'
import type { IssuerOptions, SeveralIssuersOptions } from '../../types/options.js'
import { realmFor } from './app.js'

/** The entry of a test realm. */
export function entryFor ({ options: { issuer, clientId, clientSecret, audience } }: TestRealm): IssuerOptions {
  return { issuer, clientId, clientSecret, audience }
}

/** A way to a test realm on which sockets are counted. Its URL is the `serverUrl` of an entry. */
export interface CountedWay {
  url: string
  /** The connections that are open. */
  readonly open: number
}

export async function countedWayFor (t: Test, realm: TestRealm): Promise<CountedWay> {
  const sockets = new Set<Socket>()
  const { port, pathname } = new URL(realm.issuer)
  const server = createServer((socket) => {
    const there = connect(Number(port), '127.0.0.1')
    sockets.add(socket)
    for (const each of [socket, there]) {
      each.on('error', () => {}).on('close', () => {
        sockets.delete(socket)
        socket.destroy()
        there.destroy()
      })
    }
    socket.pipe(there).pipe(socket)
  })
  server.listen(0, '127.0.0.1').unref()
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${pathname}`, get open () { return sockets.size } }
}

/** Test realms by their names. */
export async function realmsFor<Name extends string> (t: Test, ...names: Name[]): Promise<Record<Name, TestRealm>> {
  const realms = await Promise.all(names.map(async (name) => [name, await realmFor(t, { name })] as const))
  return Object.fromEntries(realms) as Record<Name, TestRealm>
}

/** The entry of an issuer among test realms; `null` if it is none of them. */
export function finderOf (realms: Record<string, TestRealm>): (iss: string) => IssuerOptions | null {
  return (iss) => {
    const realm = Object.values(realms).find(({ issuer }) => issuer === iss)
    return realm === undefined ? null : entryFor(realm)
  }
}

/** An API of tenants. */
export async function tenantApiFor (t: Test, issuers: SeveralIssuersOptions['issuers'], options: Partial<SeveralIssuersOptions> = {}, server: FastifyServerOptions = {}): Promise<FastifyInstance> {
  const app = Fastify(server)
  t.teardown(async () => app.close())
  await app.register(keycloak, { startCheck: false, issuers, ...options })
  app.get('/open', async ({ user, issuer }) => ({ user: user?.username, issuer }))
  app.get('/me', { config: { authenticated: true } }, async ({ user, issuer }) => ({ user: user?.username, issuer }))
  app.get('/acme', { config: { issuer: 'acme' } }, async ({ issuer }) => ({ issuer }))
  return app
}
