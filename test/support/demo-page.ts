// What a person does on the demo's page, in the words that it shows.
import type { Locator, Page } from 'playwright-core'

/** Press a button by its name. */
export async function press (page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name, exact: true }).click()
}

/** Wait until the page says so. */
export async function says (page: Page, text: string | RegExp): Promise<void> {
  await page.getByRole('status').filter({ hasText: text }).waitFor()
}

/** What the page says beside a button, once it says so. */
export async function saysBeside (page: Page, name: string, text: string | RegExp): Promise<string> {
  const group = page.locator('.action').filter({ has: page.getByRole('button', { name, exact: true }) })
  const status = group.getByRole('status').filter({ hasText: text })
  await status.waitFor()
  return status.innerText()
}

/** Fill in the login page of the embedded realm. */
export async function fillIn (page: Page, username: string, password = `${username}-pw`): Promise<void> {
  await page.getByLabel('Username').fill(username)
  await page.getByLabel('Password').fill(password)
  await press(page, 'Log in')
}

/** Fill in the login page that asks for a code too, which it shows; the username is there. */
export async function fillInWithCode (page: Page, username: string): Promise<void> {
  const label = page.getByText('One-time code')
  await label.waitFor()
  await page.getByLabel('One-time code').fill(await label.locator('code').innerText())
  await page.getByLabel('Password').fill(`${username}-pw`)
  await press(page, 'Log in')
}

/** Open the demo and log in, by tokens that are bound to a key if the box is ticked. */
export async function logIn (page: Page, url: string, username: string, isBound = false): Promise<void> {
  await page.goto(url)
  if (isBound) await page.getByLabel('Bind to a key').check()
  await press(page, 'Log in')
  await fillIn(page, username)
  await says(page, `Logged in as ${username}.`)
}

/** What a route answers, anonymous and with the token: status and code, as the table shows them. */
export async function answers (page: Page, path: string): Promise<[anonymous: string, known: string]> {
  await settled(page)
  const row = page.getByRole('row').filter({ has: page.getByRole('rowheader', { name: `GET ${path}`, exact: true }) })
  const [, anonymous, known] = await row.getByRole('cell').all()
  return [await badge(anonymous!), await badge(known!)]
}

/** Wait until all routes have answered. */
export async function settled (page: Page): Promise<void> {
  await page.locator('#routes:not([aria-busy]) tr').first().waitFor()
}

async function badge (cell: Locator): Promise<string> {
  const strong = cell.locator('strong')
  return await strong.count() === 0 ? cell.innerText() : strong.innerText()
}
