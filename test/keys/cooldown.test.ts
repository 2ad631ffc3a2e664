// The cooldown between two fetches for unknown key ids, one test after the other: they move the clocks of the process.
import t from 'tap'
import { apiFor, ask, realmFor } from '../support/app.js'
import { clocksFor } from '../support/clocks.js'
import { kidLike, underWay } from '../support/unknown-keys.js'

const NOT_VALID = '401 token_not_valid'

t.test('a cooldown that is longer refuses at once, until a second before its end', async (t) => {
  const clocks = clocksFor(t)
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { jwks: { cooldown: 2000 } })
  t.equal(await ask(app, '/me', realm.token()), '200')
  t.equal(await ask(app, '/me', realm.token({ kid: 'nobody' })), NOT_VALID)
  realm.rotateKeys()
  t.equal(await ask(app, '/me', realm.token()), NOT_VALID)
  t.equal(realm.requests.certs, 2)
  clocks.advance(1.1)
  t.equal(await ask(app, '/me', realm.token()), '200')
  t.equal(realm.requests.certs, 3)
})

t.test('a kid that was refused a moment ago does not wait again, nor does one that looks unlike those of the realm', async (t) => {
  const clocks = clocksFor(t)
  const realm = await realmFor(t)
  const app = await apiFor(t, realm)
  t.equal(await ask(app, '/me', realm.token()), '200')
  const gone = realm.token({ kid: kidLike('gone') })
  t.equal(await ask(app, '/me', gone), NOT_VALID)
  const waits = underWay(app, realm.token({ kid: kidLike('new') }))
  const refused = [gone, realm.token({ kid: 'x' }), realm.token({ kid: `${kidLike('x')}=` }), gone].map((each) => underWay(app, each))
  await Promise.all(refused.map(({ over }) => over))
  t.ok(refused.every(({ outcome }) => outcome === 'token_not_valid'))
  t.equal(waits.outcome, undefined, 'as another does')
  await waits.over
  t.equal(waits.outcome, 'token_not_valid')
  t.equal(realm.requests.certs, 3)
  clocks.advance(1.01)
  t.equal(await ask(app, '/me', gone), NOT_VALID)
  t.equal(realm.requests.certs, 4, 'it is remembered no longer than the cooldown')
  realm.rotateKeys()
  clocks.advance(1.01)
  t.equal(await ask(app, '/me', realm.token()), '200')
})
