// A browser's part of a login, by hand: what is sent where, so that a test can send something else.
import { createHash } from 'node:crypto'
import type { Test } from 'tap'
import { createTestRealm, type LoginOptions, type TestRealm } from '../../lib/testing/index.js'

export const ORIGIN = 'http://127.0.0.1:3999'
export const REDIRECT = `${ORIGIN}/callback`
export const VERIFIER = 'v'.repeat(43)

export interface Tokens {
  access_token: string
  refresh_token: string
  id_token: string
  [member: string]: unknown
}

/** Parameters; undefined leaves one out. */
type Parameters = Record<string, string | undefined>

/** A realm that alice and bob can log in to. */
export async function realmWithLogin (t: Test, login: Partial<LoginOptions> = {}, name = 'test'): Promise<TestRealm> {
  const users = { alice: { password: 'alice-pw', roles: ['view-profile'] }, bob: { password: 'bob-pw' } }
  const realm = await createTestRealm({ name, login: { redirectUris: [REDIRECT], users, ...login } })
  t.teardown(() => realm.close())
  return realm
}

export function challengeOf (verifier: string): string {
  return createHash('sha256').update(verifier).digest('base64url')
}

export function endpoint (realm: TestRealm, name: string): string {
  return `${realm.issuer}/protocol/openid-connect/${name}`
}

/** The URL of an authorization request that is all right but for `changes`. */
export function authorizationUrl (realm: TestRealm, changes: Parameters = {}): string {
  return `${endpoint(realm, 'auth')}?${parameters({
    client_id: 'web',
    redirect_uri: REDIRECT,
    response_type: 'code',
    scope: 'openid',
    state: 'a state',
    nonce: 'a nonce',
    code_challenge: challengeOf(VERIFIER),
    code_challenge_method: 'S256',
    ...changes
  })}`
}

/** Opens the login page, fills its form in and sends it where the page says. */
export async function logIn (realm: TestRealm, { username = 'alice', password = `${username}-pw`, ...changes }: Parameters = {}): Promise<Response> {
  const page = await fetch(authorizationUrl(realm, changes), { redirect: 'manual' })
  const action = /<form method="post" action="([^"]+)">/.exec(await page.text())![1]!.replaceAll('&amp;', '&')
  return fetch(new URL(action, realm.issuer), { method: 'POST', redirect: 'manual', body: parameters({ username, password }) })
}

/** Where an answer leads, as its parameters. */
export function ledTo (response: Response): Record<string, string> {
  const { search, hash } = new URL(response.headers.get('location')!)
  return Object.fromEntries(new URLSearchParams(hash === '' ? search : hash.slice(1)))
}

export async function codeOf (realm: TestRealm, changes: Parameters = {}): Promise<string> {
  return ledTo(await logIn(realm, changes)).code!
}

/** Exchanges a code, all right but for `changes`. */
export async function exchange (realm: TestRealm, code: string, changes: Parameters = {}): Promise<Response> {
  return post(endpoint(realm, 'token'), {
    grant_type: 'authorization_code', client_id: 'web', code, redirect_uri: REDIRECT, code_verifier: VERIFIER, ...changes
  })
}

/** All of it. */
export async function tokensOf (realm: TestRealm, changes: Parameters = {}): Promise<Tokens> {
  return await (await exchange(realm, await codeOf(realm, changes))).json() as Tokens
}

export async function refresh (realm: TestRealm, refreshToken: string, changes: Parameters = {}): Promise<Response> {
  return post(endpoint(realm, 'token'), { grant_type: 'refresh_token', client_id: 'web', refresh_token: refreshToken, ...changes })
}

/** Does introspection call the token active? */
export async function isActive (realm: TestRealm, token: string): Promise<boolean> {
  const { clientId, clientSecret } = realm.options
  const response = await post(endpoint(realm, 'token/introspect'), { client_id: clientId, client_secret: clientSecret, token })
  return (await response.json() as { active: boolean }).active
}

/** The status and the error in a word, as `400 invalid_grant`. */
export async function refusal (response: Response): Promise<string> {
  return `${response.status} ${(await response.json() as { error: string }).error}`
}

export async function post (url: string, form: Parameters, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(url, { method: 'POST', redirect: 'manual', headers, body: parameters(form) })
}

function parameters (all: Parameters): URLSearchParams {
  return new URLSearchParams(Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined))
}
