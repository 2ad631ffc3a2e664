// The realm that bound tokens are tried on. Each client has the API in its tokens' aud.
import { randomUUID } from 'node:crypto'
import type { Test } from 'tap'
import { REDIRECT } from './dpop-client.js'
import { apiClient, loginClient, mapper, ownRealm, person, type OwnRealm } from './own-realm.js'

const CERTIFICATE_BOUND = { 'tls.client.certificate.bound.access.tokens': 'true' }

/** The secrets of its confidential clients. */
export const SECRETS = { api: 'api-secret', backend: 'backend-secret', worker: 'worker-secret' }

/** The API on this realm. */
export const API = { clientId: 'api', clientSecret: SECRETS.api, audience: 'api' }

/**
 * `cli` is public, `backend` confidential, `worker` has a service account, `light` gets lightweight tokens, `strict` has to send proofs,
 * `tls` gets tokens that are bound to its certificate, and `both` asks for that and sends proofs.
 */
export function boundRealm (t: Test): Promise<OwnRealm> {
  const code = { standardFlowEnabled: true, redirectUris: [REDIRECT] }
  const audience = mapper('aud-api', 'oidc-audience-mapper', { 'included.client.audience': 'api' })
  return ownRealm(t, {
    realm: `bound-${randomUUID()}`,
    accessTokenLifespan: 300,
    clients: [
      apiClient('api', SECRETS.api),
      loginClient('cli', code),
      loginClient('backend', { ...code, publicClient: false, secret: SECRETS.backend }),
      apiClient('worker', SECRETS.worker, { protocolMappers: [audience] }),
      loginClient('light', { attributes: { 'client.use.lightweight.access.token.enabled': 'true' } }),
      loginClient('strict', { attributes: { 'dpop.bound.access.tokens': 'true' } }),
      loginClient('tls', { attributes: CERTIFICATE_BOUND }),
      loginClient('both', { attributes: { ...CERTIFICATE_BOUND, 'dpop.bound.access.tokens': 'true' } })
    ],
    users: [person('alice')]
  })
}
