// The checks of Keycloak and of the API, without a token.
import Fastify from 'fastify'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { apiFor, realmFor } from '../support/app.js'
import { discovers } from '../support/doctor.js'
import { doctor, environmentOf, findingsOf, report } from '../support/doctor-cli.js'

t.test('all is well, without a token and without a secret', async (t) => {
  const realm = await realmFor(t)
  const { code, stdout } = await doctor({ env: environmentOf(realm), isTTY: true })
  t.equal(code, 0)
  t.match(stdout, '\u001b[32mok    \u001b[0mdiscovery', 'a terminal shows colours')
  t.match(stdout, /introspection {3}it needs KEYCLOAK_CLIENT_SECRET/)
  t.match(stdout, /No token\n {2}\S+- +\S* *authorization +no token was given, so none was checked: give one by standard input or KEYCLOAK_TOKEN\n\nAll is well with Keycloak and the options, no token was checked\.\n$/)
  const { token, checks, ok, version } = await report({ env: environmentOf(realm) })
  t.same({ token, ok, version }, { token: null, ok: true, version: 1 })
  t.same(checks.map(({ check, status }) => `${check} ${status}`), ['discovery passed', 'issuer passed', 'keys passed', 'introspection skipped', 'clock passed', 'realm passed', 'authorization skipped'])
})

t.test('Keycloak is away: the other checks are skipped', async (t) => {
  const realm = await realmFor(t)
  await realm.down()
  const { checks, code } = await report({ env: environmentOf(realm) })
  t.equal(code, 1)
  t.match(checks, [{ check: 'discovery', status: 'failed', code: 'unreachable', message: /nothing listens on port/, issuer: realm.issuer }])
  t.same(checks.filter(({ status }) => status === 'skipped').map(({ check }) => check), ['issuer', 'keys', 'introspection', 'clock', 'authorization'])
})

t.test('a realm that is disabled is noticed without a secret; other refusals of the token endpoint, and silence, tell nothing', async (t) => {
  const realm = await realmFor(t)
  const answers = async (status: number, body: string) => {
    realm.respond('token', (_request, response) => { response.writeHead(status).end(body) })
    return findingsOf(await report({ env: environmentOf(realm) }))
  }
  t.same(await answers(403, '{"error":"access_denied","error_description":"Realm not enabled"}'), ['realm realm_disabled'])
  t.same(await answers(403, '{"error":"invalid_request","error_description":"HTTPS required"}'), ['realm https_required'])
  t.same(await answers(401, '{"error":"invalid_client","error_description":"Invalid client or Invalid client credentials"}'), [])
  t.same(await answers(200, 'x'.repeat(5000)), [])
  t.same(await answers(200, '{"access_token":"\u001b[31m"}'), [])
})

t.test('risks of the options are warnings, and no findings', async (t) => {
  const realm = await realmFor(t)
  const given = await report({ env: { KEYCLOAK_ISSUER: realm.issuer } })
  t.equal(given.code, 0)
  t.same(findingsOf(given, 'warning'), ['options audience_unchecked', 'options account_roles'])
  const { stdout } = await doctor({ env: { KEYCLOAK_ISSUER: realm.issuer } })
  t.match(stdout, /All is well with Keycloak and the options, no token was checked, 2 warnings\.\n$/)
})

t.test('texts of a hostile Keycloak are not shown', async (t) => {
  const realm = await realmFor(t)
  discovers(realm, { issuer: 'https://evil.example/\u001b[31mSECRET' })
  realm.respond('introspect', (_request, response) => { response.writeHead(401).end('{"error":"\u001b[31mSECRET","error_description":"SECRET"}') })
  const { code, stdout } = await doctor({ env: { ...environmentOf(realm), KEYCLOAK_CLIENT_SECRET: 'mine' } })
  t.equal(code, 1)
  for (const text of ['SECRET', '\u001b', 'mine']) t.notMatch(stdout, text)
  t.match(stdout, /FAIL {2}issuer .*\[issuer_mismatch\]/)
})

t.test('several issuers, one of which is away', async (t) => {
  const [one, other] = [await realmFor(t, { name: 'one' }), await realmFor(t, { name: 'other' })]
  await other.down()
  const given = await report({ env: { ...environmentOf(one), KEYCLOAK_ISSUER: `${one.issuer}, ${other.issuer}`, KEYCLOAK_SERVER_URL: `${one.issuer}\n${other.issuer}/` } })
  t.same(findingsOf(given), ['discovery unreachable'])
  t.same([...new Set(given.checks.filter(({ subject }) => subject === 'keycloak').map(({ issuer }) => issuer))], [one.issuer, other.issuer])
  t.match((await doctor({ env: { ...environmentOf(one), KEYCLOAK_ISSUER: `${one.issuer} ${other.issuer}` } })).stdout, new RegExp(`Keycloak, realm ${other.issuer}\n  FAIL`))
})

/** An API with a logout route, and an address of it. */
async function addressOf (t: Test, path: string): Promise<string> {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { backchannelLogout: { path: '/logout', clients: ['web'] } })
  app.addContentTypeParser('application/x-www-form-urlencoded', (_request, body, done) => { body.resume().on('end', () => done(null)) })
  app.post('/moved', { config: { keycloak: false } }, async (_request, reply) => reply.redirect('/logout'))
  app.post('/closed', { config: { keycloak: false } }, async (_request, reply) => reply.code(401).send({ error: 'SECRET' }))
  app.post('/broken', { config: { keycloak: false } }, async (_request, reply) => reply.code(500).send('SECRET'))
  await app.listen({ port: 0, host: '127.0.0.1' })
  return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}${path}`
}

t.test('the back-channel logout URL', async (t) => {
  const realm = await realmFor(t)
  const said = async (url: string): Promise<string> => {
    const { checks } = await report({ env: environmentOf(realm), args: ['--logout-url', url] })
    const { status, message } = checks.find(({ subject }) => subject === 'api')!
    return `${status}: ${message}`
  }
  t.equal(await said(await addressOf(t, '/logout')), 'passed: the back-channel logout URL leads to the route of the plugin')
  t.match(await said(await addressOf(t, '/elsewhere')), /^failed: .* answers status 404, .*: set the option backchannelLogout, or correct the path; in Keycloak write/)
  t.match(await said(await addressOf(t, '/moved')), /answers status 302, .*it redirects, which Keycloak does not follow/)
  t.match(await said(await addressOf(t, '/closed')), /answers status 401, .*exempt the route from hooks that demand a login/)
  t.match(await said(await addressOf(t, '/broken')), /answers status 500, .*look at the API and at the proxy before it/)
  const gone = Fastify()
  await gone.listen({ port: 0, host: '127.0.0.1' })
  const { port } = gone.server.address() as AddressInfo
  await gone.close()
  t.match(await said(`http://127.0.0.1:${port}/logout`), /^failed: the back-channel logout URL cannot be reached from here \(ECONNREFUSED\), so logouts would be lost: start the API/)
})
