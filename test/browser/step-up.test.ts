// The vault of the demo: its challenge, and the stronger login that the page makes of it.
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { createTestRealm } from '../../lib/testing/index.js'
import { barriers, openPage } from '../support/browser.js'
import { startDemo } from '../support/demo.js'
import { answers, fillInWithCode, logIn, press, says, saysBeside } from '../support/demo-page.js'

const CHALLENGE = 'the challenge asks for a login with acr_values="gold", max_age="60".'

t.test('the vault sends a user with a password alone to a stronger login, and then is open', async (t) => {
  const { url } = await startDemo(t)
  const page = await openPage(t)
  await logIn(page, url, 'alice')
  t.same(await answers(page, '/vault'), ['401 not_authenticated', '401 insufficient_user_authentication'])
  t.notOk(await page.getByRole('button', { name: 'Log in as it asks' }).isVisible())
  await press(page, 'Open the vault')
  t.equal(await saysBeside(page, 'Open the vault', 'The vault answered'), `The vault answered 401 insufficient_user_authentication: ${CHALLENGE}`)
  t.same(await barriers(page), [])
  await press(page, 'Log in as it asks')
  await page.getByText('One-time code').waitFor()
  const { searchParams } = new URL(page.url())
  t.match(Object.fromEntries(searchParams), { acr_values: 'gold', max_age: '60', login_hint: 'alice' })
  t.equal(await page.getByLabel('Username').inputValue(), 'alice')
  await fillInWithCode(page, 'alice')
  t.equal(await saysBeside(page, 'Open the vault', 'The vault is open'), 'Logged in again as alice. The vault is open.')
  t.equal((await answers(page, '/vault'))[1], '200')
  t.equal(page.url(), `${url}/`)
  t.equal(await claim(page, 'acr'), 'gold')
  t.notOk(await page.getByRole('button', { name: 'Log in as it asks' }).isVisible())
})

t.test('a refresh keeps the level of the login', async (t) => {
  const { url } = await startDemo(t)
  const page = await openPage(t)
  await logIn(page, url, 'bob')
  await stepUp(page, 'bob')
  await says(page, 'Logged in again as bob. The vault is open.')
  await press(page, 'Refresh the token')
  await says(page, 'Here is another token.')
  t.equal((await answers(page, '/vault'))[1], '200')
})

t.test('a strong login that is more than a minute old is sent back', async (t) => {
  const { page, url } = await onOwnRealm(t)
  const earlier = Date.now() - 90_000
  const clock = t.intercept(Date, 'now', { value: () => earlier })
  await logIn(page, url, 'alice')
  await stepUp(page, 'alice')
  await says(page, 'Logged in again as alice. The vault answered 401 insufficient_user_authentication')
  t.equal(await claim(page, 'acr'), 'gold')
  clock.restore()
  await press(page, 'Log in as it asks')
  await fillInWithCode(page, 'alice')
  await says(page, 'Logged in again as alice. The vault is open.')
})

t.test('a realm without that level is asked once, and the page says that it did not help', async (t) => {
  const { page, url } = await onOwnRealm(t, ['silver'])
  await logIn(page, url, 'alice')
  await press(page, 'Open the vault')
  await press(page, 'Log in as it asks')
  await page.getByLabel('Password').fill('alice-pw')
  await press(page, 'Log in')
  t.equal(await saysBeside(page, 'Open the vault', 'Logged in again'),
    `Logged in again as alice. The vault answered 401 insufficient_user_authentication: ${CHALLENGE}`)
  t.equal(page.url(), `${url}/`)
})

async function stepUp (page: Page, username: string): Promise<void> {
  await press(page, 'Open the vault')
  await press(page, 'Log in as it asks')
  await fillInWithCode(page, username)
}

/** The demo on a realm of this process, which has the clock and the levels of the test. */
async function onOwnRealm (t: Test, levels?: string[]): Promise<{ page: Page, url: string }> {
  let origin = ''
  const users = { alice: { password: 'alice-pw' } }
  const realm = await createTestRealm({ login: { users, redirectUris: () => [`${origin}/`], ...levels && { levels } } })
  t.teardown(() => realm.close())
  const { url } = await startDemo(t, { KEYCLOAK_ISSUER: realm.issuer })
  origin = url
  return { page: await openPage(t), url }
}

async function claim (page: Page, name: string): Promise<string> {
  const row = page.locator('#claims').getByRole('row').filter({ has: page.getByRole('rowheader', { name, exact: true }) })
  return row.getByRole('cell').innerText()
}
