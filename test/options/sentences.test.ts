// Every wrong option is one sentence that somebody understands at night: which option, what it must be, what to write.
import t from 'tap'
import { Agent } from 'undici'
import { refusalOf } from '../support/app.js'
import { CERTIFICATE, KEY } from '../support/certificate.js'

const SECRET = 'my-very-own-secret'
const REALM = 'https://sso.example.com/realms/acme'
const good = { issuer: REALM, clientSecret: SECRET }

/** Wrong options, and the sentence about them. */
type Cases = Array<[options: object, sentence: string]>

/** What an option must be; the cases say what was found instead. */
const URL_OF_A_REALM = `option "issuer" must be the full URL of a realm, such as ${REALM}, not `
const CLEAN_URL = `option "issuer" must be an http or https URL without user name, query, fragment or white space, such as ${REALM}, not `
const CLIENT = 'option "clientId" must be the id of this API\'s client in Keycloak, not '
const SECRET_OF = 'option "clientSecret" must be the secret of that client, or a function that returns it, not '
const AUDIENCE = 'option "audience" must be a client id, an array of them, or null to leave aud unchecked, not '
const PARTIES = 'option "authorizedParties" must be the id of a client whose tokens are accepted, or an array of such, not '
const PARTY = PARTIES.replace(', or an array of such', '')
const AGE = 'option "maxTokenAge" must be a whole number of seconds from 1, not '
const TOKEN_TYPE = 'option "tokenType" must be "at+jwt", not '
const ALGORITHMS = 'must be one or more of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA: a secret (HS*) or no signature (none) cannot prove who issued a token, not '
const PATH = 'must be a dotted string such as "realm_access.roles", an array of segments, or a function of the claims, not '
const CA = 'must be a certificate in PEM as string or Buffer (its text, not its path), not '
const MAPPING = 'option "claimMapping" must be an object of user keys and claim names, such as { email: "email" }, not '
const MILLISECONDS = 'must be a whole number of milliseconds from 1 to 2147483647, not '
const FOR_TEXT = 'is an environment variable unset?'
const TRIM = 'one with white space around it, such as the line break at the end of a file: write .trim()'
const QUOTED_NUMBER = 'a string: leave the quotes out, or write Number(process.env.NAME) for an environment variable'
const quoted = (word: string): string => `the string "${word}": leave the quotes out, or write process.env.NAME === "true" for an environment variable`
const route = (example: string): string => `must be the path of a route that begins with a slash and has no parameters, such as "${example}", not `

/** Each stops the start with its sentence, and the secret is not in it. */
function refused (name: string, cases: Cases): void {
  t.test(name, async (t) => {
    for (const [options, expected] of cases) {
      const refusal = await refusalOf({ ...good, ...options })
      t.equal(refusal, `fastify-keycloak-bearer: ${expected}`)
      t.notMatch(refusal, SECRET)
    }
  })
}

refused('the issuer is the URL of a realm, to the letter', [
  [{ issuer: undefined }, `${URL_OF_A_REALM}undefined: ${FOR_TEXT}`],
  [{ issuer: null }, `${URL_OF_A_REALM}null`],
  [{ issuer: '' }, `${URL_OF_A_REALM}an empty string`],
  [{ issuer: 5 }, `${URL_OF_A_REALM}5`],
  [{ issuer: NaN }, `${URL_OF_A_REALM}NaN`],
  [{ issuer: [REALM] }, `${URL_OF_A_REALM}an array`],
  [{ issuer: () => REALM }, `${URL_OF_A_REALM}a function`],
  [{ issuer: new URL(REALM) }, `${URL_OF_A_REALM}a URL object: write its href`],
  [{ issuer: Promise.resolve(REALM) }, `${URL_OF_A_REALM}a promise: write await before it`],
  ...['sso.example.com/realms/acme', '//sso.example.com/realms/acme', 'localhost:8080/realms/acme', 'ftp://sso.example.com/', 'https:/sso.example.com', `${SECRET} ${SECRET}`]
    .map((issuer): [object, string] => [{ issuer }, `${CLEAN_URL}one that does not begin with http:// or https://`]),
  [{ issuer: `"${REALM}"` }, `${CLEAN_URL}one with quotes of its own around it`],
  [{ issuer: `https://me:${SECRET}@sso.example.com/` }, `${CLEAN_URL}one with a user name`],
  [{ issuer: 'https://@sso.example.com/realms/acme' }, `${CLEAN_URL}one with a user name`],
  [{ issuer: `${REALM}?a` }, `${CLEAN_URL}one with a query (?)`],
  [{ issuer: `${REALM}#` }, `${CLEAN_URL}one with a fragment (#)`],
  ...[`${REALM}\n`, ` ${REALM}`, `\t${REALM}`].map((issuer): [object, string] => [{ issuer }, `${CLEAN_URL}one with white space around it: write .trim()`]),
  [{ issuer: 'https://[1/realms/acme' }, `${CLEAN_URL}one whose host or port is not valid`],
  [{ issuer: 'https://sso.example.com/realms/größe' }, `${CLEAN_URL}one with "ö" in it: encode it, and write "https://sso.example.com/realms/gr%C3%B6%C3%9Fe"`],
  [{ serverUrl: '/realms/acme' }, `${CLEAN_URL.replace('issuer', 'serverUrl')}one that does not begin with http:// or https://`],
  [{ serverUrl: null }, `${URL_OF_A_REALM.replace('issuer', 'serverUrl')}null: leave it out instead`]
])

refused('an address that was copied from elsewhere in Keycloak comes with the right one', [
  ...[`${REALM}/.well-known/openid-configuration`, `${REALM}/protocol/openid-connect/token`, `${REALM}/account/`, 'https://sso.example.com/admin/acme/console']
    .map((issuer): [object, string] => [{ issuer }, `${URL_OF_A_REALM}the address of one of its pages: write "${REALM}"`]),
  ...['https://sso.example.com/admin/master/console/#/acme/realm-settings', 'https://sso.example.com/admin/acme/console/#/realms/acme/users?first=1', `${REALM}/account/#/personal-info`]
    .map((issuer): [object, string] => [{ issuer }, `${CLEAN_URL}the address of one of its pages: write "${REALM}"`]),
  [{ issuer: `https://me:${SECRET}@sso.example.com/realms/acme/account` }, `${CLEAN_URL}one with a user name`],
  [{ serverUrl: 'http://keycloak:8080/auth/realms/acme/protocol/openid-connect' }, `${URL_OF_A_REALM.replace('issuer', 'serverUrl')}the address of one of its pages: write "http://keycloak:8080/auth/realms/acme"`]
])

refused('what an environment variable or a file left in a text is found', [
  [{ issuer: 'https://sso.example.com/realms/undefined' }, `${URL_OF_A_REALM}one with "undefined" in it: ${FOR_TEXT}`],
  [{ issuer: 'https://undefined/realms/acme' }, `${URL_OF_A_REALM}one with "undefined" in it: ${FOR_TEXT}`],
  [{ issuer: 'undefined/realms/acme' }, `${CLEAN_URL}one with "undefined" in it: ${FOR_TEXT}`],
  [{ issuer: 'https://sso.example.com/realms/null' }, `${URL_OF_A_REALM}one with "null" in it: ${FOR_TEXT}`],
  // eslint-disable-next-line no-template-curly-in-string
  [{ issuer: 'https://${HOST}/realms/acme' }, `${URL_OF_A_REALM}one with "\${" in it: ${FOR_TEXT}`],
  [{ clientId: 'undefined' }, `${CLIENT}the text "undefined": ${FOR_TEXT}`],
  [{ clientId: ' api' }, CLIENT + TRIM],
  [{ audience: 'undefined' }, `${AUDIENCE}the text "undefined": ${FOR_TEXT}`],
  [{ audience: 'api\n' }, AUDIENCE + TRIM],
  [{ audience: ['web', 'api '] }, `option "audience.1" must be a client id, not ${TRIM}`],
  [{ clientSecret: `${SECRET}\n` }, SECRET_OF + TRIM],
  [{ clientSecret: ' ' }, SECRET_OF + TRIM],
  [{ clientSecret: 'null' }, `${SECRET_OF}the text "null": ${FOR_TEXT}`],
  [{ clientSecret: Buffer.from(SECRET) }, `${SECRET_OF}a Buffer: write .toString()`],
  [{ verifyTokensWithKeycloak: true, clientSecret: undefined }, 'option "clientSecret" must be the secret of clientId when verifyTokensWithKeycloak is true, since introspection asks for it; clientAssertion or clientCertificate can stand in its place'],
  [{ verifyInThreadPool: 4 }, 'option "verifyInThreadPool" must be true or false, not 4'],
  [{ verifySignature: 'false' }, `option "verifySignature" must be true or false, not ${quoted('false')}`],
  [{ requireAuthentication: 'true' }, `option "requireAuthentication" must be true or false, not ${quoted('true')}`],
  [{ cache: 'false' }, `option "cache" must be an object with max and maxBytes, or false, not ${quoted('false')}`],
  [{ leeway: '5' }, `option "leeway" must be a number of seconds, 0 or more, not ${QUOTED_NUMBER}`],
  [{ introspection: { timeout: '5000' } }, `option "introspection.timeout" ${MILLISECONDS}${QUOTED_NUMBER}`],
  [{ ca: CERTIFICATE.replaceAll('\n', '\\n') }, `option "ca" ${CA}one whose line breaks are written as \\n: write .replaceAll("\\\\n", "\\n")`]
])

refused('who this API is', [
  [{ clientId: '' }, `${CLIENT}an empty string`],
  [{ clientId: null }, `${CLIENT}null: leave it out instead`],
  [{ clientId: ['api'] }, `${CLIENT}an array`],
  [{ clientSecret: '' }, `${SECRET_OF}an empty string`],
  [{ clientSecret: 12345678 }, `${SECRET_OF}a number`],
  [{ clientSecret: { [SECRET]: SECRET } }, `${SECRET_OF}an object`],
  [{ clientSecret: Promise.resolve(SECRET) }, `${SECRET_OF}a promise: write await before it`],
  [{ audience: '' }, `${AUDIENCE}an empty string`],
  [{ audience: [] }, `${AUDIENCE}an empty array`],
  [{ audience: 5 }, `${AUDIENCE}5`],
  [{ audience: new Set(['api']) }, `${AUDIENCE}an object`],
  [{ audience: ['api', undefined] }, 'option "audience.1" must be a client id, not undefined: is an environment variable unset?'],
  [{ audience: ['api', 5] }, 'option "audience.1" must be a client id, not 5']
])

refused('a party is a client id, and an empty list accepts nobody', [
  [{ authorizedParties: [] }, `${PARTIES}an empty array`],
  [{ authorizedParties: '' }, `${PARTY}an empty string`],
  [{ authorizedParties: null }, `${PARTIES}null: leave it out instead`],
  [{ authorizedParties: new Set(['web']) }, `${PARTIES}an object`],
  [{ authorizedParties: /web/ }, `${PARTIES}an object`],
  [{ authorizedParties: 'web\n' }, PARTY + TRIM],
  [{ authorizedParties: 'undefined' }, `${PARTY}the text "undefined": ${FOR_TEXT}`],
  [{ authorizedParties: ['web', undefined] }, `${PARTY.replace('Parties', 'Parties.1')}undefined: ${FOR_TEXT}`],
  [{ authorizedParty: 'web' }, 'option "authorizedParty" is unknown; write "authorizedParties"'],
  [{ azp: 'web' }, 'option "azp" is unknown; write "authorizedParties"']
])

refused('the age of a token is in whole seconds, and its type is one', [
  [{ maxTokenAge: 0 }, `${AGE}0`],
  [{ maxTokenAge: -600 }, `${AGE}-600`],
  [{ maxTokenAge: 0.5 }, `${AGE}0.5`],
  [{ maxTokenAge: Infinity }, `${AGE}Infinity`],
  [{ maxTokenAge: '600' }, AGE + QUOTED_NUMBER],
  [{ maxTokenAge: '10m' }, `${AGE}a string`],
  [{ maxTokenAge: null }, `${AGE}null: leave it out instead`],
  [{ tokenType: 'JWT' }, `${TOKEN_TYPE}another string`],
  [{ tokenType: 'AT+JWT' }, `${TOKEN_TYPE}"AT+JWT": write "at+jwt"`],
  [{ tokenType: 'application/at+jwt' }, `${TOKEN_TYPE}another string`],
  [{ tokenType: ['at+jwt'] }, `${TOKEN_TYPE}an array`],
  [{ tokenType: true }, `${TOKEN_TYPE}true`]
])

refused('what is accepted in a token, and made of it', [
  [{ algorithms: 'rs256' }, `option "algorithms" ${ALGORITHMS}"rs256": write "RS256"`],
  [{ algorithms: ['RS256', 'EDDSA'] }, `option "algorithms.1" ${ALGORITHMS}"EDDSA": write "EdDSA"`],
  [{ algorithms: 'HS256' }, `option "algorithms" ${ALGORITHMS}"HS256"`],
  [{ algorithms: ['RS256', 'none'] }, `option "algorithms.1" ${ALGORITHMS}"none"`],
  [{ algorithms: [] }, `option "algorithms" ${ALGORITHMS}an empty array`],
  [{ algorithms: null }, `option "algorithms" ${ALGORITHMS}null: leave it out instead`],
  [{ algorithms: SECRET }, `option "algorithms" ${ALGORITHMS}another string`],
  [{ permissionPath: 'a..b' }, `option "permissionPath" ${PATH}one with an empty segment`],
  [{ permissionPath: '' }, `option "permissionPath" ${PATH}an empty string`],
  [{ permissionPath: [] }, `option "permissionPath" ${PATH}an empty array`],
  [{ permissionPath: ['a', ''] }, `option "permissionPath.1" ${PATH}an empty string`],
  [{ permissionPath: 5 }, `option "permissionPath" ${PATH}5`],
  [{ userIdField: '' }, 'option "userIdField" must be a key of the user object, such as "id", not an empty string'],
  [{ userIdField: '__proto__' }, 'option "userIdField" must be a key of the user object, such as "id", not "__proto__"'],
  [{ userIdClaim: [] }, 'option "userIdClaim" must be the name of a claim, such as "sub", not an empty array'],
  [{ userIdClaim: ['sub', ''] }, 'option "userIdClaim.1" must be the name of a claim, such as "sub", not an empty string'],
  [{ userIdClaim: 'user..id' }, 'option "userIdClaim" must be the name of a claim, such as "sub", not one with an empty segment'],
  [{ userIdClaim: 'https://example.com/id' }, 'option "userIdClaim" must be the name of a claim, such as "sub", not a URL, which its dots would take apart: write an array of one segment'],
  [{ claimMapping: { tenant: 'https://example.com/tenant' } }, 'option "claimMapping.tenant" must be the name of a claim, such as "email", not a URL, which its dots would take apart: write an array of one segment'],
  [{ permissionPath: 'https://example.com/roles' }, `option "permissionPath" ${PATH}a URL, which its dots would take apart: write an array of one segment`],
  [{ userIdClaim: null }, 'option "userIdClaim" must be the name of a claim, such as "sub", not null: leave it out instead'],
  [{ claimMapping: { email: 5 } }, 'option "claimMapping.email" must be the name of a claim, such as "email", not 5'],
  [{ claimMapping: { email: [] } }, 'option "claimMapping.email" must be the name of a claim, such as "email", not an empty array'],
  [{ claimMapping: { email: ['a', ''] } }, 'option "claimMapping.email.1" must be the name of a claim, such as "email", not an empty string'],
  [{ claimMapping: { email: 'a..b' } }, 'option "claimMapping.email" must be the name of a claim, such as "email", not one with an empty segment'],
  [{ claimMapping: 'email' }, `${MAPPING}a string`],
  [{ claimMapping: ['email'] }, `${MAPPING}an array`],
  [{ leeway: -1 }, 'option "leeway" must be a number of seconds, 0 or more, not -1'],
  [{ leeway: NaN }, 'option "leeway" must be a number of seconds, 0 or more, not NaN'],
  [{ leeway: Infinity }, 'option "leeway" must be a number of seconds, 0 or more, not Infinity'],
  [{ leeway: 1e6 }, 'option "leeway" must be a number of seconds, a day at the most, not 1000000'],
  [{ leeway: '5s' }, 'option "leeway" must be a number of seconds, 0 or more, not a string'],
  [{ leeway: ' ' }, 'option "leeway" must be a number of seconds, 0 or more, not a string'],
  [{ verifyTokensWithKeycloak: 1 }, 'option "verifyTokensWithKeycloak" must be true or false, not 1'],
  [{ verifyTokensWithKeycloak: 'yes' }, 'option "verifyTokensWithKeycloak" must be true or false, not a string'],
  [{ syncUser: {} }, 'option "syncUser" must be a function (profile, { claims, request }) => user, not an object'],
  [{ syncUser: Promise.resolve() }, 'option "syncUser" must be a function (profile, { claims, request }) => user, not a promise: write await before it'],
  [{ extractToken: 'cookie' }, 'option "extractToken" must be a function (request) => token or null, not a string']
])

refused('how Keycloak is called', [
  [{ verifyCertificate: null }, 'option "verifyCertificate" must be true or false, not null: leave it out instead'],
  [{ ca: '' }, `option "ca" ${CA}an empty one`],
  [{ ca: '/etc/ssl/ca.pem' }, `option "ca" ${CA}a path: write readFileSync(path)`],
  [{ ca: KEY }, `option "ca" ${CA}a private key, which belongs to nobody but its owner`],
  [{ ca: SECRET }, `option "ca" ${CA}another text`],
  [{ ca: Buffer.from(SECRET) }, `option "ca" ${CA}another text`],
  [{ ca: [5] }, `option "ca.0" ${CA}5`],
  [{ ca: [CERTIFICATE, 'ca.crt'] }, `option "ca.1" ${CA}a path: write readFileSync(path)`],
  [{ dispatcher: { request () {}, compose () {} } }, 'option "dispatcher" must be a dispatcher of undici 7 or 8, such as new ProxyAgent(url), not an object'],
  [{ dispatcher: {} }, 'option "dispatcher" must be a dispatcher of undici 7 or 8, such as new ProxyAgent(url), not an object'],
  [{ dispatcher: null }, 'option "dispatcher" must be a dispatcher of undici 7 or 8, such as new ProxyAgent(url), not null: leave it out instead'],
  [{ dispatcher: new Agent(), ca: CERTIFICATE }, 'option "dispatcher" goes with neither ca nor verifyCertificate: false, since it makes its own connections; give them to the dispatcher'],
  [{ dispatcher: new Agent(), verifyCertificate: false }, 'option "dispatcher" goes with neither ca nor verifyCertificate: false, since it makes its own connections; give them to the dispatcher'],
  [{ startCheck: true }, 'option "startCheck" must be "warn", "require" or false, not true'],
  [{ startCheck: 'Warn' }, 'option "startCheck" must be "warn", "require" or false, not "Warn": write "warn"'],
  [{ startCheck: 'false' }, `option "startCheck" must be "warn", "require" or false, not ${quoted('false')}`],
  [{ introspection: null }, 'option "introspection" must be an object with timeout, cacheTtl, maxPending and keepClaims, not null: leave it out instead'],
  [{ introspection: { timeout: 0 } }, `option "introspection.timeout" ${MILLISECONDS}0`],
  [{ introspection: { cacheTtl: -1 } }, 'option "introspection.cacheTtl" must be a whole number of milliseconds from 0 to 2147483647, not -1'],
  [{ introspection: { maxPending: 0 } }, 'option "introspection.maxPending" must be a whole number from 1, not 0'],
  [{ jwks: 5 }, 'option "jwks" must be an object with maxAge, cooldown, timeout, maxStale and preload, not 5'],
  [{ jwks: { maxAge: '10m' } }, `option "jwks.maxAge" ${MILLISECONDS}a string`],
  [{ jwks: { maxAge: 1.5 } }, `option "jwks.maxAge" ${MILLISECONDS}1.5`],
  [{ jwks: { timeout: 1e12 } }, `option "jwks.timeout" ${MILLISECONDS}1000000000000`],
  [{ jwks: { timeout: Infinity } }, `option "jwks.timeout" ${MILLISECONDS}Infinity`],
  [{ jwks: { preload: true } }, 'option "jwks.preload" must be "warn", "require" or false, not true'],
  [{ jwks: { preload: 'always' } }, 'option "jwks.preload" must be "warn", "require" or false, not another string'],
  [{ cache: true }, 'option "cache" must be an object with max and maxBytes, or false, not true'],
  [{ cache: { max: 0 } }, 'option "cache.max" must be a whole number from 1, not 0'],
  [{ cache: { maxBytes: 'x' } }, 'option "cache.maxBytes" must be a whole number from 1, not a string'],
  [{ limits: { tokenLength: 5 } }, 'option "limits.tokenLength" must be a whole number from 100, not 5'],
  [{ limits: { jsonDepth: 1e6 } }, 'option "limits.jsonDepth" must be a whole number from 3 to 1000, not 1000000']
])

refused('how logouts are taken', [
  [{ backchannelLogout: '/logout' }, 'option "backchannelLogout" must be an object with path and clients, not a string'],
  [{ backchannelLogout: {} }, `option "backchannelLogout.path" ${route('/backchannel-logout')}undefined`],
  [{ backchannelLogout: { path: 'logout', clients: 'web' } }, `option "backchannelLogout.path" ${route('/backchannel-logout')}another string`],
  [{ backchannelLogout: { path: '/logout', clients: [] } }, 'option "backchannelLogout.clients" must be the id of the client that users log in by, or an array of such, not an empty array'],
  [{ backchannelLogout: { path: '/logout', clients: ['web', ''] } }, 'option "backchannelLogout.clients.1" must be a client id, not an empty string'],
  [{ adminUrl: '/keycloak' }, 'option "adminUrl" must be an object with path, not a string'],
  [{ adminUrl: { path: 'https://api.example.com/keycloak' } }, `option "adminUrl.path" ${route('/keycloak')}another string`],
  [{ revocation: { store: {} } }, 'option "revocation.store" must be a store of revocations, such as redisStore({ client }), not an object'],
  [{ revocation: { maxLag: 5 } }, 'option "revocation.maxLag" must be a whole number of milliseconds from 100 to 2147483647, not 5'],
  [{ revocation: { maxTokenLifetime: '1d' } }, 'option "revocation.maxTokenLifetime" must be a whole number of seconds from 1, not a string']
])

refused('an option that there is not comes with the one that is meant', [
  [{ audiance: 'api' }, 'option "audiance" is unknown; write "audience"'],
  [{ clientsecret: SECRET }, 'option "clientsecret" is unknown; write "clientSecret"'],
  [{ clientID: 'api' }, 'option "clientID" is unknown; write "clientId"'],
  [{ aud: 'api' }, 'option "aud" is unknown; write "audience"'],
  [{ alg: 'RS256' }, 'option "alg" is unknown; write "algorithms"'],
  [{ verify: true }, 'option "verify" is unknown'],
  [{ jwks: { maxage: 5 } }, 'option "jwks.maxage" is unknown; write "jwks.maxAge"'],
  [{ jwks: { max_age: 5 } }, 'option "jwks.max_age" is unknown; write "jwks.maxAge"'],
  [{ jwks: { ttl: 5 } }, 'option "jwks.ttl" is unknown'],
  [{ jwks: { leeway: 5 } }, 'option "jwks.leeway" is unknown; write "leeway"'],
  [{ introspection: { cache: 5 } }, 'option "introspection.cache" is unknown; write "introspection.cacheTtl"'],
  [{ introspection: { ttl: 5 } }, 'option "introspection.ttl" is unknown'],
  [{ cache: { size: 1 } }, 'option "cache.size" is unknown'],
  [{ limits: { keySetbytes: 1 } }, 'option "limits.keySetbytes" is unknown; write "limits.keySetBytes"'],
  [{ backchannelLogout: { path: '/logout', client: 'web' } }, 'option "backchannelLogout.client" is unknown; write "backchannelLogout.clients"'],
  [{ preload: 'warn' }, 'option "preload" is unknown; write "jwks.preload"'],
  [{ timeout: 5000 }, 'option "timeout" is unknown; write "introspection.timeout" or "jwks.timeout" or "outbound.timeout" or "uma.timeout"'],
  [{ [`x${'y'.repeat(99)}`]: 1 }, `option "x${'y'.repeat(39)}" is unknown`],
  [{ constructor: 1 }, 'option "constructor" is unknown']
])

refused('so does what drf-keycloak, other packages and the adapters call it', [
  ...Object.entries({
    SERVER_URL: 'serverUrl',
    ISSUER: 'issuer',
    CLIENT_ID: 'clientId',
    CLIENT_SECRET: 'clientSecret',
    AUDIENCE: 'audience',
    ALGORITHM: 'algorithms',
    PERMISSION_PATH: 'permissionPath',
    USER_ID_FIELD: 'userIdField',
    USER_ID_CLAIM: 'userIdClaim',
    CLAIM_MAPPING: 'claimMapping',
    VERIFY_SIGNATURE: 'verifySignature',
    VERIFY_TOKENS_WITH_KEYCLOAK: 'verifyTokensWithKeycloak',
    VERIFY_CERTIFICATE: 'verifyCertificate',
    LEEWAY: 'leeway',
    secret: 'clientSecret',
    credentials: 'clientSecret',
    clockTolerance: 'leeway'
  }).map(([name, meant]): [object, string] => [{ [name]: SECRET }, `option "${name}" is unknown; write "${meant}"`]),
  ...['realm', 'REALM', 'url', 'authServerUrl', 'auth-server-url', 'domain']
    .map((name): [object, string] => [{ [name]: 'acme' }, `option "${name}" is unknown; write issuer: "${REALM}"`]),
  ...['privateKey', 'clientKey', 'client_private_key', 'clientAssertionKey', 'private_key_jwt']
    .map((name): [object, string] => [{ [name]: SECRET }, `option "${name}" is unknown; write clientAssertion: { key }`]),
  ...['cert', 'clientCert', 'tls_client_auth'].map((name): [object, string] => [{ [name]: SECRET }, `option "${name}" is unknown; write clientCertificate: { cert, key }`]),
  [{ tokenEndpointAuthMethod: 'x' }, 'option "tokenEndpointAuthMethod" is unknown; write one of "clientSecret", "clientAssertion" and "clientCertificate"'],
  [{ clientAssertionType: 'x' }, 'option "clientAssertionType" is unknown; leave it out, since it is always jwt-bearer'],
  [{ KEYCLOAK_CONFIG: {} }, 'option "KEYCLOAK_CONFIG" is unknown; write its members as options, such as issuer'],
  [{ jwksUri: REALM }, 'option "jwksUri" is unknown; leave it out, since the keys are fetched below issuer, or serverUrl'],
  [{ permission: 'view-profile' }, 'option "permission" is unknown; write it into the config of a route'],
  [{ prefix: '/api' }, 'option "prefix" is unknown; register the plugin in a scope that has the prefix']
])

t.test('the options themselves are an object, with issuer at least', async (t) => {
  const cases: Array<[unknown, string]> = [
    [undefined, `${URL_OF_A_REALM}undefined`],
    [{ isuer: REALM }, 'option "isuer" is unknown; write "issuer"'],
    [[], 'the options must be an object with issuer at least, not an empty array'],
    [REALM, 'the options must be an object with issuer at least, not a string'],
    [Promise.resolve(good), 'the options must be an object with issuer at least, not a promise: write await before it']
  ]
  for (const [options, expected] of cases) t.equal(await refusalOf(options), `fastify-keycloak-bearer: ${expected}`)
})
