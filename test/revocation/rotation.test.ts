import t from 'tap'
import { apiFor, ask, realmFor, until } from '../support/app.js'
import { flood } from '../support/flood.js'
import { LOGOUT, logOut } from '../support/logout.js'

for (const [name, kid] of [['as many kids', (at: number) => `kid-${at}`], ['one kid', () => 'kid']] as const) {
  for (const count of [1000, 10_000]) {
    t.test(`a logout signed right after a rotation is carried out behind ${count} unsigned calls of ${name}`, async (t) => {
      const realm = await realmFor(t)
      const app = await apiFor(t, realm, { ...LOGOUT, jwks: { cooldown: 60_000 } })
      const token = realm.token()
      t.equal(await ask(app, '/me', token), '200')
      t.equal(await ask(app, '/me', realm.token({ kid: 'of a stranger' })), '401 token_not_valid', 'which begins the cooldown')
      realm.rotateKeys()
      const calls = flood(app, count, kid)
      const real = logOut(app, realm)
      const more = flood(app, 100, kid)
      await until(async () => await ask(app, '/me', token) === '401 token_not_valid')
      const answers = await Promise.all([...calls, real, ...more])
      t.equal(answers[count]!.status, 200)
      t.ok(answers.every(({ status }, at) => at === count || status === 400 || status === 503))
      t.ok(realm.requests.certs <= 5, 'one fetch serves all')
    })
  }
}
