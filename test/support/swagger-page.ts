// What a person does in Swagger UI.
import type { Page } from 'playwright-core'

/** Log in by the Authorize button at the first realm, in the window that it opens. */
export async function authorize (page: Page, url: string, fill: (popup: Page) => Promise<void>): Promise<void> {
  await page.goto(`${url}/docs`)
  await page.getByRole('button', { name: 'Authorize' }).click()
  const dialog = page.locator('.modal-ux')
  const opened = page.waitForEvent('popup')
  await dialog.getByRole('button', { name: 'Apply given OAuth2 credentials' }).first().click()
  const popup = await opened
  await fill(popup)
  await dialog.getByRole('button', { name: 'Remove authorization' }).waitFor()
  await dialog.locator('.close-modal').click()
}

/** Try an operation out; the status it got. */
export async function tryOut (page: Page, path: string): Promise<string> {
  const operation = page.locator('.opblock').filter({ has: page.locator(`[data-path="${path}"]`) })
  await operation.locator('.opblock-summary-control').click()
  await operation.getByRole('button', { name: 'Try it out' }).click()
  await operation.getByRole('button', { name: 'Execute' }).click()
  return (await operation.locator('.live-responses-table .response-col_status').last().innerText()).split('\n')[0]!.trim()
}
