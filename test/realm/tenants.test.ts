// The function form of `issuers`, for tenants that come and go.
import t from 'tap'
import { KeycloakClient } from '../../lib/keycloak/client.js'
import { Closing } from '../../lib/keycloak/closing.js'
import { ask, logging, until, WARN } from '../support/app.js'
import { clocksFor } from '../support/clocks.js'
import { countedWayFor, entryFor, finderOf, realmsFor, tenantApiFor } from '../support/tenant-api.js'

t.test('the function is asked once for an issuer, and its realm decides on the tokens', async (t) => {
  const realms = await realmsFor(t, 'acme', 'globex')
  const asked: string[] = []
  const app = await tenantApiFor(t, async (iss) => {
    asked.push(iss)
    return finderOf(realms)(iss)
  })
  for (let times = 0; times < 3; times++) {
    for (const [name, realm] of Object.entries(realms)) {
      const answers = await Promise.all([1, 2].map(async () => realm.inject(app, { as: realm.token(), url: '/me' })))
      for (const answer of answers) t.same(answer.json(), { user: 'alice', issuer: name })
    }
  }
  t.same(asked, [realms.acme.issuer, realms.globex.issuer])
  t.equal(await ask(app, '/me', realms.globex.token({ claims: { aud: 'other' } })), '401 token_not_valid')
  t.equal(await ask(app, '/acme', realms.acme.token()), '200')
  t.equal(await ask(app, '/acme', realms.globex.token()), '403 permission_denied')
  t.equal((await app.keycloak.verify(realms.acme.token())).iss, realms.acme.issuer)
})

t.test('without a token nobody is asked', async (t) => {
  const app = await tenantApiFor(t, () => { throw new Error('no') })
  t.equal(await ask(app, '/open'), '200')
  t.equal(await ask(app, '/me'), '401 not_authenticated')
  t.equal(await ask(app, '/me', 'x.y.z'), '401 token_not_valid')
  const { ok, issuers, keys } = app.keycloak.health()
  t.match({ ok, issuers, keys }, { ok: true, issuers: {}, keys: { state: 'not fetched yet' } })
})

t.test('the least recently used realm closes its connections, and a tenant that returns is asked for again', async (t) => {
  const realms = await realmsFor(t, 'acme', 'globex', 'initech')
  const ways = { acme: await countedWayFor(t, realms.acme), globex: await countedWayFor(t, realms.globex), initech: await countedWayFor(t, realms.initech) }
  let calls = 0
  const app = await tenantApiFor(t, (iss) => {
    calls++
    const name = iss.split('/').at(-1) as keyof typeof realms
    return { ...entryFor(realms[name]), serverUrl: ways[name].url }
  }, { maxIssuers: 2 })
  const tokens = { acme: realms.acme.token(), globex: realms.globex.token(), initech: realms.initech.token() }
  // Twice, so that the tokens are kept.
  for (const name of ['acme', 'acme', 'globex', 'globex', 'acme'] as const) t.equal(await ask(app, '/me', tokens[name]), '200')
  t.same([ways.acme.open, ways.globex.open], [1, 1])
  t.equal(await ask(app, '/me', tokens.initech), '200')
  await until(() => ways.globex.open === 0)
  t.equal(ways.acme.open, 1)
  t.same(Object.keys(app.keycloak.health().issuers!), ['acme', 'initech'])
  t.equal(calls, 3)
  t.equal(await ask(app, '/me', tokens.globex), '200', 'its kept token is a question too')
  t.equal(calls, 4)
  await until(() => ways.acme.open === 0)
  t.same(Object.keys(app.keycloak.health().issuers!), ['initech', 'globex'])
})

t.test('requests under way are answered, whatever realm ends meanwhile', async (t) => {
  const realms = await realmsFor(t, 'acme', 'globex')
  const way = await countedWayFor(t, realms.acme)
  const app = await tenantApiFor(t, (iss) => iss === realms.acme.issuer ? { ...entryFor(realms.acme), serverUrl: way.url } : entryFor(realms.globex), { maxIssuers: 1, verifyTokensWithKeycloak: true })
  t.equal(await ask(app, '/me', realms.acme.token()), '200')
  let release!: () => void
  const held = new Promise<void>((resolve) => { release = resolve })
  let waiting = 0
  realms.acme.respond('introspect', async (_request, response, body) => {
    waiting++
    await held
    const token = new URLSearchParams(body).get('token')!
    const claims = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString())
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ ...claims, active: true }))
  })
  const answers = Array.from({ length: 20 }, async () => ask(app, '/me', realms.acme.token()))
  await until(() => waiting === 20)
  t.equal(await ask(app, '/me', realms.globex.token()), '200')
  t.same(Object.keys(app.keycloak.health().issuers!), ['globex'])
  t.ok(way.open > 0)
  release()
  t.same(await Promise.all(answers), Array(20).fill('200'))
  await until(() => way.open === 0)
})

t.test('a load of more tenants than realms is answered in full', async (t) => {
  const realms = await realmsFor(t, 'a', 'b', 'c', 'd', 'e')
  const app = await tenantApiFor(t, async (iss) => {
    await new Promise(setImmediate)
    return finderOf(realms)(iss)
  }, { maxIssuers: 2, verifyTokensWithKeycloak: true })
  const all = Object.values(realms)
  const answers = await Promise.all(Array.from({ length: 300 }, async (_, at) => {
    for (let turn = 0; turn < at % 60; turn++) await new Promise(setImmediate)
    return ask(app, '/me', all[at % all.length]!.token())
  }))
  t.same(new Set(answers), new Set(['200']))
  t.ok(Object.keys(app.keycloak.health().issuers!).length <= 2)
})

t.test('the defaults beside the function are those of each entry, and a wrong entry is a 503 for its tenant alone', async (t) => {
  const realms = await realmsFor(t, 'acme', 'globex')
  const log = logging()
  const app = await tenantApiFor(t, (iss) => iss === realms.acme.issuer ? { issuer: iss, clientId: 'api' } : { issuer: iss, clientID: 'api' } as never, { audience: 'books' }, log)
  t.equal(await ask(app, '/me', realms.acme.token()), '401 token_not_valid')
  t.equal(await ask(app, '/me', realms.acme.token({ claims: { aud: 'books' } })), '200')
  t.equal(await ask(app, '/me', realms.globex.token()), '503 keycloak_unavailable')
  t.equal(await ask(app, '/me', realms.globex.token()), '503 keycloak_unavailable')
  t.match(log.lines.filter(({ level, iss }) => level === WARN && iss !== undefined), [{
    reasonCode: 'issuers_failed',
    iss: realms.globex.issuer,
    msg: 'the function issuers returned a wrong entry: option "issuers().clientID" is unknown; write "clientId"; tokens of this issuer are 503, and the function is called again a second later'
  }])
})

t.test('the realm of a tenant is checked once, when it is opened first', async (t) => {
  const realms = await realmsFor(t, 'acme', 'globex')
  const log = logging()
  const app = await tenantApiFor(t, (iss) => ({ ...finderOf(realms)(iss)!, algorithms: ['RS256', 'ES256'] }), { startCheck: 'require', maxIssuers: 1 }, log)
  await app.ready()
  t.equal(realms.acme.requests.discovery, 0)
  for (const name of ['acme', 'globex', 'acme', 'globex'] as const) {
    t.equal(await ask(app, '/me', realms[name].token()), '200')
    await until(() => log.lines.some(({ check, issuer }) => check === 'algorithms' && issuer === name) || realms[name].requests.discovery > 0)
  }
  t.same([realms.acme.requests.discovery, realms.globex.requests.discovery], [1, 1])
})

t.test('a tenant that is away is 503 for its own tokens, and the API is in good health unless all tenants are away', async (t) => {
  const clocks = clocksFor(t)
  const realms = await realmsFor(t, 'acme', 'globex')
  const app = await tenantApiFor(t, finderOf(realms), { jwks: { maxAge: 1000, maxStale: 0 } })
  await realms.globex.down()
  t.equal(await ask(app, '/me', realms.globex.token()), '503 keycloak_unavailable')
  t.match(app.keycloak.health(), { ok: true, issuers: { globex: { ok: false } } })
  t.equal(await ask(app, '/me', realms.acme.token()), '200')
  await realms.acme.down()
  clocks.advance(2)
  t.equal(await ask(app, '/me', realms.acme.token()), '503 keycloak_unavailable')
  t.match(app.keycloak.health(), { ok: false, issuers: { acme: { ok: false } } })
})

t.test('with jwks.preload: require a realm opens when its keys can be had', async (t) => {
  const clocks = clocksFor(t)
  const { acme } = await realmsFor(t, 'acme')
  const log = logging()
  const app = await tenantApiFor(t, finderOf({ acme }), { jwks: { preload: 'require' } }, log)
  acme.error(500)
  t.equal(await ask(app, '/me', acme.token()), '503 keycloak_unavailable')
  t.match(log.lines.filter(({ reasonCode }) => reasonCode === 'issuers_failed'), [{ iss: acme.issuer, msg: /cannot be opened: the keys of .* cannot be fetched/ }])
  t.same(app.keycloak.health().issuers, {})
  await acme.up()
  clocks.advance(1.1)
  t.equal(await ask(app, '/me', acme.token()), '200')
})

t.test('a call in the background that ends with its realm is no outage', async (t) => {
  const realms = await realmsFor(t, 'acme', 'globex')
  const way = await countedWayFor(t, realms.acme)
  const log = logging()
  const app = await tenantApiFor(t, (iss) => iss === realms.acme.issuer ? { ...entryFor(realms.acme), serverUrl: way.url } : entryFor(realms.globex), { maxIssuers: 1, jwks: { maxAge: 1000 } }, log)
  t.equal(await ask(app, '/me', realms.acme.token()), '200')
  realms.acme.hang('certs')
  await until(() => realms.acme.requests.certs === 2)
  t.equal(await ask(app, '/me', realms.globex.token()), '200')
  await until(() => way.open === 0)
  t.same(log.lines.filter(({ level }) => level >= WARN).map(({ msg }) => msg), [])
})

t.test('a realm that ends before its first call opens no connection', async (t) => {
  const { acme } = await realmsFor(t, 'acme')
  const way = await countedWayFor(t, acme)
  const client = new KeycloakClient({ name: 'acme', baseUrl: way.url, verifyCertificate: true }, new Closing())
  const request = { method: 'GET', path: '/protocol/openid-connect/certs', timeout: 5000, maxBytes: 10_000 } as const
  const reasonOfCall = async (): Promise<string> => client.fetchText(request).catch(({ reasonCode }) => reasonCode)
  const underWay = reasonOfCall()
  await client.close()
  t.same([await underWay, await reasonOfCall()], ['api_closed', 'api_closed'])
  t.equal(acme.requests.certs, 0)
})
