import type { KeycloakInstance, VerifyPresentation } from '../../types/instance.js'
import type { ServiceCalls } from '../../types/outbound.js'
import type { ResourceMetadata } from '../../types/resource.js'
import type { Claims } from '../../types/user.js'
import type { Routes } from '../access/route-registry.js'
import { authentication } from '../diagnostics/channels.js'
import { KeycloakError, notValid } from '../errors.js'
import type { Authority } from '../realm/authority.js'
import type { RealmDirectory } from '../realm/directory.js'
import { healthOf } from '../realm/health.js'
import type { Realm } from '../realm/realm.js'
import type { Identity } from '../token/identity.js'
import type { TokenCache } from '../token/token-cache.js'
import type { VerifiedToken } from '../token/verifier.js'
import { kindOf } from '../util/kind-of.js'
import { bearerContext, type ChallengeContext, headersOf, UNKNOWN_REALM } from './challenge.js'
import type { ProofOfPossession } from './proof-of-possession.js'
import type { ProtectedResource } from './protected-resource.js'
import type { Refusals } from './refusals.js'
import { publishVerification } from './verify-events.js'

/** `fastify.keycloak`, but for calls to other services. */
export function createInstance (authority: Authority, directory: RealmDirectory, routes: Routes, tokens: TokenCache<VerifiedToken> | undefined, possession: ProofOfPossession | undefined, refusals: Refusals, resource: ProtectedResource | undefined): Omit<KeycloakInstance, keyof ServiceCalls> {
  const challengesBy = (space: string, presentation?: VerifyPresentation): ChallengeContext => ({ ...possession?.presentedChallenges(space, presentation) ?? bearerContext(space), ...resource?.challenge })
  /** @param onRealm is called with the realm that decides */
  const verify = async (token: unknown, presentation: VerifyPresentation | undefined, onRealm?: (realm: Realm) => void): Promise<Claims> => {
    if (presentation !== undefined && possession === undefined) throw new TypeError('verify() takes a proof with the option dpop or mtls alone; without them every token that is bound to a key is refused')
    let realm = authority.only
    try {
      if (typeof token !== 'string') throw notValid('token_not_string')
      const picked = authority.realmFor(token)
      realm = picked instanceof Promise ? await picked : picked
      onRealm?.(realm)
      const prove = possession && ((identity: Identity) => possession.checkPresented(token, identity, presentation))
      const identity = await authority.identify(realm, { scheme: 'Bearer', token }, prove && { prove, onGone: () => {} })
      return identity.claims as Claims
    } catch (error) {
      if (!(error instanceof KeycloakError)) throw error
      // A new error, because several callers may share the old one, and because its stack shows the call of this program.
      const own = new KeycloakError(error.code, () => error)
      refusals.ofToken(error, own, token as string, realm)
      if (error.dpopNonce !== undefined) Object.defineProperty(own, 'dpopNonce', { value: error.dpopNonce })
      // Fastify sets these headers if a handler throws the error (RFC 9110 section 15.5.2 asks for them).
      throw Object.defineProperty(own, 'headers', { value: headersOf(own, challengesBy(realm?.protectionSpace ?? UNKNOWN_REALM, presentation)) })
    }
  }
  return {
    verify: (token: unknown, presentation?: VerifyPresentation) => authentication.hasSubscribers
      ? publishVerification(token, presentation, authority, (onRealm) => verify(token, presentation, onRealm))
      : verify(token, presentation),
    forgetIssuer (issuer: unknown) {
      if (typeof issuer !== 'string') throw new TypeError(`forgetIssuer() needs the issuer, a string, not ${kindOf(issuer)}`)
      directory.forget(issuer)
    },
    routes: () => routes.list(),
    resourceMetadata: () => documentOf(resource),
    health: () => ({ ...healthOf(directory), cache: tokens === undefined ? null : { tokens: tokens.size, bytes: tokens.bytes }, refusals: refusals.counts() })
  }
}

function documentOf (resource: ProtectedResource | undefined): ResourceMetadata {
  if (resource === undefined) throw new Error('resourceMetadata() needs the option resource, the URL of this API')
  return resource.document()
}
