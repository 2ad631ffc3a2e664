// An issuer that is down, hangs or fails: the page says so beside the button, and the browser shows no page of its own.
import t from 'tap'
import { openPage } from '../support/browser.js'
import { startDemo } from '../support/demo.js'
import { answers, fillIn, logIn, press, says, saysBeside } from '../support/demo-page.js'

/** Buttons that break the issuer, and what the page says then to who needs it. */
const OUTAGES = {
  'Take the issuer down': 'The issuer cannot be reached: it is down, or the network is.',
  'Let the issuer hang': 'The issuer did not answer within 5 seconds.',
  'Let the issuer fail': 'The issuer answered with an error, or without this page among its web origins.'
}

for (const [button, said] of Object.entries(OUTAGES)) {
  t.test(`${button}, then log in: the page says it and stays, and a login works afterwards`, async (t) => {
    const { url } = await startDemo(t)
    const page = await openPage(t)
    await page.goto(url)
    await press(page, button)
    await says(page, /^The issuer/)
    await press(page, 'Log in')
    t.equal(await saysBeside(page, 'Log in', 'That did not work'), `That did not work: ${said}`)
    t.equal(page.url(), `${url}/`)
    await press(page, 'Bring the issuer back')
    await says(page, 'The issuer is back.')
    await press(page, 'Log in')
    await fillIn(page, 'alice')
    await says(page, 'Logged in as alice.')
  })

  t.test(`${button}, then log out, refresh or end the session: the page says it, and the user is still logged in`, async (t) => {
    const { url } = await startDemo(t)
    const page = await openPage(t)
    await logIn(page, url, 'alice')
    await press(page, button)
    await says(page, /^The issuer/)
    for (const name of ['Log out', 'Refresh the token', 'End the session, keep the token']) {
      await press(page, name)
      t.equal(await saysBeside(page, name, 'That did not work'), `That did not work: ${said}`, name)
    }
    t.equal(page.url(), `${url}/`)
    t.equal(await page.locator('#user').innerText(), 'alice')
    await press(page, 'Bring the issuer back')
    await says(page, 'The issuer is back.')
    await press(page, 'Log out')
    await page.getByRole('button', { name: 'Log in' }).waitFor()
    t.same(await answers(page, '/me'), ['401 not_authenticated', 'There is no token.'])
  })
}

t.test('an API that has ended is told from one that refuses, and breaks no button', async (t) => {
  const { url, child } = await startDemo(t, { TOKEN_LIFESPAN: '5' })
  const page = await openPage(t)
  await logIn(page, url, 'alice')
  child.kill()
  await new Promise((resolve) => child.once('exit', resolve))
  await page.getByRole('timer').filter({ hasText: 'has expired' }).waitFor()
  await press(page, 'Ask again')
  await saysBeside(page, 'Ask again', 'Every route answered nothing.')
  t.same(await answers(page, '/me'), ['nothing', 'nothing'])
  await press(page, 'Rotate the keys')
  t.equal(await saysBeside(page, 'Rotate the keys', 'That did not work'), 'That did not work: The API cannot be reached.')
})
