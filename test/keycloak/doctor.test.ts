// What the check at start says of a real Keycloak, and that it is silent where all is well.
import Fastify from 'fastify'
import t from 'tap'
import keycloak from '../../index.js'
import type { KeycloakOptions } from '../../types/options.js'
import { base, introspecting, issuer, options, realm } from './helpers.js'

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

t.test('a client that may not introspect: a wrong secret, no such client, a public one', async (t) => {
  t.match(await refusal({ ...introspecting, clientSecret: 'wrong' }), { checks: ['credentials'], message: /status 401.*Credentials tab/ })
  t.match(await refusal({ ...introspecting, clientId: 'nobody' }), { checks: ['credentials'], message: /no such client/ })
  t.match(await refusal({ ...introspecting, clientId: 'cli' }), { checks: ['credentials'], message: /status 403.*Client authentication on/ })
})
