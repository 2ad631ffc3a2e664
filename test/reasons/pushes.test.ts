// Each reason not to carry out a call of Keycloak, provoked: the warning has its code.
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import type { KeycloakReasonCode } from '../../index.js'
import type { TestRealm } from '../../lib/testing/index.js'
import { apiFor, logging, realmFor } from '../support/app.js'
import { action, backchannel, LOGOUT, logOut, now, post, push } from '../support/logout.js'

const FORM = 'application/x-www-form-urlencoded'

/** One case an API, since warnings are limited. */
async function warns (t: Test, realm: TestRealm, cases: Array<[call: (app: FastifyInstance) => Promise<unknown>, code: KeycloakReasonCode]>): Promise<void> {
  for (const [call, code] of cases) {
    const log = logging()
    const app = await apiFor(t, realm, LOGOUT, log)
    await call(app)
    t.equal(log.lines.filter(({ reasonCode }) => reasonCode !== undefined).at(-1)?.reasonCode, code)
    await app.close()
  }
}

t.test('by the body and the form', async (t) => {
  const realm = await realmFor(t)
  await warns(t, realm, [
    [(app) => app.inject({ method: 'POST', url: '/backchannel-logout' }), 'push_body_missing'],
    [(app) => post(app, '/backchannel-logout', 'text/plain', 'x'), 'push_body_other'],
    [(app) => post(app, '/backchannel-logout', FORM, 'x'.repeat(70_000)), 'push_body_too_long'],
    [(app) => post(app, '/backchannel-logout', FORM, 'a=b&'.repeat(20)), 'push_form_too_long'],
    [(app) => post(app, '/backchannel-logout', FORM, 'a=b'), 'push_form_malformed'],
    [(app) => backchannel(app, `${'x'.repeat(2000)}.x.x`), 'push_header_too_long'],
    [async (app) => {
      const token = realm.token({ kind: 'logout' })
      await backchannel(app, token)
      await backchannel(app, token)
    }, 'push_repeated']
  ])
})

t.test('by what a logout token or a push says', async (t) => {
  const realm = await realmFor(t)
  const logout = (claims: Record<string, unknown>) => (app: FastifyInstance) => logOut(app, realm, { claims })
  const notBefore = (claims: Record<string, unknown>) => (app: FastifyInstance) => push(app, realm.sign(action('PUSH_NOT_BEFORE', claims)), 'k_push_not_before')
  await warns(t, realm, [
    [logout({ iat: now() + 1000, exp: now() + 1100 }), 'push_future'],
    [logout({ iat: now() - 1100, exp: now() - 1000 }), 'push_ended'],
    [logout({ jti: undefined }), 'push_claim_missing'],
    [logout({ jti: 5 }), 'push_claim_not_string'],
    [logout({ typ: 'Bearer' }), 'logout_typ'],
    [logout({ events: {} }), 'logout_event_missing'],
    [logout({ nonce: 'n' }), 'logout_nonce'],
    [notBefore({ typ: 'Bearer' }), 'push_typ'],
    [notBefore({ action: 'LOGOUT' }), 'push_action_other'],
    [notBefore({ resource: 'web' }), 'push_resource_other'],
    [notBefore({ notBefore: undefined }), 'push_not_before_missing'],
    [(app) => push(app, realm.sign(action('LOGOUT', { keycloakSessionIds: 'a' })), 'k_logout'), 'push_sessions_malformed']
  ])
})
