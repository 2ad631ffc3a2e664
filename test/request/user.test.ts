import Fastify from 'fastify'
import t from 'tap'
import keycloak, { KeycloakError } from '../../index.js'
import { apiFor, ask, bearer, logging, realmFor } from '../support/app.js'

const NOT_VALID = '401 token_not_valid'
const INACTIVE = '401 user_inactive'

t.test('by default the user has the four names that drf-keycloak maps', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const { user, auth } = (await app.inject({ url: '/me', headers: bearer(realm.token()) })).json()
  t.same(user, { username: 'alice', firstName: auth.given_name, lastName: auth.family_name, email: auth.email })
  t.same((await app.inject('/open')).json(), { user: null, auth: null })
})

t.test('claims that are absent or null are left out, others kept as they are', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  const long = 'x'.repeat(3000)
  const token = realm.token({ claims: { given_name: null, family_name: undefined, email: long } })
  t.same((await app.inject({ url: '/me', headers: bearer(token) })).json().user, { username: 'alice', email: long })
})

t.test('userIdField, userIdClaim and claimMapping shape the user, and the claim that identifies wins', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, {
    userIdField: 'id', userIdClaim: 'sub', claimMapping: { id: 'preferred_username', mail: 'email', proto: '__proto__', own: 'hasOwnProperty', roles: 'realm_access' }
  })
  const token = realm.token({ sub: 'f00', claims: { email: 'a@b.c', realm_access: { roles: ['x'] } } })
  t.same((await app.inject({ url: '/me', headers: bearer(token) })).json().user, { id: 'f00', mail: 'a@b.c', roles: { roles: ['x'] } })
})

t.test('an address identifies nobody unless Keycloak has verified it', async (t) => {
  const realm = await realmFor(t)
  const token = (verified: unknown) => realm.token({ claims: { email_verified: verified } })
  const syncUser = ({ username }: Readonly<Record<string, unknown>>) => ({ username })
  for (const options of [{}, { syncUser }, { verifyTokensWithKeycloak: true }, { userIdClaim: ['email'] as const }]) {
    const app = await apiFor(t, realm, { userIdClaim: 'email', ...options })
    t.equal((await app.inject({ url: '/me', headers: bearer(token(true)) })).json().user.username, 'alice@example.com')
    for (const verified of [false, undefined, null, 'true', 1, {}, [true]]) {
      for (const url of ['/me', '/open']) t.equal(await ask(app, url, token(verified)), NOT_VALID, JSON.stringify(verified))
    }
    const trusting = await apiFor(t, realm, { userIdClaim: 'email', ...options, acceptUnverifiedEmail: true })
    for (const verified of [true, false, undefined]) t.equal(await ask(trusting, '/me', token(verified)), '200')
    t.equal(await ask(trusting, '/me', realm.token({ claims: { email: '' } })), NOT_VALID)
  }
  const log = logging()
  const app = await apiFor(t, realm, { userIdClaim: 'email' }, log)
  await ask(app, '/me', token(false))
  await ask(app, '/me', token(undefined))
  t.match(log.lines.filter(({ code }) => code === 'token_not_valid').map(({ reason }) => reason), [/^email_verified is not true/, /^email_verified is missing/])
})

t.test('what is known by another claim needs no verified address', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { userIdField: 'id', userIdClaim: 'sub' })
  t.equal(await ask(app, '/me', realm.token({ claims: { email_verified: false } })), '200')
})

t.test('without a claim that identifies, the token is not valid', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  for (const name of [undefined, null, '', 5, ['alice'], { x: 1 }, true]) {
    t.equal(await ask(app, '/open', realm.token({ claims: { preferred_username: name } })), NOT_VALID, JSON.stringify(name))
  }
})

t.test('user and claims are frozen to their depth', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  app.get('/frozen', { config: { authenticated: true } }, async ({ user, auth }) =>
    [user, auth, auth.aud, auth.realm_access, auth.realm_access?.roles].map((each) => Object.isFrozen(each)))
  const token = realm.token()
  for (let times = 0; times < 2; times++) {
    t.same((await app.inject({ url: '/frozen', headers: bearer(token) })).json(), [true, true, true, true, true])
  }
})

t.test('syncUser gets profile, claims and request, and what it returns is the user', async (t) => {
  const realm = await realmFor(t)
  const seen: unknown[] = []
  for (const asynchronous of [true, false]) {
    const app = await apiFor(t, realm, {
      syncUser: (profile, { claims, request }) => {
        seen.push([profile.username, claims.sub, request.url])
        const user = { id: 7, name: profile.username }
        return asynchronous ? Promise.resolve(user) : user
      }
    })
    const token = realm.token({ sub: 's' })
    for (let times = 0; times < 2; times++) t.same((await app.inject({ url: '/me', headers: bearer(token) })).json().user, { id: 7, name: 'alice' })
    await app.inject('/open')
  }
  t.same(seen, Array(4).fill(['alice', 's', '/me']), 'on every authenticated request')
})

t.test('syncUser is asked with every request, a kept token\'s too', async (t) => {
  const realm = await realmFor(t)
  let times = 0
  const app = await apiFor(t, realm, { syncUser: () => ({ times: ++times, isActive: times < 5 }) as never })
  const token = realm.token({ roles: ['view-profile'] })
  for (const expected of [1, 2, 3, 4]) {
    t.match((await app.inject({ url: '/profile', headers: bearer(token) })).json(), { user: { times: expected } })
  }
  t.equal(await ask(app, '/profile', token), '401 user_inactive')
})

t.test('a user that is missing or inactive is 401 user_inactive', async (t) => {
  const realm = await realmFor(t)
  for (const user of [null, undefined, false, 'alice', { isActive: false }, { isActive: 0 }, { isActive: '' }]) {
    const app = await apiFor(t, realm, { syncUser: (async () => user) as never })
    t.equal(await ask(app, '/open', realm.token()), INACTIVE, JSON.stringify(user))
  }
  for (const user of [{ isActive: true }, { isActive: 1 }, { isActive: null }, {}]) {
    const app = await apiFor(t, realm, { syncUser: () => user })
    t.equal(await ask(app, '/open', realm.token()), '200', JSON.stringify(user))
  }
})

t.test('an array of users, as a database returns it, is told apart from a user', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { syncUser: () => [] })
  t.match((await app.inject({ url: '/open', headers: bearer(realm.token()) })).json(), { statusCode: 500, message: /syncUser must return a user or null, not an array/ })
})

t.test('a thenable, such as a query builder, is awaited', async (t) => {
  const realm = await realmFor(t)
  const query = { then: (resolve: (user: object | null) => void) => resolve(null) }
  const app = await apiFor(t, realm, { syncUser: (() => query) as never })
  t.equal(await ask(app, '/open', realm.token()), INACTIVE)
})

t.test('what syncUser throws is the application\'s own 500, even when it throws nothing', async (t) => {
  const realm = await realmFor(t)
  const throwing = (thrown: unknown) => apiFor(t, realm, { syncUser: async () => { throw thrown } })
  const get = async (thrown: unknown) => (await (await throwing(thrown)).inject({ url: '/open', headers: bearer(realm.token()) }))
  t.match((await get(new Error('no database'))).json(), { statusCode: 500, message: 'no database' })
  t.match((await get(Object.assign(new Error('busy'), { statusCode: 429, code: 'BUSY' }))).json(), { statusCode: 429, code: 'BUSY' })
  for (const nothing of [undefined, null, 0, '', false]) t.equal((await get(nothing)).statusCode, 500, `throw ${String(nothing)}`)
  const now = await apiFor(t, realm, { syncUser: () => { throw new Error('at once') } })
  t.match((await now.inject({ url: '/open', headers: bearer(realm.token()) })).json(), { statusCode: 500, message: 'at once' })
})

t.test('an own error handler sees the code, and the headers are there all the same', async (t) => {
  const realm = await realmFor(t)
  const app = Fastify()
  t.teardown(() => app.close())
  app.setErrorHandler((error: { code: string }, _request, reply) => reply.code(418).send({ mine: error.code }))
  await app.register(keycloak, realm.options)
  app.get('/me', { config: { authenticated: true } }, async () => 'x')
  const response = await app.inject('/me')
  t.same(response.json(), { mine: 'not_authenticated' })
  t.match(response.headers['www-authenticate'], /^Bearer/)
  await realm.down()
  t.equal((await app.inject({ url: '/me', headers: bearer(realm.token()) })).headers['retry-after'], '1')
})

t.test('an own error handler may know the errors it answers by the signature of http-errors, as NestJS does', async (t) => {
  const realm = await realmFor(t)
  const app = Fastify()
  t.teardown(() => app.close())
  app.setErrorHandler((error: Error & { expose?: boolean, status?: number, statusCode?: number }, _request, reply) => {
    const known = typeof error.expose === 'boolean' && typeof error.statusCode === 'number' && error.status === error.statusCode
    return known ? reply.code(error.status!).send({ ...error, said: error.expose && error.message }) : reply.code(500).send()
  })
  await app.register(keycloak, realm.options)
  app.get('/me', { config: { permission: 'a' } }, async () => 'x')
  app.get('/verify', { config: { keycloak: false } }, async () => app.keycloak.verify('x'))
  const answered = async (url: string, token?: string) => (await app.inject({ url, headers: token === undefined ? {} : bearer(token) })).json()
  t.strictSame(await answered('/me'), { statusCode: 401, code: 'not_authenticated', said: 'An access token is required.' }, 'and nothing else is sent by who copies an error')
  t.match(await answered('/verify'), { statusCode: 401, code: 'token_not_valid' })
  t.match(await answered('/me', realm.token()), { statusCode: 403 })
  await realm.down()
  t.match(await answered('/me', realm.token({ kid: 'new' })), { statusCode: 503, said: /try again later/ })
})

t.test('an error handler that copies the extensions of an error, as GraphQL servers do, sends the code and no reason', async (t) => {
  const realm = await realmFor(t)
  const app = Fastify()
  t.teardown(() => app.close())
  app.setErrorHandler(({ message, extensions }: Error & { extensions?: object }, _request, reply) => reply.send({ errors: [{ message, extensions }] }))
  await app.register(keycloak, realm.options)
  app.post('/graphql', { config: { permission: 'a' } }, async () => 'x')
  app.post('/verify', async () => { throw new KeycloakError('permission_denied', 'the field is for others') })
  const answered = async (url: string, token?: string) => (await app.inject({ method: 'POST', url, headers: token === undefined ? {} : bearer(token) })).json()
  t.strictSame(await answered('/graphql'), { errors: [{ message: 'An access token is required.', extensions: { code: 'not_authenticated' } }] })
  t.strictSame((await answered('/graphql', realm.token())).errors[0].extensions, { code: 'permission_denied' })
  t.strictSame((await answered('/verify')).errors[0].extensions, { code: 'permission_denied' })
})

t.test('an own error handler that sets no status does not turn a refusal into 200', async (t) => {
  const realm = await realmFor(t)
  const app = Fastify()
  t.teardown(() => app.close())
  app.setErrorHandler((_error, _request, reply) => reply.send({ sorry: true }))
  await app.register(keycloak, realm.options)
  app.get('/me', { config: { permission: 'a' } }, async () => 'x')
  t.equal((await app.inject('/me')).statusCode, 401)
  t.equal((await app.inject({ url: '/me', headers: bearer(realm.token()) })).statusCode, 403)
})

t.test('rejections log their reason at debug, never a token', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  const app = await apiFor(t, realm, {}, log)
  const tokens = [realm.token({ forged: true }), realm.token({ expired: true }), realm.token(), realm.token({ claims: { iss: 'SECRET-CLAIM' } })]
  for (const token of tokens) await ask(app, '/profile', token)
  t.match(log.lines.filter(({ level }) => level === 20).map(({ code, reason }) => [code, reason]), [
    ['token_not_valid', 'the signature does not verify'],
    ['token_expired', 'exp has passed'],
    ['permission_denied', 'permission view-profile is not among the roles at resource_access.api.roles'],
    ['token_not_valid', 'iss is not the issuer']
  ])
  t.notMatch(log.text, /SECRET-CLAIM/)
  for (const token of tokens) for (const part of token.split('.')) t.notOk(log.text.includes(part))
  t.notOk(log.lines.some(({ level }) => level > 40), 'and nothing at error')
})

t.test('claims within claims are mapped by a dotted path, or by an array of segments', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, {
    userIdField: 'id',
    userIdClaim: 'account.id',
    claimMapping: { city: 'address.locality', tenant: ['https://example.com/tenant'], plan: ['org', 'a.b', 'plan'], whole: 'address', none: 'address.street.number', proto: 'address.__proto__', own: ['address', 'constructor', 'name'] }
  })
  const token = realm.token({ claims: { account: { id: 4711 }, address: { locality: 'Bern', street: null }, 'https://example.com/tenant': 'acme', org: { 'a.b': { plan: ['gold'] } } } })
  const { user } = (await app.inject({ url: '/me', headers: bearer(token) })).json()
  t.same(user, { id: '4711', city: 'Bern', tenant: 'acme', plan: ['gold'], whole: { locality: 'Bern', street: null } })
  const flat = realm.token({ claims: { 'account.id': 'me', 'address.locality': 'Bern' } })
  t.equal(await ask(app, '/me', flat), '401 token_not_valid', 'a dot is always a way inside')
})
