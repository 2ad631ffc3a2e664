// What the check at start says of a real Keycloak, and that it is silent where all is well.
import Fastify from 'fastify'
import t from 'tap'
import keycloak from '../../index.js'
import type { KeycloakOptions } from '../../types/options.js'
import { base, changeClient, changeRealm, introspecting, issuer, options, realm } from './helpers.js'
import { does } from './versions.js'

/** What a required check stops the start with; no checks where it went on. */
async function refusal (settings: Partial<KeycloakOptions>): Promise<{ message: string, checks: string[] }> {
  const app = Fastify()
  try {
    await app.register(keycloak, { ...options, ...settings, startCheck: 'require' })
    return { message: '', checks: [] }
  } catch (error) {
    return error as Error & { checks: string[] }
  } finally {
    await app.close()
  }
}

t.test('nothing is wrong with the options of the other tests', async (t) => {
  t.same((await refusal(options)).checks, [])
  t.same((await refusal(introspecting)).checks, [])
})

t.test('a realm that does not exist, by its name or by its path', async (t) => {
  t.match(await refusal({ issuer: `${base}/realms/nowhere` }), { checks: ['realm_unknown'], message: 'Keycloak has no realm "nowhere"' })
  t.match(await refusal({ issuer: `${base}/realms/${realm.toUpperCase()}` }), { checks: ['realm_unknown'], message: `Keycloak has no realm "${realm.toUpperCase()}"` })
  t.match(await refusal({ issuer: `${base}/auth/realms/${realm}` }), { checks: ['realm_unknown'], message: `issuer: "${base}/realms/${realm}"` })
  t.match(await refusal({ issuer: base }), { checks: ['realm_unknown'], message: 'is not the URL of a realm' })
})

t.test('an issuer that differs by a slash or by its host', async (t) => {
  t.match(await refusal({ issuer: `${issuer}/` }), { checks: ['issuer_mismatch'], message: `write issuer: "${issuer}"` })
  const elsewhere = { ...introspecting, issuer: 'https://sso.example.com/realms/dev', serverUrl: issuer }
  t.match(await refusal(elsewhere), { checks: ['issuer_follows_host'], message: `write issuer: "${issuer}"` })
})

t.test('a signature that the realm has no key for', async (t) => {
  t.match(await refusal({ algorithms: 'ES384' }), { checks: ['algorithms'], message: /it has keys for .*RS256/ })
})

/** The sentence of a version that does not tell which of its causes it is. */
const ANY_CAUSE = /clientSecret is not the secret of the client "\w+", or there is no such client, or it is disabled, bearer-only or has to prove itself otherwise \(status 401\)/

const tells = does('tellsWhyClientIsRefused')

t.test('a client that may not introspect: a wrong secret, no such client, a public one', async (t) => {
  t.match(await refusal({ ...introspecting, clientSecret: 'wrong' }), { checks: ['credentials'], message: tells ? /clientSecret is not the secret of the client "api" \(status 401\).*Credentials tab/ : ANY_CAUSE })
  t.match(await refusal({ ...introspecting, clientId: 'nobody' }), { checks: ['credentials'], message: tells ? /the realm "dev" has no client "nobody" that is enabled and has a secret \(status 401\)/ : ANY_CAUSE })
  t.match(await refusal({ ...introspecting, clientId: 'cli' }), { checks: ['credentials'], message: /status 403.*Client authentication on/ })
})

t.test('a client that may not introspect since its settings are others: each is named', async (t) => {
  const told = (message: RegExp) => tells ? message : ANY_CAUSE
  const troubles: Array<[changes: Record<string, unknown>, message: RegExp]> = [
    [{ enabled: false }, told(/has no client "api" that is enabled and has a secret/)],
    [{ publicClient: true }, /the client "api" may not ask, because it is public/],
    [{ clientAuthenticatorType: 'client-jwt' }, told(/has to prove itself by a signed JWT, not by a secret \(status 400\)/)],
    [{ clientAuthenticatorType: 'client-secret-jwt' }, told(/has to prove itself by a signed JWT/)],
    [{ clientAuthenticatorType: 'client-x509' }, told(/has no client "api" that is enabled and has a secret/)],
    [{ protocol: 'saml' }, /the client "api" is a SAML client/]
  ]
  for (const [changes, message] of troubles) {
    const restore = await changeClient('api', changes)
    t.match(await refusal(introspecting), { checks: ['credentials'], message }, JSON.stringify(changes))
    await restore()
  }
  for (const changes of [{ bearerOnly: true }, { serviceAccountsEnabled: false, authorizationServicesEnabled: false }]) {
    const restore = await changeClient('api', changes)
    const expected = changes.bearerOnly === true && !does('letsBearerOnlyIntrospect') ? ['credentials'] : []
    t.same((await refusal(introspecting)).checks, expected, JSON.stringify(changes))
    await restore()
  }
  t.same((await refusal(introspecting)).checks, [])
})

t.test('a realm that demands HTTPS, or is disabled', async (t) => {
  t.teardown(() => changeRealm({ sslRequired: 'none', enabled: true }))
  await changeRealm({ sslRequired: 'all' })
  t.match(await refusal(options), { checks: ['https_required'], message: /the realm "dev" demands HTTPS \(status 403\): write https:\/\/ in issuer/ })
  await changeRealm({ sslRequired: 'none', enabled: false })
  t.match(await refusal(introspecting), { checks: ['realm_disabled'], message: /the realm "dev" is disabled \(status 403\)/ })
  t.same((await refusal(options)).checks, [], 'only introspection notices')
})
