import Fastify from 'fastify'
import t from 'tap'
import { Agent } from 'undici'
import keycloak, { bearerToken, KeycloakError, openapi } from '../index.js'
import { apiFor, ask, logging, realmFor, WARN } from './support/app.js'
import { CERTIFICATE } from './support/certificate.js'

const SECRET = 'my-very-own-secret'
const good = { issuer: 'https://sso.example.com/realms/acme', clientSecret: SECRET }

async function refusalOf (options: unknown): Promise<string> {
  const app = Fastify()
  try {
    await app.register(keycloak, options as never)
    return 'started'
  } catch (error) {
    return (error as Error).message
  } finally {
    await app.close()
  }
}

t.test('a wrong option stops the start with one sentence that names it and shows no secret', async (t) => {
  const cases: Array<[object, RegExp]> = [
    [{ issuer: undefined }, /option "issuer" must be the full URL of a realm, .*, not undefined$/],
    [{ issuer: 5 }, /option "issuer" must be .*, not 5$/],
    [{ issuer: 'sso.example.com' }, /option "issuer" must be an http or https URL/],
    [{ issuer: 'ftp://sso.example.com/' }, /option "issuer" must be an http or https URL/],
    [{ issuer: `https://me:${SECRET}@sso.example.com/` }, /option "issuer" must be an http or https URL without user name/],
    [{ issuer: 'https://sso.example.com/?a' }, /option "issuer" must be/],
    [{ issuer: 'https://sso.example.com/#a' }, /option "issuer" must be/],
    [{ serverUrl: '/realms/acme' }, /option "serverUrl" must be/],
    [{ clientId: '' }, /option "clientId" must be .*, not an empty string$/],
    [{ clientSecret: '' }, /option "clientSecret" must be .*, not an empty string$/],
    [{ clientSecret: 12345678 }, /option "clientSecret" must be the secret of that client, or a function that returns it, not a number$/],
    [{ introspection: { maxPending: 0 } }, /option "introspection\.maxPending" must be a whole number from 1, not 0$/],
    [{ jwks: { preload: true } }, /option "jwks\.preload" must be "warn", "require" or false, not true$/],
    [{ clientSecret: { [SECRET]: SECRET } }, /option "clientSecret" must be .*, not an object$/],
    [{ audience: '' }, /option "audience" must be .*, not an empty string$/],
    [{ audience: [] }, /option "audience" must be .*, not an empty array$/],
    [{ audience: ['a', 5] }, /option "audience" must be .*, not an array$/],
    [{ algorithms: 'HS256' }, /option "algorithms" must be one or more of RS256, .*, not "HS256"$/],
    [{ algorithms: ['RS256', 'none'] }, /option "algorithms" must be one or more of/],
    [{ algorithms: [] }, /option "algorithms" must be .*, not an empty array$/],
    [{ permissionPath: 'a..b' }, /option "permissionPath" must be a dotted string/],
    [{ permissionPath: '' }, /option "permissionPath" must be .*, not an empty string$/],
    [{ permissionPath: [] }, /option "permissionPath" must be/],
    [{ permissionPath: ['a', ''] }, /option "permissionPath\.1" must be/],
    [{ userIdField: '' }, /option "userIdField" must be/],
    [{ userIdField: '__proto__' }, /option "userIdField" must be/],
    [{ userIdClaim: null }, /option "userIdClaim" must be .*, not null$/],
    [{ claimMapping: { email: 5 } }, /option "claimMapping\.email" must be an object of user keys and claim names, .*, not 5$/],
    [{ claimMapping: 'email' }, /option "claimMapping" must be/],
    [{ verifySignature: 'false' }, /option "verifySignature" must be true or false, not a string$/],
    [{ verifyTokensWithKeycloak: 1 }, /option "verifyTokensWithKeycloak" must be true or false, not 1$/],
    [{ verifyTokensWithKeycloak: true, clientSecret: undefined }, /option "clientSecret" must be the secret of clientId when verifyTokensWithKeycloak is true/],
    [{ verifyCertificate: null }, /option "verifyCertificate" must be true or false, not null$/],
    [{ ca: '' }, /option "ca" must be a certificate in PEM/],
    [{ ca: '/etc/ssl/ca.pem' }, /option "ca" must be a certificate in PEM as string or Buffer \(its text, not its path\)/],
    [{ ca: [5] }, /option "ca" must be a certificate in PEM/],
    [{ ca: [CERTIFICATE, 'x'] }, /option "ca" must be a certificate in PEM/],
    [{ dispatcher: new Agent(), ca: CERTIFICATE }, /option "dispatcher" goes with neither ca nor verifyCertificate: false/],
    [{ dispatcher: new Agent(), verifyCertificate: false }, /option "dispatcher" goes with neither ca nor verifyCertificate: false/],
    [{ issuer: 'https://sso.example.com/realms/acme\n' }, /option "issuer" must be an http or https URL without .* white space/],
    [{ issuer: ' https://sso.example.com/realms/acme' }, /option "issuer" must be/],
    [{ issuer: 'https://sso.example.com/realms/a"b' }, /option "issuer" must be/],
    [{ issuer: 'https://sso.example.com\\realms' }, /option "issuer" must be/],
    [{ issuer: 'https://sso.example.com/realms/größe' }, /option "issuer" must be/],
    [{ issuer: 'https://@sso.example.com/realms/acme' }, /option "issuer" must be/],
    [{ issuer: 'https://[1/realms/acme' }, /option "issuer" must be/],
    [{ algorithms: SECRET }, /option "algorithms" must be .*, not a string$/],
    [{ dispatcher: {} }, /option "dispatcher" must be an undici 7 dispatcher/],
    [{ dispatcher: null }, /option "dispatcher" must be an undici 7 dispatcher/],
    [{ leeway: -1 }, /option "leeway" must be a number of seconds, 0 or more, not -1$/],
    [{ leeway: Infinity }, /option "leeway" must be .*, not Infinity$/],
    [{ leeway: 1e6 }, /option "leeway" must be .* a day at the most, not 1000000$/],
    [{ syncUser: {} }, /option "syncUser" must be a function/],
    [{ extractToken: 'cookie' }, /option "extractToken" must be a function/],
    [{ requireAuthentication: 'yes' }, /option "requireAuthentication" must be true or false/],
    [{ introspection: { timeout: 0 } }, /option "introspection\.timeout" must be a whole number of milliseconds from 1 to 2147483647, not 0$/],
    [{ introspection: { cacheTtl: -1 } }, /option "introspection\.cacheTtl" must be/],
    [{ introspection: { ttl: 5 } }, /option "introspection\.ttl" is unknown$/],
    [{ jwks: { maxAge: '10m' } }, /option "jwks\.maxAge" must be a whole number of milliseconds .*, not a string$/],
    [{ jwks: { maxage: 5 } }, /option "jwks\.maxage" is unknown; write "jwks\.maxAge"$/],
    [{ jwks: { timeout: 1e12 } }, /option "jwks\.timeout" must be/],
    [{ jwks: 5 }, /option "jwks" must be an object with maxAge/],
    [{ cache: true }, /option "cache" must be an object with max and maxBytes, or false, not true$/],
    [{ cache: { max: 0 } }, /option "cache\.max" must be a whole number from 1, not 0$/],
    [{ cache: { maxBytes: 'x' } }, /option "cache\.maxBytes" must be a whole number from 1, not a string$/],
    [{ limits: { tokenLength: 5 } }, /option "limits\.tokenLength" must be a whole number from 100, not 5$/],
    [{ limits: { jsonDepth: 1e6 } }, /option "limits\.jsonDepth" must be a whole number from 3 to 1000, not 1000000$/],
    [{ limits: { keySetbytes: 1 } }, /option "limits\.keySetbytes" is unknown; write "limits\.keySetBytes"$/],
    [{ cache: { size: 1 } }, /option "cache\.size" is unknown$/],
    [{ audiance: 'api' }, /option "audiance" is unknown; write "audience"$/],
    [{ clientsecret: SECRET }, /option "clientsecret" is unknown; write "clientSecret"$/],
    [{ [`x${'y'.repeat(99)}`]: 1 }, /option "xy{39}" is unknown$/]
  ]
  for (const [options, message] of cases) {
    const refusal = await refusalOf({ ...good, ...options })
    t.match(refusal, new RegExp(`^fastify-keycloak-bearer: .*${message.source}`), JSON.stringify(options))
    t.notMatch(refusal, SECRET)
  }
  t.match(await refusalOf({ isuer: good.issuer }), /option "isuer" is unknown; write "issuer"$/, 'the misspelled one before the missing one')
  t.match(await refusalOf([]), /the options must be an object with issuer at least, not an empty array$/)
  t.match(await refusalOf(undefined), /option "issuer" must be/)
})

t.test('every option may be given at once', async (t) => {
  t.equal(await refusalOf({
    ...good,
    serverUrl: 'http://keycloak:8080/realms/acme',
    clientId: 'api',
    audience: ['api'],
    algorithms: ['RS256', 'ES256'],
    permissionPath: 'realm_access.roles',
    userIdField: 'id',
    userIdClaim: 'sub',
    claimMapping: {},
    verifySignature: true,
    verifyTokensWithKeycloak: true,
    verifyCertificate: true,
    ca: [Buffer.from(CERTIFICATE)],
    leeway: 1.5,
    syncUser: () => ({}),
    extractToken: () => null,
    requireAuthentication: true,
    introspection: { timeout: 1, cacheTtl: 0 },
    jwks: { maxAge: 1, cooldown: 0, timeout: 1, maxStale: 0 },
    cache: { max: 1, maxBytes: 1 },
    limits: { tokenLength: 100, jsonDepth: 3, keySetBytes: 1000, introspectionBytes: 1000 }
  }), 'started')
  t.equal(await refusalOf({ ...good, cache: false, permissionPath: () => [] }), 'started')
})

t.test('settings that risk something warn once at start, in words that say what', async (t) => {
  const realm = await realmFor(t)
  const warnings = async (options: object) => {
    const log = logging()
    const app = await apiFor(t, realm, options, log)
    for (let times = 0; times < 3; times++) await ask(app, '/open', realm.token())
    return log.lines.filter(({ level }) => level === WARN).map(({ msg }) => msg)
  }
  t.same(await warnings({}), [])
  t.match(await warnings({ verifySignature: false }), [/ANYBODY can write a token/])
  t.match(await warnings({ verifyCertificate: false }), [/forge every token/])
  t.match(await warnings({ audience: null }), [/any client of the realm was given for another API is accepted here too/])
  t.match(await warnings({ audience: null, verifyTokensWithKeycloak: true }), [/tokens inactive whose aud lacks "api"/])
})

t.test('verifySignature: false is refused in production', async (t) => {
  const before = process.env.NODE_ENV
  process.env.NODE_ENV = 'production'
  t.teardown(() => { process.env.NODE_ENV = before })
  t.match(await refusalOf({ ...good, verifySignature: false }), /option "verifySignature" must be true when NODE_ENV is production/)
})

t.test('a dispatcher of one\'s own carries the calls, and stays open', async (t) => {
  const realm = await realmFor(t)
  let calls = 0
  const dispatcher = new Agent()
  t.teardown(() => dispatcher.close())
  const counting = dispatcher.compose((dispatch) => (options, handler) => { calls++; return dispatch(options, handler) })
  const app = await apiFor(t, realm, { dispatcher: counting, verifyTokensWithKeycloak: true })
  t.equal(await ask(app, '/me', realm.token()), '200')
  t.equal(calls, 2)
  await app.close()
  t.equal(dispatcher.closed, false)
})

t.test('the plugin carries what belongs to it', async (t) => {
  t.equal(keycloak.openapi, openapi)
  t.equal(keycloak.bearerToken, bearerToken)
  const error = new KeycloakError('token_expired', 'why')
  t.equal(String(error), 'KeycloakError: The access token has expired.')
  t.notMatch(JSON.stringify({ ...error }), /why/)
})
