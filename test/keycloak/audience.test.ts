// Whom a token is for, and who it is from.
import t from 'tap'
import { api, get, introspecting, issuer, options, refused, serviceToken, token } from './helpers.js'
import { does, version } from './versions.js'

t.test('a token for another audience is 401', async (t) => {
  const accessToken = await token('cli', 'alice')
  refused(t, await get(await api(t, { ...options, audience: 'billing' }), '/profile', accessToken), 'token_not_valid')
  refused(t, await get(await api(t, { ...options, audience: ['billing', 'web'] }), '/profile', accessToken), 'token_not_valid')
  refused(t, await get(await api(t, { ...introspecting, audience: 'billing' }), '/profile', accessToken), 'token_not_valid')
})

t.test('one of several audiences is enough', async (t) => {
  const app = await api(t, { ...options, audience: ['billing', 'api'] })
  t.equal((await get(app, '/profile', await token('cli', 'alice'))).statusCode, 200, 'the token names several')
  t.equal((await get(app, '/profile', await serviceToken('worker'))).statusCode, 200, 'the token names one')
})

t.test('introspection of a token that is not for the caller is 401, if Keycloak looks at its aud', async (t) => {
  const accessToken = await serviceToken('api')
  for (const audience of [null, 'account']) {
    t.equal((await get(await api(t, { ...options, audience }), '/me', accessToken)).statusCode, 200, 'its claims alone would do')
    const answer = await get(await api(t, { ...introspecting, audience }), '/me', accessToken)
    if (does('demandsCallerInAud')) refused(t, answer, 'token_not_valid')
    else t.equal(answer.statusCode, 200, `Keycloak ${version} does not look at it`)
  }
})

t.test('a token of another issuer is 401', async (t) => {
  const accessToken = await token('cli', 'alice')
  const other = { issuer: `${issuer}-two`, serverUrl: issuer }
  refused(t, await get(await api(t, { ...options, ...other }), '/profile', accessToken), 'token_not_valid')
  refused(t, await get(await api(t, { ...introspecting, ...other }), '/profile', accessToken), 'token_not_valid')
})

const { hostname } = new URL(issuer)
t.test('the calls may go by another name than the issuer has', {
  skip: hostname === 'localhost' ? false : `the server is called ${hostname}, not localhost`
}, async (t) => {
  const serverUrl = issuer.replace('localhost', '127.0.0.1')
  const accessToken = await token('cli', 'alice')
  t.equal((await get(await api(t, { ...options, serverUrl }), '/profile', accessToken)).statusCode, 200)
  t.equal((await get(await api(t, { ...introspecting, serverUrl }), '/profile', accessToken)).statusCode, 200)
})
