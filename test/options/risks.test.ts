// The production guard: the risks of the options, each with a code and its section of docs/production.md, accepted one by one.
import { readFileSync } from 'node:fs'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import keycloak, { type KeycloakRisk } from '../../index.js'
import { RISK_CODES } from '../../lib/options/risks.js'
import type { TestRealm } from '../../lib/testing/index.js'
import { logging, realmFor, refusalOf, WARN } from '../support/app.js'

const PAGE = readFileSync(new URL('../../docs/production.md', import.meta.url), 'utf8')

/** Options without a risk. */
const SAFE = { startCheck: false, userIdClaim: 'sub', userIdField: 'id', maxTokenAge: 3600 } as const

function environmentFor (t: Test, NODE_ENV: string): void {
  t.intercept(process, 'env', { value: { ...process.env, NODE_ENV } })
}

/** The codes of the warnings of a start, and the sentences. */
async function risksOf (t: Test, realm: TestRealm, options: object, server: object = {}): Promise<{ codes: unknown[], text: string }> {
  const log = logging()
  const app = Fastify({ ...log, ...server })
  t.teardown(() => app.close())
  const { issuer, ...others } = realm.options
  await app.register(keycloak, { ...('issuers' in options ? {} : { issuer }), ...others, ...SAFE, ...options } as never)
  await app.ready()
  const lines = log.lines.filter(({ level, code }) => level === WARN && code !== undefined)
  return { codes: lines.map(({ code }) => code), text: lines.map(({ msg }) => msg).join('\n') }
}

/** The store of an API of several instances. */
const store = { follow: ({ upToDate }: { upToDate: () => void }) => upToDate(), publish: async () => {}, close () {} }
const URL_OF = 'https://api.example.com'

/** Options with one risk, and its sentence. */
const RISKY: Array<[code: KeycloakRisk, options: object, sentence: RegExp]> = [
  ['user_id_mutable', { userIdClaim: undefined, userIdField: undefined }, /^users are identified by preferred_username \(userIdClaim\): .* Set userIdClaim: 'sub'/],
  ['user_id_mutable', { userIdClaim: 'email', acceptUnverifiedEmail: true }, /identified by email/],
  ['http_unencrypted', { serverUrl: 'http://keycloak:8080/realms/test' }, /^serverUrl is http:\/\/ to another machine: .* forge every token/],
  ['http_unencrypted', { serverUrl: 'http://127.example.com/realms/test' }, /^serverUrl is http:\/\/ to another machine: .* forge every token/],
  ['http_unencrypted', { issuer: 'http://sso.example.com/realms/test' }, /^issuer is http:\/\/ to another machine: .* forge every token/],
  ['http_unencrypted', { issuer: 'http://sso.example.com/realms/test', serverUrl: 'http://localhost:8080/realms/test' }, /^issuer is http:\/\/ to another machine: users log in there without encryption/],
  ['token_lifetime_unlimited', { maxTokenAge: undefined }, /^a token is good for as long as Keycloak says/],
  ['dpop_url_unknown', { dpop: true }, /^dpop\.url is not set, and Fastify trusts no proxy/],
  ['replay_store_local', { dpop: { url: URL_OF }, revocation: { store } }, /^revocation\.store says that the API has several instances/],
  ['audience_unchecked', { audience: null }, /^audience is null/]
]

t.test('in production each risk is one warning with its code, its cure and its section of the docs, and acceptRisks silences it', async (t) => {
  const realm = await realmFor(t)
  environmentFor(t, 'production')
  for (const [code, options, sentence] of RISKY) {
    const { codes, text } = await risksOf(t, realm, options)
    t.same(codes, [code], JSON.stringify(options))
    t.match(text, sentence)
    t.ok(text.endsWith(`. See docs/production.md#${code}`), text)
    t.same((await risksOf(t, realm, { ...options, acceptRisks: [code] })).codes, [], 'accepted')
    t.same((await risksOf(t, realm, { ...options, acceptRisks: RISK_CODES.filter((each) => each !== code) })).codes, [code], 'others are accepted')
  }
})

t.test('options without a risk are no warning', async (t) => {
  const realm = await realmFor(t)
  environmentFor(t, 'production')
  const safe = [
    {},
    { userIdClaim: 'employee_number' },
    { maxTokenAge: undefined, revocation: {} },
    { maxTokenAge: undefined, verifyTokensWithKeycloak: true },
    { dpop: { url: URL_OF, replay: { store: { add: () => true } } }, revocation: { store } },
    { mtls: true, revocation: { store } },
    ...['http://localhost:8080', 'http://keycloak.localhost', 'http://127.0.0.2', 'http://[::1]:8080', 'https://sso.example.com'].map((origin) => ({ issuer: `${origin}/realms/test` }))
  ]
  for (const options of safe) t.same((await risksOf(t, realm, options)).codes, [], JSON.stringify(options))
  t.same((await risksOf(t, realm, { dpop: true }, { trustProxy: true })).codes, [])
})

t.test('outside of production those that development takes are none', async (t) => {
  const realm = await realmFor(t)
  for (const environment of ['development', 'test', '']) {
    environmentFor(t, environment)
    const always = ['audience_unchecked']
    for (const [code, options] of RISKY) t.same((await risksOf(t, realm, options)).codes, always.includes(code) ? [code] : [], `${environment} ${code}`)
  }
})

t.test('risks that are warned of anywhere are accepted as well', async (t) => {
  const realm = await realmFor(t)
  const options = { verifySignature: false, verifyCertificate: false, audience: null, clientId: undefined, clientSecret: 'unused', userIdClaim: 'email', backchannelLogout: { path: '/logout', clients: 'account' } }
  const codes = ['signature_unchecked', 'certificate_unchecked', 'audience_unchecked', 'account_roles', 'email_as_id', 'client_secret_unused', 'logout_of_own_client'] as const
  t.same((await risksOf(t, realm, options)).codes, codes)
  t.same((await risksOf(t, realm, { ...options, acceptRisks: codes.slice(1) })).codes, ['signature_unchecked'])
})

t.test('an unknown code stops the start with a sentence that has all of them', async (t) => {
  const realm = await realmFor(t)
  const codes = RISK_CODES.join(', ')
  t.equal(await refusalOf({ ...realm.options, acceptRisks: ['audience_uncheckd'] }), `fastify-keycloak-bearer: option "acceptRisks.0" must be the code of a risk (${codes}), not another string: write "audience_unchecked"`)
  t.match(await refusalOf({ ...realm.options, acceptRisks: 'audience_unchecked' }), /option "acceptRisks" must be an array of codes of risks, such as \["audience_unchecked"\], not a string/)
  t.match(await refusalOf({ ...realm.options, acceptRisks: ['AUDIENCE_UNCHECKED'] }), /not "AUDIENCE_UNCHECKED": write "audience_unchecked"/)
})

t.test('an issuer of several accepts its own risks, and those beside issuers are the default', async (t) => {
  const [acme, globex] = [await realmFor(t, { name: 'acme' }), await realmFor(t, { name: 'globex' })]
  environmentFor(t, 'production')
  const risks = async (accepted: unknown, entry: object): Promise<unknown> => risksOf(t, acme, {
    issuers: [{ issuer: acme.issuer, audience: null }, { issuer: globex.issuer, audience: null, ...entry }],
    acceptRisks: accepted
  }).then(({ codes }) => codes)
  t.same(await risks(undefined, {}), ['audience_unchecked', 'audience_unchecked'])
  t.same(await risks(undefined, { acceptRisks: ['audience_unchecked'] }), ['audience_unchecked'])
  t.same(await risks(['audience_unchecked'], {}), [])
})

t.test('of tenants that come and go, what counts in production alone is warned of once', async (t) => {
  const realms = [await realmFor(t, { name: 'acme' }), await realmFor(t, { name: 'globex' })]
  environmentFor(t, 'production')
  const log = logging()
  const app = Fastify(log)
  t.teardown(() => app.close())
  await app.register(keycloak, { issuers: (iss) => ({ ...realms.find(({ issuer }) => issuer === iss)!.options, audience: null }) })
  app.get('/me', { config: { authenticated: true } }, async () => 'me')
  for (const realm of realms) t.equal((await realm.inject(app, { as: {}, url: '/me' })).statusCode, 200)
  const codes = log.lines.filter(({ level, code }) => level === WARN && code !== undefined).map(({ code, issuer }) => `${issuer} ${code}`)
  t.same(codes, ['acme audience_unchecked', 'acme user_id_mutable', 'acme token_lifetime_unlimited', 'globex audience_unchecked'])
})

t.test('docs/production.md has a row and a section for each code, and no other', async (t) => {
  t.same(Array.from(PAGE.matchAll(/^\| \[`(\w+)`\]\(#(\w+)\)/gm), ([, code, anchor]) => code === anchor ? code : `${code} leads to ${anchor}`), RISK_CODES)
  t.same(Array.from(PAGE.matchAll(/^### (.*)$/gm), ([, heading]) => heading), RISK_CODES)
})
