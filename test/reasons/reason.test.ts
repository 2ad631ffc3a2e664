// The reason of a refusal: a code for programs, a sentence for operators, nothing for clients.
import t from 'tap'
import { KeycloakError } from '../../index.js'
import { apiFor, ask, bearer, logging, realmFor } from '../support/app.js'

t.test('a refusal has a reason code and its sentence, in the log and in the error', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  const app = await apiFor(t, realm, {}, log)
  const token = realm.token({ forged: true })
  const { body } = await app.inject({ url: '/me', headers: bearer(token) })
  t.match(log.lines.find(({ code }) => code === 'token_not_valid'), { reasonCode: 'signature_invalid', reason: 'the signature does not verify', msg: 'request refused: the signature does not verify' })
  t.notMatch(body, /signature/)
  await t.rejects(app.keycloak.verify(token), { code: 'token_not_valid', reasonCode: 'signature_invalid', reason: 'the signature does not verify' })
})

t.test('an application that throws a refusal of its own may name a code of the table, or say a sentence', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  const app = await apiFor(t, realm, { syncUser: () => { throw new KeycloakError('user_inactive', 'the contract has ended [{x}]') } }, log)
  t.equal(await ask(app, '/me', realm.token()), '401 user_inactive')
  t.match(log.lines.find(({ code }) => code === 'user_inactive'), { reasonCode: 'refused_by_application', reason: 'the contract has ended [{x}]' })
  t.match(new KeycloakError('user_inactive', 'user_disabled'), { reasonCode: 'user_disabled', reason: 'isActive of the user is false' })
  t.match(new KeycloakError('keycloak_unavailable', 'no_answer'), { reasonCode: 'no_answer', reason: 'no answer within … ms' }, 'a value that is not known')
  const late = new KeycloakError('user_inactive', () => 'so it is')
  t.match(late, { reasonCode: 'refused_by_application', reason: 'so it is' })
})

const NO_REASONS: Record<string, unknown> = {
  none: undefined,
  null: null,
  number: 5,
  object: { reason: 5 },
  'object of another table': { reason: 'x', reasonCode: 'constructor' },
  'function that throws': () => { throw new Error('mine') },
  'function that returns nothing': () => undefined,
  'function that returns a promise': async () => 'x'
}

t.test('a refusal of an application in JavaScript that gives no reason is the answer all the same, at the first request and later', async (t) => {
  const realm = await realmFor(t)
  for (const [name, reason] of Object.entries(NO_REASONS)) {
    for (const isLate of [false, true]) {
      const log = logging()
      const refuse = () => { throw new KeycloakError('user_inactive', reason as never) }
      const app = await apiFor(t, realm, { syncUser: isLate ? async () => refuse() : refuse }, log)
      app.get('/thrown', async () => refuse())
      const token = realm.token()
      // The first waits for the keys, the third finds the token in memory.
      for (let times = 0; times < 3; times++) t.equal(await ask(app, '/me', token), '401 user_inactive', name)
      t.equal(await ask(app, '/thrown'), '401 user_inactive', name)
      const lines = log.lines.filter(({ code, level }) => code === 'user_inactive' && level === 20)
      t.same(lines.map(({ reasonCode, msg }) => [reasonCode, msg]), Array(4).fill(['refused_by_application', 'request refused: the application gave no reason']), name)
    }
  }
})

t.test('a reason of a refusal is that of another refusal', async (t) => {
  const cause = new KeycloakError('user_inactive', 'user_disabled')
  t.match(new KeycloakError('permission_denied', () => cause), { reasonCode: 'user_disabled', reason: 'isActive of the user is false' })
})
