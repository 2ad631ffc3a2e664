// What somebody hung on Object.prototype is nothing that Keycloak said: of its keys, and of a token.
import Fastify from 'fastify'
import t from 'tap'
import keycloak from '../../index.js'
import { realmFor } from '../support/app.js'
import { addRoutes, answers, CLAIMS, differences, type Names } from '../support/pollution.js'

t.test('keys: the realm has those that it publishes', async (t) => {
  const realm = await realmFor(t)
  const { keys: [key] } = await (await fetch(`${realm.issuer}/protocol/openid-connect/certs`)).json() as { keys: Array<Record<string, unknown>> }
  const { kty, n, e } = key!
  const bodies = {
    'a key': JSON.stringify({ keys: [{ kty, n, e }] }),
    'no key': '{}',
    'a key for something else': JSON.stringify({ keys: [{ ...key, use: 'enc' }] }),
    'half a key': JSON.stringify({ keys: [{ kty, n }] }),
    'a private key': JSON.stringify({ keys: [{ ...key, d: 'AQAB' }] })
  }
  const token = realm.token({ kid: null })
  const names: Names = {
    ...{ keys: [[key], 'x'], kid: ['x'], alg: ['none', 'PS256'], use: ['enc', 'sig'], key_ops: [['sign'], ['verify']], kty: ['EC'], crv: ['P-256'], n: [n], e: [e] },
    ...{ x: ['x'], y: ['y'], k: ['x'] }
  }
  t.same(await differences(names, async () => {
    const said: Record<string, string> = {}
    for (const [name, body] of Object.entries(bodies)) {
      realm.respond('certs', (_request, response) => response.end(body))
      const app = Fastify()
      await app.register(keycloak, realm.options)
      addRoutes(app)
      said[name] = JSON.stringify(await answers(app, { token }))
      await app.close()
    }
    return said
  }), [])
})

t.test('introspection: an answer says what Keycloak wrote', async (t) => {
  const realm = await realmFor(t)
  const token = realm.token({ roles: ['admin'], scope: 'write' })
  const claims = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as Record<string, unknown>
  const bodies = {
    nothing: '{}',
    'not active': '{"active":false}',
    active: '{"active":true}',
    whole: JSON.stringify({ ...claims, active: true }),
    'without roles': JSON.stringify({ ...claims, resource_access: undefined, realm_access: undefined, active: true }),
    'without aud': JSON.stringify({ ...claims, jti: 'bare', aud: undefined, active: true }),
    'without scope': JSON.stringify({ ...claims, scope: undefined, active: true }),
    'about another': JSON.stringify({ ...claims, jti: 'another', active: true })
  }
  const tokens = { token, 'no jti': realm.token({ claims: { jti: undefined, sub: undefined } }), 'no aud': realm.token({ claims: { jti: 'bare', aud: undefined, sub: claims.sub } }) }
  const { scope, aud, exp, typ, cnf, resource_access: access, identity, claims: ofIdentity } = CLAIMS
  const names: Names = {
    ...{ scope, aud, exp, typ, cnf, resource_access: access, identity, claims: ofIdentity } as Names,
    ...{ active: [true, false], answer: [{ active: true }], jti: ['another'], sub: ['another'], text: ['x'] },
    ...{ audienceOptional: [true], explain: ['x'], lengthens: ['x'] }
  }
  for (const options of [{}, { introspection: { cacheTtl: 1 } }] as const) {
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(keycloak, { ...realm.options, ...options, verifyTokensWithKeycloak: true })
    addRoutes(app)
    t.same(await differences(names, async () => {
      const said: Record<string, string> = {}
      for (const [name, body] of Object.entries(bodies)) {
        realm.respond('introspect', (_request, response) => response.end(body))
        said[name] = JSON.stringify(await answers(app, tokens, '', ['/any', '/admin', '/write']))
      }
      return said
    }), [])
  }
})
