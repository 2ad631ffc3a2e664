import { randomBytes } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import type { ServerResponse } from 'node:http'
import type { TestRealm } from '../../lib/testing/index.js'
import type { Kind } from './kind.js'

/** Milliseconds after a trouble in which its traces may show: a breaker's trial comes within a second, a deadline within two. */
const AFTERMATH = 3500

/** An issuer that gets into trouble, and the requests that are sent meanwhile. */
export interface Issuer {
  kinds: Kind[]
  trouble: () => boolean
  /** One trouble after the other, until the time is up. */
  chaos: (until: number) => Promise<void>
  /** From now on it never answers. */
  hang: () => void
}

/** A trouble of the issuer: its name, how it starts, and how the APIs notice it. */
export interface Trouble {
  name: string
  start: () => unknown
  /** Are tokens refused with 503, do calls of introspection wait, or does nobody notice anything? */
  effect: 'refusals' | 'waiting' | 'none'
}

/** The troubles of a test realm: it rotates, hangs, is down, answers 500 or garbage, and resets connections. `realm.up()` ends each of them. */
export function troublesOf (realm: TestRealm): Trouble[] {
  const garbage = (_request: unknown, response: ServerResponse): void => { response.end('<html>nothing of the kind</html>') }
  const reset = (request: { socket: { destroy: () => void } }): void => { request.socket.destroy() }
  const both = (handler: (request: never, response: never, body: string) => void): void => {
    realm.respond('certs', handler as never)
    realm.respond('introspect', handler as never)
  }
  return [
    { name: 'rotates its keys', effect: 'none', start: () => realm.rotateKeys() },
    { name: 'hangs', effect: 'waiting', start: () => realm.hang() },
    { name: 'is down', effect: 'refusals', start: () => realm.down() },
    { name: 'answers 500', effect: 'refusals', start: () => realm.error(500) },
    { name: 'resets connections', effect: 'refusals', start: () => both(reset as never) },
    { name: 'answers garbage', effect: 'refusals', start: () => both(garbage as never) },
    { name: 'rotates its keys while it is down', effect: 'refusals', start: async () => { await realm.down(); realm.rotateKeys() } }
  ]
}

/** A test realm that gets into one trouble after the other. */
export async function testRealmIssuer (realm: TestRealm): Promise<Issuer> {
  let troubled = false
  let calmSince = 0
  const troubles = troublesOf(realm)
  return {
    kinds: kindsOf(realm),
    trouble: () => troubled || Date.now() - calmSince < AFTERMATH,
    hang: () => realm.hang(),
    async chaos (until) {
      for (let round = 0; Date.now() < until; round++) {
        const { name, start } = troubles[round % troubles.length]!
        console.log(`${new Date().toISOString().slice(11, 19)} the issuer ${name}`)
        troubled = true
        await start()
        await wait(3000)
        await realm.up()
        troubled = false
        calmSince = Date.now()
        await wait(AFTERMATH + 3000)
      }
    }
  }
}

/** Tokens with a new key id each, which looks like those of the realm, so that all of them wait for a refresh. Nobody checks their signature. */
function strangers (realm: TestRealm): () => string {
  const [, payload, signature] = realm.token().split('.')
  return () => {
    const header = JSON.stringify({ alg: 'RS256', typ: 'JWT', kid: randomBytes(32).toString('base64url') })
    return `Bearer ${Buffer.from(header).toString('base64url')}.${payload}.${signature}`
  }
}

/** The kinds of requests. Their tokens are signed anew every second at most, because signing would be the load itself. */
export function kindsOf (realm: TestRealm): Kind[] {
  const fresh = (make: () => string) => {
    let [token, until] = ['', 0]
    return () => {
      if (Date.now() >= until) [token, until] = [make(), Date.now() + 1000]
      return `Bearer ${token}`
    }
  }
  const kind = (name: string, expected: number, make: () => string, needsKeycloak = true, path = '/profile'): Kind =>
    ({ name, path, expected, needsKeycloak, authorization: fresh(make) })
  return [
    kind('with the permission', 200, () => realm.token({ roles: ['read-profile'] })),
    kind('without it', 403, () => realm.token({ username: 'bob' })),
    kind('expired', 401, () => realm.token({ expired: true })),
    kind('forged', 401, () => realm.token({ forged: true, roles: ['read-profile'] })),
    { name: 'of an unknown key', path: '/profile', expected: 401, needsKeycloak: true, waits: true, authorization: strangers(realm) },
    kind('garbage', 401, () => 'x.y.z', false),
    { name: 'nobody', path: '/profile', expected: 401, needsKeycloak: false, authorization: () => undefined },
    { name: 'nobody, where that will do', path: '/open', expected: 200, needsKeycloak: false, authorization: () => undefined }
  ]
}
