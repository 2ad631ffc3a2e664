import type { Page } from 'playwright-core'
import t from 'tap'
import { wait } from '../support/app.js'
import { barriers, openPage } from '../support/browser.js'
import { startDemo } from '../support/demo.js'
import { answers, fillIn, logIn, press, says, settled } from '../support/demo-page.js'

t.test('nobody is logged in at first, and may do little', async (t) => {
  const { url } = await startDemo(t)
  const page = await openPage(t)
  await page.goto(url)
  t.same(await answers(page, '/hello'), ['200', 'There is no token.'])
  t.same(await answers(page, '/profile'), ['401 not_authenticated', 'There is no token.'])
  t.ok(await page.getByText('There is no token.').first().isVisible())
  t.notOk(await page.getByRole('button', { name: 'Log out' }).isVisible())
})

t.test('no press of a button is lost while the page still loads', async (t) => {
  const { url } = await startDemo(t)
  const page = await openPage(t)
  await page.route('**/page.json', async (route) => {
    await wait(500)
    await route.continue()
  })
  await page.goto(url)
  await press(page, 'Log in')
  await page.getByLabel('Username').waitFor()
  t.equal(await page.getByRole('heading').innerText(), 'Log in to demo')
})

t.test('a wrong password is refused, the right one leads back to the page', async (t) => {
  const { url } = await startDemo(t)
  const page = await openPage(t)
  await page.goto(url)
  await press(page, 'Log in')
  await page.getByLabel('Username').waitFor()
  t.equal(await page.getByRole('heading').innerText(), 'Log in to demo')
  await fillIn(page, 'alice', 'wrong')
  t.equal(await page.getByRole('alert').innerText(), 'Invalid username or password.')
  t.equal(await page.getByLabel('Username').inputValue(), 'alice')
  await fillIn(page, 'alice')
  await says(page, 'Logged in as alice.')
  t.equal(page.url(), `${url}/`, 'no code is left in the address')
  t.equal(await page.evaluate('JSON.stringify([localStorage, sessionStorage, document.cookie])'), '[{},{},""]', 'tokens are in memory alone')
})

for (const [username, expected] of Object.entries({
  alice: { '/hello': '200', '/me': '200', '/profile': '200', '/documents/alice': '200', '/documents/bob': '200' },
  bob: { '/hello': '200', '/me': '200', '/profile': '403 permission_denied', '/documents/alice': '403 not_yours', '/documents/bob': '200' },
  carol: { '/hello': '401 user_inactive', '/me': '401 user_inactive', '/profile': '401 user_inactive' }
})) {
  t.test(`the page shows what each route answers ${username}`, async (t) => {
    const { url } = await startDemo(t)
    const page = await openPage(t)
    await logIn(page, url, username)
    for (const [path, answer] of Object.entries(expected)) t.equal((await answers(page, path))[1], answer, path)
    t.same(await page.getByRole('columnheader', { name: `As ${username}` }).count(), 1)
    const claim = page.getByRole('row').filter({ has: page.getByRole('rowheader', { name: 'preferred_username', exact: true }) })
    t.equal(await claim.getByRole('cell').innerText(), username)
    t.match(await page.getByRole('timer').innerText(), /^expires in [012]:\d\d$/)
  })
}

t.test('the page says which client\'s role a route asks for, and tells it from the roles that Keycloak gives everybody', async (t) => {
  const { url } = await startDemo(t)
  const rowOf = (page: Page, name: string) => page.getByRole('row').filter({ has: page.getByRole('rowheader', { name, exact: true }) })
  for (const [username, found] of [['bob', 'there are none'], ['alice', 'read-profile']] as const) {
    const page = await openPage(t)
    await logIn(page, url, username)
    await settled(page)
    t.match(await rowOf(page, 'GET /profile').innerText(), /permission read-profile\s+a role of the client api/)
    t.match(await page.locator('#people').innerText(), /alice has the role read-profile of the client api/)
    const roles = await rowOf(page, 'resource_access').innerText()
    t.match(roles, /"account": { "roles": \[ "manage-account", "manage-account-links", "view-profile" \] }/, 'as every user\'s token of Keycloak')
    t.match(roles, new RegExp(`This API looks at the roles of the client api: ${found}\\. Those of account are Keycloak’s own`))
    t.equal(roles.includes('"read-profile"'), username === 'alice', 'the role is not in the token of who lacks it')
  }
})

t.test('logging out leads over the issuer and back, and nobody is logged in', async (t) => {
  const { url } = await startDemo(t)
  const page = await openPage(t)
  await logIn(page, url, 'alice')
  await press(page, 'Log out')
  await page.getByRole('button', { name: 'Log in' }).waitFor()
  t.equal(page.url(), `${url}/`)
  t.same(await answers(page, '/me'), ['401 not_authenticated', 'There is no token.'])
})

t.test('a token whose session has ended is refused, though it has not expired', async (t) => {
  const { url } = await startDemo(t)
  const page = await openPage(t)
  await logIn(page, url, 'alice')
  await press(page, 'End the session, keep the token')
  await says(page, 'The session is over; the token is still here.')
  t.same(await answers(page, '/me'), ['401 not_authenticated', '401 token_not_valid'])
  t.same(await answers(page, '/hello'), ['200', '401 token_not_valid'])
  t.match(await page.getByRole('timer').innerText(), /^expires in/)
  await press(page, 'Refresh the token')
  await says(page, 'That did not work: Invalid refresh token.')
})

t.test('keys rotate: the old token stays good, a refreshed one names another kid', async (t) => {
  const { url } = await startDemo(t)
  const page = await openPage(t)
  await logIn(page, url, 'alice')
  const kid = async () => (JSON.parse(await page.locator('#header').innerText()) as { kid: string }).kid
  const before = await kid()
  await press(page, 'Rotate the keys')
  await says(page, 'The keys were rotated')
  t.equal((await answers(page, '/profile'))[1], '200')
  await press(page, 'Refresh the token')
  await says(page, 'Here is another token.')
  t.not(await kid(), before)
  t.equal((await answers(page, '/profile'))[1], '200')
})

t.test('an issuer that is down, hangs or fails is 503 with a token, and nothing without one', async (t) => {
  const { url } = await startDemo(t)
  const page = await openPage(t)
  await logIn(page, url, 'alice')
  for (const [button, said] of [['Take the issuer down', 'The issuer is down.'], ['Let the issuer hang', 'The issuer takes requests and never answers.'], ['Let the issuer fail', 'The issuer answers each request with an error.']] as const) {
    await press(page, button)
    await says(page, said)
    t.same(await answers(page, '/me'), ['401 not_authenticated', '503 keycloak_unavailable'], said)
    t.same(await answers(page, '/hello'), ['200', '503 keycloak_unavailable'])
    await press(page, 'Bring the issuer back')
    await says(page, 'The issuer is back.')
    for (let tries = 0; tries < 20 && (await answers(page, '/me'))[1] !== '200'; tries++) {
      await press(page, 'Ask again')
      await page.waitForTimeout(250)
    }
    t.equal((await answers(page, '/me'))[1], '200')
  }
})

t.test('while the issuer is down, what needs it says so', async (t) => {
  const { url } = await startDemo(t)
  const page = await openPage(t)
  await logIn(page, url, 'alice')
  await press(page, 'Take the issuer down')
  await says(page, 'The issuer is down.')
  await press(page, 'Refresh the token')
  await says(page, 'That did not work: ')
})

t.test('a token that expires is told of, and refreshed', async (t) => {
  const { url } = await startDemo(t, { TOKEN_LIFESPAN: '3' })
  const page = await openPage(t)
  await page.goto(url)
  await press(page, 'Log in')
  await fillIn(page, 'bob')
  await says(page, 'The token has expired: refresh it.')
  await page.getByText('401 token_expired').first().waitFor()
  t.equal(await page.getByRole('timer').innerText(), 'has expired')
  await press(page, 'Refresh the token')
  await says(page, 'Here is another token.')
})

t.test('an answer to no login of this page is refused', async (t) => {
  const { url } = await startDemo(t)
  const page = await openPage(t)
  await page.goto(`${url}/?code=stolen&state=made-up`)
  await says(page, 'The login failed. The answer is to no login of this page.')
  t.equal(page.url(), `${url}/`)
  await press(page, 'Log in')
  await page.getByLabel('Username').waitFor()
  const { searchParams } = new URL(page.url())
  await page.goto(`${url}/?${new URLSearchParams({ code: 'mixed-in', state: searchParams.get('state')!, iss: 'http://evil.example' })}`)
  await says(page, 'The login failed. The answer is another issuer’s.')
})

t.test('the keyboard alone is enough', async (t) => {
  const { url } = await startDemo(t)
  const page = await openPage(t)
  await page.goto(url)
  await settled(page)
  const tabTo = async (name: string) => {
    for (let presses = 0; presses < 30; presses++) {
      await page.keyboard.press('Tab')
      const focused = await page.evaluate('document.activeElement.textContent.trim()')
      if (focused === name) return
    }
    throw new Error(`Tab never reached "${name}".`)
  }
  await tabTo('Log in')
  await page.keyboard.press('Enter')
  await page.getByLabel('Username').waitFor()
  t.equal(await page.evaluate('document.activeElement.id'), 'username', 'the form has the focus')
  await page.keyboard.type('bob')
  await page.keyboard.press('Tab')
  await page.keyboard.type('bob-pw')
  await page.keyboard.press('Enter')
  await says(page, 'Logged in as bob.')
  await tabTo('Rotate the keys')
  await page.keyboard.press('Space')
  await says(page, 'The keys were rotated')
  t.equal(await page.evaluate('document.activeElement.id'), 'rotate', 'the focus stays where it is')
  const outline = await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')
  t.equal(outline, 'solid', 'and can be seen')
})

for (const colorScheme of ['light', 'dark'] as const) {
  t.test(`axe finds no barrier on page and login form, ${colorScheme}`, async (t) => {
    const { url } = await startDemo(t)
    const page = await openPage(t, { colorScheme })
    await page.goto(url)
    await settled(page)
    t.same(await barriers(page), [], 'anonymous')
    await press(page, 'Log in')
    await page.getByLabel('Username').waitFor()
    t.same(await barriers(page), [], 'the login form')
    await fillIn(page, 'alice', 'wrong')
    await page.getByRole('alert').waitFor()
    t.same(await barriers(page), [], 'the login form, refused')
    await fillIn(page, 'bob')
    await says(page, 'Logged in as bob.')
    await settled(page)
    t.same(await barriers(page), [], 'logged in')
    await press(page, 'Take the issuer down')
    await says(page, 'The issuer is down.')
    t.same(await barriers(page), [], 'the issuer down')
  })
}

t.test('it fits a phone', async (t) => {
  const { url } = await startDemo(t)
  const page = await openPage(t, { viewport: { width: 360, height: 640 } })
  await logIn(page, url, 'alice')
  await settled(page)
  t.equal(await page.evaluate('document.documentElement.scrollWidth'), 360, 'nothing is to be scrolled sideways')
})
