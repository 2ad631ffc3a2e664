// The documentation site on a phone and at a desk. The site is built once, and each page but those of sources is opened once.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { RISK_CODES } from '../../lib/options/risks.js'
import { REASONS } from '../../lib/reasons/reason.js'
import { barriers, openPage } from '../support/browser.js'
import { startSite } from '../support/site.js'

const PHONE = { width: 375, height: 667 }
const DESK = { width: 1280, height: 800 }

/** The home page, a page with tables and code, and a source, which stands for the pages of all sources: they have one template and no links. */
const SAMPLES = ['index.html', 'production.html', 'source/examples/sse/app.ts.html']

interface Found { ids: string[], links: string[] }

t.test('the documentation site', async (t) => {
  const { url, folder, pages } = await startSite(t)
  const files = await readdir('docs')
  for (const file of files.filter((name) => name.endsWith('.md'))) t.ok(pages.includes(file.replace('.md', '.html')), `docs/${file} is a page`)

  t.test('every page fits a phone and a desk, throws nothing, and every link and anchor exists', async (t) => {
    const page = await openQuietly(t, url)
    const found = new Map<string, Found>()
    for (const path of pages) {
      if (/^source\//.test(path) && !SAMPLES.includes(path)) {
        found.set(path, { ids: [], links: [] })
        continue
      }
      await visit(page, url + path, PHONE)
      t.equal(await widthOf(page), PHONE.width, `${path}: nothing is to be scrolled sideways on a phone`)
      await page.setViewportSize(DESK)
      t.equal(await widthOf(page), DESK.width, `${path}: nor at a desk`)
      t.equal(await page.locator('h1').count(), 1, `${path} has one title`)
      found.set(path, await page.evaluate(`({
        ids: [...document.querySelectorAll('[id]')].map(({ id }) => id),
        links: [...document.querySelectorAll('a[href]')].map(({ href }) => href)
      })`))
    }
    for (const [path, { links }] of found) t.same([...new Set(links)].filter((link) => !leads(link, url, found)), [], `${path}: each link leads to a page and its anchor`)

    const anchors = (path: string): string[] => found.get(path)!.ids
    t.same(RISK_CODES.filter((code) => !anchors('production.html').includes(code)), [], 'each risk that the log warns of has its section')
    t.same(Object.keys(REASONS).filter((code) => !anchors('troubleshooting.html').includes(code)), [], 'each reason of a refusal has its row')
    t.ok(anchors('options.html').includes('jwks.maxStale'), 'each option has its row')
  })

  for (const [device, viewport] of Object.entries({ phone: PHONE, desk: DESK })) {
    t.test(`the search finds a reason code on a ${device}, and leads to its row`, async (t) => {
      const page = await openQuietly(t, url)
      await visit(page, url, viewport)
      await page.getByRole('button', { name: 'Search' }).click()
      await page.getByRole('searchbox').fill('aud_mismatch')
      await page.getByRole('option').first().filter({ hasText: 'aud_mismatch' }).click()
      await page.waitForURL('**/troubleshooting.html#aud_mismatch')
      const row = page.getByRole('row').filter({ hasText: 'names none of the audience' })
      t.match(await row.innerText(), /add an audience mapper/)
      await page.waitForFunction('(({ top, bottom }) => top > 100 && bottom < innerHeight)(document.getElementById(\'aud_mismatch\').getBoundingClientRect())')
    })
  }

  t.test('on a phone the menus lead to the pages', async (t) => {
    const page = await openQuietly(t, url)
    await visit(page, url, PHONE)
    await page.getByRole('button', { name: 'mobile navigation' }).click()
    await page.getByRole('link', { name: 'Options', exact: true }).filter({ visible: true }).first().click()
    await page.waitForURL('**/options.html')
    await page.getByRole('button', { name: 'Menu', exact: true }).click()
    await page.getByRole('link', { name: 'Who may', exact: true }).click()
    await page.waitForURL('**/who-may.html')
    await page.getByRole('heading', { level: 1, name: 'Who may' }).waitFor()
  })

  t.test('nobody is kept out: contrast, names, landmarks and tables, in light and in dark', async (t) => {
    const page = await openQuietly(t, url)
    for (const [colorScheme, viewport] of [['light', PHONE], ['dark', DESK]] as const) {
      await page.emulateMedia({ colorScheme })
      for (const path of SAMPLES) {
        await visit(page, url + path, viewport)
        t.same(await barriers(page), [], `${path}, ${colorScheme}`)
      }
    }
  })

  t.test('each point of the checklist has a box with a name to tick', async (t) => {
    const points = (await readFile('docs/production.md', 'utf8')).match(/^- \[ \] /gm)!
    const page = await openQuietly(t, url)
    await visit(page, `${url}production.html`, PHONE)
    t.equal(await page.getByRole('checkbox', { name: /\w{3}/ }).count(), points.length)
    await page.getByRole('checkbox', { name: 'No warning of the start.' }).check()
    t.notMatch(await page.locator('main').innerText(), '[ ]')
  })

  t.test('the instructions for the check of the docs are not in the pages', async (t) => {
    for (const path of pages.filter((each) => !each.startsWith('source/') && each !== 'contributing.html')) {
      t.notMatch(await readFile(join(folder, path), 'utf8'), /(?:<|&lt;)!--\s*(?:check|run|no-check)\b/, path)
    }
  })
})

/** A page that fails the test if it asks another server, or writes an error to the console. */
async function openQuietly (t: Test, url: string): Promise<Page> {
  const page = await openPage(t)
  page.on('request', (request) => { if (!/^data:/.test(request.url()) && !request.url().startsWith(url)) t.fail(`the page asked for ${request.url()}`) })
  page.on('console', (message) => { if (['error', 'warning'].includes(message.type())) t.fail(`${page.url()}: ${message.text()}`) })
  return page
}

/** Opens a page, and waits until its scripts have taken over. */
async function visit (page: Page, url: string, viewport: { width: number, height: number }): Promise<void> {
  await page.setViewportSize(viewport)
  await page.goto(url)
  await page.waitForFunction('document.getElementById("app").__vue_app__ !== undefined')
}

async function widthOf (page: Page): Promise<unknown> {
  return page.evaluate('document.documentElement.scrollWidth')
}

/** Does a link leave the site, or lead to a page and an anchor that exist? The reference in api/ is built and checked by typedoc. */
function leads (link: string, url: string, found: Map<string, Found>): boolean {
  if (!link.startsWith(url)) return !link.startsWith(new URL(url).origin)
  const [path = '', anchor = ''] = link.slice(url.length).split('#')
  if (path === 'api/index.html') return true
  const target = found.get(/(?:^|\/)$/.test(path) ? `${path}index.html` : path)
  return target !== undefined && (anchor === '' || target.ids.includes(decodeURIComponent(anchor)))
}
