// The challenges of each refusal, in each combination of dpop, mtls, required and senderConstrained.
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import keycloak, { type KeycloakOptions, type KeycloakRouteConfig } from '../../index.js'
import type { TestRealm } from '../../lib/testing/index.js'
import { bearer, realmFor } from '../support/app.js'
import { CLIENTS } from '../support/client-certificates.js'

type Headers = Record<string, string | string[]>
type Route = 'me' | 'denied' | 'login'

const CONFIGS: Record<Route, KeycloakRouteConfig> = { me: { authenticated: true }, denied: { permission: 'nobody' }, login: { acr: 'gold' } }

/** An API with each kind of route, for every token and below /bound for bound ones. */
async function apiOf (t: Test, realm: TestRealm, options: Partial<KeycloakOptions>): Promise<FastifyInstance> {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(keycloak, { ...realm.options, ...options })
  for (const [name, config] of Object.entries(CONFIGS)) {
    app.get(`/${name}`, { config }, async () => 'done')
    if (options.dpop ?? options.mtls) app.get(`/bound/${name}`, { config: { ...config, senderConstrained: true } as KeycloakRouteConfig }, async () => 'done')
  }
  return app
}

/** The answer in a line: `401 token_not_valid: Bearer invalid_token, DPoP`. DPoP alone has algs, and every challenge the realm. */
async function answer (t: Test, app: FastifyInstance, url: string, headers: Headers = {}): Promise<string> {
  const response = await app.inject({ url, headers: headers as Record<string, string> })
  if (response.statusCode === 200) return '200'
  const challenges = [...String(response.headers['www-authenticate']).matchAll(/(Bearer|DPoP) (\w+="[^"]*"(?:, \w+="[^"]*")*)/g)].map(([, scheme, parameters]) => {
    t.match(parameters, /^realm="test"/)
    t.equal(parameters!.includes('algs="ES256 ES384 ES512 EdDSA PS256 RS256"'), scheme === 'DPoP')
    const error = /error="(\w+)"/.exec(parameters!)
    return error === null ? scheme : `${scheme} ${error[1]}`
  })
  return `${response.statusCode} ${response.json().code}: ${challenges.join(', ')}`
}

/** A request by DPoP that is right, but for what a row changes. */
async function byDpop (realm: TestRealm, url: string, spec: Parameters<TestRealm['token']>[0] = {}, other: { method?: string } = {}): Promise<Headers & { dpop: string }> {
  const client = realm.dpop()
  const token = realm.token({ dpop: client, ...spec })
  return { authorization: `DPoP ${token}`, dpop: await client.proof({ url: `http://localhost:80${url}`, token, ...other }) }
}

const OTHER_SCHEME = 'Bearer invalid_token, DPoP'

interface Row {
  name: string
  route?: Route
  send: (realm: TestRealm, url: string) => Promise<Headers> | Headers
  says: string
  /** The challenges if both schemes are taken, and if DPoP alone is. */
  both: string
  dpop: string
}

const byTheSame = (error: string) => ({ both: `Bearer, DPoP ${error}`, dpop: `DPoP ${error}` })

const ROWS: readonly Row[] = [
  { name: 'no credentials', send: () => ({}), says: '401 not_authenticated', both: 'Bearer, DPoP', dpop: 'DPoP' },
  { name: 'another scheme', send: () => ({ authorization: 'Basic eDp5' }), says: '401 not_authenticated', both: 'Bearer, DPoP', dpop: 'DPoP' },
  { name: 'a bound token sent as Bearer', send: (realm) => bearer(realm.token({ dpop: realm.dpop() })), says: '401 token_not_valid', both: OTHER_SCHEME, dpop: OTHER_SCHEME },
  { name: 'an expired token sent as Bearer', send: (realm) => bearer(realm.token({ expired: true })), says: '401 token_expired', both: OTHER_SCHEME, dpop: OTHER_SCHEME },
  { name: 'Bearer with two tokens', send: () => bearer('a b'), says: '401 bad_authorization_header', both: 'Bearer invalid_request, DPoP', dpop: 'Bearer invalid_request, DPoP' },
  { name: 'DPoP with two tokens', send: () => ({ authorization: 'DPoP a b' }), says: '401 bad_authorization_header', ...byTheSame('invalid_request') },
  { name: 'DPoP without a token', send: () => ({ authorization: 'DPoP' }), says: '401 bad_authorization_header', ...byTheSame('invalid_request') },
  { name: 'an unbound token sent as DPoP', send: async (realm, url) => ({ ...await byDpop(realm, url), authorization: `DPoP ${realm.token()}` }), says: '401 token_not_valid', ...byTheSame('invalid_token') },
  { name: 'a proof by another key', send: async (realm, url) => ({ ...await byDpop(realm, url), authorization: `DPoP ${realm.token({ dpop: realm.dpop() })}` }), says: '401 token_not_valid', ...byTheSame('invalid_token') },
  { name: 'a forged token', send: (realm, url) => byDpop(realm, url, { forged: true }), says: '401 token_not_valid', ...byTheSame('invalid_token') },
  { name: 'an expired token', send: (realm, url) => byDpop(realm, url, { expired: true }), says: '401 token_expired', ...byTheSame('invalid_token') },
  { name: 'no proof', send: async (realm, url) => ({ authorization: (await byDpop(realm, url)).authorization! }), says: '401 dpop_proof_not_valid', ...byTheSame('invalid_dpop_proof') },
  { name: 'a proof for another method', send: (realm, url) => byDpop(realm, url, {}, { method: 'POST' }), says: '401 dpop_proof_not_valid', ...byTheSame('invalid_dpop_proof') },
  { name: 'several proofs', send: async (realm, url) => { const { dpop, ...more } = await byDpop(realm, url); return { ...more, dpop: [dpop, dpop] } }, says: '401 dpop_proof_not_valid', ...byTheSame('invalid_dpop_proof') },
  { name: 'a permission that is missing', route: 'denied', send: (realm, url) => byDpop(realm, url), says: '403 permission_denied', ...byTheSame('insufficient_scope') },
  { name: 'another login that is demanded', route: 'login', send: (realm, url) => byDpop(realm, url), says: '401 insufficient_user_authentication', ...byTheSame('insufficient_user_authentication') }
]

/** The schemes that are taken on plain routes and on those for bound tokens, and whether a plain token passes on plain routes. */
const TAKEN: ReadonlyArray<[options: Partial<KeycloakOptions>, plain: 'both' | 'dpop', bound: 'both' | 'dpop', takesPlain: boolean]> = [
  [{ dpop: true }, 'both', 'dpop', true],
  [{ dpop: { required: true } }, 'dpop', 'dpop', false],
  [{ dpop: true, mtls: true }, 'both', 'both', true],
  [{ dpop: { required: true }, mtls: true }, 'both', 'both', false],
  [{ dpop: true, mtls: { required: true } }, 'both', 'both', false],
  [{ dpop: { required: true }, mtls: { required: true } }, 'both', 'both', false]
]

for (const [options, plain, bound, takesPlain] of TAKEN) {
  t.test(`each refusal with ${JSON.stringify(options)}`, async (t) => {
    const realm = await realmFor(t)
    const app = await apiOf(t, realm, options)
    for (const [prefix, taken] of [['', plain], ['/bound', bound]] as const) {
      for (const { name, route = 'me', send, says, ...challenges } of ROWS) {
        const url = `${prefix}/${route}`
        t.equal(await answer(t, app, url, await send(realm, url)), `${says}: ${challenges[taken]}`, `${name}, ${url}`)
      }
      const once = await byDpop(realm, `${prefix}/me`)
      t.equal(await answer(t, app, `${prefix}/me`, once), '200')
      t.equal(await answer(t, app, `${prefix}/me`, once), `401 dpop_proof_not_valid: ${byTheSame('invalid_dpop_proof')[taken]}`, 'a replayed proof')
    }
    t.equal(await answer(t, app, '/bound/me', bearer(realm.token())), `401 token_not_valid: ${OTHER_SCHEME}`, 'a plain token where a bound one is demanded')
    t.equal(await answer(t, app, '/denied', bearer(realm.token())), takesPlain ? '403 permission_denied: Bearer insufficient_scope, DPoP' : `401 token_not_valid: ${OTHER_SCHEME}`)
  })
}

t.test('a nonce that is missing or old', async (t) => {
  const realm = await realmFor(t)
  const nonce = { secret: 's'.repeat(32) }
  for (const [options, taken] of [[{ dpop: { nonce } }, 'both'], [{ dpop: { nonce, required: true } }, 'dpop']] as const) {
    const app = await apiOf(t, realm, options)
    t.equal(await answer(t, app, '/me', await byDpop(realm, '/me')), `401 dpop_nonce_required: ${byTheSame('use_dpop_nonce')[taken]}`)
  }
})

t.test('a certificate that is missing or another', async (t) => {
  const realm = await realmFor(t)
  const token = realm.token({ certificate: CLIENTS.a.cert })
  for (const mtls of [{}, { required: true }, { certificate: () => CLIENTS.b.cert }]) {
    for (const url of ['/me', '/bound/me']) {
      t.equal(await answer(t, await apiOf(t, realm, { mtls }), url, bearer(token)), '401 token_not_valid: Bearer invalid_token')
      t.equal(await answer(t, await apiOf(t, realm, { mtls, dpop: true }), url, bearer(token)), `401 token_not_valid: ${OTHER_SCHEME}`)
    }
  }
  const certified = await apiOf(t, realm, { dpop: { required: true }, mtls: { certificate: () => CLIENTS.a.cert } })
  t.equal(await answer(t, certified, '/bound/me', bearer(token)), '200')
  t.equal(await answer(t, certified, '/bound/denied', bearer(token)), '403 permission_denied: Bearer insufficient_scope, DPoP')
})

t.test('without the option dpop nothing names DPoP, whatever a client sends', async (t) => {
  const realm = await realmFor(t)
  for (const options of [{}, { mtls: true }, { mtls: { required: true } }] as const) {
    const app = await apiOf(t, realm, options)
    t.equal(await answer(t, app, '/me'), '401 not_authenticated: Bearer')
    t.equal(await answer(t, app, '/me', await byDpop(realm, '/me')), '401 not_authenticated: Bearer')
    t.equal(await answer(t, app, '/me', bearer(realm.token({ dpop: realm.dpop() }))), '401 token_not_valid: Bearer invalid_token')
    t.equal(await answer(t, app, '/me', bearer(realm.token({ expired: true }))), '401 token_expired: Bearer invalid_token')
  }
})
