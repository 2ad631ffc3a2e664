// A login that binds its tokens to a key of the page, and what a thief gets for a token of either kind.
import { createHash } from 'node:crypto'
import type { Page, Request } from 'playwright-core'
import t from 'tap'
import { barriers, openPage } from '../support/browser.js'
import { startDemo } from '../support/demo.js'
import { answers, fillIn, fillInWithCode, logIn, press, says, saysBeside, settled } from '../support/demo-page.js'

const TOKEN = '**/protocol/openid-connect/token'

t.test('with a key each call of the API has a proof of its own, with the nonce that the API demands', async (t) => {
  const { url } = await startDemo(t)
  const page = await openPage(t)
  const calls: Request[] = []
  page.on('request', (request) => { if (request.headers().dpop !== undefined) calls.push(request) })
  await logIn(page, url, 'alice', true)
  await says(page, 'Logged in as alice. The token is bound to a key of this page.')
  for (const [path, answer] of Object.entries({ '/hello': '200', '/me': '200', '/profile': '200', '/vault': '401 insufficient_user_authentication' })) {
    t.equal((await answers(page, path))[1], answer, path)
  }
  await press(page, 'Ask again')
  await says(page, 'The routes answered /hello 200, /me 200')
  await press(page, 'Refresh the token')
  await says(page, 'Here is another token.')
  t.equal((await answers(page, '/me'))[1], '200', 'the next token is bound as well')

  const proofs = calls.map((request) => ({ url: request.url(), method: request.method(), ...decoded(request.headers().dpop!), authorization: request.headers().authorization }))
  for (const { url, method, claims, authorization } of proofs) {
    t.match(claims, { htm: method, htu: url.replace(/\?.*/, '') })
    if (authorization === undefined) continue
    const [scheme, token] = authorization.split(' ')
    t.equal(scheme, 'DPoP')
    t.equal(claims.ath, createHash('sha256').update(token!).digest('base64url'))
  }
  t.equal(new Set(proofs.map(({ claims }) => claims.jti)).size, proofs.length, 'no proof is sent twice')
  t.equal(new Set(proofs.map(({ header }) => JSON.stringify(header.jwk))).size, 1, 'one key makes all of them')
  t.equal(proofs.filter(({ method }) => method === 'POST').length, 2, 'the token endpoint gets them, at the login and at the refresh')
  const [first] = calls.filter((request) => request.url().endsWith('/me'))
  t.match((await first!.response())!.headers()['www-authenticate'], /error="use_dpop_nonce"/)
  t.type(proofs.at(-1)!.claims.nonce, 'string')
})

t.test('the private key cannot be exported', async (t) => {
  const { url } = await startDemo(t)
  const page = await openPage(t)
  await page.addInitScript(`{
    const { subtle } = crypto
    const generateKey = subtle.generateKey.bind(subtle)
    subtle.generateKey = async (...args) => (window.made = await generateKey(...args))
  }`)
  await logIn(page, url, 'alice', true)
  t.equal(await page.evaluate('made.privateKey.extractable'), false)
  t.match(await page.evaluate('crypto.subtle.exportKey("jwk", made.privateKey).catch(({ name }) => name)'), 'InvalidAccessError')
  t.match(await page.locator('#claims').innerText(), /"jkt"[^]*The key of this page/)
  t.equal(await page.evaluate('JSON.stringify([localStorage, sessionStorage, document.cookie])'), '[{},{},""]', 'tokens and key are in memory alone')
})

t.test('a thief with a bound token gets nothing, by any way', async (t) => {
  const { url } = await startDemo(t)
  const page = await openPage(t, { viewport: { width: 320, height: 640 } })
  await logIn(page, url, 'alice', true)
  await settled(page)
  await press(page, 'Steal the token')
  t.equal(await saysBeside(page, 'Steal the token', 'The thief got'), 'The thief got 401, 401, 401.')
  t.same(await thefts(page), [
    ['The plain token', 'To see this, log in without “Bind to a key”.'],
    ['The bound token, as Bearer', '401 token_not_valid A bound token is worth nothing without a proof.'],
    ['The bound token, with a proof by the thief’s key', '401 token_not_valid The token names the key of its owner, and this is another.'],
    ['The bound token, with a recorded proof of its owner', '401 dpop_proof_not_valid Each proof is good once, and its owner was faster.']
  ])
  t.same(await barriers(page), [])
  t.equal(await page.evaluate('document.documentElement.scrollWidth'), 320, 'nothing is to be scrolled sideways')
  await press(page, 'Ask again')
  await says(page, 'The routes answered /hello 200, /me 200')
})

t.test('a thief with a plain token is in', async (t) => {
  const { url } = await startDemo(t)
  const page = await openPage(t)
  await logIn(page, url, 'bob')
  await press(page, 'Steal the token')
  t.equal(await saysBeside(page, 'Steal the token', 'The thief got'), 'The thief got 200.')
  const [plain, ...bound] = await thefts(page)
  t.same(plain, ['The plain token', '200 The thief is in: a plain token is good for whoever has it.'])
  for (const [sent, answer] of bound) t.equal(answer, 'To see this, log in with “Bind to a key”.', sent)
  t.same(await barriers(page), [])
})

t.test('a token that is worth nothing to its owner proves nothing about thieves', async (t) => {
  const { url } = await startDemo(t)
  for (const isBound of [true, false]) {
    const page = await openPage(t)
    await logIn(page, url, 'alice', isBound)
    await press(page, 'End the session, keep the token')
    await says(page, 'The session is over; the token is still here.')
    await press(page, 'Steal the token')
    t.equal(await saysBeside(page, 'Steal the token', 'did not work'), 'That did not work: the token is worth nothing to its owner either (401 token_not_valid).')
  }
})

t.test('the stronger login is bound again, to a new key', async (t) => {
  const { url } = await startDemo(t)
  const page = await openPage(t)
  await logIn(page, url, 'alice', true)
  await press(page, 'Open the vault')
  await says(page, 'The vault answered 401 insufficient_user_authentication')
  await press(page, 'Log in as it asks')
  await fillInWithCode(page, 'alice')
  await says(page, 'Logged in again as alice. The vault is open.')
  await press(page, 'Steal the token')
  await says(page, 'The thief got 401, 401, 401.')
})

t.test('a partner binds her tokens at her realm', async (t) => {
  const { url } = await startDemo(t)
  const page = await openPage(t)
  await page.goto(url)
  await page.getByLabel('Bind to a key').check()
  await press(page, 'Partner login')
  await fillIn(page, 'paula')
  await says(page, 'Logged in as paula. The token is bound to a key of this page.')
  t.equal((await answers(page, '/partners'))[1], '200')
})

t.test('an issuer that does not bind the token is told of, and its token is not used', async (t) => {
  const { url } = await startDemo(t)
  const page = await openPage(t)
  await page.route(TOKEN, async (route) => {
    const { dpop, ...headers } = route.request().headers()
    await route.continue({ headers })
  })
  await page.goto(url)
  await page.getByLabel('Bind to a key').check()
  await press(page, 'Log in')
  await fillIn(page, 'alice')
  t.equal(await saysBeside(page, 'Log in', 'The login failed'),
    'The login failed. The issuer did not bind the token to the key. Keycloak does so from 26.4 on.')
  t.same(await answers(page, '/me'), ['401 not_authenticated', 'There is no token.'])
})

/** What the thief sent and got, as the table shows it. */
async function thefts (page: Page): Promise<string[][]> {
  const rows = await page.locator('#attempts').getByRole('row').all()
  return Promise.all(rows.map(async (row) => [
    await row.getByRole('rowheader').innerText(),
    (await row.getByRole('cell').innerText()).replace(/\s+/g, ' ')
  ]))
}

function decoded (jwt: string): Record<'header' | 'claims', Record<string, unknown>> {
  const [header, claims] = jwt.split('.').slice(0, 2).map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>)
  return { header: header!, claims: claims! }
}
