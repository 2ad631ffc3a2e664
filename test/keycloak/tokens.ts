// A token of each client of the realm, in each way that Keycloak hands them out.
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { calculateJwkThumbprint, decodeJwt, decodeProtectedHeader, exportJWK, generateKeyPair, SignJWT } from 'jose'
import { ask, call, pause, protocol } from './server.js'

export interface Tokens {
  access_token: string
  refresh_token: string
  id_token: string
  token_type: string
}

type Client = 'cli' | 'light'
export type User = 'alice' | 'bob' | 'carol'

/** An access token by password grant. */
export async function token (client: Client, user: User): Promise<string> {
  return (await login(client, user)).access_token
}

/** All tokens of a password grant. */
export async function login (client: Client, user: User, headers: Record<string, string> = {}, scope = 'openid'): Promise<Tokens> {
  return ask('token', {
    grant_type: 'password', client_id: client, username: user, password: `${user}-pw`, scope
  }, headers)
}

/** The access token of a client's own service account. */
export async function serviceToken (client: 'worker' | 'api'): Promise<string> {
  const tokens: Tokens = await ask('token', {
    grant_type: 'client_credentials', client_id: client, client_secret: `${client}-secret`
  })
  return tokens.access_token
}

/** A realm's endpoints, and the page to which its client `web` returns. */
interface Frontend { endpoints: string, redirect: string }

const FRONTEND: Frontend = { endpoints: protocol, redirect: 'http://localhost:3000/callback' }

/**
 * A login with the browser: the authorization code flow of the client `web`, with PKCE (RFC 7636). A second one with
 * the same cookies is single sign-on into the same session.
 */
export async function browserLogin (user: User, scope = 'openid', cookies = new Map<string, string>(), frontend = FRONTEND): Promise<Tokens> {
  const { endpoints, redirect } = frontend
  const verifier = randomBytes(32).toString('base64url')
  const page = await visit(`${endpoints}/auth?${new URLSearchParams({
    client_id: 'web',
    response_type: 'code',
    redirect_uri: redirect,
    scope,
    state: randomUUID(),
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256'
  })}`, cookies)
  const answer = page.headers.has('location') ? page : await submit(page, user, cookies)
  const code = new URL(answer.headers.get('location') ?? '', redirect).searchParams.get('code')
  if (code === null) throw new Error(`Keycloak did not accept the login, but answered ${answer.status}.`)
  return ask('token', {
    grant_type: 'authorization_code', client_id: 'web', code, redirect_uri: redirect, code_verifier: verifier
  }, {}, endpoints)
}

/** Fills in the login form of a page. */
export async function submit (page: Response, user: User, cookies: Map<string, string>): Promise<Response> {
  const action = /<form[^>]* action="([^"]+)"/.exec(await page.text())?.[1]
  if (action === undefined) throw new Error(`Keycloak showed no login form, but answered ${page.status}.`)
  const body = new URLSearchParams({ username: user, password: `${user}-pw`, credentialId: '' })
  return visit(action.replaceAll('&amp;', '&'), cookies, { method: 'POST', body })
}

/** Open a page as a browser with these cookies, which it may set. */
export async function visit (address: string, cookies: Map<string, string>, init: RequestInit = {}): Promise<Response> {
  const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  const response = await call(address, { redirect: 'manual', headers: { cookie }, ...init })
  for (const set of response.headers.getSetCookie()) {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(set)!
    cookies.set(name!, value!)
  }
  return response
}

/** A token bound to a key by a DPoP proof (RFC 9449), and that key's thumbprint. */
export async function dpopLogin (client: Client, user: User): Promise<Tokens & { thumbprint: string }> {
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  const jwk = await exportJWK(publicKey)
  const proof = await new SignJWT({ htm: 'POST', htu: `${protocol}/token`, jti: randomUUID() })
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
    .setIssuedAt()
    .sign(privateKey)
  return { ...await login(client, user, { DPoP: proof }), thumbprint: await calculateJwkThumbprint(jwk) }
}

/** Token revocation (RFC 7009). */
export async function revoke (accessToken: string, client: Client): Promise<void> {
  await call(`${protocol}/revoke`, { method: 'POST', body: new URLSearchParams({ client_id: client, token: accessToken }) })
}

/** The header and the payload of a token, unverified. */
export function decode (jwt: string) {
  return { header: decodeProtectedHeader(jwt), claims: decodeJwt(jwt) }
}

/** Waits until the token's `exp` is past. */
export async function expiry (jwt: string): Promise<void> {
  const { exp = 0 } = decodeJwt(jwt)
  await pause(exp * 1000 - Date.now() + 1000)
}

/** Waits until the clock of `iat` shows another second: Keycloak's not-before dates are whole seconds. */
export async function nextSecond (): Promise<void> {
  await pause(1000 - Date.now() % 1000 + 50)
}
