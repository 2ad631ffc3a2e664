import t from 'tap'
import { openPage } from '../support/browser.js'
import { startDemo } from '../support/demo.js'
import { fillIn } from '../support/demo-page.js'
import { authorize, tryOut } from '../support/swagger-page.js'

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
