// A real Chromium: Debian's, or the one at CHROMIUM. Nothing is ever downloaded.
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import axe, { type AxeResults } from 'axe-core'
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import type { Test } from 'tap'

/** Milliseconds that anything awaited in a page may take, on a machine that is busy. */
const PATIENCE = 30_000

let browser: Promise<Browser> | undefined

/** A page of a fresh profile, in a browser that the tests of a file share and the last one of them closes. */
export async function openPage (t: Test, options: BrowserContextOptions = {}): Promise<Page> {
  browser ??= launch(t)
  const context = await (await browser).newContext(options)
  context.setDefaultTimeout(PATIENCE)
  t.teardown(() => context.close())
  failOnErrors(t, context)
  return context.newPage()
}

/** What the page's scripts throw, and what a Content-Security-Policy stops, is a failure of the test. */
function failOnErrors (t: Test, context: BrowserContext): void {
  context.on('weberror', (error) => t.fail(`the page threw: ${error.error().message}`))
  context.on('console', (message) => {
    if (/Content Security Policy|Content-Security-Policy/.test(message.text())) t.fail(message.text())
  })
}

/** What axe finds wrong by WCAG 2.2 A and AA, as one line each: contrast, names, landmarks, tables. */
export async function barriers (page: Page): Promise<string[]> {
  await page.evaluate(axe.source)
  const { violations } = await page.evaluate('axe.run()') as AxeResults
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
}

async function launch (t: Test): Promise<Browser> {
  let root = t
  while (root.t.parent !== undefined) root = root.t.parent as Test
  // A sandbox needs a user that is not root.
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  const started = await chromium.launch({ executablePath: executable(), args })
  root.teardown(() => started.close())
  return started
}

function executable (): string {
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
  const found = process.env.CHROMIUM ?? (process.env.PATH ?? '').split(delimiter).flatMap((folder) => names.map((name) => join(folder, name))).find(isExecutable)
  if (found !== undefined) return found
  throw new Error('These tests need Chromium: apt-get install chromium, or say where it is in CHROMIUM.')
}

function isExecutable (path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
