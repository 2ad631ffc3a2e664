// What has gone wrong in the parts this package is made of, in those it takes the place of, and in Keycloak itself. What
// each advisory is about is said in our own words; the classes that they belong to are tested at length in the other files.
import { createPublicKey } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import Fastify from 'fastify'
import t from 'tap'
import keycloak from '../../index.js'
import { apiFor, ask, bearer, realmFor } from '../support/app.js'
import { backchannel, LOGOUT, post } from '../support/logout.js'
import { ALGORITHMS, by, type Case, check, compact, encode, hmac, type Json, NOT_VALID, parts, realmsKey, strangersKey } from '../support/vectors.js'

const INTROSPECTING = { verifyTokensWithKeycloak: true }

// A public key in the PEM of PKCS #1 ("BEGIN RSA PUBLIC KEY") was not known for one, so an HS256 token was verified with its
// text for the secret. The fix looked at the very start of the text only: one space before it and all was as before. A later
// one (GHSA-g3jj-5cmm-3hxx) is the same with the JSON of a JWK.
t.test('fast-jwt CVE-2023-48223 and CVE-2026-34950: a public key is never taken for a secret', async (t) => {
  const realm = await realmFor(t, { algorithms: ALGORITHMS })
  const app = await apiFor(t, realm, { algorithms: ALGORITHMS })
  const { claims, header } = parts(realm)
  const key = createPublicKey(realmsKey('RS256'))
  const pkcs1 = key.export({ type: 'pkcs1', format: 'pem' }) as string
  for (const secret of [pkcs1, ` ${pkcs1}`, `\n${pkcs1}`, `\t ${pkcs1}\n`, `\ufeff${pkcs1}`, `# key\n${pkcs1}`, JSON.stringify(key.export({ format: 'jwk' }))]) {
    for (const alg of ['HS256', 'HS384', 'HS512']) await check(t, app, [[alg, compact({ ...header, alg }, claims, hmac(alg, secret))]])
  }
})

// An iss that was a list passed when one of its members was allowed, while code behind it read the list's other member.
t.test('fast-jwt CVE-2025-30144: an issuer is one string', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  for (const iss of [[realm.issuer], [realm.issuer, 'https://evil.example'], ['https://evil.example', realm.issuer]]) await check(t, app, [[JSON.stringify(iss), realm.token({ claims: { iss } })]])
})

// A cache of verified tokens whose keys can be the same for two tokens hands one user the claims of another.
t.test('fast-jwt CVE-2026-35039: no token is answered with the claims of another one', async (t) => {
  const realm = await realmFor(t)
  for (const options of [{}, { cache: { max: 2 } }, { ...INTROSPECTING, introspection: { cacheTtl: 60_000 } }]) {
    const app = await apiFor(t, realm, options)
    const users = ['alice', 'bob', 'carol', 'dave']
    // The same iat, exp, aud and length: nothing but the user tells them apart.
    const tokens = users.map((username) => realm.token({ username, claims: { jti: 'x', sid: 's' } }))
    const answers = await Promise.all(Array.from({ length: 200 }, async (_, at) => {
      const response = await app.inject({ url: '/me', headers: bearer(tokens[at % 4]!) })
      return response.json().user.username === users[at % 4]
    }))
    t.ok(answers.every(Boolean))
    // The tail of a signature that is known is not enough.
    const [header, , signature] = tokens[0]!.split('.')
    await check(t, app, [['a known signature under other claims', `${header}.${encode(parts(realm, { username: 'admin' }).claims)}.${signature}`], ['control', tokens[0]!, '200']])
  }
})

// A RegExp with the flag g or y remembers where it stopped, so the same good token was accepted and refused in turn.
t.test('fast-jwt CVE-2026-35040: the same token gets the same answer, however often', async (t) => {
  const realm = await realmFor(t)
  for (const options of [{}, { cache: false as const }, { audience: ['api', 'other'] }]) {
    const app = await apiFor(t, realm, options)
    const good = realm.token()
    const bad = realm.token({ claims: { aud: 'x' } })
    await check(t, app, Array.from({ length: 10 }, (_, at): Case[] => [[`good, ${at}`, good, '200'], [`bad, ${at}`, bad]]).flat())
  }
  await t.rejects(apiFor(t, realm, { audience: /api/g as never }), /option "audience" must be/, 'an audience is no pattern')
})

// A pattern of nested quantifiers took a minute for an aud of thirty characters: for these it would exceed the timeout of the test.
t.test('fast-jwt CVE-2026-35041: claims that are long and repetitive are held against no pattern', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { audience: ['api', `${'a'.repeat(50)}b`] })
  for (const text of ['a'.repeat(10_000), 'ab'.repeat(5000), ' '.repeat(10_000), `${'a'.repeat(10_000)}!`, '/'.repeat(10_000)]) {
    for (const claim of ['aud', 'iss', 'typ']) await check(t, app, [[claim, realm.token({ claims: { [claim]: text } })]])
    t.equal(await ask(app, '/profile', realm.token({ scope: text, roles: [text] })), '403 permission_denied')
    t.equal((await app.inject({ url: '/me', headers: { authorization: `Bearer ${text}` } })).statusCode, 401)
  }
})

// A header parameter that the sender calls critical was ignored.
t.test('fast-jwt CVE-2026-35042: what is critical and not understood is refused', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const { header, claims } = parts(realm)
  for (const crit of [['x-custom-policy'], ['b64'], ['cnf']]) await check(t, app, [[String(crit), compact({ ...header, crit, [crit[0]!]: 'require-mfa' }, claims, by('RS256'))]])
})

// A look-up of the key that ended in an empty string made an HMAC with an empty secret a good signature.
t.test('fast-jwt CVE-2026-44351: a kid without a key is no empty secret', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const { claims, header } = parts(realm)
  for (const kid of ['unknown', '', header.kid, undefined]) {
    for (const alg of ['HS256', 'HS384', 'HS512', 'RS256']) {
      for (const secret of ['', Buffer.alloc(0), Buffer.alloc(1)]) await check(t, app, [[`${kid} ${alg}`, compact({ alg, kid }, claims, hmac('HS256', secret))]])
    }
  }
})

// The key of the cache was algorithm, kid and issuer with colons between, and the issuer was judged after the look-up: a token
// of the attacker's issuer left the attacker's key where a second token, with a colon in its kid, found it under ours.
t.test('get-jwks CVE-2025-59936: an issuer that a token names is never asked, and its keys land nowhere', async (t) => {
  const evil = createServer((_request, response) => { response.end(JSON.stringify({ keys: [{ ...createPublicKey(strangersKey()).export({ format: 'jwk' }), kid: 'k', alg: 'RS256' }] })) })
  let visits = 0
  evil.on('request', () => visits++)
  await new Promise<void>((resolve) => { evil.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => evil.close())
  const theirs = `http://127.0.0.1:${(evil.address() as AddressInfo).port}`

  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const { claims } = parts(realm)
  const forge = by('RS256', strangersKey())
  const ours = realm.issuer
  const cases: Case[] = []
  for (const kid of ['k', `${theirs}/:${ours}`, `k:${theirs}`, `k:${theirs}/?:${ours}/`, `RS256:k:${theirs}/`, encodeURIComponent(`k:${theirs}/`), `k#:${ours}/`, `${ours}:k`]) {
    for (const iss of [theirs, `${theirs}/`, `${theirs}/?:${ours}`, `${theirs}/?${ours}`, ours, `${ours}@${theirs}`]) {
      cases.push([`${kid} of ${iss}`, compact({ alg: 'RS256', kid }, { ...claims, iss }, forge)], [`${kid} of ours`, compact({ alg: 'RS256', kid }, claims, forge)])
    }
  }
  await check(t, app, cases)
  t.equal(visits, 0)
})

// Whoever could reach an application could log its users out: the token of a push from Keycloak was read, not verified.
t.test('keycloak-connect CVE-2019-10157: what nobody signed logs nobody out', async (t) => {
  const realm = await realmFor(t)
  const { claims, header } = parts(realm)
  const far = 4_000_000_000
  const events = { 'http://schemas.openid.net/event/backchannel-logout': {} }
  const orders: Json[] = [
    { action: 'LOGOUT', keycloakSessionIds: [claims.sid], adapterSessionIds: [claims.sid], id: 'x', notBefore: far, expiration: far, resource: 'api' },
    { action: 'PUSH_NOT_BEFORE', id: 'y', notBefore: far, expiration: far, resource: 'api' },
    { iss: realm.issuer, aud: 'web', iat: claims.iat, exp: far, jti: 'z', sub: claims.sub, sid: claims.sid, typ: 'Logout', events }
  ]
  const forgeries = orders.flatMap((order) => [
    compact({ alg: 'none' }, order, () => Buffer.alloc(0)), compact({ alg: 'none', kid: header.kid }, order, by('RS256')), compact(header, order, by('RS256', strangersKey())), compact({ alg: 'RS256' }, order, by('RS256', strangersKey())),
    compact({ ...header, alg: 'HS256' }, order, hmac('HS256', '')), compact({ ...header, jwk: createPublicKey(strangersKey()).export({ format: 'jwk' }) }, order, by('RS256', strangersKey())), `${encode(header)}.${encode(order)}`, JSON.stringify(order)
  ])
  // What the realm signed for its users is no order either.
  forgeries.push(realm.token(), realm.token({ kind: 'id' }), realm.token({ kind: 'refresh' }), realm.token({ claims: orders[0] }), realm.token({ claims: orders[1] }), 'x', '')
  for (const options of [{}, LOGOUT]) {
    const app = await apiFor(t, realm, options)
    const token = realm.token()
    const answers = new Set<number>()
    for (const payload of forgeries) {
      for (const path of ['', '/keycloak']) {
        for (const name of ['k_logout', 'k_push_not_before', 'k_test']) answers.add((await post(app, `${path}/${name}`, 'text/plain', payload)).status)
      }
      answers.add((await backchannel(app, payload)).status)
    }
    t.same([...answers].sort(), options === LOGOUT ? [400, 404] : [404])
    for (const payload of forgeries.slice(0, 9)) await check(t, app, [['and it is no access token', payload]])
    await check(t, app, [['still good', token, '200']])
  }
})

// A check for a session redirected the browser to where the request said.
t.test('keycloak-connect CVE-2022-2237: no answer is a redirect, wherever a request points', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const evil = 'https://evil.example/'
  for (const url of ['/me', '/open', '/profile', '/nowhere', '//evil.example', '/logout', '/callback', '/?auth_callback=1']) {
    for (const name of ['redirect_uri', 'auth_callback', 'error', 'next', 'return_to', 'prompt', 'state', 'iss']) {
      const { statusCode, headers, body } = await app.inject({ url: `${url}${url.includes('?') ? '&' : '?'}${name}=${encodeURIComponent(evil)}`, headers: { host: 'evil.example', 'x-forwarded-host': 'evil.example', referer: evil } })
      t.ok(statusCode < 300 || statusCode >= 400, `${url} ${name}: ${statusCode}`)
      t.equal(headers.location, undefined)
      t.notMatch(JSON.stringify([headers['www-authenticate'] ?? '', statusCode === 404 ? '' : body]), /evil/)
    }
  }
})

// Guards by path saw another path than the router: //secret and /secret;x passed them and still found their handler.
t.test('@fastify/middie CVE-2026-2880: however a path is spelled, the route that it finds is guarded', async (t) => {
  const realm = await realmFor(t)
  const spellings = [
    '/secret', '//secret', '///secret', '/secret/', '/secret//', '/SECRET', '/Secret', '/%73ecret', '/%53ECRET', '/secret;x=1', '/secret;', '/;x/secret', '/secret%2f',
    '/secret%00', '/./secret', '/x/../secret', '/%2e/secret',
    '/secret?x', '/secret?token=x', '/secret#x', '/secret%3f', '/secret%23', '\\secret', '/\\secret', '/secret\\', '/secret.', '/secret%20', '/s%65cret;x//',
    'http://evil.example/secret', '/a/b', '/a//b', '/A/B/', '/a;x/b', '/a%2fb'
  ]
  const routers = [{}, { ignoreDuplicateSlashes: true, ignoreTrailingSlash: true, caseSensitive: false, useSemicolonDelimiter: true }, { ignoreTrailingSlash: true }, { useSemicolonDelimiter: true }, { caseSensitive: false, ignoreDuplicateSlashes: true }]
  for (const routerOptions of routers) {
    for (const requireAuthentication of [false, true]) {
      const app = Fastify({ routerOptions, rewriteUrl: ({ url }) => url!.startsWith('/rewritten') ? '/secret' : url! })
      t.teardown(() => app.close())
      await app.register(keycloak, { ...realm.options, requireAuthentication })
      const config: { authenticated?: true } = requireAuthentication ? {} : { authenticated: true }
      app.all('/secret', { config }, async () => 'secret')
      app.all('/a/:id', { config }, async () => 'secret')
      const passed: string[] = []
      for (const url of [...spellings, '/rewritten']) {
        for (const method of ['GET', 'HEAD', 'POST', 'DELETE'] as const) {
          const { statusCode, body } = await app.inject({ method, url })
          if (statusCode < 400 || body === 'secret') passed.push(`${method} ${url}: ${statusCode}`)
        }
      }
      t.same(passed, [], JSON.stringify(routerOptions))
      const preflight = { origin: 'https://evil.example', 'access-control-request-method': 'GET' }
      const { statusCode } = await app.inject({ method: 'OPTIONS', url: '/secret', headers: preflight })
      t.equal(statusCode, requireAuthentication ? 200 : 401, 'a preflight passes where a route has no rule of its own')
      t.equal((await app.inject({ url: '/secret', headers: bearer(realm.token()) })).statusCode, 200)
    }
  }
})

// Introspection called tokens active that the realm's not-before had ended (CVE-2026-8922), told clients about tokens of other
// audiences (CVE-2026-37979), and went on to do so inside a signed jwt member of an inactive answer (CVE-2026-18208).
t.test('Keycloak CVE-2026-8922, CVE-2026-37979 and CVE-2026-18208: active is not all that an answer must be', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, INTROSPECTING)
  const spec = { kind: 'lightweight', claims: { jti: 'one' } } as const
  const whole = parts(realm, { claims: { jti: 'one' } }).claims
  const answered = async (name: string, answer: Json, expected: string) => {
    realm.respond('introspect', (_request, response) => { response.end(JSON.stringify(answer)) })
    await check(t, app, [[name, realm.token(spec), expected]])
  }
  await answered('control', { ...whole, active: true }, '200')
  await answered('of another audience', { ...whole, active: true, aud: ['other'] }, NOT_VALID)
  await answered('of no audience', { ...whole, active: true, aud: undefined }, NOT_VALID)
  await answered('not before tomorrow', { ...whole, active: true, nbf: whole.exp + 86_400 }, NOT_VALID)
  await answered('over', { ...whole, active: true, exp: whole.iat - 1 }, '401 token_expired')
  await answered('inactive, with all of its claims', { ...whole, active: false }, NOT_VALID)
  await answered('inactive, with a jwt', { active: false, jwt: realm.token() }, NOT_VALID)
  await answered('a jwt and nothing else', { jwt: realm.token({ claims: { active: true } }) }, NOT_VALID)
  realm.respond('introspect', (_request, response) => { response.setHeader('content-type', 'application/token-introspection+jwt').end(realm.token({ claims: { active: true } })) })
  await check(t, app, [['an answer that is a JWT (RFC 9701), which nobody asked for', realm.token(spec), '503 keycloak_unavailable']])
})
