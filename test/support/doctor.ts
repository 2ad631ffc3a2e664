import type { Test } from 'tap'
import type { KeycloakOptions } from '../../index.js'
import type { TestRealm } from '../../lib/testing/index.js'
import { apiFor, type Log, logging, until } from './app.js'

/** What a start was stopped with. */
export interface Refusal {
  message: string
  checks: string[]
}

/** Registers with `startCheck: 'require'`; no checks where the start went on. */
export async function required (t: Test, realm: TestRealm, options: Partial<KeycloakOptions> = {}): Promise<Refusal> {
  try {
    await apiFor(t, realm, { ...options, startCheck: 'require' })
    return { message: '', checks: [] }
  } catch (error) {
    return error as Error & Refusal
  }
}

/** The lines that a check wrote, each with its `check`. */
export function checksOf (log: Log): Log['lines'] {
  return log.lines.filter(({ check }) => check !== undefined)
}

/** An API that listens, with what its check has said when it said the first. */
export async function listening (t: Test, realm: TestRealm, options: Partial<KeycloakOptions> = {}) {
  const log = logging()
  const app = await apiFor(t, realm, { startCheck: 'warn', ...options }, log)
  await app.listen({ port: 0, host: '127.0.0.1' })
  await until(() => checksOf(log).length > 0)
  return { app, log }
}

/** The realm's discovery document says this; a `Date` or another header may go with it. */
export function discovers (realm: TestRealm, document: object, headers: Record<string, string> = {}): void {
  realm.respond('discovery', (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(document))
  })
}
