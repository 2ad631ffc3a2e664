// An API's requests to the token endpoint, by hand, so that a test can send something else.
import type { Test } from 'tap'
import { createTestRealm, type ServiceRules, type TestRealm, type TestRealmOptions, type TestServices } from '../../lib/testing/index.js'

export const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
export const UMA = 'urn:ietf:params:oauth:grant-type:uma-ticket'
export const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'

/** Parameters; undefined leaves one out, an array repeats it. */
export type Parameters = Record<string, string | readonly string[] | undefined>

export interface Answer {
  status: number
  body: Record<string, unknown>
}

export async function realmWithServices (t: Test, rules?: ServiceRules, options?: TestRealmOptions): Promise<{ realm: TestRealm, services: TestServices }> {
  const realm = await createTestRealm(options)
  t.teardown(() => realm.close())
  return { realm, services: await realm.services(rules) }
}

export function endpointOf (realm: TestRealm): string {
  return `${realm.issuer}/protocol/openid-connect/token`
}

export async function post (url: string, form: Parameters, headers: Record<string, string> = {}): Promise<Answer> {
  const pairs = Object.entries(form).flatMap(([name, value]) => value === undefined ? [] : [value].flat().map((each): [string, string] => [name, each as string]))
  const response = await fetch(url, { method: 'POST', headers, body: new URLSearchParams(pairs) })
  return { status: response.status, body: await response.json() as Record<string, unknown> }
}

/** The realm's own client asks the token endpoint. */
export function ask (realm: TestRealm, form: Parameters, headers: Record<string, string> = {}): Promise<Answer> {
  const { clientId, clientSecret } = realm.options
  return post(endpointOf(realm), { client_id: clientId, client_secret: clientSecret, ...form }, headers)
}

export function exchange (realm: TestRealm, token: string, form: Parameters = {}, headers: Record<string, string> = {}): Promise<Answer> {
  return ask(realm, { grant_type: EXCHANGE, subject_token: token, subject_token_type: ACCESS_TOKEN, ...form }, headers)
}

export function uma (realm: TestRealm, token: string | undefined, permission: string | readonly string[] | undefined, form: Parameters = {}): Promise<Answer> {
  return ask(realm, { grant_type: UMA, subject_token: token, audience: 'api', permission, response_mode: 'permissions', ...form })
}

export async function introspect (realm: TestRealm, token: unknown, form: Parameters = {}): Promise<Answer> {
  const { clientId, clientSecret } = realm.options
  return post(`${endpointOf(realm)}/introspect`, { client_id: clientId, client_secret: clientSecret, token: String(token), ...form })
}

export function refusal (status: number, error: string, description?: string): Answer {
  return { status, body: { error, ...(description !== undefined && { error_description: description }) } }
}

export function basic (id: string, secret: string): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')}` }
}
