import t from 'tap'
import { startDemo } from '../support/demo.js'

t.test('the buttons of the demo work for its own page, and for nothing else', async (t) => {
  const { url } = await startDemo(t)
  const localhost = url.replace('127.0.0.1', 'localhost')
  const press = async (action: string, headers: Record<string, string>, method = 'POST') =>
    (await fetch(`${url}/controls/${action}`, { method, headers })).status
  const state = async () => (await (await fetch(`${url}/controls`)).json() as { state: string }).state

  for (const headers of [
    {},
    { origin: 'null' },
    { origin: 'http://evil.example' },
    { origin: url.replace('127.0.0.1', 'rebound.example') },
    { origin: `${url}1` },
    { origin: url, 'sec-fetch-site': 'cross-site' },
    { origin: url, 'sec-fetch-site': 'same-site' },
    { referer: `${url}/` }
  ]) {
    t.equal(await press('down', headers as Record<string, string>), 403, JSON.stringify(headers))
  }
  t.equal(await state(), 'up')
  t.equal(await press('down', { origin: url }, 'GET'), 404)
  t.equal(await press('toString', { origin: url }), 404)

  t.equal(await press('down', { origin: url }), 200)
  t.equal(await state(), 'down')
  t.equal(await press('hang', { origin: localhost, 'sec-fetch-site': 'same-origin' }), 200)
  t.equal(await state(), 'hanging')
  t.equal(await press('fail', { origin: url }), 200)
  t.equal(await state(), 'failing')
  t.equal(await press('up', { origin: url }), 200)
  t.equal(await press('rotate', { origin: url }), 200)
  t.equal(await state(), 'up')
  const preflight = await fetch(`${url}/controls/down`, { method: 'OPTIONS', headers: { origin: 'http://evil.example', 'access-control-request-method': 'POST' } })
  t.equal(preflight.headers.get('access-control-allow-origin'), null)
})

t.test('the page runs no script but its own, in no frame, and asks nobody but the API and the issuer', async (t) => {
  const { url } = await startDemo(t)
  const { issuer } = await (await fetch(`${url}/page.json`)).json() as { issuer: string }
  const policyOf = async (path: string) => {
    const header = (await fetch(`${url}${path}`)).headers.get('content-security-policy')!
    return Object.fromEntries(header.split(';').map((directive) => directive.trim().split(/ (.*)/)))
  }
  for (const path of ['/', '/docs']) {
    t.match(await policyOf(path), {
      'default-src': "'none'", 'script-src': "'self'", 'connect-src': `'self' ${new URL(issuer).origin}`, 'base-uri': "'none'", 'frame-ancestors': "'none'"
    }, path)
  }
  t.equal((await policyOf('/'))['style-src'], "'self'")
})
