import { randomBytes } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import type { ServerResponse } from 'node:http'
import type { TestRealm } from '../../lib/testing/index.js'
import type { Kind } from './kind.js'

/** How long after a trouble its traces may show: a breaker's trial comes within a second, a deadline within two. */
const AFTERMATH = 3500

/** An issuer that gets into trouble, and what is sent meanwhile. */
export interface Issuer {
  kinds: Kind[]
  trouble: () => boolean
  /** One trouble after the other, until the time is up. */
  chaos: (until: number) => Promise<void>
  /** From now on it never answers. */
  hang: () => void
}

/** The testing realm, which rotates, hangs, resets, answers garbage and comes back. */
export async function testRealmIssuer (realm: TestRealm): Promise<Issuer> {
  let troubled = false
  let calmSince = 0
  const garbage = (_request: unknown, response: ServerResponse): void => { response.end('<html>nothing of the kind</html>') }
  const reset = (request: { socket: { destroy: () => void } }): void => { request.socket.destroy() }
  const both = (handler: (request: never, response: never, body: string) => void): void => {
    realm.respond('certs', handler as never)
    realm.respond('introspect', handler as never)
  }
  const troubles: Array<[string, () => unknown]> = [
    ['rotates its keys', () => realm.rotateKeys()],
    ['hangs', () => realm.hang()],
    ['is down', () => realm.down()],
    ['answers 500', () => realm.error(500)],
    ['resets connections', () => both(reset as never)],
    ['answers garbage', () => both(garbage as never)],
    ['rotates its keys while it is down', async () => { await realm.down(); realm.rotateKeys() }]
  ]
  return {
    kinds: kindsOf(realm),
    trouble: () => troubled || Date.now() - calmSince < AFTERMATH,
    hang: () => realm.hang(),
    async chaos (until) {
      for (let round = 0; Date.now() < until; round++) {
        const [name, start] = troubles[round % troubles.length]!
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

/** A key id for each that looks like the realm's, so that all of them wait for a refresh; what is not looked at need not be signed. */
function strangers (realm: TestRealm): () => string {
  const [, payload, signature] = realm.token().split('.')
  return () => {
    const header = JSON.stringify({ alg: 'RS256', typ: 'JWT', kid: randomBytes(32).toString('base64url') })
    return `Bearer ${Buffer.from(header).toString('base64url')}.${payload}.${signature}`
  }
}

/** Signed anew every second at most, since signing would be the load itself. */
function kindsOf (realm: TestRealm): Kind[] {
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
