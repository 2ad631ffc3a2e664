// The page from a small phone to a desk: nothing to scroll sideways, and what a button did is said where it was pressed.
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { barriers, openPage } from '../support/browser.js'
import { startDemo } from '../support/demo.js'
import { fillIn, press, says, saysBeside, settled } from '../support/demo-page.js'

const HEIGHT = 640

/** Widths of the window, and how long the page may be, in pixels. Before rows were stacked it was 6216 and 4142 on the phones. */
const WIDTHS = { 320: 4000, 360: 3500, 768: 2500, 1280: 2100 }

/** Buttons, and what is said then. */
const PRESSED = {
  'Ask again': 'The routes answered /hello 200, /me 200, /profile 403',
  'Rotate the keys': 'The keys were rotated',
  'Refresh the token': 'Here is another token.',
  'Open the vault': 'The vault answered 401 insufficient_user_authentication',
  'Steal the token': 'The thief got 200.',
  'Take the issuer down': 'The issuer is down. Nobody can log in, either. Every route answered 503.',
  'Let the issuer fail': 'The issuer answers each request with an error.',
  'Bring the issuer back': 'The issuer is back.',
  'End the session, keep the token': 'The session is over; the token is still here.'
}

for (const [width, longest] of Object.entries(WIDTHS)) {
  t.test(`the page fits a window of ${width} pixels`, async (t) => {
    const { url } = await startDemo(t)
    const page = await openPage(t, { viewport: { width: Number(width), height: HEIGHT } })
    await page.goto(url)
    await settled(page)
    await fits(t, page, Number(width), longest)
    await press(page, 'Log in')
    await page.getByLabel('Username').waitFor()
    t.equal(await page.evaluate('document.documentElement.scrollWidth'), Number(width), 'nor on the login page')
    const lines = await page.evaluate('[...document.querySelectorAll("td span")].map((role) => role.getClientRects().length)')
    t.same(lines, [1, 1], 'where a role is on one line as well')
    await fillIn(page, 'bob')
    await says(page, 'Logged in as bob.')
    await settled(page)
    await fits(t, page, Number(width), longest)
    for (const [button, said] of Object.entries(PRESSED)) {
      await press(page, button)
      await saysBeside(page, button, said)
      await isBeside(t, page, button)
      t.equal(await page.evaluate('document.documentElement.scrollWidth'), Number(width), `${button}: nothing is to be scrolled sideways`)
    }
  })
}

async function fits (t: Test, page: Page, width: number, longest: number): Promise<void> {
  t.equal(await page.evaluate('document.documentElement.scrollWidth'), width, 'nothing is to be scrolled sideways')
  const height = await page.evaluate('document.documentElement.scrollHeight') as number
  t.ok(height <= longest, `it is ${height} pixels long`)
  const room = await page.evaluate(`Math.min(...[...document.querySelectorAll('#routes td')].map((cell) => {
    const { paddingLeft, paddingRight } = getComputedStyle(cell)
    return cell.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight)
  }))`) as number
  t.ok(room >= 95, `a cell has ${room} pixels for its text`)
  t.same(await barriers(page), [])
  const overflowing = await page.evaluate('[...document.querySelectorAll("td")].filter((cell) => cell.scrollHeight > cell.clientHeight).length')
  t.equal(overflowing, 0, 'no cell is written over the next one')
  // A word that is on one line has one box; so has each line of a word that is broken.
  const lines = await page.evaluate(`[...document.querySelectorAll('#routes th, #routes td:nth-child(2), #people')].flatMap((cell) => {
    const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT)
    const counts = []
    while (texts.nextNode()) for (const [word] of texts.currentNode.data.matchAll(/read-profile/g)) {
      const range = document.createRange()
      range.setStart(texts.currentNode, texts.currentNode.data.indexOf(word))
      range.setEnd(texts.currentNode, texts.currentNode.data.indexOf(word) + word.length)
      counts.push(range.getClientRects().length)
    }
    return counts
  })`)
  t.same(lines, [1, 1], 'the name of the role is on one line, in the table and in the hint')
}

/** What was said is in the window, right below the button or at its side. */
async function isBeside (t: Test, page: Page, name: string): Promise<void> {
  const button = (await page.getByRole('button', { name, exact: true }).boundingBox())!
  const spoken = page.getByRole('status').filter({ hasText: /./ })
  t.equal(await spoken.count(), 1, `${name}: nothing else is said anywhere`)
  t.equal(await spoken.getAttribute('aria-live'), 'polite')
  const said = (await spoken.boundingBox())!
  t.ok(said.y >= 0 && said.y + said.height <= HEIGHT, `${name}: the message is in the window, from ${said.y} on`)
  t.ok(said.y - (button.y + button.height) < 24 && said.y >= button.y - 24, `${name}: and beside its button, at ${button.y}`)
}
