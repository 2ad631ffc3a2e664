import { createTestRealm, type TestRealm } from '../../lib/testing/index.js'
import type { KeycloakOptions } from '../../types/options.js'
import type { Environment } from './environment.js'
import { USERS } from './people.js'

/** Whom the API trusts, and the client that its pages log in by. */
export interface Issuer {
  options: KeycloakOptions
  webClientId: string
  /** Only where it lives in this process. */
  realm?: TestRealm
}

/** Where Keycloak tells the API of logouts. */
export const BACKCHANNEL = '/backchannel-logout'

/** Milliseconds until a realm that hangs is 503: short, since somebody watches. */
const TIMEOUT = 2000

/** A realm in this process, with test keys. `origins` are those of the demo's pages. */
export async function embedded ({ tokenLifespan, webClientId }: Environment, origins: () => string[]): Promise<Issuer> {
  const realm = await createTestRealm({
    name: 'demo',
    tokenLifespan,
    login: {
      clientId: webClientId,
      users: USERS,
      redirectUris: () => origins().flatMap((origin) => [`${origin}/`, `${origin}/docs/static/oauth2-redirect.html`]),
      postLogoutRedirectUris: () => origins().map((origin) => `${origin}/`),
      backchannelLogoutUrl: () => `${origins()[0]}${BACKCHANNEL}`
    }
  })
  const options = { ...realm.options, ...introspecting(realm.options.clientSecret), ...logout(webClientId) }
  return { options, webClientId, realm }
}

/** The realm of a Keycloak. */
export function keycloakOf (issuer: string, { clientId, clientSecret, audience, webClientId }: Environment): Issuer {
  return { options: { issuer, clientId, audience, ...(clientSecret !== undefined && introspecting(clientSecret)), ...logout(webClientId) }, webClientId }
}

function introspecting (clientSecret: string) {
  return { clientSecret, verifyTokensWithKeycloak: true, introspection: { timeout: TIMEOUT } }
}

function logout (webClientId: string) {
  return { backchannelLogout: { path: BACKCHANNEL, clients: [webClientId] } }
}
