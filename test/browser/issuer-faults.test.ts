// One call to the issuer goes wrong, at the exchange of the code, at a refresh, or on the way to a page of the issuer.
import type { Page, Route } from 'playwright-core'
import t from 'tap'
import { openPage } from '../support/browser.js'
import { startDemo } from '../support/demo.js'
import { answers, fillIn, logIn, press, says, saysBeside } from '../support/demo-page.js'

const DOWN = 'The issuer cannot be reached: it is down, or the network is.'
const SLOW = 'The issuer did not answer within 5 seconds.'
const FAILS = 'The issuer answered with an error, or without this page among its web origins.'

/** What can become of one call, and what the page says. */
const FAULTS: Record<string, [fault: (route: Route) => Promise<void>, said: string]> = {
  'is cut': [(route) => route.abort(), DOWN],
  'is never answered': [async () => {}, SLOW],
  'is answered 500 by a script': [(route) => answered(route, 500, '{"error":"unknown_error"}', true), 'The issuer answered with an error (500).'],
  'is answered 400 for a reason': [(route) => answered(route, 400, '{"error":"invalid_grant","error_description":"Code not valid"}', true), 'Code not valid.'],
  'is answered 502 by a proxy': [(route) => answered(route, 502, '<html>Bad Gateway</html>', true), 'The issuer answered with an error (502).'],
  'is answered 200 with what is none': [(route) => answered(route, 200, '<html>', true), 'The issuer answered with an error (200).'],
  'is answered without CORS': [(route) => answered(route, 503, '{}', false), FAILS]
}

async function answered (route: Route, status: number, body: string, cors: boolean): Promise<void> {
  await route.fulfill({ status, body, headers: { 'access-control-allow-origin': cors ? '*' : 'https://another.example' } })
}

t.test('one call to the issuer fails', async (t) => {
  const { url } = await startDemo(t)
  for (const [what, [fault, said]] of Object.entries(FAULTS)) {
    t.test(`the exchange of the code ${what}: the login has failed, and can be tried again`, async (t) => {
      const page = await openPage(t)
      await page.route('**/protocol/openid-connect/token', fault)
      await page.goto(url)
      await press(page, 'Log in')
      await fillIn(page, 'alice')
      t.equal(await saysBeside(page, 'Log in', 'The login failed'), `The login failed. ${said}`)
      t.equal(page.url(), `${url}/`)
      t.same(await answers(page, '/me'), ['401 not_authenticated', 'There is no token.'])
      await page.unroute('**/protocol/openid-connect/token')
      await press(page, 'Log in')
      await fillIn(page, 'alice')
      await says(page, 'Logged in as alice.')
    })

    t.test(`a refresh ${what}: the old token is still there`, async (t) => {
      const page = await openPage(t)
      await logIn(page, url, 'alice')
      await page.route('**/protocol/openid-connect/token', fault)
      await press(page, 'Refresh the token')
      t.equal(await saysBeside(page, 'Refresh the token', 'That did not work'), `That did not work: ${said}`)
      t.equal((await answers(page, '/me'))[1], '200')
    })
  }
})

/** The page of the issuer never comes, though it is there. */
async function holdBack (page: Page, name: string): Promise<void> {
  await page.route(`**/protocol/openid-connect/${name}?*`, async () => {})
}

t.test('a login page that never comes is given up', async (t) => {
  const { url } = await startDemo(t)
  const page = await openPage(t)
  await page.goto(url)
  await holdBack(page, 'auth')
  await page.getByRole('button', { name: 'Log in' }).click({ noWaitAfter: true })
  t.equal(await saysBeside(page, 'Log in', 'That did not work'), `That did not work: ${SLOW}`)
  t.equal(page.url(), `${url}/`)
})

t.test('a logout that never comes back is given up, and the user is still logged in', async (t) => {
  const { url } = await startDemo(t)
  const page = await openPage(t)
  await logIn(page, url, 'alice')
  await holdBack(page, 'logout')
  await page.getByRole('button', { name: 'Log out' }).click({ noWaitAfter: true })
  t.equal(await saysBeside(page, 'Log out', 'That did not work'), `That did not work: ${SLOW}`)
  t.equal(await page.locator('#user').innerText(), 'alice')
  t.equal((await answers(page, '/me'))[1], '200')
})

t.test('back from the login page by the browser, the page can be used as before', async (t) => {
  const { url } = await startDemo(t)
  const page = await openPage(t)
  await page.goto(url)
  await press(page, 'Log in')
  await page.getByLabel('Username').waitFor()
  await page.goBack()
  await press(page, 'Log in')
  await fillIn(page, 'bob')
  await says(page, 'Logged in as bob.')
})
