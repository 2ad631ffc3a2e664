// Wrong options of several issuers are one sentence that names the entry, and what to write instead.
import t from 'tap'
import { Agent } from 'undici'
import { parseOptions, type RealmSettings } from '../../lib/options/options.js'
import { refusalOf } from '../support/app.js'

const acme = { issuer: 'https://sso.example.com/realms/acme' }
const globex = { issuer: 'https://sso.example.com/realms/globex' }
const SECRET = 'my-very-own-secret'

/** Each stops the start with its sentence, and no secret is in it. */
function refused (name: string, cases: Array<[options: object, sentence: string]>): void {
  t.test(name, async (t) => {
    for (const [options, sentence] of cases) {
      const refusal = await refusalOf(options)
      t.equal(refusal, `fastify-keycloak-bearer: ${sentence}`)
      t.notMatch(refusal, SECRET)
    }
  })
}

const ISSUERS = 'option "issuers" must be an array of realms with their issuer, or a function (iss) => a realm or null, not '

refused('issuers is a list or a function, and stands alone', [
  [{ issuers: [] }, `${ISSUERS}an empty array`],
  [{ issuers: null }, `${ISSUERS}null: leave it out instead`],
  [{ issuers: 'https://sso.example.com/realms/acme' }, `${ISSUERS}a string`],
  [{ issuers: { acme } }, `${ISSUERS}an object`],
  [{ ...acme, issuers: [globex] }, 'option "issuer" goes without issuers; write it into the list, as { issuer: "…" }, or leave issuers out'],
  [{ serverUrl: 'http://keycloak:8080/realms/acme', issuers: [acme, globex] }, 'option "serverUrl" is of one realm; write it into an entry of issuers'],
  [{ name: 'acme', issuers: [acme, globex] }, 'option "name" is of one realm; write it into an entry of issuers'],
  [{ maxIssuers: 5, issuers: [acme, globex] }, 'option "maxIssuers" goes with a function issuers alone; all realms of a list stay'],
  [{ maxIssuers: 5, ...acme }, 'option "maxIssuers" goes with a function issuers alone'],
  [{ maxIssuers: 0, issuers: () => null }, 'option "maxIssuers" must be a whole number from 1, not 0']
])

refused('the defaults of a function are checked at start', [
  [{ issuers: () => null, audience: 5 }, 'option "audience" must be a client id, an array of them, or null to leave aud unchecked, not 5'],
  [{ issuers: () => null, clientID: 'api' }, 'option "clientID" is unknown; write "clientId"'],
  [{ issuers: () => null, ...acme }, 'option "issuer" goes without issuers; write it into the list, as { issuer: "…" }, or leave issuers out'],
  [{ issuers: () => null, dispatcher: new Agent(), verifyCertificate: false }, 'option "dispatcher" goes with neither ca nor verifyCertificate: false, since it makes its own connections; give them to the dispatcher']
])

t.test('what an entry of a function may bring along is not demanded at start', async (t) => {
  t.equal(await refusalOf({ issuers: () => null, verifyTokensWithKeycloak: true }), 'started')
})

refused('an issuer and a name come once', [
  [{ issuers: [acme, globex, acme] }, 'option "issuers[2].issuer" must be another one than that of issuers[0], since an issuer is one realm'],
  [{ issuers: [acme, { ...globex, name: 'acme' }] }, 'option "issuers[1].name" must be another one than that of issuers[0], "acme"; give one of them a name of its own'],
  [{ issuers: [acme, { issuer: 'https://login.example.com/realms/acme' }] }, 'option "issuers[1].name" must be another one than that of issuers[0], "acme"; give one of them a name of its own']
])

const REALM = 'must be the full URL of a realm, such as https://sso.example.com/realms/acme, not '
const INTROSPECTED = 'must be the secret of clientId when verifyTokensWithKeycloak is true, since introspection asks for it; clientAssertion or clientCertificate can stand in its place'

refused('an entry says what it lacks, and what is wrong with it', [
  [{ issuers: [acme, {}] }, `option "issuers[1].issuer" ${REALM}undefined`],
  [{ issuers: [acme, null] }, 'option "issuers[1]" must be an object with issuer at least, not null'],
  [{ issuers: [acme, globex.issuer] }, 'option "issuers[1]" must be an object with issuer at least, not a string'],
  [{ issuers: [acme, Promise.resolve(globex)] }, 'option "issuers[1]" must be an object with issuer at least, not a promise: write await before it'],
  [{ issuers: [acme, { ...globex, clientID: 'api' }] }, 'option "issuers[1].clientID" is unknown; write "clientId"'],
  [{ issuers: [acme, { ...globex, clientId: 5 }] }, 'option "issuers[1].clientId" must be the id of this API\'s client in Keycloak, not 5'],
  [{ issuers: [acme, { ...globex, name: '' }] }, 'option "issuers[1].name" must be the name of the issuer, such as "acme", not an empty string'],
  [{ verifyTokensWithKeycloak: true, issuers: [{ ...acme, clientSecret: SECRET }, globex] }, `option "issuers[1].clientSecret" ${INTROSPECTED}`],
  [{ issuers: [acme, { ...globex, verifyTokensWithKeycloak: true }] }, `option "issuers[1].clientSecret" ${INTROSPECTED}`],
  [{ issuers: [acme, { ...globex, jwks: { maxage: 5 } }] }, 'option "issuers[1].jwks.maxage" is unknown; write "jwks.maxAge"'],
  [{ leeway: -1, issuers: [acme] }, 'option "leeway" must be a number of seconds, 0 or more, not -1']
])

refused('an option that counts for all realms stands beside issuers', [
  ...['syncUser', 'extractToken', 'requireAuthentication', 'cache', 'verifyInThreadPool', 'limits', 'leeway', 'adminUrl', 'revocation', 'verifySignature', 'selectIssuer', 'issuers', 'maxIssuers']
    .map((name): [object, string] => [{ issuers: [{ ...acme, [name]: undefined }] }, `option "issuers[0].${name}" counts for all issuers; write it beside issuers`]),
  [{ issuers: [acme, { ...globex, backchannelLogout: { path: '/logout', clients: 'web' } }] }, 'option "issuers[1].backchannelLogout.path" is one for all issuers; write it beside issuers, as backchannelLogout: { path: "/backchannel-logout" }'],
  [{ issuers: [acme, { ...globex, backchannelLogout: { clients: 'web' } }] }, 'option "backchannelLogout.path" is missing, which issuers[1] needs; write it beside issuers, as backchannelLogout: { path: "/backchannel-logout" }'],
  [{ backchannelLogout: { path: '/logout' }, issuers: [{ ...acme, backchannelLogout: { clients: 'web' } }, globex] }, 'option "issuers[1].backchannelLogout.clients" must be the id of the client that users log in by, or an array of such, not undefined']
])

const REALM_OR_MORE = `option "issuer" ${REALM}undefined`

refused('an option that is undefined is left out, so that its variable may be unset', [
  [{ issuers: undefined }, REALM_OR_MORE],
  [{ issuers: undefined, maxIssuers: undefined, name: undefined }, REALM_OR_MORE],
  [{ issuer: undefined, serverUrl: undefined, name: undefined, issuers: [acme, {}] }, `option "issuers[1].issuer" ${REALM}undefined`]
])

t.test('a member of an entry that is undefined leaves the common one, and a polluted prototype lends none', async (t) => {
  const prototype = Object.prototype as { maxStale?: number }
  prototype.maxStale = 5
  t.teardown(() => { delete prototype.maxStale })
  const { issuers } = parseOptions({ jwks: { maxAge: 60_000, cooldown: 7 }, issuers: [acme, { ...globex, jwks: { maxAge: undefined, timeout: 900 } }] })
  const [one, other] = (issuers as { realms: readonly RealmSettings[] }).realms
  t.match(one!.jwks, { maxAge: 60_000, cooldown: 7, timeout: 5000, maxStale: 3_600_000 })
  t.match(other!.jwks, { maxAge: 60_000, cooldown: 7, timeout: 900, maxStale: 3_600_000 })
})
