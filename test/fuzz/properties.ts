// What must hold whatever is sent to the API and whatever Keycloak answers, for test/fuzz/fuzz.test.ts and test/fuzz/run.ts.
// Each property knows, from the contract alone, what the answer to an input must be, and is held against what it is.
/* c8 ignore start: which lines a random run reaches differs from run to run */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import Fastify, { type FastifyInstance } from 'fastify'
import keycloak from '../../index.js'
import { createTestRealm, type TestRealm } from '../../lib/testing/index.js'
import { by, compact, type Json, parts } from '../support/vectors.js'
import type { KeycloakOptions } from '../../types/options.js'
import { BAD_HEADER, DENIED, EXPIRED, judged, NOT_AUTHENTICATED, NOT_VALID, own, RESTRICTED, restrictedVerdict, UNAVAILABLE, verdict } from './contract.js'
import { type Answer, answers, changed, changes, CLIENT_SECRET, cut, documentOf, json, MARK, mutations, ROLE } from './inputs.js'
import { proofProperties } from './proofs.js'

export interface Property {
  name: string
  /** How many inputs make a short run. */
  runs: number
  /**
   * Try inputs until one breaks the property.
   * @throws {Error} with the seed and the smallest input that breaks it
   */
  run (parameters: fc.Parameters<[unknown]>): Promise<void>
}

export interface Fuzz {
  properties: Property[]
  /** How often each property got each answer: the status and the code of the error. */
  answers: Map<string, Map<string, number>>
  close (): Promise<void>
}

const DAY = 86_400

interface Api {
  app: FastifyInstance
  /** The status and code of the answer to an Authorization header. */
  ask (url: string, authorization: string): Promise<string>
  close (): Promise<void>
}

/** An API that logs all it can, and what is true of every one of its answers. */
async function createApi (realm: TestRealm, options: Partial<KeycloakOptions> = {}): Promise<Api> {
  let log = ''
  const app = Fastify({ logger: { level: 'trace', stream: { write: (line: string) => { log += line } } } })
  // A cooldown of a second would be waited for.
  await app.register(keycloak, { ...realm.options, ...options, jwks: { cooldown: 60_000, ...options.jwks } })
  const user = async ({ user }: { user: unknown }) => ({ user })
  app.get('/open', user)
  app.get('/me', { config: { authenticated: true } }, user)
  app.get('/profile', { config: { permission: ROLE } }, user)

  async function ask (url: string, authorization: string): Promise<string> {
    const response = await app.inject({ url, headers: { authorization } })
    const { statusCode, headers, body } = response
    const answer = statusCode < 400 ? String(statusCode) : `${statusCode} ${response.json().code}`
    const secrets = [CLIENT_SECRET, MARK, ...authorization.split(/[ .]/).filter((part) => part.length > 20)]
    for (const secret of secrets) assert.ok(!log.includes(secret), `the log says ${secret}`)
    assert.ok(!body.includes(CLIENT_SECRET) && !body.includes(MARK), `the answer says ${body}`)
    if (statusCode >= 400) {
      const { code, error, message, ...rest } = response.json()
      assert.ok([NOT_AUTHENTICATED, BAD_HEADER, NOT_VALID, EXPIRED, DENIED, UNAVAILABLE].includes(`${rest.statusCode} ${code}`), body)
      assert.deepEqual([Object.keys(rest), typeof error, typeof message], [['statusCode'], 'string', 'string'])
      if (statusCode === 503) assert.match(String(headers['retry-after']), /^\d+$/)
      else assert.match(String(headers['www-authenticate']), /^Bearer realm="test"(, error="[a-z_]+", error_description="[^"]+")?$/)
    }
    log = ''
    return answer
  }
  return { app, ask, close: () => app.close() }
}

function respond (realm: TestRealm, endpoint: 'certs' | 'introspect', { status, headers, body }: Answer): void {
  realm.respond(endpoint, (request, response: ServerResponse) => {
    response.on('error', () => {})
    response.strictContentLength = false
    response.writeHead(status, `status ${MARK}`, { ...headers, 'x-words': MARK }).end(Buffer.from(body as string))
    // More was promised than there is.
    if (headers['content-length'] === '100000') setImmediate(() => request.socket.destroy())
  })
}

/** The realms, the APIs on them and all properties; close it at the end. */
export async function createFuzz (): Promise<Fuzz> {
  const tally = new Map<string, Map<string, number>>()
  const properties: Property[] = []
  const ends: Array<() => Promise<void>> = []

  /** The check gives the answers that the input got. */
  function property<T> (name: string, runs: number, input: fc.Arbitrary<T>, check: (input: T) => Promise<string[]>): void {
    const counts = new Map<string, number>()
    tally.set(name, counts)
    const predicate = async (value: unknown) => {
      for (const answer of await check(value as T)) counts.set(answer, (counts.get(answer) ?? 0) + 1)
    }
    properties.push({ name, runs, run: (parameters) => fc.assert(fc.asyncProperty(input as fc.Arbitrary<unknown>, predicate), parameters) })
  }

  async function realmOf (algorithms: NonNullable<Parameters<typeof createTestRealm>[0]>['algorithms']): Promise<TestRealm> {
    const realm = await createTestRealm({ algorithms, clientSecret: CLIENT_SECRET, tokenLifespan: DAY })
    ends.push(() => realm.close())
    return realm
  }

  async function apiOn (realm: TestRealm, options?: Partial<KeycloakOptions>): Promise<Api> {
    const api = await createApi(realm, options)
    ends.push(() => api.close())
    return api
  }

  const algorithms = ['RS256', 'ES256', 'PS256', 'EdDSA'] as const
  const realm = await realmOf(algorithms)
  const api = await apiOn(realm, { algorithms })
  const tokens = algorithms.flatMap((alg) => ['alice', 'bob'].map((username) => realm.token({ alg, username, roles: [ROLE] })))
  const route = fc.constantFrom('/open', '/me', '/profile')
  const mutant = fc.tuple(fc.constantFrom(...tokens), fc.array(mutations(tokens), { minLength: 1, maxLength: 3 })).map(([token, steps]) => steps.reduce((text, step) => step(text), token))

  const scheme = fc.oneof({ weight: 6, arbitrary: fc.mixedCase(fc.constant('bearer')) }, fc.constantFrom('Basic', 'DPoP', 'Bearer,', 'Bearer:', '\uff22earer', 'bearer\0', ''), fc.string())
  const gap = fc.oneof({ weight: 4, arbitrary: fc.constant(' ') }, fc.constantFrom('', '  ', '\t', ' \t', '\u00a0', '\n', '=', ','))
  const rest = fc.oneof(mutant, fc.string({ unit: 'binary', maxLength: 60 }), fc.base64String(), fc.array(fc.base64String().map((text) => text.replaceAll('=', '')), { maxLength: 6 }).map((all) => all.join('.')), fc.constantFrom(...tokens).map((token) => `${token} ${token}`))
  const header = fc.oneof({ weight: 5, arbitrary: fc.tuple(scheme, gap, rest, fc.constantFrom('', '', ' ', '   ', '\t')).map((all) => all.join('')) }, fc.string({ unit: 'binary' }))

  property('whatever the Authorization header', 250, header, async (authorization) => {
    const [, name, after] = /^([^ \t]*)(.*)$/s.exec(authorization)!
    const token = after!.replace(/^ +| +$/g, '')
    const expected = name!.toLowerCase() !== 'bearer' ? NOT_AUTHENTICATED : token === '' || /[ \t]/.test(token) ? BAD_HEADER : tokens.includes(token) ? '200' : NOT_VALID
    const answer = await api.ask('/me', authorization)
    assert.equal(answer, expected)
    return [answer]
  })

  property('whatever bytes in the Authorization header of a socket', 80, fc.oneof(fc.uint8Array({ maxLength: 80 }), header.map((text) => Buffer.from(text, 'latin1'))), async (value) => {
    const { server } = api.app
    if (!server.listening) await api.app.listen({ port: 0, host: '127.0.0.1' })
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    socket.setTimeout(5000, () => { socket.destroy() }).on('error', () => {})
    let received = ''
    socket.on('data', (chunk) => { received += String(chunk) })
    socket.write(Buffer.concat([Buffer.from('GET /me HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: '), value, Buffer.from('\r\n\r\n')]))
    await once(socket, 'close')
    const status = received.slice(9, 12)
    // Node takes spaces and tabs off both ends of a header.
    const good = tokens.includes(Buffer.from(value).toString('latin1').replace(/^[ \t]*bearer +|[ \t]+$/ig, ''))
    assert.match(status, good ? /^200$/ : /^(400|401|431)$/)
    return [status]
  })

  property('whatever mutation of a good token', 600, fc.tuple(route, mutant), async ([url, token]) => {
    const expected = tokens.includes(token.replace(/^ +| +$/g, '')) ? '200' : /^ *[^ \t]+ *$/.test(token) ? NOT_VALID : BAD_HEADER
    const answer = await api.ask(url, `Bearer ${token}`)
    assert.equal(answer, expected)
    return [answer]
  })

  property('whatever value is given to verify()', 80, fc.oneof(fc.anything(), mutant, header), async (value) => {
    const outcome = await api.app.keycloak.verify(value as string).then(() => '200', (error: { statusCode: number, code: string }) => `${error.statusCode} ${error.code}`)
    assert.equal(outcome, tokens.includes(value as string) ? '200' : NOT_VALID)
    return [outcome]
  })

  const pool = [...tokens.map((token) => ({ token, answer: '200' })), ...algorithms.flatMap((alg) => [
    { token: realm.token({ alg, forged: true }), answer: NOT_VALID }, { token: realm.token({ alg, expired: true }), answer: EXPIRED }, { token: realm.token({ alg, kid: 'x' }), answer: NOT_VALID },
    { token: realm.token({ alg }), answer: DENIED }, { token: realm.token({ alg, claims: { aud: 'x' } }), answer: NOT_VALID }
  ])]
  const small = await apiOn(realm, { algorithms, cache: { max: 3 } })
  property('in whatever order, and all at once', 30, fc.array(fc.constantFrom(...pool), { maxLength: 20 }), async (asked) => {
    const got = await Promise.all(asked.map(({ token }) => small.ask('/profile', `Bearer ${token}`)))
    assert.deepEqual(got, asked.map(({ answer }) => answer))
    return got
  })

  const signing = await realmOf(['ES256'])
  const signed = await apiOn(signing, { algorithms: 'ES256' })
  const good = parts(signing, { roles: [ROLE] })
  const now = Math.floor(Date.now() / 1000)
  const claim = fc.oneof(json, fc.constantFrom<unknown>(signing.issuer, [signing.issuer], 'api', ['api'], ['x', 'api'], 'Bearer', now - 60, now + DAY, String(now + DAY), 'alice', { api: { roles: [ROLE] } }, { api: { roles: ROLE } }, { api: [ROLE] }))
  const claims = changes(['exp', 'iat', 'nbf', 'iss', 'aud', 'typ', 'cnf', 'sub', 'jti', 'preferred_username', 'resource_access', 'scope', 'email', '__proto__'], claim)
  const extras = fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, changes(['typ', 'crit', 'cty', 'jwk', 'jku', 'x5c', 'b64', 'zip', '__proto__'], fc.oneof(json, fc.constantFrom('JWT', 'at+jwt', 'AT+JWT', 'application/at+jwt', 'id+jwt'))))
  property('whatever claims and header the realm has signed', 400, fc.tuple(claims, extras), async ([byClaim, byMember]) => {
    const payload = changed(good.claims, byClaim)
    const top = changed(good.header, byMember.filter(([name]) => name !== 'alg' && name !== 'kid'))
    const answer = await signed.ask('/profile', `Bearer ${compact(top, payload, by('ES256'))}`)
    assert.equal(answer, verdict(signing, top, payload) ?? answer)
    assert.doesNotMatch(answer, /^5/)
    return [answer]
  })

  const restricted = await apiOn(signing, { algorithms: 'ES256', ...RESTRICTED })
  const restrictedClaims = changes(['azp', 'client_id', 'iat', 'exp', 'aud', 'sub', 'jti', 'typ', 'resource_access', '__proto__'], fc.oneof(claim, fc.constantFrom<unknown>('web', ['web'], 'cli', 'other', '', now - 7200, now + 60)))
  const restrictedTypes = fc.oneof({ weight: 6, arbitrary: fc.constantFrom('at+jwt', 'AT+JWT', 'application/at+jwt') }, fc.constantFrom<unknown>('JWT', 'application/jwt', undefined, '', ['at+jwt']))
  property('whatever claims the realm has signed, where options restrict the tokens', 300, fc.tuple(restrictedClaims, restrictedTypes), async ([byClaim, typ]) => {
    const payload = changed(good.claims, byClaim)
    const top = changed(good.header, [['typ', typ]])
    const answer = await restricted.ask('/profile', `Bearer ${compact(top, payload, by('ES256'))}`)
    assert.equal(answer, restrictedVerdict(signing, top, payload) ?? answer)
    return [answer]
  })

  const keyed = await realmOf(['RS256', 'ES256', 'EdDSA'])
  const kinds = ['RS256', 'ES256', 'EdDSA'] as const
  const published: Json[] = (await (await fetch(`${keyed.issuer}/protocol/openid-connect/certs`)).json() as { keys: Json[] }).keys
  const genuine = kinds.map((alg) => ({ alg, key: published.find((key) => key.alg === alg)!, token: keyed.token({ alg }), bare: keyed.token({ alg, kid: null }), forged: keyed.token({ alg, forged: true }) }))
  const members = fc.oneof({ weight: 2, arbitrary: json }, fc.constantFrom<unknown>('RSA', 'EC', 'OKP', 'oct', 'P-256', 'P-384', 'Ed25519', 'Ed448', 'X25519', 'RS256', 'ES256', 'EdDSA', 'sig', 'enc', ['verify'], 'AQAB', 'AQ', published[0]!.kid, published[1]!.kid, published[0]!.n, published[1]!.x))
  const entry = fc.oneof(
    { weight: 4, arbitrary: fc.tuple(fc.constantFrom(...published), changes(['kty', 'kid', 'alg', 'use', 'key_ops', 'crv', 'n', 'e', 'x', 'y', 'd', 'k', 'x5c', '__proto__'], members)).map(([key, steps]) => changed(key, steps)) },
    // One kid for several keys, or none, and no alg to tell them apart.
    { weight: 2, arbitrary: fc.tuple(fc.constantFrom(...published), fc.constantFrom(published[0]!.kid, published[1]!.kid, undefined, 'undefined', ''), fc.boolean()).map(([key, kid, whole]) => changed(key, [['kid', kid], ['alg', whole ? key.alg : undefined]])) },
    { weight: 3, arbitrary: fc.constantFrom(...published) }, json
  )
  const keySet = fc.oneof({ weight: 8, arbitrary: fc.array(entry, { maxLength: 6 }).map((keys) => ({ keys, [MARK]: MARK })) }, json.map((keys) => ({ keys })), json)
  property('whatever the answer to the request for keys', 40, answers(keySet), async (answer) => {
    respond(keyed, 'certs', answer)
    const { ask, close } = await createApi(keyed, { algorithms: kinds, jwks: { timeout: 3000 } })
    const keys = own(documentOf(answer), 'keys')
    const usable: unknown[] = Array.isArray(keys) ? keys : []
    const intact = ({ key }: { key: Json }) => !cut(answer) && usable.some((each) => isDeepStrictEqual(each, key)) && usable.every((each) => own(each, 'kid') !== key.kid || isDeepStrictEqual(each, key))
    const got: string[] = []
    for (const each of genuine) {
      const { alg, key, token, bare, forged } = each
      const statuses = await Promise.all([token, bare, forged].map((each) => ask('/me', `Bearer ${each}`)))
      got.push(...statuses)
      for (const status of statuses) assert.match(status, /^(200|401 token_not_valid|503 keycloak_unavailable)$/)
      assert.notEqual(statuses[2], '200')
      if (intact(each)) assert.deepEqual([alg, statuses[0], statuses[2]], [alg, '200', NOT_VALID])
      // The realm's key must be there in some form, or its tokens are good for nothing.
      if (!JSON.stringify(usable).includes(key.n ?? key.x)) assert.deepEqual(statuses.filter((status) => status === '200'), [])
      if (documentOf(answer) === undefined && !cut(answer)) assert.deepEqual(new Set(statuses), new Set([UNAVAILABLE]))
    }
    await close()
    return got
  })

  const asked = await realmOf(['ES256'])
  const introspecting = { algorithms: 'ES256', verifyTokensWithKeycloak: true, introspection: { timeout: 3000 } } as const
  let live = await createApi(asked, introspecting)
  ends.push(() => live.close())
  const shown = parts(asked, { roles: [ROLE] })
  const whole = { ...shown.claims, active: true, client_id: 'web', username: 'alice', token_type: 'Bearer', [MARK]: MARK }
  const said = fc.oneof(claim, fc.constantFrom<unknown>(shown.claims.jti, shown.claims.sub, asked.issuer, 'true', { api: { roles: [ROLE] } }))
  const introspection = fc.oneof({ weight: 10, arbitrary: changes(['active', 'jti', 'iss', 'sub', 'exp', 'iat', 'nbf', 'aud', 'typ', 'cnf', 'preferred_username', 'resource_access', 'jwt', '__proto__'], said).map((steps) => changed(whole, steps)) }, fc.constantFrom({ active: true }, { active: false }), json)
  property('whatever the answer to introspection', 90, answers(introspection), async (answer) => {
    respond(asked, 'introspect', answer)
    const got = await live.ask('/profile', `Bearer ${shown.raw.join('.')}`)
    // After a failure the next call may be spared for a while.
    if (got === UNAVAILABLE) {
      await live.close()
      live = await createApi(asked, introspecting)
    }
    const document = documentOf(answer)
    const expected = document === undefined ? UNAVAILABLE : judged(asked, document, shown.claims, shown.header)
    if (!cut(answer)) assert.equal(got, expected ?? got)
    else assert.ok([expected, UNAVAILABLE].includes(got))
    return [got]
  })

  const leaving = await realmOf(['ES256'])
  const paths = ['/backchannel-logout', '/keycloak/k_logout', '/keycloak/k_push_not_before'] as const
  const notified = await apiOn(leaving, { algorithms: 'ES256', backchannelLogout: { path: paths[0], clients: 'web' }, adminUrl: { path: '/keycloak' }, jwks: { cooldown: 0 } })
  const staying = leaving.token()
  const order = { id: 'x', expiration: now + DAY, resource: 'api', notBefore: now + DAY }
  const calls = [leaving.token({ kind: 'logout' }), leaving.sign({ ...order, action: 'LOGOUT' }), leaving.sign({ ...order, action: 'PUSH_NOT_BEFORE' })]
  const call = fc.oneof({ weight: 4, arbitrary: fc.tuple(fc.constantFrom(...calls, staying), fc.array(mutations([...calls, staying]), { minLength: 1, maxLength: 3 })).map(([token, steps]) => steps.reduce((text, step) => step(text), token)) }, fc.string({ unit: 'binary' }), json.map((value) => JSON.stringify(value)))
  const types = fc.oneof({ weight: 6, arbitrary: fc.constant('') }, fc.constantFrom('application/json', 'text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'x'))
  const encodings = fc.constantFrom<(text: string) => string>((text) => new URLSearchParams({ logout_token: text }).toString(), (text) => `logout_token=${encodeURIComponent(text.toWellFormed())}&logout_token=x`, (text) => `logout_token=${text}`)
  property('whatever is posted to the routes that Keycloak calls', 80, fc.tuple(fc.constantFrom(...paths), types, call, encodings), async ([url, type, token, encoding]) => {
    const form = url === paths[0]
    const payload = form ? encoding(token) : token
    // What is still an order after all mutations would be carried out.
    fc.pre(!calls.includes(payload.trim()) && !calls.some((each) => new URLSearchParams(payload).getAll('logout_token').includes(each)))
    const { statusCode, body } = await notified.app.inject({ method: 'POST', url, payload, headers: { 'content-type': type === '' ? form ? 'application/x-www-form-urlencoded' : 'text/plain' : type } })
    assert.equal(statusCode, 400)
    assert.deepEqual(Object.keys(JSON.parse(body)), ['error', 'error_description'])
    assert.equal(await notified.ask('/me', `Bearer ${staying}`), '200')
    return [String(statusCode)]
  })

  await proofProperties({ property, realm: await realmOf(['ES256']), ends })

  async function close (): Promise<void> {
    for (const end of ends.reverse()) await end()
  }
  return { properties, answers: tally, close }
}
