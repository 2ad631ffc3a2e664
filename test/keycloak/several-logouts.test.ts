// Logouts and not-before dates of three realms, as Keycloak tells them to one API.
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { ask, call, get, nextSecond, refused } from './helpers.js'
import { endpointsOf } from './setup.js'
import { apiOfThree, NAMES, realms, statuses, tokens, type Name } from './three-realms.js'

/** An API that Keycloak calls: by the back-channel logout of each realm's client `cli`, and by the admin URL of its `api`. */
async function called (t: Test): Promise<FastifyInstance & { url: string }> {
  const app = await apiOfThree(t, { backchannelLogout: { path: '/backchannel-logout', clients: ['cli'] }, adminUrl: { path: '/keycloak' } })
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  for (const name of NAMES) {
    await change(name, 'cli', { attributes: { 'backchannel.logout.url': `${url}/backchannel-logout`, 'backchannel.logout.session.required': 'true' } })
    await change(name, 'api', { adminUrl: `${url}/keycloak/${name}` })
    t.teardown(() => realms[name].admin('PUT', '', { notBefore: 0 }))
  }
  return Object.assign(app, { url: `http://127.0.0.1:${(app.server.address() as AddressInfo).port}` })
}

async function change (name: Name, client: string, changes: { attributes?: object, adminUrl?: string }): Promise<void> {
  const { admin } = realms[name]
  const [found] = await admin('GET', `/clients?clientId=${client}`)
  await admin('PUT', `/clients/${found.id}`, { ...found, ...changes, attributes: { ...found.attributes, ...changes.attributes } })
}

t.test('a logout in one realm ends nothing in another', async (t) => {
  const app = await called(t)
  const of = await tokens()
  t.strictSame(await statuses(app, of), { acme: 200, globex: 200, initech: 200 })
  const form = { grant_type: 'password', client_id: 'cli', username: 'alice', password: 'alice-pw', scope: 'openid' }
  const { access_token: accessToken, refresh_token: refreshToken } = await ask('token', form, {}, endpointsOf(realms.acme.realm))
  t.equal((await get(app, '/me', accessToken)).statusCode, 200)
  await call(`${endpointsOf(realms.acme.realm)}/logout`, { method: 'POST', body: new URLSearchParams({ client_id: 'cli', refresh_token: refreshToken }) })
  refused(t, await get(app, '/me', accessToken), 'token_not_valid')
  t.strictSame(await statuses(app, of), { acme: 200, globex: 200, initech: 200 }, 'other sessions go on')

  const [{ id }] = await realms.acme.admin('GET', '/users?username=alice&exact=true')
  await realms.acme.admin('POST', `/users/${id}/logout`)
  t.strictSame(await statuses(app, of), { acme: 401, globex: 200, initech: 200 })
})

t.test('each realm pushes to an admin URL of its own', async (t) => {
  const app = await called(t)
  const of = await tokens()
  await nextSecond()
  const { admin } = realms.globex
  t.same((await admin('POST', '/logout-all')).successRequests, [`${app.url}/keycloak/globex`])
  t.strictSame(await statuses(app, of), { acme: 200, globex: 401, initech: 200 })

  await realms.initech.admin('PUT', '', { notBefore: Math.floor(Date.now() / 1000) })
  t.same((await realms.initech.admin('POST', '/push-revocation')).successRequests, [`${app.url}/keycloak/initech`])
  t.strictSame(await statuses(app, of), { acme: 200, globex: 401, initech: 401 })
  await nextSecond()
  await realms.globex.admin('PUT', '', { notBefore: 0 })
  t.strictSame(await statuses(app, await tokens()), { acme: 200, globex: 200, initech: 200 })
})
