// Realms whose names no URL has as they are: the URL that a refused option says to write is the one in iss.
import t from 'tap'
import { refusalOf } from '../support/app.js'
import { addRealm, api, base, call, decode, get, json } from './helpers.js'

for (const name of ['my realm', 'münchen', 'a%b', 'a|b', '東京']) {
  t.test(`the realm ${name}`, async (t) => {
    t.teardown(await addRealm({
      realm: name,
      enabled: true,
      sslRequired: 'none',
      clients: [{ clientId: 'api', secret: 'api-secret', serviceAccountsEnabled: true, standardFlowEnabled: false }]
    }))
    const [, issuer = ''] = /write "(http[^"]+)"$/.exec(await refusalOf({ issuer: `${base}/realms/${name}` })) ?? []
    const discovered = await json(await call(`${issuer}/.well-known/openid-configuration`))
    t.equal(discovered.issuer, issuer, 'discovery says the same')

    const form = { grant_type: 'client_credentials', client_id: 'api', client_secret: 'api-secret' }
    const { access_token: token } = await json(await call(`${issuer}/protocol/openid-connect/token`, { method: 'POST', body: new URLSearchParams(form) }))
    t.equal(decode(token).claims.iss, issuer, 'and so does iss')

    const app = await api(t, { issuer, clientId: 'api', clientSecret: 'api-secret', audience: null, startCheck: 'require' })
    t.equal((await get(app, '/me', token)).statusCode, 200)
  })
}
