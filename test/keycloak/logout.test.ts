// Logouts and not-before, as Keycloak tells them: an API on a socket that Keycloak calls.
import type { FastifyInstance } from 'fastify'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import type { KeycloakOptions } from '../../types/options.js'
import {
  api, ask, browserLogin, call, decode, endSession, get, introspecting, login, logout, logoutAll, nextSecond, options, protocol,
  pushRevocation, refused, setAdminUrl, setClientAttributes, setNotBefore, type Tokens, type User
} from './helpers.js'
import { does } from './versions.js'

const REVOCATION = {
  backchannelLogout: { path: '/backchannel-logout', clients: ['web', 'light'] },
  adminUrl: { path: '/keycloak' }
}

/** An API that Keycloak calls, for the clients `web` and `light` and by the admin URL of `api`. */
async function called (t: Test, settings: KeycloakOptions = options): Promise<FastifyInstance & { url: string }> {
  const app = await api(t, { ...settings, ...REVOCATION })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
  const tell = async (backchannel: string, admin: string): Promise<void> => {
    for (const client of ['web', 'light']) {
      await setClientAttributes(client, { 'backchannel.logout.url': backchannel, 'backchannel.logout.session.required': 'true' })
    }
    await setAdminUrl('api', admin)
  }
  await tell(`${url}/backchannel-logout`, `${url}/keycloak`)
  t.teardown(async () => {
    await tell('', '')
    await setNotBefore(0)
  })
  return Object.assign(app, { url })
}

/** The logout that an application does for its user (OpenID Connect RP-Initiated Logout, by refresh token). */
async function signOut (client: string, { refresh_token: token }: Tokens): Promise<void> {
  const answer = await call(`${protocol}/logout`, { method: 'POST', body: new URLSearchParams({ client_id: client, refresh_token: token }) })
  if (answer.status !== 204) throw new Error(`Keycloak did not log out, but answered ${answer.status} ${await answer.text()}.`)
}

async function good (t: Test, app: FastifyInstance, ...tokens: Tokens[]): Promise<void> {
  for (const { access_token: token } of tokens) t.equal((await get(app, '/me', token)).statusCode, 200)
}

async function bad (t: Test, app: FastifyInstance, ...tokens: Tokens[]): Promise<void> {
  for (const { access_token: token } of tokens) refused(t, await get(app, '/me', token), 'token_not_valid')
}

async function browsers (user: User): Promise<[Tokens, Tokens]> {
  return [await browserLogin(user), await browserLogin(user)]
}

t.test('who signs out in one browser stays signed in in another', async (t) => {
  const app = await called(t)
  const [one, other] = await browsers('alice')
  await good(t, app, one, other)
  await signOut('web', one)
  await bad(t, app, one)
  await good(t, app, other, await browserLogin('alice'))
})

t.test('an administrator ends one session, or all of a user\'s', async (t) => {
  const app = await called(t)
  const [one, other] = await browsers('alice')
  const bob = await browserLogin('bob')
  await good(t, app, one, other, bob)
  await endSession(String(decode(one.access_token).claims.sid))
  await bad(t, app, one)
  await good(t, app, other)
  await logout('alice')
  // Before, the call is about one of the user's sessions, whichever that is.
  await bad(t, app, ...does('callsForEachSession') ? [one, other] : [one])
  await good(t, app, bob)
})

t.test('a logout counts though the API\'s clock is behind Keycloak\'s, or ahead of it', async (t) => {
  const app = await called(t)
  const { now } = Date
  for (const skew of [-0.5, -1.5, -5, -100, 5, 100]) {
    const tokens = await browserLogin('alice')
    await good(t, app, tokens)
    const { restore } = t.intercept(Date, 'now', { value: () => now() + skew * 1000 })
    await signOut('web', tokens)
    restore()
    await bad(t, app, tokens)
  }
})

t.test('a lightweight token falls with its session', async (t) => {
  const app = await called(t, { ...options, audience: null, userIdClaim: 'sid' })
  const light = await login('light', 'alice')
  await good(t, app, light)
  await signOut('light', light)
  await bad(t, app, light)
})

t.test('a client whose logout tokens have no session logs its user out everywhere', async (t) => {
  const app = await called(t, introspecting)
  await setClientAttributes('web', { 'backchannel.logout.session.required': 'false' })
  const [one, other] = await browsers('alice')
  const light = await login('light', 'alice')
  const bob = await browserLogin('bob')
  await good(t, app, one, other, light, bob)
  await signOut('web', one)
  await bad(t, app, one, other, light)
  await good(t, app, bob)
  await nextSecond()
  await good(t, app, await browserLogin('alice'))
})

t.test('with introspection on the answer is the same, and Keycloak is not asked', async (t) => {
  const app = await called(t, introspecting)
  const tokens = [await browserLogin('alice'), await login('light', 'alice')]
  await good(t, app, ...tokens)
  await logout('alice')
  await bad(t, app, ...tokens)
})

t.test('offline access has the session\'s id, and survives its logout', async (t) => {
  const app = await called(t)
  const cookies = new Map<string, string>()
  const online = await browserLogin('carol', 'openid', cookies)
  const offline = await browserLogin('carol', 'openid offline_access', cookies)
  t.equal(decode(offline.access_token).claims.sid, decode(online.access_token).claims.sid)
  await good(t, app, online, offline)
  await signOut('web', online)
  await bad(t, app, online, offline)
  await nextSecond()
  const refresh = { grant_type: 'refresh_token', client_id: 'web', refresh_token: offline.refresh_token }
  for (const more of [{}, { scope: 'openid' }] as Array<Record<string, string>>) {
    const renewed: Tokens = await ask('token', { ...refresh, ...more })
    t.equal(decode(renewed.access_token).claims.sid, decode(online.access_token).claims.sid)
    if (more.scope === undefined || does('keepsOfflineKind')) await good(t, app, renewed)
    else await bad(t, app, renewed)
  }
})

t.test('a not-before that is pushed refuses all tokens of before, until it is cleared', async (t) => {
  const app = await called(t)
  const before = await browserLogin('alice')
  await good(t, app, before)
  await nextSecond()
  await setNotBefore(Math.floor(Date.now() / 1000))
  t.same(await pushRevocation(), [`${app.url}/keycloak`])
  await bad(t, app, before)
  await good(t, app, await browserLogin('alice'))
  await nextSecond()
  await setNotBefore(0)
  t.same(await pushRevocation(), [`${app.url}/keycloak`])
  await good(t, app, before)
})

t.test('the logout of all reaches the API by its admin URL', async (t) => {
  const app = await called(t)
  const tokens = [await browserLogin('alice'), await login('cli', 'bob')]
  await good(t, app, ...tokens)
  await nextSecond()
  t.same(await logoutAll(), [`${app.url}/keycloak`])
  await bad(t, app, ...tokens)
  await setNotBefore(0)
  await good(t, app, await browserLogin('alice'))
})
