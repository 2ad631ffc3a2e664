// What Keycloak signs, but never as the key to an API.
import t from 'tap'
import { api, browserLogin, decode, dpopLogin, get, introspecting, login, options, refused, token } from './helpers.js'

for (const [name, settings] of Object.entries({ 'without introspection': options, 'with introspection': introspecting })) {
  t.test(name, async (t) => {
    const app = await api(t, settings)

    t.test('an ID token is 401, on open routes too', async (t) => {
      for (const { id_token: idToken } of [await login('cli', 'alice'), await browserLogin('alice')]) {
        refused(t, await get(app, '/profile', idToken), 'token_not_valid')
        refused(t, await get(app, '/open', idToken), 'token_not_valid')
      }
    })

    t.test('a refresh token is 401', async (t) => {
      for (const { refresh_token: refreshToken } of [await login('cli', 'alice'), await browserLogin('alice')]) {
        refused(t, await get(app, '/profile', refreshToken), 'token_not_valid')
        refused(t, await get(app, '/open', refreshToken), 'token_not_valid')
      }
    })

    t.test('a token that is bound to a key by DPoP is 401 as a plain Bearer', async (t) => {
      const { access_token: accessToken, token_type: type, thumbprint } = await dpopLogin('cli', 'alice')
      t.equal(type, 'DPoP')
      t.match(decode(accessToken).claims, { cnf: { jkt: thumbprint } })
      refused(t, await get(app, '/profile', accessToken), 'token_not_valid')
      refused(t, await get(app, '/open', accessToken), 'token_not_valid')
    })

    t.test('a token with another payload under its signature is 401', async (t) => {
      const [header, , signature] = (await token('cli', 'bob')).split('.')
      const { claims } = decode(await token('cli', 'alice'))
      const payload = Buffer.from(JSON.stringify(claims)).toString('base64url')
      refused(t, await get(app, '/profile', `${header}.${payload}.${signature}`), 'token_not_valid')
    })
  })
}

t.test('an ID token is 401 where its audience is the one that is asked for', async (t) => {
  const { id_token: idToken } = await login('cli', 'alice')
  t.equal(decode(idToken).claims.aud, 'cli')
  refused(t, await get(await api(t, { ...options, audience: 'cli' }), '/me', idToken), 'token_not_valid')
})
