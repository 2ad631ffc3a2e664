import type { KeycloakInstance } from '../../types/instance.js'
import type { Claims } from '../../types/user.js'
import type { Routes } from '../access/route-registry.js'
import { KeycloakError, notValid } from '../errors.js'
import type { Realm } from '../realm/realm.js'
import type { TokenCache } from '../token/token-cache.js'
import type { VerifiedToken } from '../token/verifier.js'
import { createChallengeHeaders } from './challenge.js'

/** `fastify.keycloak` */
export function createInstance (realm: Realm, routes: Routes, tokens: TokenCache<VerifiedToken> | undefined): KeycloakInstance {
  const headersOf = createChallengeHeaders(realm.name)
  return {
    async verify (token: unknown) {
      try {
        if (typeof token !== 'string') throw notValid('token_not_string')
        return (await realm.identify({ scheme: 'Bearer', token })).claims as Claims
      } catch (error) {
        // A new error, because several callers may share the old one, and because its stack shows the call of this program.
        const refused = error as KeycloakError
        const own = new KeycloakError(refused.code, () => refused)
        // Fastify sets these headers if a handler throws the error (RFC 9110 section 15.5.2 asks for them). A copy, because all
        // refusals of a code share one object, and the application may write into its own.
        throw Object.defineProperty(own, 'headers', { value: { ...headersOf(own) } })
      }
    },
    routes: () => routes.list(),
    health: () => ({ ...realm.health(), cache: tokens === undefined ? null : { tokens: tokens.size, bytes: tokens.bytes } })
  }
}
