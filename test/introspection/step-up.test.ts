// config.acr and config.maxAge with introspection: Keycloak answers by the session of now, and the token has a word too.
import t from 'tap'
import { apiFor, ask, bearer, logging, realmFor, refusalsIn } from '../support/app.js'

const WEAK = '401 insufficient_user_authentication'
const now = () => Math.floor(Date.now() / 1000)
const ok = async () => 'ok'

for (const introspection of [{}, { cacheTtl: 60_000 }]) {
  const suffix = 'cacheTtl' in introspection ? ', whose answers are kept' : ''

  t.test(`the token and the answer must both be strong and recent enough, in routes and in handlers${suffix}`, async (t) => {
    const realm = await realmFor(t)
    const app = await apiFor(t, realm, { verifyTokensWithKeycloak: true, introspection, acrLevels: ['silver', 'gold'] })
    app.get('/gold', { config: { acr: 'gold' } }, ok)
    app.get('/fresh', { config: { maxAge: 300 } }, ok)
    app.get('/has', async (request) => [request.hasAuthentication({ acr: 'gold' }), request.hasAuthentication({ maxAge: 300 })])
    const [old, recent] = [now() - 1000, now()]
    const cases: Array<[token: object, answer: object, gold: boolean, fresh: boolean]> = [
      [{ acr: 'gold', auth_time: recent }, {}, true, true],
      [{ acr: 'gold', auth_time: recent }, { acr: 'silver', auth_time: old }, false, false],
      [{ acr: 'silver', auth_time: old }, { acr: 'gold', auth_time: recent }, false, false],
      [{ acr: 'gold', auth_time: old }, { acr: 'silver', auth_time: recent }, false, false],
      [{ acr: 'silver', auth_time: recent }, { acr: 'gold', auth_time: recent - 1 }, false, true],
      [{ acr: undefined, auth_time: undefined }, { acr: 'gold', auth_time: recent }, true, true],
      [{ acr: 'gold', auth_time: recent }, { acr: undefined, auth_time: undefined }, false, false],
      [{ acr: ['gold'], auth_time: String(recent) }, { acr: 'gold', auth_time: recent }, false, false],
      [{ acr: 'gold', auth_time: recent }, { acr: ['gold'], auth_time: null }, false, false]
    ]
    for (const [claims, answer, gold, fresh] of cases) {
      const token = realm.token({ claims: { ...claims } })
      realm.update(token, answer as Record<string, unknown>)
      const name = JSON.stringify([claims, answer])
      for (let times = 0; times < 2; times++) {
        t.equal(await ask(app, '/gold', token), gold ? '200' : WEAK, name)
        t.equal(await ask(app, '/fresh', token), fresh ? '200' : WEAK, name)
        t.same((await app.inject({ url: '/has', headers: bearer(token) })).json(), [gold, fresh], name)
      }
    }
  })

  t.test(`a lightweight token has neither, so the answer decides${suffix}`, async (t) => {
    const realm = await realmFor(t)
    const app = await apiFor(t, realm, { verifyTokensWithKeycloak: true, introspection })
    app.get('/gold', { config: { acr: 'gold', maxAge: 300 } }, ok)
    t.equal(await ask(app, '/gold', realm.token({ kind: 'lightweight', claims: { acr: 'gold', auth_time: now() } })), '200')
    t.equal(await ask(app, '/gold', realm.token({ kind: 'lightweight', claims: { acr: 'silver', auth_time: now() } })), WEAK)
  })
}

t.test('the token\'s own word is no claim: neither the handler nor the answer of a route shows it', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { verifyTokensWithKeycloak: true })
  const token = realm.token({ claims: { acr: 'gold', auth_time: now() } })
  realm.update(token, { acr: 'silver' })
  const { auth } = (await app.inject({ url: '/me', headers: bearer(token) })).json()
  t.equal(auth.acr, 'silver')
  t.notOk(JSON.stringify(auth).includes('gold'))
  t.notOk(Object.keys(await app.keycloak.verify(token)).includes('own'))
})

t.test('the log says which of the two was too low, and what a lightweight token lacks without introspection', async (t) => {
  const realm = await realmFor(t)
  const log = logging()
  const app = await apiFor(t, realm, { verifyTokensWithKeycloak: true }, log)
  const alone = await apiFor(t, realm, { audience: null, userIdClaim: 'sid' }, log)
  for (const each of [app, alone]) each.get('/gold', { config: { acr: 'gold' } }, ok)
  const why = () => refusalsIn(log).at(-1)
  const raised = realm.token({ claims: { acr: 'silver' } })
  realm.update(raised, { acr: 'gold' })
  t.equal(await ask(app, '/gold', raised), WEAK)
  t.match(why(), { reasonCode: 'acr_too_low', reason: /acr "silver" of the token is not enough for gold/ })
  t.equal(await ask(alone, '/gold', realm.token({ kind: 'lightweight' })), WEAK)
  t.match(why(), { reasonCode: 'login_lightweight' })
})
