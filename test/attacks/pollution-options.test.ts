// What somebody hung on Object.prototype changes no sentence about a wrong option, and no call to Keycloak.
import Fastify from 'fastify'
import t from 'tap'
import keycloak, { openapi } from '../../index.js'
import { parseOptions } from '../../lib/options/options.js'
import { realmFor } from '../support/app.js'
import { CERTIFICATE } from '../support/certificate.js'
import { addRoutes, answers, differences, type Names } from '../support/pollution.js'

const issuer = 'https://sso.example.com/realms/acme'

/** The members of issues, of faults, and of what is known about options. */
const VALUES = ['x', 5, true, null, {}, [5], [{}]]
const MEMBERS = ['unknown', 'found', 'types', 'values', 'alternatives', 'isTyped', 'member', 'message', 'path', 'foreign', 'names', 'key', 'fault', 'jwks', 'issuer', 'clientId', 'secret', '0']
const names: Names = Object.fromEntries(MEMBERS.map((name) => [name, VALUES]))

/** A wrong value for each form that a schema has. */
const WRONG: Readonly<Record<string, object>> = {
  nothing: {},
  'not an object': [],
  'a value': { leeway: 'x' },
  'a choice': { tokenType: 'x' },
  'a check': { clientId: ' api' },
  'a check of a member': { clientCertificate: { cert: CERTIFICATE, key: 'x' } },
  'a key': { clientAssertion: { key: 'x' } },
  'a value that is made': { audience: [5] },
  'an item': { algorithms: ['x'] },
  'an empty list': { algorithms: [] },
  'a record': { claimMapping: 5 },
  'a member of a record': { claimMapping: { email: 5 } },
  'a group': { jwks: 5 },
  'a member of a group': { jwks: { maxAge: 'x' } },
  'an unknown member': { jwks: { maxage: 5 } },
  'an unknown option': { leway: 5 },
  'several forms': { cache: 'x' },
  'forms within forms': { dpop: { nonce: { secret: 'short' } } },
  'a circle': { scopeImplies: { a: ['a'] } }
}

const OPENAPI: Readonly<Record<string, object>> = {
  'a choice': { scheme: 'x' },
  'several forms': { scopes: 5 },
  'a member': { scopes: { openid: 5 } },
  'an entry': { issuers: [{}] },
  'an unknown option': { leway: 5 },
  'an option of a route': { permission: 'x' }
}

function sentence (make: () => unknown): string {
  try {
    make()
    return 'made'
  } catch (error) {
    return String(error)
  }
}

t.test('sentences: a wrong option is explained in the same words', async (t) => {
  const run = async () => ({
    ...Object.fromEntries(Object.entries(WRONG).map(([name, options]) => [name, sentence(() => parseOptions(name === 'nothing' || Array.isArray(options) ? options : { issuer, ...options }))])),
    ...Object.fromEntries(Object.entries(OPENAPI).map(([name, options]) => [`openapi ${name}`, sentence(() => openapi(options))]))
  })
  for (const said of Object.values(await run())) t.match(said, /^TypeError: fastify-keycloak-bearer: .*(?:must be|is unknown)/)
  for (const enumerable of [true, false]) t.same(await differences(names, run, enumerable), [])
})

t.test('calls to Keycloak have the members that they were given', async (t) => {
  const realm = await realmFor(t)
  const token = realm.token({ roles: ['admin'] })
  const calls: Names = { onSent: ['x', 5], anyStatus: [true], cancellation: ['x', {}], waited: ['x', 5], form: ['a=b'], token: ['x'] }
  t.same(await differences(calls, async () => {
    const app = Fastify()
    try {
      await app.register(keycloak, { ...realm.options, verifyTokensWithKeycloak: true, startCheck: false })
      addRoutes(app)
      const said = await answers(app, { token }, '', ['/admin'])
      realm.respond('introspect', (_request, response) => { response.statusCode = 403; response.end('{"active":true}') })
      return { ...said, refused: JSON.stringify(await answers(app, { token: realm.token() }, '', ['/any'])) }
    } finally {
      realm.respond('introspect', null)
      await app.close()
    }
  }), [])
})
