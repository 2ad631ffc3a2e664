import type { Page } from 'playwright-core'
import t from 'tap'
import { openPage } from '../support/browser.js'
import { startDemo } from '../support/demo.js'
import { fillIn } from '../support/demo-page.js'

/** Log in by the Authorize button, in the window that it opens. */
async function authorize (page: Page, url: string, fill: (popup: Page) => Promise<void>): Promise<void> {
  await page.goto(`${url}/docs`)
  await page.getByRole('button', { name: 'Authorize' }).click()
  const dialog = page.locator('.modal-ux')
  t.equal(await dialog.locator('#client_id_authorizationCode').inputValue(), 'web')
  const opened = page.waitForEvent('popup')
  await dialog.getByRole('button', { name: 'Apply given OAuth2 credentials' }).click()
  const popup = await opened
  await fill(popup)
  await dialog.getByRole('button', { name: 'Remove authorization' }).waitFor()
  await dialog.locator('.close-modal').click()
}

/** Try an operation out; the status it got. */
async function tryOut (page: Page, path: string): Promise<string> {
  const operation = page.locator('.opblock').filter({ has: page.locator(`[data-path="${path}"]`) })
  await operation.locator('.opblock-summary-control').click()
  await operation.getByRole('button', { name: 'Try it out' }).click()
  await operation.getByRole('button', { name: 'Execute' }).click()
  return (await operation.locator('.live-responses-table .response-col_status').last().innerText()).split('\n')[0]!.trim()
}

t.test('Swagger UI logs in by authorization code with PKCE, and calls the API with the token', async (t) => {
  const { url } = await startDemo(t)
  const page = await openPage(t)
  await authorize(page, url, (popup) => fillIn(popup, 'bob'))
  t.equal(await tryOut(page, '/me'), '200')
  t.equal(await tryOut(page, '/profile'), '403')
})

t.test('before that it gets 401', async (t) => {
  const { url } = await startDemo(t)
  const page = await openPage(t)
  await page.goto(`${url}/docs`)
  t.equal(await tryOut(page, '/me'), '401')
})

t.test('by the name localhost it works as well', async (t) => {
  const { url } = await startDemo(t)
  const page = await openPage(t)
  await authorize(page, url.replace('127.0.0.1', 'localhost'), (popup) => fillIn(popup, 'alice'))
  t.equal(await tryOut(page, '/profile'), '200')
})
