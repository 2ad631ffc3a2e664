// One route takes the logouts of all issuers, and the admin URL of each issuer has its name.
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import t, { type Test } from 'tap'
import keycloak from '../../index.js'
import type { TestRealm } from '../../lib/testing/index.js'
import { ask, logging, realmFor, WARN } from '../support/app.js'
import { action, backchannel, logOut, now, post } from '../support/logout.js'

const NOT_VALID = '401 token_not_valid'
const LOGOUT = { backchannelLogout: { path: '/backchannel-logout', clients: ['web'] }, adminUrl: { path: '/keycloak/' } }

/** An API of several realms. */
async function apiOf (t: Test, realms: readonly TestRealm[], options: object = {}, server: FastifyServerOptions = {}): Promise<FastifyInstance> {
  const app = Fastify(server)
  t.teardown(() => app.close())
  const issuers = realms.map(({ issuer }) => ({ issuer, clientId: 'api', audience: 'api' }))
  await app.register(keycloak, { issuers, startCheck: false, ...LOGOUT, ...options })
  app.get('/me', { config: { authenticated: true } }, async () => ({}))
  return app
}

/** Two realms with keys of their own: test realms begin with the same ones. */
async function twoRealms (t: Test): Promise<[acme: TestRealm, globex: TestRealm]> {
  const realms: [TestRealm, TestRealm] = [await realmFor(t, { name: 'acme' }), await realmFor(t, { name: 'globex' })]
  realms[1].rotateKeys({ removeOld: true })
  return realms
}

/** A push of the console to the admin URL of a realm, whose name is as it stands in the URL. */
function pushTo (app: FastifyInstance, name: string, token: string, kind = 'k_logout') {
  return post(app, `/keycloak/${name}/${kind}`, 'text/plain', token)
}

t.test('a logout ends the session at its own issuer alone, though another has one of the same id', async (t) => {
  const [acme, globex] = await twoRealms(t)
  const log = logging()
  const app = await apiOf(t, [acme, globex], {}, log)
  const spec = { sub: 'same', claims: { sid: 'same', jti: 'same' } }
  for (const realm of [acme, globex]) t.equal(await ask(app, '/me', realm.token(spec)), '200')
  t.equal((await logOut(app, acme, spec)).status, 200)
  t.equal(await ask(app, '/me', acme.token(spec)), NOT_VALID)
  t.equal(await ask(app, '/me', globex.token(spec)), '200')
  t.equal((await logOut(app, globex, spec)).status, 200, 'an id of a call is no replay at another issuer')
  t.equal((await logOut(app, globex, spec)).status, 400, 'but at its own')
  t.equal(await ask(app, '/me', globex.token(spec)), NOT_VALID)
  t.match(log.lines.find(({ msg }) => msg.includes('carried out')), { issuer: 'acme', ended: { kind: 'session', count: 1 } })
})

t.test('each issuer has clients of its own', async (t) => {
  const [acme, globex] = await twoRealms(t)
  const app = await apiOf(t, [acme, globex], {
    issuers: [{ ...acme.options, startCheck: undefined, backchannelLogout: { clients: 'shop' } }, { ...globex.options, startCheck: undefined }]
  })
  t.match(await logOut(app, acme), { status: 400, body: { error_description: 'aud names none of the audience' } })
  t.equal((await logOut(app, acme, { claims: { aud: 'shop' } })).status, 200)
  t.equal((await logOut(app, globex)).status, 200)
})

t.test('a logout token that names another issuer than the one that signed it changes nothing', async (t) => {
  const [acme, globex] = await twoRealms(t)
  const app = await apiOf(t, [acme, globex])
  const stolen = (realm: TestRealm, iss: string) => backchannel(app, realm.token({ kind: 'logout', claims: { iss } }))
  for (const kid of [undefined, null]) {
    const token = acme.token({ kind: 'logout', ...(kid === null && { kid }), claims: { iss: globex.issuer, sid: 'x' } })
    t.equal((await backchannel(app, token)).status, 400)
  }
  t.match(await stolen(acme, 'https://sso.example.com/realms/other'), { status: 400, body: { error_description: 'iss is none of the issuers' } })
  t.equal(await ask(app, '/me', acme.token({ claims: { sid: 'x' } })), '200')
  t.equal(await ask(app, '/me', globex.token({ claims: { sid: 'x' } })), '200')
  t.same(app.keycloak.health().revocation!.entries, 0)
})

t.test('an issuer that nobody knows is refused with one kind of warning, and nobody is asked', async (t) => {
  const [acme, other] = [await realmFor(t, { name: 'acme' }), await realmFor(t, { name: 'other' })]
  const log = logging()
  const app = await apiOf(t, [acme], {}, log)
  const calls = Array.from({ length: 30 }, () => logOut(app, other))
  for (const { status } of await Promise.all(calls)) t.equal(status, 400)
  const warned = log.lines.filter(({ level }) => level === WARN)
  t.equal(warned.length, 10)
  t.match(warned[0], { reasonCode: 'issuer_unknown', msg: 'a back-channel logout was refused: iss is none of the issuers' })
  t.notMatch(log.text, other.issuer)
  t.same([acme.requests.certs, other.requests.certs], [0, 0])
  t.equal((await logOut(app, acme)).status, 200)
})

t.test('of a logout token that nobody has verified little is read', async (t) => {
  const [acme, globex] = await twoRealms(t)
  const log = logging()
  const app = await apiOf(t, [acme, globex], {}, log)
  const [header, , signature] = acme.token({ kind: 'logout' }).split('.')
  const payload = (value: unknown) => `${header}.${Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')}.${signature}`
  const bad: Array<[string, string]> = [
    [payload({ iss: acme.issuer, more: 'x'.repeat(8000) }), 'the payload is too long'],
    ['x', 'the token does not have three parts'],
    [payload('[]'), 'the payload is not a JSON object'],
    [payload(`{"a":${'['.repeat(40)}${']'.repeat(40)}}`), 'the payload is not a JSON object'],
    [payload(`{"iss":"${acme.issuer}","iss":"${globex.issuer}"}`), 'the payload is not a JSON object'],
    [`${header}.!.${signature}`, 'the payload is not canonical base64url'],
    [payload({}), 'iss is missing'],
    [payload('{"__proto__":{"iss":"x"}}'), 'iss is missing'],
    [payload({ iss: 5 }), 'iss is not a string'],
    [payload({ iss: [acme.issuer] }), 'iss is not a string'],
    [payload({ iss: 'x'.repeat(2000) }), 'iss is none of the issuers'],
    [payload({ iss: '__proto__' }), 'iss is none of the issuers'],
    [payload({ iss: `${acme.issuer}/` }), 'iss is none of the issuers'],
    [acme.token({ kind: 'logout', header: { typ: 'at+jwt' } }), 'header "typ" is not allowed'],
    [acme.token({ kind: 'logout', header: { crit: ['exp'] } }), 'header "crit" is not allowed, because no extension is supported'],
    [acme.token({ kind: 'logout', header: { more: 'x'.repeat(1000) } as never }), 'the header is too long'],
    [acme.token({ kind: 'logout', header: { alg: 'none' } }), 'the algorithm is not allowed']
  ]
  for (const [token, reason] of bad) t.match(await backchannel(app, token), { status: 400, body: { error_description: reason } })
  t.ok(log.lines.some(({ reasonCode }) => reasonCode === 'push_payload_too_long'))
  t.same([acme.requests.certs, globex.requests.certs], [0, 0], 'no key was needed to refuse them')
})

t.test('the admin URL of an issuer is the path, a slash and its name, however the operator encodes it', async (t) => {
  const log = logging()
  const names = { blank: 'my realm', umlaut: 'Zürich', dots: 'a.b..c', upper: 'ACME', reserved: 'a&b=c+d:e@f;g,$', percent: '50%25', lower: 'acme' }
  const realms = new Map<string, TestRealm>()
  for (const name of Object.values(names)) realms.set(name, await realmFor(t, { name: 'test' }))
  const issuers = Array.from(realms, ([name, { issuer }]) => ({ name, issuer, clientId: 'api', audience: 'api' }))
  const app = await apiOf(t, [], { issuers }, log)
  const at = now()
  for (const [name, realm] of realms) {
    for (const written of new Set([encodeURIComponent(name), encodeURI(name), name === '50%25' ? '50%2525' : encodeURI(name)])) {
      t.equal((await pushTo(app, written, realm.sign(action('LOGOUT', { keycloakSessionIds: [written] })))).status, 200, written)
      t.equal(await ask(app, '/me', realm.token({ claims: { sid: written } })), NOT_VALID)
    }
    t.equal((await pushTo(app, encodeURIComponent(name), realm.sign(action('PUSH_NOT_BEFORE', { notBefore: at - 10 })), 'k_push_not_before')).status, 200)
    t.equal(await ask(app, '/me', realm.token({ claims: { iat: at - 11 } })), NOT_VALID)
  }
  for (const name of ['Acme', 'acm', 'acme%2F', '__proto__', 'constructor', ' acme', '%20acme']) {
    t.match(await pushTo(app, name, realms.get('acme')!.sign(action('LOGOUT'))), { status: 400, body: { error_description: 'the path has no name of an issuer that is known' } }, name)
  }
  t.ok(log.lines.some(({ reasonCode }) => reasonCode === 'push_name_unknown'))
  t.equal((await post(app, '/keycloak/k_logout', 'text/plain', 'x').catch(() => ({ status: 404 }))).status, 404, 'the path alone is of no issuer')
})

t.test('a push to the admin URL of another issuer changes nothing', async (t) => {
  const [acme, globex] = await twoRealms(t)
  const app = await apiOf(t, [acme, globex])
  t.equal((await pushTo(app, 'globex', acme.sign(action('LOGOUT', { notBefore: now() + 100 })))).status, 400)
  for (const realm of [acme, globex]) t.equal(await ask(app, '/me', realm.token()), '200')
  t.equal((await pushTo(app, 'globex', globex.sign(action('LOGOUT', { notBefore: now() + 100 })))).status, 200)
  t.equal(await ask(app, '/me', acme.token()), '200')
  t.equal(await ask(app, '/me', globex.token()), NOT_VALID)
})

t.test('a name that cannot be part of a path stops the start', async (t) => {
  const { issuer } = await realmFor(t)
  for (const name of ['a/b', 'a\\b', '.', '..', 'x'.repeat(101)]) {
    await t.rejects(apiOf(t, [], { issuers: [{ name, issuer }] }), { name: 'TypeError', message: /^fastify-keycloak-bearer: the name ".*" cannot be part of a path, as adminUrl demands of each issuer: give its entry a name/ }, name)
  }
  t.ok(await apiOf(t, [], { issuers: [{ name: 'a/b', issuer }], adminUrl: undefined }), 'without an admin URL any name will do')
  t.ok(await apiOf(t, [], { issuers: [{ name: 'x'.repeat(100), issuer }] }))
})
