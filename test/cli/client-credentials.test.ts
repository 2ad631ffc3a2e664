// The client of the API proves itself to the doctor, too, by a key, an assertion or a certificate: in files that variables name.
import { generateKeyPairSync } from 'node:crypto'
import { join } from 'node:path'
import t from 'tap'
import { realmFor } from '../support/app.js'
import { demandAssertions } from '../support/assertions.js'
import { CLIENTS } from '../support/client-certificates.js'
import { doctor, environmentOf, findingsOf, report } from '../support/doctor-cli.js'

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const PEM = privateKey.export({ type: 'pkcs8', format: 'pem' })
const JWK = privateKey.export({ format: 'jwk' })

const folder = t.testdir({ 'key.pem': PEM, 'key.jwk': JSON.stringify({ ...JWK, kid: 'one' }), token: 'a.b.c', cert: CLIENTS.a.cert, 'cert.key': CLIENTS.a.key, 'other.key': CLIENTS.b.key })
const file = (name: string): string => join(folder, name)

t.test('a key, as PEM or as a JWK', async (t) => {
  const realm = await realmFor(t)
  const server = demandAssertions(realm, { one: publicKey })
  const env = environmentOf(realm)
  for (const given of [{ KEYCLOAK_CLIENT_ASSERTION_KEY_FILE: file('key.pem'), KEYCLOAK_CLIENT_ASSERTION_KEY_ID: 'one' }, { KEYCLOAK_CLIENT_ASSERTION_KEY_FILE: file('key.jwk') }]) {
    const told = await report({ env: { ...env, ...given } })
    t.same(findingsOf(told), [])
    t.ok(told.checks.some(({ check, status }) => check === 'introspection' && status === 'passed'))
  }
  t.equal(server.accepted.length, 2)
  const unknown = await report({ env: { ...env, KEYCLOAK_CLIENT_ASSERTION_KEY_FILE: file('key.pem') } })
  t.same(findingsOf(unknown), ['introspection credentials'])
  t.notOk(unknown.text.includes(JWK.d!))
})

t.test('an assertion that somebody else signed', async (t) => {
  const realm = await realmFor(t)
  realm.respond('introspect', (_request, response, body) => { response.writeHead(new URLSearchParams(body).get('client_assertion') === 'a.b.c' ? 200 : 500).end('{"active":false}') })
  t.same(findingsOf(await report({ env: { ...environmentOf(realm), KEYCLOAK_CLIENT_ASSERTION_FILE: file('token') } })), [])
})

t.test('mistakes are named by their variable', async (t) => {
  const base = { KEYCLOAK_ISSUER: 'https://sso.example.com/realms/acme', KEYCLOAK_CLIENT_ID: 'api' }
  const cases: Array<[env: Record<string, string>, sentence: RegExp]> = [
    [{ KEYCLOAK_CLIENT_ID: '', KEYCLOAK_CLIENT_ASSERTION_FILE: file('token') }, /KEYCLOAK_CLIENT_ID is missing: KEYCLOAK_CLIENT_ASSERTION_FILE belongs to that client/],
    [{ KEYCLOAK_CLIENT_ASSERTION_KEY_FILE: file('nowhere') }, /KEYCLOAK_CLIENT_ASSERTION_KEY_FILE must be the path of a file that can be read \(ENOENT\)/],
    [{ KEYCLOAK_CLIENT_ASSERTION_KEY_FILE: file('cert') }, /KEYCLOAK_CLIENT_ASSERTION_KEY_FILE must be a private key in PEM .*, not a certificate, which signs nothing/],
    [{ KEYCLOAK_CLIENT_ASSERTION_KEY_FILE: file('key.pem'), KEYCLOAK_CLIENT_ASSERTION_FILE: file('token') }, /KEYCLOAK_CLIENT_ASSERTION_KEY_FILE goes without KEYCLOAK_CLIENT_ASSERTION_FILE/],
    [{ KEYCLOAK_CLIENT_CERT_FILE: file('cert') }, /KEYCLOAK_CLIENT_CERT_FILE and KEYCLOAK_CLIENT_KEY_FILE go together/],
    [{ KEYCLOAK_CLIENT_CERT_FILE: file('cert'), KEYCLOAK_CLIENT_KEY_FILE: file('other.key') }, /KEYCLOAK_CLIENT_KEY_FILE must be the private key of that certificate .*, not the key of another certificate/],
    [{ KEYCLOAK_CLIENT_CERT_FILE: file('cert'), KEYCLOAK_CLIENT_KEY_FILE: file('cert.key'), KEYCLOAK_CLIENT_SECRET: 'hunter2' }, /KEYCLOAK_CLIENT_CERT_FILE goes without clientSecret/]
  ]
  for (const [env, sentence] of cases) {
    const { code, stderr } = await doctor({ env: { ...base, ...env } })
    t.equal(code, 2)
    t.match(stderr, sentence)
    t.notMatch(stderr, /hunter2/)
  }
  const { stderr } = await doctor({ args: ['--option', 'clientAssertion={"key":"x"}'], env: base })
  t.match(stderr, /--option clientAssertion comes from the environment: write it into KEYCLOAK_CLIENT_ASSERTION_KEY_FILE/)
})
