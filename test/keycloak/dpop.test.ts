// Tokens that Keycloak binds to a key, from the login to the refusal of a thief. The client is openid-client.
import t, { type Test } from 'tap'
import type { KeycloakOptions } from '../../types/options.js'
import { API, boundRealm, SECRETS } from './bound-realm.js'
import { dpopClient, inAWord, tokenError, type Sent } from './dpop-client.js'
import { api, ask, decode } from './helpers.js'

const realm = await boundRealm(t)
const { issuer } = realm

/** The address of an API that listens; its route /bound takes bound tokens alone. */
async function listening (t: Test, settings: Partial<KeycloakOptions> = {}): Promise<string> {
  const app = await api(t, { ...API, issuer, dpop: true, ...settings })
  app.get('/bound', { config: { senderConstrained: true } }, async () => ({}))
  return app.listen({ host: '127.0.0.1', port: 0 })
}

const send = async ({ url, headers }: Sent): Promise<string> => inAWord(await fetch(url, { headers }))
const bearer = (url: string, token: string): Promise<string> => send({ url, headers: { authorization: `Bearer ${token}` } })

for (const algorithm of ['ES256', 'ES384', 'ES512', 'PS256', 'RS256', 'EdDSA']) {
  t.test(`a login by password, with proofs of ${algorithm}`, async (t) => {
    const url = await listening(t)
    const client = await dpopClient(issuer, 'cli', { algorithm })
    const { access_token: token, token_type: type } = await client.password('alice')
    t.equal(type, 'dpop')
    t.match(decode(token).claims, { typ: 'DPoP', cnf: { jkt: client.jkt } })
    for (const path of ['/me', '/bound', '/open', '/me?its=query&does=not#count']) t.equal(await client.get(url + path, token), '200', path)
    t.equal(await client.get(`${url}/profile`, token), '403 permission_denied')
  })
}

t.test('Keycloak takes proofs of EdDSA, and none that call it Ed25519 (RFC 9864)', async (t) => {
  const client = await dpopClient(issuer, 'cli', { algorithm: 'Ed25519' })
  t.equal(await tokenError(client.password('alice')), 'invalid_request')
})

t.test('a login by the code flow, whose code is bound to the key', async (t) => {
  const url = await listening(t)
  const [client, other] = [await dpopClient(issuer, 'cli'), await dpopClient(issuer, 'cli')]
  const { access_token: token } = await client.login('alice')
  t.match(decode(token).claims, { typ: 'DPoP', cnf: { jkt: client.jkt } })
  t.equal(await client.get(`${url}/bound`, token), '200')
  t.equal(await tokenError(other.login('alice', client)), 'invalid_request', 'another key gets no token for the code')
})

t.test('a service account', async (t) => {
  const url = await listening(t, { dpop: { required: true } })
  const client = await dpopClient(issuer, 'worker', { secret: SECRETS.worker })
  const { access_token: token } = await client.service()
  t.equal(await client.get(`${url}/me`, token), '200')
  t.equal(await bearer(`${url}/me`, token), '401 token_not_valid')
})

t.test('a public client refreshes by its key alone', async (t) => {
  const url = await listening(t)
  const [client, other] = [await dpopClient(issuer, 'cli'), await dpopClient(issuer, 'cli')]
  const first = await client.password('alice')
  const second = await client.refresh(first)
  t.equal(await client.get(`${url}/bound`, second.access_token), '200')
  t.equal(await client.get(`${url}/bound`, first.access_token), '200', 'the first token is good until it expires')
  t.equal(await tokenError(other.refresh(second)), 'invalid_grant')
  t.equal(await tokenError(client.refresh(second, false)), 'invalid_grant')
})

t.test('a confidential client may refresh without a proof, and its plain token is one of the same session', async (t) => {
  const [url, strict] = [await listening(t), await listening(t, { dpop: { required: true } })]
  const client = await dpopClient(issuer, 'backend', { secret: SECRETS.backend })
  const bound = await client.login('alice')
  const plain = await client.refresh(bound, false)
  t.equal(plain.token_type, 'bearer')
  t.match(decode(plain.access_token).claims, { typ: 'Bearer', cnf: undefined, sid: decode(bound.access_token).claims.sid })
  t.equal(await bearer(`${url}/me`, plain.access_token), '200')
  t.equal(await bearer(`${url}/bound`, plain.access_token), '401 token_not_valid')
  t.equal(await bearer(`${strict}/me`, plain.access_token), '401 token_not_valid')
  t.equal(await client.get(`${url}/me`, plain.access_token), '401 token_not_valid', 'no proof makes it a bound one')
  t.equal(await client.get(`${url}/bound`, bound.access_token), '200')
  t.equal(await client.get(`${url}/bound`, (await client.refresh(bound)).access_token), '200')
})

t.test('a client that has to send proofs gets no token without one', async (t) => {
  const url = await listening(t)
  await t.rejects(realm.token('alice', 'strict'), /DPoP proof is missing/)
  const client = await dpopClient(issuer, 'strict')
  t.equal(await client.get(`${url}/bound`, (await client.password('alice')).access_token), '200')
})

t.test('introspection tells the kind of the token and its key, and ends with the session', async (t) => {
  const url = await listening(t, { verifyTokensWithKeycloak: true })
  const [client, thief] = [await dpopClient(issuer, 'cli'), await dpopClient(issuer, 'cli')]
  const { access_token: token } = await client.password('alice')
  const form = { token, client_id: API.clientId, client_secret: API.clientSecret }
  t.match(await ask('token/introspect', form, {}, `${issuer}/protocol/openid-connect`), { active: true, typ: 'DPoP', token_type: 'DPoP', cnf: { jkt: client.jkt } })
  t.equal(await client.get(`${url}/bound`, token), '200')
  t.equal(await thief.get(`${url}/bound`, token), '401 token_not_valid')
  t.equal(await bearer(`${url}/bound`, token), '401 token_not_valid')
  await realm.admin('DELETE', `/sessions/${decode(token).claims.sid}`)
  t.equal(await client.get(`${url}/bound`, token), '401 token_not_valid')
})

t.test('a lightweight token is bound too', async (t) => {
  const url = await listening(t, { verifyTokensWithKeycloak: true })
  const [client, thief] = [await dpopClient(issuer, 'light'), await dpopClient(issuer, 'light')]
  const { access_token: token } = await client.password('alice')
  t.match(decode(token).claims, { typ: 'DPoP', sub: undefined, aud: undefined, cnf: { jkt: client.jkt } })
  t.equal(await client.get(`${url}/bound`, token), '200')
  t.equal(await thief.get(`${url}/bound`, token), '401 token_not_valid')
  t.equal(await bearer(`${url}/bound`, token), '401 token_not_valid')
})

t.test('a nonce is fetched once, and serves the requests after it', async (t) => {
  const url = await listening(t, { dpop: { nonce: { secret: 'n'.repeat(32) } } })
  const client = await dpopClient(issuer, 'cli')
  const { access_token: token } = await client.password('alice')
  for (const total of [2, 3, 4]) {
    t.equal(await client.get(`${url}/me`, token), '200')
    t.equal(client.sent.length, total, 'requests so far')
  }
  t.equal(await send(client.sent[0]!), '401 dpop_nonce_required')
})

t.test('a thief has the token, and even a request that was sent', async (t) => {
  const url = await listening(t)
  const [client, thief] = [await dpopClient(issuer, 'cli'), await dpopClient(issuer, 'cli')]
  const { access_token: token } = await client.password('alice')
  t.equal(await client.get(`${url}/me`, token), '200')
  const [request] = client.sent as [Sent]
  t.equal(await send(request), '401 dpop_proof_not_valid', 'a replay')
  t.equal(await send({ ...request, url: `${url}/profile` }), '401 dpop_proof_not_valid', 'at another URL')
  t.equal(await bearer(`${url}/me`, token), '401 token_not_valid', 'as Bearer')
  t.equal(await bearer(`${url}/open`, token), '401 token_not_valid', 'as Bearer, at an open route')
  t.equal(await thief.get(`${url}/me`, token), '401 token_not_valid', 'by another key')
  t.equal(await send({ url: `${url}/me`, headers: { authorization: `DPoP ${token}` } }), '401 dpop_proof_not_valid', 'without a proof')
  t.equal(await client.get(`${url}/me`, token), '200')
})

t.test('a plain token is one in spite of a DPoP header, and is none as DPoP', async (t) => {
  const url = await listening(t)
  const client = await dpopClient(issuer, 'cli')
  const token = await realm.token('alice')
  t.equal(await client.get(`${url}/me`, token), '401 token_not_valid')
  const { url: address, headers: { dpop } } = client.sent[0]!
  t.equal(await send({ url: address, headers: { authorization: `Bearer ${token}`, dpop: dpop! } }), '200')
})
