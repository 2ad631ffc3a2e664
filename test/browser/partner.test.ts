// The second realm of the demo: its user has tokens of her own issuer.
import type { Page } from 'playwright-core'
import t from 'tap'
import { barriers, openPage } from '../support/browser.js'
import { startDemo } from '../support/demo.js'
import { answers, fillIn, logIn, press, says, settled } from '../support/demo-page.js'

async function logInAsPartner (page: Page, url: string): Promise<void> {
  await page.goto(url)
  await press(page, 'Partner login')
  await page.getByLabel('Username').waitFor()
  t.equal(await page.getByRole('heading').innerText(), 'Log in to partners')
  await fillIn(page, 'paula')
  await says(page, 'Logged in as paula.')
}

t.test('a partner gets what her realm may, and nobody of the other realm does', async (t) => {
  const { url } = await startDemo(t)
  const page = await openPage(t)
  await logInAsPartner(page, url)
  for (const [path, answer] of Object.entries({
    '/hello': '200', '/me': '200', '/profile': '403 permission_denied', '/documents/alice': '403 not_yours', '/partners': '200'
  })) t.equal((await answers(page, path))[1], answer, path)
  t.same(await barriers(page), [])
  const alice = await openPage(t)
  await logIn(alice, url, 'alice')
  t.same(await answers(alice, '/partners'), ['401 not_authenticated', '403 permission_denied'])
  const row = page.getByRole('row').filter({ has: page.getByRole('rowheader', { name: 'GET /partners', exact: true }) })
  t.match(await row.innerText(), /issuer partners\s+a token of that realm/)
})

t.test('the outage of the other realm is none of hers', async (t) => {
  const { url } = await startDemo(t)
  const page = await openPage(t)
  await logInAsPartner(page, url)
  await press(page, 'Take the issuer down')
  await says(page, 'The issuer is down.')
  t.equal((await answers(page, '/partners'))[1], '200')
  await press(page, 'Refresh the token')
  await says(page, 'Here is another token.')
  t.equal((await answers(page, '/me'))[1], '200')
})

t.test('she logs out at her realm, and her ended session is refused', async (t) => {
  const { url } = await startDemo(t)
  const page = await openPage(t)
  await logInAsPartner(page, url)
  await press(page, 'End the session, keep the token')
  await says(page, 'The session is over; the token is still here.')
  t.equal((await answers(page, '/partners'))[1], '401 token_not_valid')
  await press(page, 'Log out')
  await page.getByRole('button', { name: 'Partner login' }).waitFor()
  await settled(page)
  t.equal(page.url(), `${url}/`)
})
