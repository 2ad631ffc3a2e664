// Made-up and mutated DPoP proofs. The oracle is none of lib/: the keys remember what they signed, and for which request.
/* c8 ignore start: which lines a random run reaches differs from run to run */
import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync, type KeyObject, verify } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import fc from 'fast-check'
import Fastify, { type FastifyInstance } from 'fastify'
import keycloak from '../../index.js'
import type { TestRealm } from '../../lib/testing/index.js'
import type { Algorithm } from '../../types/options.js'
import { by, encode, type Json } from '../support/vectors.js'
import { NOT_AUTHENTICATED, NOT_VALID, own } from './contract.js'
import { changed, changes, json, mutations } from './inputs.js'

const PROOF_NOT_VALID = '401 dpop_proof_not_valid'
const NONCE_REQUIRED = '401 dpop_nonce_required'
const HOST = 'http://localhost'
const MAX_AGE = 30
const LEEWAY = 5

const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url')

interface Signer { alg: Algorithm, privateKey: KeyObject, publicKey: KeyObject, jwk: Json, jkt: string, token: string }

/** RFC 7638 section 3.2, for keys of any type. */
function thumbprint (jwk: unknown): string {
  const names = { EC: ['crv', 'kty', 'x', 'y'], OKP: ['crv', 'kty', 'x'], RSA: ['e', 'kty', 'n'] }[String(own(jwk, 'kty'))] ?? []
  return sha256(JSON.stringify(Object.fromEntries(names.map((name) => [name, own(jwk, name)]))))
}

function signersOf (realm: TestRealm): Signer[] {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const pairs = [
    ['ES256', generateKeyPairSync('ec', { namedCurve: 'P-256' })], ['ES256', generateKeyPairSync('ec', { namedCurve: 'P-256' })],
    ['EdDSA', generateKeyPairSync('ed25519')], ['PS256', rsa], ['RS256', rsa]
  ] as const
  return pairs.map(([alg, { privateKey, publicKey }]) => {
    const jwk: Json = publicKey.export({ format: 'jwk' })
    const jkt = thumbprint(jwk)
    return { alg, privateKey, publicKey, jwk, jkt, token: realm.token({ claims: { typ: 'DPoP', cnf: { jkt } } }) }
  })
}

/** Targets of requests, and the path by which a proof may name them. */
const TARGETS = [['/me', '/me'], ['/me?x=1', '/me'], ['/%6De', '/me'], ['/a~b', '/a~b'], ['/a%7eb', '/a~b'], ['/a%2fb', '/a%2Fb'], ['/a//b', '/a//b'], ['/a/', '/a/'], ['/', '/']] as const

type Form = (path: string) => unknown
type Htu = readonly [form: Form, isSame: boolean]

/** Forms of htu that name the path. */
const SAME: readonly Form[] = [
  (path) => HOST + path, (path) => `HTTP://LocalHost${path}`, (path) => `${HOST}:80${path}`, (path) => `${HOST}:${path}`, (path) => `${HOST}:0080${path}`, (path) => `${HOST}${path}?y=2#z`, (path) => `${HOST}${path}#?`,
  (path) => `${HOST}/x/..${path}`, (path) => `${HOST}/.${path}`, (path) => `${HOST}/%2e%2E${path}`, (path) => HOST + path.replace('m', '%6d').replace('%2F', '%2f')
]

/** Forms that name something else, or nothing. */
const OTHER: readonly Form[] = [
  (path) => `https://localhost${path}`, (path) => `${HOST}:81${path}`, (path) => `http://evil.example${path}`, (path) => `${HOST}.${path}`, (path) => `http://u@localhost${path}`, (path) => `http://localhost:80@evil.example${path}`,
  (path) => `${HOST}${path}x`, (path) => `${HOST}${path}/`, (path) => `${HOST}/${path}`, (path) => `${HOST}${path}%2F`, (path) => `${HOST}${path}/x/../y`, (path) => path, (path) => `//localhost${path}`, (path) => `http:/localhost${path}`,
  (path) => `http:\\\\localhost${path}`, (path) => ` ${HOST}${path}`, (path) => `${HOST}${path} `, (path) => `${HOST}${path}\n`, (path) => `${HOST}${path}\u0000`, (path) => `${HOST}${path}%`, (path) => `http://127.0.0.1${path}`,
  (path) => `ht\ttp://localhost${path}`, (path) => `${HOST}\\@evil.example${path}`, (path) => `http://localh\u00f6st${path}`, (path) => [HOST + path], () => '', () => null, () => 5, () => undefined
]

/** How the JSON of the proof is written before it is signed, and whether a strict reader takes it. */
const TEXTS: ReadonlyArray<readonly [write: (object: Json) => string | Uint8Array, isGood: boolean]> = [
  [(object) => JSON.stringify(object), true], [(object) => JSON.stringify(object), true], [(object) => JSON.stringify(object), true], [(object) => JSON.stringify(object, null, 1), true],
  [(object) => JSON.stringify(Object.fromEntries(Object.entries(object).reverse())), true],
  [(object) => `{"jti":"x","typ":"JWT",${JSON.stringify({ jti: 'y', typ: 'x', ...object }).slice(1)}`, false],
  [(object) => `\ufeff${JSON.stringify(object)}`, false], [(object) => JSON.stringify([object]), false], [(object) => `${JSON.stringify(object)}x`, false],
  [(object) => Buffer.concat([Buffer.from(`${JSON.stringify(object).slice(0, -1)},"z":"`), Buffer.from([0xff]), Buffer.from('"}')]), false]
]

interface Signed { signer: Signer, signature: string, header: Json, payload: Json, path: string, isSame: boolean, isPlain: boolean }

interface Tools {
  property<T> (name: string, runs: number, input: fc.Arbitrary<T>, check: (input: T) => Promise<string[]>): void
  realm: TestRealm
  ends: Array<() => Promise<void>>
}

/** The properties of proofs. */
export async function proofProperties ({ property, realm, ends }: Tools): Promise<void> {
  const signers = signersOf(realm)
  const nonceSecret = 's'.repeat(32)
  const apis = [await createApi(realm, {}, ends), await createApi(realm, { nonce: { secret: nonceSecret, maxAge: 86_400 } }, ends)] as const
  const signed = new Map<string, Signed>()
  const used = [new Map<string, number>(), new Map<string, number>()]
  const nonce = await nonceOf(apis[1].app, signers[0]!)

  const known = <T>(values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values)
  const mostly = <T>(usual: fc.Arbitrary<T>, weight: number, rare: fc.Arbitrary<T>): fc.Arbitrary<T> => fc.oneof({ weight, arbitrary: usual }, { weight: 1, arbitrary: rare })
  const jwks = signers.flatMap(({ jwk, privateKey }) => [jwk, { ...jwk, kid: 'x', use: 'sig' }, privateKey.export({ format: 'jwk' }), { ...jwk, k: 'AA' }, { ...jwk, kty: 'oct' }, { ...jwk, x: `${jwk.x}A` }])
  const headerSteps = mostly(fc.constant<Array<[string, unknown]>>([]), 2, changes(['typ', 'alg', 'jwk', 'crit', 'kid', 'jku', 'b64', '__proto__'], fc.oneof(json, known<unknown>(['dpop+jwt', 'DPOP+JWT', 'JWT', 'none', 'HS256', 'RS256', 'ES256', ...jwks]))))
  const payloadSteps = mostly(fc.constant<Array<[string, unknown]>>([]), 2, changes(['jti', 'htm', 'iat', 'ath', 'nonce', 'exp', 'nbf', '__proto__'], fc.oneof(json, known<unknown>(['GET', 'get', 'POST', 'x'.repeat(128), 'x'.repeat(129), nonce, ...signers.map(({ token }) => sha256(token))]))))
  const pool: string[] = signers.map(({ alg, privateKey, jwk, token }) => sign({ typ: 'dpop+jwt', alg, jwk }, { jti: 'pool', htm: 'GET', htu: `${HOST}/me`, iat: 1, ath: sha256(token) }, alg, privateKey))
  const input = fc.record({
    api: fc.nat(1),
    holder: fc.nat(signers.length - 1),
    signer: fc.nat(signers.length - 1),
    byHolder: mostly(fc.constant(true), 4, fc.constant(false)),
    method: known(['GET', 'POST', 'DELETE', 'HEAD'] as const),
    target: known<readonly [string, string]>(TARGETS),
    htu: mostly(known(SAME.map((form): Htu => [form, true])), 3, known(OTHER.map((form): Htu => [form, false]))),
    htm: mostly(fc.constant(undefined), 5, known(['GET', 'POST', 'get', ''])),
    age: mostly(known([0, 10, 1.5, -2]), 5, known([60, -60, 3600, -3600, 1e9])),
    jti: mostly(fc.uuid(), 4, known(['a', 'b'])),
    headerSteps,
    payloadSteps,
    withNonce: mostly(fc.constant(true), 5, fc.constant(false)),
    text: fc.tuple(mostly(fc.constant(0), 4, fc.nat(TEXTS.length - 1)), mostly(fc.constant(0), 4, fc.nat(TEXTS.length - 1))),
    padded: mostly(fc.constant(false), 15, fc.constant(true)),
    steps: mostly(fc.constant<Array<(token: string) => string>>([]), 2, fc.array(mutations(pool), { minLength: 1, maxLength: 2 })),
    arrangement: mostly(fc.constant(1), 6, fc.nat(5)),
    scheme: mostly(known(['DPoP', 'dpop', 'DPOP']), 12, known(['Bearer', 'Basic', 'DPoPx']))
  })

  property('whatever DPoP proof', 400, input, async (made) => {
    const api = apis[made.api]!
    const holder = signers[made.holder]!
    const [target, path] = made.target
    const [form, isSame] = made.htu
    const signer = made.byHolder ? holder : signers[made.signer]!
    const header = changed({ typ: 'dpop+jwt', alg: signer.alg, jwk: signer.jwk }, made.headerSteps)
    const payload = changed({ jti: made.jti, htm: made.htm ?? made.method, htu: form(path), iat: Date.now() / 1000 - made.age, ath: sha256(holder.token), ...made.api === 1 && made.withNonce && { nonce } }, made.payloadSteps)
    const [write, writePayload] = [TEXTS[made.text[0]]!, TEXTS[made.text[1]]!]
    const text = `${encode(write[0](header))}${made.padded ? '=' : ''}.${encode(writePayload[0](payload))}`
    const signature = by(signer.alg, signer.privateKey)(text).toString('base64url')
    signed.set(text, { signer, signature, header, payload, path, isSame, isPlain: write[1] && writePayload[1] && !made.padded })
    const proof = made.steps.reduce((text, step) => step(text), `${text}.${signature}`)
    const proofs = [[], [proof], [proof, proof], [proof, ''], [`${proof}, ${proof}`], [proof, pool[0]!]][made.arrangement]!
    const answer = await ask(api, { method: made.method, target, authorization: `${made.scheme} ${holder.token}`, proofs })
    const expected = verdict({ ...made, holder, path, proofs, nonce: made.api === 1 ? nonce : undefined, signed, used: used[made.api]! })
    if (expected === '200' || (expected === undefined && answer === '200')) used[made.api]!.set(useOf(signed.get(text)!), own(payload, 'iat') as number)
    if (expected === '200' || answer === '200') assert.equal(answer, expected ?? answer)
    else if (made.scheme === 'Bearer') assert.equal(answer, NOT_VALID)
    else if (!/^dpop$/i.test(made.scheme)) assert.equal(answer, NOT_AUTHENTICATED)
    else assert.ok([PROOF_NOT_VALID, NOT_VALID, ...made.api === 1 ? [NONCE_REQUIRED] : []].includes(answer), answer)
    return [answer]
  })

  const segment = known(['.', '..', '%2e', '%2E.', 'a', '%61', 'b', '', 'a%2fb', '...', '.a'])
  const somePath = fc.array(segment, { maxLength: 4 }).map((segments) => `/${segments.join('/')}`)
  const prefix = mostly(fc.constant(''), 3, known(['http://localhost', 'http://evil.example', 'HTTP://localhost', 'http://localhost?']))
  const bytes = fc.oneof(fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString('latin1').replace(/[\r\n]/g, '')), known(pool))
  property('whatever target and htu on a socket', 80, fc.tuple(prefix, somePath, somePath, fc.boolean(), mostly(fc.constant(undefined), 3, bytes)), async ([before, target, other, isSame, raw]) => {
    const { alg, privateKey, jwk, token } = signers[0]!
    const path = isSame ? target : other
    const proof = raw ?? sign({ typ: 'dpop+jwt', alg, jwk }, { jti: String(Math.random()), htm: 'GET', htu: HOST + path, iat: Date.now() / 1000, ath: sha256(token) }, alg, privateKey)
    const status = await statusOf(apis[0].app, `GET ${before}${target} HTTP/1.1`, [`Authorization: DPoP ${token}`, `DPoP: ${proof}`])
    assert.match(status, /^(200|40\d)$/)
    // The router decodes what it needs not, and nothing else; WHATWG URL removes dot segments, and nothing else.
    const routed = target.replaceAll('%61', 'a')
    const hasDots = routed.split('/').some((part) => /^(\.|%2e){1,2}$/i.test(part))
    const proven = new URL(HOST + path).pathname.replaceAll('%61', 'a')
    if (status === '200') assert.ok(raw === undefined && !before.includes('?') && !hasDots && routed === proven, `${before}${target} with ${path}`)
    else if (raw === undefined && before === '') assert.ok(hasDots || routed !== proven, `${target} with ${path}`)
    return [status]
  })
}

function sign (header: Json, payload: Json, alg: Algorithm, key: KeyObject): string {
  const text = `${encode(header)}.${encode(payload)}`
  return `${text}.${by(alg, key)(text).toString('base64url')}`
}

/** UTF-8 does not tell lone surrogates from each other. */
const useOf = ({ signer: { jkt }, payload }: Signed): string => Buffer.from(`${jkt} ${String(own(payload, 'jti'))}`).toString()

interface Case { holder: Signer, method: string, path: string, scheme: string, proofs: readonly string[], nonce: string | undefined, signed: ReadonlyMap<string, Signed>, used: ReadonlyMap<string, number> }

/** `200`, `refused`, or `undefined` if a second may decide. */
function verdict ({ holder, method, path, scheme, proofs, nonce, signed, used }: Case): string | undefined {
  const [proof] = proofs
  if (proof === undefined || proofs.length !== 1 || !/^dpop$/i.test(scheme)) return 'refused'
  const parts = proof.split('.')
  const of = signed.get(parts.slice(0, 2).join('.'))
  if (parts.length !== 3 || of === undefined || !of.isPlain || proof.length > 8192 || of.path !== path || !of.isSame) return 'refused'
  const { signer, header, payload } = of
  if (parts[2] !== of.signature && !isOther(of, parts as [string, string, string])) return 'refused'
  const jwk = own(header, 'jwk')
  if (own(header, 'typ') !== 'dpop+jwt' || Object.hasOwn(header, 'crit') || own(header, 'alg') !== signer.alg) return 'refused'
  if (signer.jkt !== holder.jkt || thumbprint(jwk) !== holder.jkt || ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'].some((name) => Object.hasOwn(jwk as Json, name))) return 'refused'
  const [jti, iat] = [own(payload, 'jti'), own(payload, 'iat')]
  if (typeof jti !== 'string' || jti === '' || jti.length > 128) return 'refused'
  if (own(payload, 'htm') !== method || own(payload, 'ath') !== sha256(holder.token)) return 'refused'
  if (nonce !== undefined && own(payload, 'nonce') !== nonce) return 'refused'
  const age = typeof iat === 'number' && Number.isFinite(iat) ? Date.now() / 1000 - iat : Infinity
  if (Math.abs(age - MAX_AGE - LEEWAY) < 3 || Math.abs(age + LEEWAY) < 2) return undefined
  if (age > MAX_AGE + LEEWAY || age < -LEEWAY) return 'refused'
  const usedAt = used.get(useOf(of))
  // While the first proof could be good its jti is used; a while later, which a long run sees, it is forgotten.
  if (usedAt !== undefined) return Date.now() / 1000 - usedAt < MAX_AGE + LEEWAY ? 'refused' : undefined
  return '200'
}

/** Is it another signature of the same text that is good, such as (r, n - s) of ECDSA? */
function isOther ({ signer: { alg, publicKey } }: Signed, [header, payload, signature]: [string, string, string]): boolean {
  const bytes = Buffer.from(signature, 'base64url')
  if (!alg.startsWith('ES') || bytes.toString('base64url') !== signature) return false
  return verify('sha256', Buffer.from(`${header}.${payload}`), { key: publicKey, dsaEncoding: 'ieee-p1363' }, bytes)
}

interface Api { app: FastifyInstance, takeLog: () => string }

async function createApi (realm: TestRealm, dpop: object, ends: Tools['ends']): Promise<Api> {
  let log = ''
  const app = Fastify({ logger: { level: 'trace', stream: { write: (line: string) => { log += line } } } })
  ends.push(() => app.close())
  await app.register(keycloak, { ...realm.options, algorithms: 'ES256', jwks: { cooldown: 60_000 }, dpop: { maxAge: MAX_AGE, leeway: LEEWAY, replay: { max: 10_000_000 }, ...dpop } })
  app.all('/*', { config: { authenticated: true } }, async () => 'in')
  return { app, takeLog () { const text = log; log = ''; return text } }
}

async function nonceOf (app: FastifyInstance, { alg, privateKey, jwk, token }: Signer): Promise<string> {
  const dpop = sign({ typ: 'dpop+jwt', alg, jwk }, { jti: 'first', htm: 'GET', htu: `${HOST}/me`, iat: Date.now() / 1000, ath: sha256(token) }, alg, privateKey)
  const { headers } = await app.inject({ url: '/me', headers: { host: 'localhost', authorization: `DPoP ${token}`, dpop } })
  return String(headers['dpop-nonce'])
}

interface Asked { method: 'GET' | 'POST' | 'DELETE' | 'HEAD', target: string, authorization: string, proofs: string[] }

/** Status and code of an answer, and what is true of every answer. */
async function ask ({ app, takeLog }: Api, { method, target, authorization, proofs }: Asked): Promise<string> {
  const { statusCode, headers, body } = await app.inject({ method, url: target, headers: { host: 'localhost', authorization, ...proofs.length > 0 && { dpop: proofs as never } } })
  const log = takeLog()
  for (const secret of [authorization, ...proofs].flatMap((text) => text.split(/[ .,]/)).filter((part) => part.length > 20)) {
    assert.ok(!log.includes(secret) && !body.includes(secret), 'a part of a token or a proof is told')
  }
  if (statusCode < 400) return String(statusCode)
  const challenge = String(headers['www-authenticate'])
  assert.match(challenge, /^Bearer realm="test"(, error="[a-z_]+", error_description="[^"]+")?, DPoP realm="test", (error="[a-z_]+", error_description="[^"]+", )?algs="[A-Za-z0-9 ]+"$/)
  // An answer to HEAD has no body.
  const error = method === 'HEAD' ? { invalid_dpop_proof: 'dpop_proof_not_valid', use_dpop_nonce: 'dpop_nonce_required', invalid_token: 'token_not_valid' }[/error="(\w+)"/.exec(challenge)?.[1] ?? ''] ?? 'not_authenticated' : JSON.parse(body).code
  return `${statusCode} ${error}`
}

async function statusOf (app: FastifyInstance, line: string, headers: readonly string[]): Promise<string> {
  if (!app.server.listening) await app.listen({ port: 0, host: '127.0.0.1' })
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  socket.setTimeout(30_000, () => { socket.destroy() }).on('error', () => {})
  let received = ''
  socket.on('data', (chunk) => { received += String(chunk) })
  socket.write(Buffer.from([line, 'Host: localhost', ...headers, 'Connection: close', '', ''].join('\r\n'), 'latin1'))
  await once(socket, 'close')
  return received.slice(9, 12)
}
