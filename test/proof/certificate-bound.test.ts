// Tokens that are bound to a certificate, over real TLS: HTTP/1.1, HTTP/2, resumed sessions.
import { connect as connectHttp2 } from 'node:http2'
import t from 'tap'
import { apiFor, bearer, realmFor } from '../support/app.js'
import { CLIENTS } from '../support/client-certificates.js'
import { agentOf, apiOverTls, type Client, get } from '../support/tls-api.js'

t.test('with its certificate, another one and none, by HTTP/1.1', async (t) => {
  const { realm, port, token } = await apiOverTls(t)
  for (let times = 0; times < 4; times++) {
    t.equal((await get(port, '/me', token, agentOf(t, CLIENTS.a))).status, 200)
    for (const client of [CLIENTS.b, {}]) t.match(await get(port, '/me', token, agentOf(t, client)), { status: 401, body: { code: 'token_not_valid' } })
    t.equal((await get(port, '/me', realm.token(), agentOf(t, {}))).status, 200, 'a Bearer token')
  }
})

for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
  t.test(`a resumed session of ${maxVersion} has the certificate of the first`, async (t) => {
    const { port, token } = await apiOverTls(t)
    const agent = agentOf(t, CLIENTS.a, { maxVersion })
    for (let times = 0; times < 3; times++) t.equal((await get(port, '/me', token, agent)).status, 200)
    t.same((await get(port, '/resumed', token, agent)).body, { resumed: true })
  })
}

t.test('by HTTP/2', async (t) => {
  const { port, token } = await apiOverTls(t, { allowHTTP1: true })
  const statusOf = (client: Client): Promise<unknown> => new Promise((resolve, reject) => {
    const session = connectHttp2(`https://127.0.0.1:${port}`, { ...client, rejectUnauthorized: false })
    session.on('error', reject)
    session.request({ ':path': '/me', ...bearer(token) }).on('response', (headers) => {
      resolve(headers[':status'])
      session.close()
    }).on('error', reject).resume().end()
  })
  t.same(await Promise.all([CLIENTS.a, CLIENTS.b, {}].map(statusOf)), [200, 401, 401])
})

t.test('without TLS there is no certificate', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { mtls: true })
  const response = await app.inject({ url: '/me', headers: bearer(realm.token({ certificate: CLIENTS.a.cert })) })
  t.equal(response.json().code, 'token_not_valid')
  t.match(response.headers['www-authenticate'], /^Bearer realm="test", error="invalid_token"[^,]*, ?error_description="[^"]*"$/)
})

t.test('a token that is bound to both keys needs both proofs, and one of them is not enough', async (t) => {
  const realm = await realmFor(t)
  const app = await apiFor(t, realm, { dpop: true, mtls: { certificate: ({ headers }) => headers['x-test'] === 'a' ? CLIENTS.a.cert : undefined } })
  const client = realm.dpop()
  const token = realm.token({ dpop: client, certificate: CLIENTS.a.cert })
  const url = 'http://localhost:80/me'
  const ask = async (scheme: string, headers: Record<string, string>): Promise<unknown> => (await app.inject({ url: '/me', headers: { authorization: `${scheme} ${token}`, ...headers } })).statusCode
  const dpop = async (): Promise<string> => client.proof({ url, token })
  t.equal(await ask('DPoP', { dpop: await dpop(), 'x-test': 'a' }), 200)
  t.equal(await ask('DPoP', { dpop: await dpop() }), 401)
  t.equal(await ask('DPoP', { 'x-test': 'a' }), 401)
  t.equal(await ask('Bearer', { dpop: await dpop(), 'x-test': 'a' }), 401)
  const certificateAlone = realm.token({ certificate: CLIENTS.a.cert })
  const asDpop = await app.inject({ url: '/me', headers: { authorization: `DPoP ${certificateAlone}`, dpop: await client.proof({ url, token: certificateAlone }), 'x-test': 'a' } })
  t.equal(asDpop.json().code, 'token_not_valid')
})
