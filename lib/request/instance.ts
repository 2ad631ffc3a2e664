import type { KeycloakInstance } from '../../types/instance.js'
import type { Claims } from '../../types/user.js'
import type { Routes } from '../access/route-registry.js'
import { KeycloakError, notValid } from '../errors.js'
import type { Authority } from '../realm/authority.js'
import type { RealmDirectory } from '../realm/directory.js'
import { healthOf } from '../realm/health.js'
import type { TokenCache } from '../token/token-cache.js'
import type { VerifiedToken } from '../token/verifier.js'
import { kindOf } from '../util/kind-of.js'
import { bearerContext, headersOf, UNKNOWN_REALM } from './challenge.js'

/** `fastify.keycloak` */
export function createInstance (authority: Authority, directory: RealmDirectory, routes: Routes, tokens: TokenCache<VerifiedToken> | undefined): KeycloakInstance {
  return {
    async verify (token: unknown) {
      let realm = authority.only
      try {
        if (typeof token !== 'string') throw notValid('token_not_string')
        const picked = authority.realmFor(token)
        realm = picked instanceof Promise ? await picked : picked
        return (await authority.identify(realm, { scheme: 'Bearer', token })).claims as Claims
      } catch (error) {
        // A new error, because several callers may share the old one, and because its stack shows the call of this program.
        const refused = error as KeycloakError
        const own = new KeycloakError(refused.code, () => refused)
        // Fastify sets these headers if a handler throws the error (RFC 9110 section 15.5.2 asks for them).
        throw Object.defineProperty(own, 'headers', { value: headersOf(own, bearerContext(realm?.protectionSpace ?? UNKNOWN_REALM)) })
      }
    },
    forgetIssuer (issuer: unknown) {
      if (typeof issuer !== 'string') throw new TypeError(`forgetIssuer() needs the issuer, a string, not ${kindOf(issuer)}`)
      directory.forget(issuer)
    },
    routes: () => routes.list(),
    health: () => ({ ...healthOf(directory), cache: tokens === undefined ? null : { tokens: tokens.size, bytes: tokens.bytes } })
  }
}
