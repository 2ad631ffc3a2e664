import { type AddressInfo, connect, type Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { TestRealm, TokenSpec } from '../../lib/testing/index.js'
import type { RevocationFollower } from '../../types/revocation.js'

/** The options of an API that Keycloak tells of logouts. */
export const LOGOUT = {
  backchannelLogout: { path: '/backchannel-logout', clients: ['web'] },
  adminUrl: { path: '/keycloak' }
}

export interface Answer {
  status: number
  body: { error?: string, error_description?: string } | null
  headers: Record<string, unknown>
}

/** POST a body as Keycloak would. */
export async function post (app: FastifyInstance, url: string, contentType: string, payload: string): Promise<Answer> {
  const { statusCode, body, headers } = await app.inject({ method: 'POST', url, headers: { 'content-type': contentType }, payload })
  return { status: statusCode, body: body === '' ? null : JSON.parse(body), headers }
}

/** A back-channel logout with this token. */
export async function backchannel (app: FastifyInstance, token: string): Promise<Answer> {
  return post(app, '/backchannel-logout', 'application/x-www-form-urlencoded', new URLSearchParams({ logout_token: token }).toString())
}

/** The back-channel logout of alice's session, or of what `spec` says; for `sub` alone: `{ claims: { sid: undefined } }`. */
export async function logOut (app: FastifyInstance, realm: TestRealm, spec: TokenSpec = {}): Promise<Answer> {
  return backchannel(app, realm.token({ kind: 'logout', ...spec }))
}

/** A push of the admin console, as Keycloak 26.7 makes it. */
export async function push (app: FastifyInstance, token: string, route: 'k_push_not_before' | 'k_logout'): Promise<Answer> {
  return post(app, `/keycloak/${route}`, 'text/plain; charset=ISO-8859-1', token)
}

/** A connection that has sent the head of a back-channel logout, and the beginning of its body of 1000 bytes. */
export async function beginLogout (app: FastifyInstance): Promise<Socket> {
  await app.listen({ port: 0, host: '127.0.0.1' })
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  const type = 'application/x-www-form-urlencoded'
  socket.write(`POST /backchannel-logout HTTP/1.1\r\nhost: x\r\ncontent-type: ${type}\r\ncontent-length: 1000\r\n\r\nlogout_token=`)
  return socket
}

/** The payload of a push. */
export function action (name: 'PUSH_NOT_BEFORE' | 'LOGOUT', more: Record<string, unknown> = {}): Record<string, unknown> {
  const id = `${Math.random()}-${Date.now()}`
  return { id, expiration: now() + 30, resource: 'api', action: name, notBefore: now(), ...more }
}

/** The beginning of a second: what is counted in whole ones has nearly all of it left. */
export async function nextSecond (): Promise<void> {
  await new Promise((resolve) => { setTimeout(resolve, 1000 - Date.now() % 1000 + 10) })
}

/** Seconds since 1970. */
export function now (): number {
  return Math.floor(Date.now() / 1000)
}

/** A store of revocations that tells of nothing by itself. */
export function silentStore () {
  let follower!: RevocationFollower
  const store = {
    follow (each: RevocationFollower) {
      follower = each
      follower.upToDate()
    },
    publish: async () => {},
    close: () => {}
  }
  return { store, get follower () { return follower } }
}
