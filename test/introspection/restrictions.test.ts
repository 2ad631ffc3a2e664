// authorizedParties, maxTokenAge and tokenType with introspection: which hold for the token, and which for the answer.
import t, { type Test } from 'tap'
import type { FastifyInstance } from 'fastify'
import type { KeycloakOptions } from '../../index.js'
import type { TestRealm } from '../../lib/testing/index.js'
import { apiFor, ask, realmFor } from '../support/app.js'
import { clocksFor } from '../support/clocks.js'

const NOT_VALID = '401 token_not_valid'
const now = () => Math.floor(Date.now() / 1000)

async function introspecting (t: Test, options: Partial<KeycloakOptions>): Promise<{ realm: TestRealm, app: FastifyInstance }> {
  const realm = await realmFor(t)
  return { realm, app: await apiFor(t, realm, { verifyTokensWithKeycloak: true, ...options }) }
}

for (const introspection of [{}, { cacheTtl: 60_000 }]) {
  const suffix = 'cacheTtl' in introspection ? ', whose answers are shared' : ''

  t.test(`azp must be a party in the token and in the answer${suffix}`, async (t) => {
    const { realm, app } = await introspecting(t, { introspection, authorizedParties: 'web' })
    for (const kind of ['access', 'lightweight'] as const) {
      t.equal(await ask(app, '/me', realm.token({ kind, claims: { azp: 'web' } })), '200', kind)
      const other = realm.token({ kind, claims: { azp: 'other' } })
      realm.update(other, { azp: 'web' })
      t.equal(await ask(app, '/me', other), NOT_VALID, `${kind}: the answer does not replace the party of the token`)
      for (const azp of ['other', undefined, null, ['web']]) {
        const token = realm.token({ kind, claims: { azp: 'web' } })
        realm.update(token, { azp })
        t.equal(await ask(app, '/me', token), NOT_VALID, `${kind}: azp ${JSON.stringify(azp)} in the answer`)
      }
    }
  })

  t.test(`tokenType demands sub and aud of the answer, since a lightweight token has none${suffix}`, async (t) => {
    const { realm, app } = await introspecting(t, { introspection, tokenType: 'at+jwt' })
    const token = (claims = {}): string => realm.token({ kind: 'lightweight', header: { typ: 'at+jwt' }, claims })
    t.equal(await ask(app, '/me', token()), '200')
    t.equal(await ask(app, '/me', realm.token({ kind: 'at+jwt' })), '200', 'a whole token')
    t.equal(await ask(app, '/me', realm.token({ kind: 'lightweight' })), NOT_VALID, 'another header')
    t.equal(await ask(app, '/me', token({ jti: undefined })), NOT_VALID, 'jti is the token\'s')
    t.equal(await ask(app, '/me', token({ azp: undefined })), NOT_VALID, 'and so is azp')
    for (const gone of [{ sub: undefined }, { aud: undefined }, { aud: [] }, { sub: '' }, { client_id: '' }]) {
      const lacking = token()
      realm.update(lacking, gone)
      t.equal(await ask(app, '/me', lacking), NOT_VALID, JSON.stringify(Object.entries(gone)))
    }
    const bare = token()
    realm.update(bare, { jti: undefined })
    t.equal(await ask(app, '/me', bare), NOT_VALID, 'an answer without jti adds nothing to the token')
  })

  t.test(`the age counts from the iat of the token, and no answer makes it younger${suffix}`, async (t) => {
    const clocks = clocksFor(t)
    const { realm, app } = await introspecting(t, { introspection, maxTokenAge: 60, jwks: { maxAge: 86_400_000 } })
    const token = realm.token({ expiresIn: 9999 })
    realm.update(token, { iat: now() })
    for (let times = 0; times < 3; times++) t.equal(await ask(app, '/me', token), '200')
    clocks.advance(58)
    realm.update(token, { iat: now() })
    t.equal(await ask(app, '/me', token), '200')
    clocks.advance(4)
    realm.update(token, { iat: now() })
    t.equal(await ask(app, '/me', token), NOT_VALID)
    const old = realm.token({ expiresIn: 9999 })
    realm.update(old, { iat: now() - 100 })
    t.equal(await ask(app, '/me', old), NOT_VALID, 'an answer can make it older')
  })
}
