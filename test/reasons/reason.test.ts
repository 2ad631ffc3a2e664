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
  t.match(new KeycloakError('user_inactive', 'user_disabled'), { reasonCode: 'user_disabled', reason: 'isActive is false' })
  t.match(new KeycloakError('keycloak_unavailable', 'no_answer'), { reasonCode: 'no_answer', reason: 'no answer within … ms' }, 'a value that is not known')
  const late = new KeycloakError('user_inactive', () => 'so it is')
  t.match(late, { reasonCode: 'refused_by_application', reason: 'so it is' })
})
