// The realm that stronger logins are tried on: silver is a password, gold is a one-time code on top of it.
import { createHash, createHmac, randomBytes, randomUUID } from 'node:crypto'
import type { Test } from 'tap'
import { ask, type Tokens } from './helpers.js'
import { apiClient, loginClient, mapper, type OwnRealm, ownRealm, person } from './own-realm.js'
import { endpointsOf } from './setup.js'
import { visit } from './tokens.js'

const REDIRECT = 'http://localhost:3000/callback'
const OTP_SECRET = 'erin-otp-secret!'
const FLOW = 'step-up'

/** The levels from low to high: the step that a login has to take, and the seconds for which it counts. */
const LEVELS = [
  { name: 'silver', authenticator: 'auth-username-password-form', maxAge: 36_000 },
  { name: 'gold', authenticator: 'auth-otp-form', maxAge: 300 }
]

const CREDENTIALS = [
  { type: 'password', value: 'erin-pw' },
  { type: 'otp', secretData: JSON.stringify({ value: OTP_SECRET }), credentialData: JSON.stringify({ subType: 'totp', digits: 6, counter: 0, period: 30, algorithm: 'HmacSHA1' }) }
]

/** The tokens of a login, and the fields of the pages that it showed. */
export interface Login extends Tokens { pages: string[] }

/** A browser with its cookies: one session of erin. */
export type Browser = (parameters?: Record<string, string>) => Promise<Login>

export interface StepUpRealm extends OwnRealm {
  browser (): Browser
  refresh (refreshToken: string): Promise<Tokens>
  serviceToken (): Promise<string>
}

export async function stepUpRealm (t: Test): Promise<StepUpRealm> {
  const name = `step-up-${randomUUID()}`
  const realm = await ownRealm(t, {
    realm: name,
    accessTokenLifespan: 300,
    attributes: { 'acr.loa.map': JSON.stringify({ silver: 1, gold: 2 }) },
    ...{ otpPolicyType: 'totp', otpPolicyAlgorithm: 'HmacSHA1', otpPolicyInitialCounter: 0, otpPolicyDigits: 6, otpPolicyLookAheadWindow: 1, otpPolicyPeriod: 30, otpPolicyCodeReusable: true },
    clients: [
      apiClient('api', 'api-secret'),
      apiClient('worker', 'worker-secret', { protocolMappers: [mapper('aud-api', 'oidc-audience-mapper', { 'included.client.audience': 'api' })] }),
      loginClient('web', { standardFlowEnabled: true, redirectUris: [REDIRECT] })
    ],
    users: [person('erin', { credentials: CREDENTIALS })]
  })
  await addFlow(realm)
  const endpoints = endpointsOf(name)
  return {
    ...realm,
    browser: () => browserOf(endpoints),
    refresh: (refreshToken) => ask('token', { grant_type: 'refresh_token', client_id: 'web', refresh_token: refreshToken }, {}, endpoints),
    serviceToken: async () => (await ask('token', { grant_type: 'client_credentials', client_id: 'worker', client_secret: 'worker-secret' }, {}, endpoints)).access_token
  }
}

/** Makes the login flow with its levels that of the realm. */
async function addFlow ({ admin }: OwnRealm): Promise<void> {
  const at = (alias: string) => `/authentication/flows/${encodeURIComponent(alias)}/executions`
  const add = async (parent: string, requirement: string, kind: 'execution' | 'flow', body: Record<string, string>): Promise<string> => {
    await admin('POST', `${at(parent)}/${kind}`, body)
    const added = (await admin('GET', at(parent))).findLast(({ level, providerId, displayName }: Record<string, unknown>) =>
      level === 0 && (kind === 'flow' ? displayName === body.alias : providerId === body.provider))
    await admin('PUT', at(parent), { ...added, requirement })
    return added.id
  }
  const subFlow = (alias: string) => ({ alias, type: 'basic-flow', provider: 'registration-page-form', description: '' })
  await admin('POST', '/authentication/flows', { alias: FLOW, providerId: 'basic-flow', topLevel: true, builtIn: false })
  await add(FLOW, 'ALTERNATIVE', 'execution', { provider: 'auth-cookie' })
  await add(FLOW, 'ALTERNATIVE', 'flow', subFlow('levels'))
  for (const [at, { name, authenticator, maxAge }] of LEVELS.entries()) {
    await add('levels', 'CONDITIONAL', 'flow', subFlow(name))
    const condition = await add(name, 'REQUIRED', 'execution', { provider: 'conditional-level-of-authentication' })
    await admin('POST', `/authentication/executions/${condition}/config`, { alias: name, config: { 'loa-condition-level': String(at + 1), 'loa-max-age': String(maxAge) } })
    await add(name, 'REQUIRED', 'execution', { provider: authenticator })
  }
  await admin('PUT', '', { ...await admin('GET', ''), browserFlow: FLOW })
}

/** A login by the code flow of the client `web`, with PKCE; each page is filled in as it comes. */
function browserOf (endpoints: string): Browser {
  const cookies = new Map<string, string>()
  return async (parameters = {}) => {
    const verifier = randomBytes(32).toString('base64url')
    const pages: string[] = []
    let response = await visit(`${endpoints}/auth?${new URLSearchParams({
      client_id: 'web',
      response_type: 'code',
      redirect_uri: REDIRECT,
      scope: 'openid',
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
      ...parameters
    })}`, cookies)
    for (let step = 0; step < 10; step++) {
      const location = response.headers.get('location')
      if (location?.startsWith(REDIRECT)) {
        const code = new URL(location).searchParams.get('code') ?? ''
        return { ...await ask('token', { grant_type: 'authorization_code', client_id: 'web', code, redirect_uri: REDIRECT, code_verifier: verifier }, {}, endpoints), pages }
      }
      if (location !== null) {
        response = await visit(location, cookies)
        continue
      }
      const { action, fields } = formIn(await response.text())
      pages.push(fields.join(' '))
      const body = new URLSearchParams(Object.fromEntries(fields.map((field) => [field, valueOf(field)])))
      response = await visit(action, cookies, { method: 'POST', body })
    }
    throw new Error(`Keycloak showed these pages again and again: ${pages.join(', ')}`)
  }
}

const KNOWN = ['username', 'password', 'otp']

function formIn (html: string): { action: string, fields: string[] } {
  const action = /<form[^>]* action="([^"]+)"/.exec(html)?.[1]?.replaceAll('&amp;', '&')
  const names = Array.from(html.matchAll(/<input[^>]* name="([^"]+)"/g), ([, name]) => name!)
  const fields = KNOWN.filter((field) => names.includes(field))
  if (action === undefined || fields.length === 0) throw new Error(`Keycloak showed no login form: ${names.join(', ')}`)
  return { action, fields }
}

function valueOf (field: string): string {
  if (field === 'username') return 'erin'
  return field === 'password' ? 'erin-pw' : oneTimeCode()
}

/** The code of now (RFC 6238). */
function oneTimeCode (): string {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)))
  const mac = createHmac('sha1', OTP_SECRET).update(counter).digest()
  return String((mac.readUInt32BE(mac[19]! & 15) & 0x7fffffff) % 1e6).padStart(6, '0')
}
