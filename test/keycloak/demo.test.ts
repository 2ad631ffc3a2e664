// The demo on a real Keycloak: its page and Swagger UI log in by the client `web`, in a browser.
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { barriers, openPage } from '../support/browser.js'
import { type Demo, startDemo } from '../support/demo.js'
import { answers, press, says, settled } from '../support/demo-page.js'
import { authorize, tryOut } from '../support/swagger-page.js'
import { issuer, setClientAttributes, type User } from './helpers.js'

/** The demo, which Keycloak tells of logouts. */
async function demoFor (t: Test, env: Record<string, string> = {}): Promise<Demo> {
  const demo = await startDemo(t, { KEYCLOAK_ISSUER: issuer, ...env })
  await setClientAttributes('web', { 'backchannel.logout.url': `${demo.url}/backchannel-logout`, 'backchannel.logout.session.required': 'true' })
  t.teardown(() => setClientAttributes('web', { 'backchannel.logout.url': '' }))
  return demo
}

/** Fill in Keycloak's own login page. */
async function fillIn (page: Page, user: User, password = `${user}-pw`): Promise<void> {
  await page.locator('#username').fill(user)
  await page.locator('#password').fill(password)
  await page.locator('#kc-login').click()
}

async function logIn (page: Page, url: string, user: User): Promise<void> {
  await page.goto(url)
  await press(page, 'Log in')
  await fillIn(page, user)
  await says(page, `Logged in as ${user}.`)
}

for (const [name, env] of Object.entries<Record<string, string>>({ 'by signature alone': {}, 'with introspection': { KEYCLOAK_CLIENT_SECRET: 'api-secret' } })) {
  t.test(`users log in on the page, ${name}`, async (t) => {
    const { url } = await demoFor(t, env)
    const expected = { alice: ['200', '200'], bob: ['200', '403 permission_denied'], carol: ['401 user_inactive', '401 user_inactive'] }
    for (const user of ['alice', 'bob', 'carol'] as const) {
      const page = await openPage(t)
      await logIn(page, url, user)
      t.equal(page.url(), `${url}/`)
      t.same([(await answers(page, '/me'))[1], (await answers(page, '/profile'))[1]], expected[user], user)
      t.notOk(await page.getByRole('button', { name: 'Take the issuer down' }).isVisible(), 'nobody breaks a Keycloak of yours')
      await press(page, 'Refresh the token')
      await says(page, 'Here is another token.')
    }
  })
}

t.test('a wrong password stays at Keycloak', async (t) => {
  const { url } = await demoFor(t)
  const page = await openPage(t)
  await page.goto(url)
  await press(page, 'Log in')
  await fillIn(page, 'alice', 'wrong')
  await page.getByText('Invalid username or password.').first().waitFor()
  await fillIn(page, 'alice')
  await says(page, 'Logged in as alice.')
})

t.test('a session that ends takes its token with it, by back-channel logout alone', async (t) => {
  const { url } = await demoFor(t)
  const page = await openPage(t)
  await logIn(page, url, 'alice')
  await press(page, 'End the session, keep the token')
  await says(page, 'The session is over; the token is still here.')
  t.same(await answers(page, '/me'), ['401 not_authenticated', '401 token_not_valid'])
})

t.test('logging out leads over Keycloak and back', async (t) => {
  const { url } = await demoFor(t)
  const page = await openPage(t)
  await logIn(page, url, 'alice')
  await press(page, 'Log out')
  await page.getByRole('button', { name: 'Log in' }).waitFor()
  t.equal(page.url(), `${url}/`)
  await press(page, 'Log in')
  await page.locator('#username').waitFor()
  t.pass('and Keycloak asks for the password again')
})

t.test('Swagger UI logs in by authorization code with PKCE', async (t) => {
  const { url } = await demoFor(t)
  const page = await openPage(t)
  await authorize(page, url, (popup) => fillIn(popup, 'bob'))
  t.equal(await tryOut(page, '/me'), '200')
  t.equal(await tryOut(page, '/profile'), '403')
})

t.test('axe finds no barrier on the page', async (t) => {
  const { url } = await demoFor(t)
  const page = await openPage(t)
  await logIn(page, url, 'bob')
  await settled(page)
  t.same(await barriers(page), [])
})
