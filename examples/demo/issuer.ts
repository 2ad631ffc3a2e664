import { randomBytes } from 'node:crypto'
import { createTestRealm, type TestRealm } from '../../lib/testing/index.js'
import type { KeycloakOptions, SeveralIssuersOptions } from '../../types/options.js'
import { PARTNERS as PARTNER_REALM } from './api.js'
import type { Environment } from './environment.js'
import { PARTNERS, USERS } from './people.js'

/** A realm that the API trusts. */
interface Login {
  name: string
  issuer: string
}

/** Whom the API trusts, and the client that its pages log in by. */
export interface Issuer {
  options: KeycloakOptions | SeveralIssuersOptions
  /** Where the pages log in. The first is the realm that the buttons break. */
  logins: readonly [Login, ...Login[]]
  /** The client of the API, in each realm. */
  clientId: string
  webClientId: string
  /** Only where it lives in this process. */
  realm?: TestRealm
  /** The second realm, likewise. */
  partners?: TestRealm
}

/** Where Keycloak tells the API of logouts. */
export const BACKCHANNEL = '/backchannel-logout'

/** Milliseconds until a realm that hangs is 503: short, since somebody watches. */
const TIMEOUT = 2000

/** Two realms in this process, with test keys. `origins` are those of the demo's pages. */
export async function embedded ({ tokenLifespan, webClientId }: Environment, origins: () => string[]): Promise<Issuer> {
  const login = {
    clientId: webClientId,
    redirectUris: () => origins().flatMap((origin) => [`${origin}/`, `${origin}/docs/static/oauth2-redirect.html`]),
    postLogoutRedirectUris: () => origins().map((origin) => `${origin}/`),
    backchannelLogoutUrl: () => `${origins()[0]}${BACKCHANNEL}`
  }
  const realm = await createTestRealm({ name: 'demo', tokenLifespan, login: { ...login, users: USERS } })
  const partners = await createTestRealm({ name: PARTNER_REALM, tokenLifespan, login: { ...login, users: PARTNERS } })
  return {
    options: { issuers: [realm.options, partners.options], ...INTROSPECTING, ...common(webClientId) },
    logins: [{ name: 'demo', issuer: realm.issuer }, { name: PARTNER_REALM, issuer: partners.issuer }],
    clientId: realm.options.clientId,
    webClientId,
    realm,
    partners
  }
}

/** The realm of a Keycloak. */
export function keycloakOf (issuer: string, { clientId, clientSecret, audience, webClientId }: Environment): Issuer {
  return {
    options: { issuer, clientId, audience, ...(clientSecret !== undefined && { clientSecret, ...INTROSPECTING }), ...common(webClientId) },
    logins: [{ name: 'keycloak', issuer }],
    clientId,
    webClientId
  }
}

/** The origins of the realms, which the pages call. */
export function originsOf (logins: Issuer['logins']): string[] {
  return [...new Set(logins.map(({ issuer }) => new URL(issuer).origin))]
}

const INTROSPECTING = { verifyTokensWithKeycloak: true, introspection: { timeout: TIMEOUT } }

/** Logouts, and tokens that are bound to a key. One process makes the nonces and takes them, so their secret may be its own. */
function common (webClientId: string) {
  return {
    backchannelLogout: { path: BACKCHANNEL, clients: [webClientId] },
    dpop: { nonce: { secret: randomBytes(32).toString('base64url') } }
  }
}
