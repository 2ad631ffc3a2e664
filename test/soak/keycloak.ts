import { setTimeout as wait } from 'node:timers/promises'
import type { KeycloakOptions } from '../../index.js'
import { install, KeycloakServer, url } from '../../scripts/keycloak-server.mjs'
import type { Issuer } from './issuer.js'
import type { Kind } from './kind.js'

const ISSUER = `${url}/realms/dev`

/** How long after Keycloak is ready its absence may still show. */
const AFTERMATH = 4000

/** Tokens live for 60 seconds: they are asked for anew well before. */
const RENEW = 20_000

/** A real Keycloak, fresh from the realm file: killed under load, and started again with the same data. */
export async function keycloakIssuer (): Promise<{ options: KeycloakOptions, issuer: Issuer, end: () => Promise<void> }> {
  const server = new KeycloakServer()
  await install()
  await server.start({ fresh: true })
  let troubled = false
  let calmSince = 0
  const tokens = { alice: await login('alice'), bob: await login('bob') }
  const expired = tokens.alice
  const renewal = setInterval(async () => {
    if (troubled) return
    try {
      Object.assign(tokens, { alice: await login('alice'), bob: await login('bob') })
    } catch {
      // It has just been killed: the tokens at hand are good for another while.
    }
  }, RENEW)
  console.log('A token is left to expire first.')
  await wait(61_000)
  const issuer: Issuer = {
    kinds: kindsOf(tokens, expired),
    trouble: () => troubled || Date.now() - calmSince < AFTERMATH,
    hang: () => {},
    async chaos (until) {
      do {
        await wait(8000)
        Object.assign(tokens, { alice: await login('alice'), bob: await login('bob') })
        // What Keycloak has not written yet, a kill undoes: sessions of a moment ago would be over when it is back.
        troubled = true
        await wait(2000)
        console.log(`${new Date().toISOString().slice(11, 19)} Keycloak is killed`)
        await server.kill()
        await wait(3000)
        await server.start()
        Object.assign(tokens, { alice: await login('alice'), bob: await login('bob') })
        console.log(`${new Date().toISOString().slice(11, 19)} Keycloak is back`)
        troubled = false
        calmSince = Date.now()
        await wait(AFTERMATH + 10_000)
      } while (Date.now() < until)
    }
  }
  const options = { issuer: ISSUER, clientId: 'api', clientSecret: 'api-secret', audience: 'api' }
  return { options, issuer, end: async () => { clearInterval(renewal); await server.stop() } }
}

function kindsOf (tokens: { alice: string, bob: string }, expired: string): Kind[] {
  const kind = (name: string, expected: number, token: () => string | undefined, needsKeycloak = true): Kind => ({
    name, path: '/profile', expected, needsKeycloak, authorization: () => token() && `Bearer ${token()}`
  })
  return [
    kind('with the permission', 200, () => tokens.alice),
    kind('without it', 403, () => tokens.bob),
    kind('expired', 401, () => expired),
    kind('forged', 401, () => `${tokens.alice.slice(0, -40)}${'A'.repeat(40)}`),
    kind('garbage', 401, () => 'x.y.z', false),
    kind('nobody', 401, () => undefined, false)
  ]
}

/** A machine under load may answer late: three tries. */
async function login (username: string, tries = 3): Promise<string> {
  try {
    return await loginOnce(username)
  } catch (error) {
    if (tries === 1) throw error
    return login(username, tries - 1)
  }
}

async function loginOnce (username: string): Promise<string> {
  const response = await fetch(`${ISSUER}/protocol/openid-connect/token`, {
    method: 'POST',
    signal: AbortSignal.timeout(20_000),
    body: new URLSearchParams({ grant_type: 'password', client_id: 'cli', username, password: `${username}-pw`, scope: 'openid' })
  })
  const { access_token: token } = await response.json() as { access_token?: string }
  if (token === undefined) throw new Error(`Keycloak gave no token, but answered ${response.status}`)
  return token
}
