// The Keycloak of a test run, started by scripts/keycloak.mjs: where it is, and how to talk to it.

/** Of every call that a test makes to Keycloak, in milliseconds. */
const TIMEOUT = 60_000

/** The server's address, without a slash at its end. */
export const base = (process.env.KEYCLOAK_URL ?? '').replace(/\/+$/, '')
if (base === '') throw new Error('These tests need a Keycloak: start them with npm run test:keycloak.')

/** The name of the realm that they use and change. */
export const realm = process.env.KEYCLOAK_REALM ?? 'dev'

/** The base address of the realm's OpenID Connect endpoints. */
export const protocol = `${base}/realms/${realm}/protocol/openid-connect`

/** What the realm writes into `iss`. */
export const issuer: string = (await json(await call(`${base}/realms/${realm}/.well-known/openid-configuration`))).issuer

const control = process.env.KEYCLOAK_CONTROL

/** Stops, kills and starts Keycloak, which keeps its data; only where it is `ours`. */
export const server = {
  ours: control !== undefined,
  stop: () => command('stop'),
  kill: () => command('kill'),
  /** @param features experimental ones, separated by commas */
  start: (features = '') => command(`start?${features}`)
}

async function command (name: string): Promise<void> {
  const response = await fetch(`${control}/${name}`, { method: 'POST', signal: AbortSignal.timeout(200_000) })
  if (!response.ok) throw new Error(await response.text())
}

/** POST of a form to one of the realm's endpoints; throws for any answer but a good one. */
export async function ask (endpoint: string, form: Record<string, string>, headers: Record<string, string> = {}, endpoints = protocol): Promise<any> {
  return json(await call(`${endpoints}/${endpoint}`, { method: 'POST', headers, body: new URLSearchParams(form) }))
}

export async function call (address: string, init: RequestInit = {}): Promise<Response> {
  return fetch(address, { ...init, signal: AbortSignal.timeout(TIMEOUT) })
}

export async function json (response: Response): Promise<any> {
  if (!response.ok) throw new Error(`${response.url}: ${response.status} ${await response.text()}`)
  return response.json()
}

export async function pause (milliseconds: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, milliseconds)))
}
