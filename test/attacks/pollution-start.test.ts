// What somebody hung on Object.prototype is no rule and no option: the start makes of routes and options what is written.
import Fastify from 'fastify'
import t from 'tap'
import keycloak from '../../index.js'
import { realmFor, until } from '../support/app.js'
import { checksOf, listening } from '../support/doctor.js'
import { addRoutes, answers, differences, type Names, polluted, tokensOf } from '../support/pollution.js'

const RULES: Names = {
  ...{ permission: ['admin', '', []], scope: ['write'], public: [true, false], keycloak: [false, true], authenticated: [true, false], permision: ['x'] },
  ...{ any: [['admin']], all: [['admin']], role: ['x'], roles: [['x']], scopes: [['x']], access: ['open'], ownRule: [false], check: [() => true] }
}

t.test('rules: a route has those that were written for it', async (t) => {
  const realm = await realmFor(t)
  const { 'no token': none, 'a good token': good, 'no scope': few } = tokensOf(realm)
  const tokens = { none, good, few }
  for (const [requireAuthentication, enumerable] of [[false, true], [true, false]] as const) {
    t.same(await differences(RULES, async () => {
      const app = Fastify()
      // Routes before the plugin, of its own scope, and of a child.
      addRoutes(app, '/early')
      await app.register(keycloak, { ...realm.options, requireAuthentication })
      addRoutes(app)
      const forms = { bare: Object.create(null), proxy: new Proxy({}, {}), function: () => {}, ofClass: new (class Config {})() }
      for (const [form, config] of Object.entries(forms)) app.get(`/${form}`, { config }, async () => 'ok')
      try {
        return { ...await answers(app, tokens), ...await answers(app, { token: undefined }, '', Object.keys(forms).map((form) => `/${form}`)), ...await answers(app, tokens, '/early'), routes: JSON.stringify(app.keycloak.routes().filter(({ url }) => !url.startsWith('/early'))) }
      } finally {
        await app.close()
      }
    }, enumerable), [])
  }
})

t.test('options: the plugin has those that were given', async (t) => {
  const realm = await realmFor(t)
  const other = await realmFor(t, { name: 'test' })
  const { issuer, audience } = realm.options
  const { 'no token': none, 'a good token': good, 'a forged token': forged, 'no roles': few } = tokensOf(realm)
  const tokens = { none, good, forged, few, 'a token of another realm': other.token(), 'for another API': realm.token({ claims: { aud: 'other' } }), 'other roles': realm.token({ claims: { roles: ['admin'] } }) }
  const names: Names = {
    ...{ verifySignature: [false], requireAuthentication: [true, 'yes'], audience: ['other', null], algorithms: ['ES256'], clientId: ['other'], serverUrl: [other.issuer] },
    ...{ permissionPath: ['roles', () => ['admin']], userIdField: ['id'], userIdClaim: ['sub'], claimMapping: [{}], syncUser: [() => null, () => ({ admin: true })] },
    ...{ extractToken: [() => realm.token({ roles: ['admin'] })], leeway: [86_400], authorizedParties: [['other']], maxTokenAge: [1], tokenType: ['at+jwt'], verifyTokensWithKeycloak: [true], clientSecret: ['x'], verifyCertificate: [false], ca: ['x'], dispatcher: [{}] },
    ...{ backchannelLogout: [{ path: '/logout', clients: ['web'] }], adminUrl: [{ path: '/admin' }], revocation: [{ maxTokenLifetime: 1 }], cache: [{ max: 1 }], unknown: [1] },
    ...{ maxStale: [0], preload: ['require'], tokenLength: [100], jsonDepth: [3], store: [{}], maxTokenLifetime: [1], check: ['issuer_mismatch'] }
  }
  const run = async () => {
    const app = Fastify({ logger: { level: 'silent' } })
    try {
      await app.register(keycloak, { issuer, audience, startCheck: false, jwks: {}, limits: {}, revocation: {} })
      addRoutes(app)
      return await answers(app, tokens, '', ['/open', '/admin', '/write'])
    } finally {
      await app.close()
    }
  }
  t.same(await differences(names, run), [])
})

t.test('the check at start finds what is there', async (t) => {
  const realm = await realmFor(t)
  const log = await polluted('check', 'issuer_mismatch', async () => {
    const { log } = await listening(t, realm)
    await until(() => log.text.includes('"check":'))
    return log
  })
  t.match(checksOf(log), [{ check: 'ok' }])
})

t.test('the exported functions take their own options', async (t) => {
  const client = { call: async () => [], duplicate: () => client, on: () => {}, disconnect: () => {} }
  const calls: unknown[] = []
  await polluted('key', 'stolen', async () => {
    const store = keycloak.redisStore({ client: { ...client, call: async (...parameters: unknown[]) => { calls.push(parameters); return ['1000', 1] } } as never })
    store.follow({ issuer: 'https://sso.example.com/realms/acme', lifetime: 1, maxLag: 1000, current: () => [], receive: () => {}, upToDate: () => {}, failed: () => {} })
    await store.publish({ kind: 'user', id: 'x', at: 1 })
    await store.close()
  })
  t.match(JSON.stringify(calls), /"fastify-keycloak-bearer:https:\/\/sso\.example\.com\/realms\/acme/)
  t.notMatch(JSON.stringify(calls), /stolen/)
  for (const [name, value] of Object.entries({ scheme: 'oauth2', issuer: 'x', scopes: 5, name: '' })) {
    await t.resolves(polluted(name, value, () => keycloak.openapi()), name)
    await t.resolves(polluted(name, value, () => keycloak.openapi({})), name)
  }
})
