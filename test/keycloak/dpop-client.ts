// A DPoP client of another author: openid-client makes the keys and the proofs, and repeats a request for a nonce by itself.
import * as oidc from 'openid-client'
import { submit, visit, type User } from './tokens.js'

export const REDIRECT = 'http://localhost:3999/callback'

type Grant = Awaited<ReturnType<typeof oidc.clientCredentialsGrant>>

/** A request to the API as the client sent it: a thief's copy. */
export interface Sent { url: string, headers: Record<string, string> }

export interface DpopClient {
  /** The thumbprint of its key. */
  readonly jkt: string
  /** Its requests to the API, repeated ones too. */
  readonly sent: Sent[]
  password (user: User): Promise<Grant>
  /** The code flow; the code is bound to the key of `bound`, which is the client's own if it is left out. */
  login (user: User, bound?: DpopClient): Promise<Grant>
  service (): Promise<Grant>
  /** Refreshes with a proof, or without one. */
  refresh (grant: Grant, withProof?: boolean): Promise<Grant>
  /** GET with the token and a proof: `200`, or status and code: `401 token_not_valid`. */
  get (url: string, token: string): Promise<string>
}

interface Settings { secret?: string, algorithm?: string }

/** openid-client writes `Ed25519` (RFC 9864) for keys of Ed25519, which Keycloak does not know. */
const asEdDSA: oidc.ModifyAssertionOptions = { [oidc.modifyAssertion]: (header) => { header.alg = 'EdDSA' } }

export async function dpopClient (issuer: string, clientId: string, { secret, algorithm = 'ES256' }: Settings = {}): Promise<DpopClient> {
  const authentication = secret === undefined ? oidc.None() : oidc.ClientSecretBasic(secret)
  const config = await oidc.discovery(new URL(issuer), clientId, undefined, authentication, { execute: [oidc.allowInsecureRequests] })
  const sent: Sent[] = []
  config[oidc.customFetch] = (url, init) => {
    if (!url.startsWith(issuer)) sent.push({ url, headers: { ...init.headers } })
    return fetch(url, init as RequestInit)
  }
  const DPoP = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair(algorithm), algorithm === 'EdDSA' ? asEdDSA : {})
  return {
    jkt: await DPoP.calculateThumbprint(),
    sent,
    password: (user) => oidc.genericGrantRequest(config, 'password', { username: user, password: `${user}-pw`, scope: 'openid' }, { DPoP }),
    login: async (user, bound) => logIn(config, user, bound?.jkt ?? await DPoP.calculateThumbprint(), DPoP),
    service: () => oidc.clientCredentialsGrant(config, {}, { DPoP }),
    refresh: (grant, withProof = true) => oidc.refreshTokenGrant(config, grant.refresh_token!, {}, withProof ? { DPoP } : {}),
    get: (url, token) => outcome(oidc.fetchProtectedResource(config, token, new URL(url), 'GET', null, undefined, { DPoP }))
  }
}

async function logIn (config: oidc.Configuration, user: User, jkt: string, DPoP: oidc.DPoPHandle): Promise<Grant> {
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier()
  const expectedState = oidc.randomState()
  const cookies = new Map<string, string>()
  const page = await visit(oidc.buildAuthorizationUrl(config, {
    redirect_uri: REDIRECT,
    scope: 'openid',
    state: expectedState,
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    dpop_jkt: jkt
  }).href, cookies)
  const location = (await submit(page, user, cookies)).headers.get('location')
  return oidc.authorizationCodeGrant(config, new URL(location ?? 'about:blank'), { pkceCodeVerifier, expectedState }, {}, { DPoP })
}

/** The answer of the API in a word. openid-client throws for an answer that has a challenge. */
async function outcome (pending: Promise<Response>): Promise<string> {
  const response = await pending.catch((error) => {
    if (error instanceof oidc.WWWAuthenticateChallengeError) return error.response
    throw error
  })
  return inAWord(response)
}

/** `200`, or status and code of a refusal. */
export async function inAWord (response: Response): Promise<string> {
  const { code } = await response.json() as { code?: string }
  return response.status < 400 ? String(response.status) : `${response.status} ${code}`
}

/** The error of Keycloak's token endpoint: `invalid_grant`. */
export async function tokenError (pending: Promise<unknown>): Promise<string> {
  const error = await pending.then(() => new Error('Keycloak gave a token'), (error) => error)
  if (error instanceof oidc.ResponseBodyError) return error.error
  throw error
}
