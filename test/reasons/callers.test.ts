// Each reason to refuse a request for who makes it, provoked.
import t, { type Test } from 'tap'
import type { KeycloakOptions, KeycloakReasonCode } from '../../index.js'
import type { TestRealm } from '../../lib/testing/index.js'
import { apiFor, bearer, logging, realmFor, refusalsIn } from '../support/app.js'

type Headers = Record<string, string | string[]>

/** Ask the API: each request is refused, and the debug log has the code of its reason. */
async function refuses (t: Test, realm: TestRealm, options: Partial<KeycloakOptions>, cases: Array<[url: string, headers: Headers, code: KeycloakReasonCode]>): Promise<void> {
  const log = logging()
  const app = await apiFor(t, realm, options, log)
  app.get('/scope', { config: { scope: 'write' } }, async () => 'scope')
  app.get('/function', { config: { permission: () => false } }, async () => 'function')
  for (const [url, headers, code] of cases) {
    await app.inject({ url, headers: headers as Record<string, string> })
    t.equal(refusalsIn(log).at(-1)?.reasonCode, code)
  }
}

t.test('by the header', async (t) => {
  const realm = await realmFor(t)
  const token = realm.token()
  await refuses(t, realm, {}, [
    ['/me', {}, 'token_missing'],
    ['/me', { authorization: [`Bearer ${token}`, `Bearer ${token}`] }, 'authorization_repeated'],
    ['/me', { authorization: 'Bearer ' }, 'authorization_empty'],
    ['/me', { authorization: `Bearer "${token} x"` }, 'authorization_malformed']
  ])
})

t.test('by the user', async (t) => {
  const realm = await realmFor(t)
  const having = (claims: Record<string, unknown>) => bearer(realm.token({ claims }))
  await refuses(t, realm, { audience: null, userIdClaim: 'employee' }, [
    ['/me', having({}), 'user_claim_missing'],
    ['/me', bearer(realm.token({ kind: 'lightweight' })), 'user_claim_lightweight'],
    ['/me', having({ employee: 1.5 }), 'user_claim_not_integer'],
    ['/me', having({ employee: [] }), 'user_claim_not_text']
  ])
  await refuses(t, realm, {}, [['/me', having({ preferred_username: 5 }), 'user_claim_not_string']])
  await refuses(t, realm, { userIdClaim: 'email' }, [
    ['/me', having({ email_verified: undefined }), 'email_verified_missing'],
    ['/me', having({ email_verified: false }), 'email_unverified']
  ])
  await refuses(t, realm, { syncUser: () => null }, [['/me', having({}), 'user_unknown']])
  await refuses(t, realm, { syncUser: () => ({ id: 1, isActive: false }) as never }, [['/me', having({}), 'user_disabled']])
})

t.test('by the rule of the route', async (t) => {
  const realm = await realmFor(t)
  const having = (claims: Record<string, unknown>) => bearer(realm.token({ claims }))
  await refuses(t, realm, { audience: null, userIdClaim: 'sid' }, [
    ['/scope', having({}), 'scope_missing'],
    ['/scope', having({ scope: undefined }), 'scope_claim_missing'],
    ['/scope', having({ scope: ['write'] }), 'scope_claim_not_string'],
    ['/function', having({}), 'rule_not_fulfilled'],
    ['/profile', bearer(realm.token({ roles: ['other'] })), 'role_missing'],
    ['/profile', having({ resource_access: undefined }), 'roles_absent'],
    ['/profile', having({ resource_access: { api: 'view-profile' } }), 'roles_misplaced'],
    ['/profile', having({ resource_access: { api: { roles: 'view-profile' } } }), 'roles_not_array'],
    ['/profile', bearer(realm.token({ kind: 'lightweight' })), 'roles_lightweight']
  ])
})
