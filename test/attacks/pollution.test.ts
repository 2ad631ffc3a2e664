// What somebody hung on Object.prototype ("prototype pollution", most often by a fault in another package) is no claim, no
// header, no user's member and no revocation: each request is answered as without it.
import Fastify from 'fastify'
import t from 'tap'
import keycloak, { KeycloakError } from '../../index.js'
import type { Revocation, RevocationFollower } from '../../types/revocation.js'
import { realmFor } from '../support/app.js'
import { LOGOUT } from '../support/logout.js'
import { addRoutes, answers, CLAIMS, differences, FAR, type Names, pipelined, tokensOf } from '../support/pollution.js'

const HEADERS: Names = {
  ...{ origin: ['https://app.example'], 'access-control-request-method': ['GET'], 'access-control-request-headers': ['authorization'] }
}

t.test('claims: a token has what its issuer wrote into it', async (t) => {
  const realm = await realmFor(t)
  const tokens = tokensOf(realm)
  for (const cache of [false, undefined] as const) {
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(keycloak, { ...realm.options, cache })
    addRoutes(app)
    t.same(await differences(CLAIMS, () => answers(app, tokens, '', ['/open', '/admin', '/write', '/may'])), [])
  }
})

t.test('headers: a request has those that were sent', async (t) => {
  const realm = await realmFor(t)
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(keycloak, { ...realm.options, requireAuthentication: true })
  app.all('/', async () => 'ok')
  const ask = async (method: string, ...headers: string[]) => (await pipelined(app, [`${method} / HTTP/1.1\r\nHost: x\r\n${headers.map((header) => `${header}\r\n`).join('')}`]))[0]!.slice(0, 3)
  const token = realm.token()
  const run = async () => ({
    none: await ask('GET'),
    token: await ask('GET', `Authorization: Bearer ${token}`),
    options: await ask('OPTIONS'),
    origin: await ask('OPTIONS', 'Origin: https://app.example'),
    method: await ask('OPTIONS', 'Access-Control-Request-Method: GET'),
    preflight: await ask('OPTIONS', 'Origin: https://app.example', 'Access-Control-Request-Method: GET')
  })
  t.same(await run(), { none: '401', token: '200', options: '401', origin: '401', method: '401', preflight: '200' })
  t.same(await differences(HEADERS, run), [])
  t.same(await differences({ authorization: [`Bearer ${token}`, 'Bearer', ['Bearer x']] }, async () => ({ none: (await run()).none })), [])
})

t.test('users: isActive is a member of the user, or of its class', async (t) => {
  const realm = await realmFor(t)
  const app = Fastify()
  t.teardown(() => app.close())
  let user: object = {}
  await app.register(keycloak, { ...realm.options, syncUser: () => user })
  addRoutes(app)
  class Active { get isActive (): boolean { return true } }
  class Inactive { get isActive (): boolean { return false } }
  let users = { plain: {}, active: { isActive: true }, inactive: { isActive: false }, ofClass: new Active(), inactiveOfClass: new Inactive(), proxy: new Proxy({}, { get: (_target, key) => key === 'isActive' ? false : undefined }) }
  const token = realm.token()
  const run = async () => {
    const said: Record<string, string> = {}
    for (const [name, each] of Object.entries(users)) {
      user = each
      said[name] = (await answers(app, { token }))['/any with token']!.slice(0, 3)
    }
    return said
  }
  t.same(await run(), { plain: '200', active: '200', inactive: '401', ofClass: '200', inactiveOfClass: '401', proxy: '401' })
  const { proxy, ...others } = users
  users = others as typeof users
  t.same(await differences({ isActive: [true, false, 0] }, run), [])
})

t.test('revocations: a store says what it sent, and a logged-out session has no offline access by inheritance', async (t) => {
  const realm = await realmFor(t)
  const now = Math.floor(Date.now() / 1000)
  const events: unknown[] = [{}, { kind: 'session' }, { kind: 'user', at: now }, { kind: 'realm', at: now }, { id: 'x', at: now }, { kind: 'session', id: 'gone', at: now - 60 }]
  const tokens = {
    alice: realm.token(),
    gone: realm.token({ claims: { sid: 'gone', scope: undefined } }),
    'no session': realm.token({ claims: { sid: undefined, sub: undefined } })
  }
  const names: Names = {
    ...{ kind: ['everybody', 'realm'], at: [FAR], id: ['x'], call: [{ id: 'x', until: FAR }], until: [FAR], scope: ['offline_access'], sid: ['gone'], sub: ['x'] }
  }
  t.same(await differences(names, async () => {
    let follower!: RevocationFollower
    const store = { follow: (each: RevocationFollower) => { follower = each; each.upToDate() }, publish: async () => {}, close: () => {} }
    const app = Fastify()
    await app.register(keycloak, { ...realm.options, revocation: { store } })
    addRoutes(app)
    for (const event of events) follower.receive(event as Revocation)
    const said = await answers(app, tokens)
    await app.close()
    return said
  }), [])
})

t.test('logouts: a push is one by what Keycloak wrote, and is refused in the same words', async (t) => {
  const realm = await realmFor(t)
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(keycloak, { ...realm.options, ...LOGOUT })
  const pushes = {
    'no aud': { claims: { aud: undefined } },
    'another aud': { claims: { aud: 'other' } },
    'no iss': { claims: { iss: undefined } },
    'no jti': { claims: { jti: undefined } },
    'no alg': { header: { alg: undefined as never } },
    'another typ': { header: { typ: 'id+jwt' } }
  }
  const names: Names = { audienceOptional: [true], explain: ['x', () => ({})], onOtherAlgorithm: ['x'], aud: ['web'], jti: ['x'], wanted: ['x'], kind: ['x'] }
  const run = async () => {
    const said: Record<string, string> = {}
    for (const [name, spec] of Object.entries(pushes)) {
      const body = `logout_token=${realm.token({ kind: 'logout', ...spec })}`
      said[name] = (await pipelined(app, [`POST /backchannel-logout HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n`], body))[0]!
    }
    return said
  }
  t.match(await run(), { 'no aud': /^400 .*aud is missing/, 'another typ': /^400 .*header \\"typ\\" is not allowed/ })
  t.same(await differences(names, run), [])
})

t.test('reasons: a sentence has the values that were found, and says nothing where there is none', async (t) => {
  const realm = await realmFor(t)
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(keycloak, { ...realm.options, verifySignature: false })
  const strange = realm.token({ claims: { iss: 'x' } })
  const run = async () => ({ iss: await app.keycloak.verify(strange).then(() => '', ({ reason }) => reason), own: new KeycloakError('keycloak_unavailable', 'no_answer').reason })
  t.match(await run(), { iss: /^iss is not the issuer: [^"]+$/, own: 'no answer within … ms' })
  t.same(await differences({ iss: ['"forged\nline"'], issuer: ['x'], milliseconds: ['forged'] }, run), [])
})
