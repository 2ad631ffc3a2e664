import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PNG } from 'pngjs'
import t from 'tap'
import { openPage } from '../support/browser.js'
import { indexedPng } from '../support/indexed-png.js'
import { startDemo } from '../support/demo.js'
import { answers, logIn, settled } from '../support/demo-page.js'

const PICTURE = fileURLToPath(new URL('../../docs/images/demo.png', import.meta.url))

/** In bytes: each reader of README loads the picture, and each tarball has it. */
const LIMIT = 35_000

/** With SCREENSHOT=1 the picture of README is made anew. */
t.test('the picture of README shows bob, his refusals and the buttons', async (t) => {
  const { url } = await startDemo(t, { PORT: process.env.SCREENSHOT === undefined ? '0' : '3000' })
  const page = await openPage(t, { viewport: { width: 960, height: 1200 }, colorScheme: 'light' })
  await logIn(page, url, 'bob')
  await settled(page)
  for (const route of ['/profile', '/partners']) t.equal((await answers(page, route))[1], '403 permission_denied')
  // As far as the first line of buttons.
  const lastLine = (await page.getByRole('button', { name: 'Open the vault' }).boundingBox())!
  const taken = await page.screenshot({ clip: { x: 0, y: 0, width: 960, height: Math.ceil(lastLine.y + lastLine.height + 8) } })
  const picture = indexedPng(PNG.sync.read(taken))
  t.ok(picture.length < LIMIT, `it has ${picture.length} bytes`)
  if (process.env.SCREENSHOT === undefined) return
  mkdirSync(dirname(PICTURE), { recursive: true })
  writeFileSync(PICTURE, picture)
})
