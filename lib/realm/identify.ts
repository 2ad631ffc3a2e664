import type { FastifyReply } from 'fastify'
import type { Identity } from '../token/identity.js'
import type { Introspection } from '../introspection/introspection.js'
import { andThen, type MaybePromise } from '../util/maybe-promise.js'
import type { RealmRevocation } from '../revocation/realm-revocation.js'
import type { Recall, Verification } from '../token/verify.js'

/** Token → who it is about now: verified, not revoked, and introspected where that is on, as long as somebody waits for `reply`. */
export type Identify = (token: string, reply?: FastifyReply) => MaybePromise<Identity>

/** The two ways to an identity that counts now. */
export interface Identification {
  identify: Identify
  /** `undefined` where nothing is kept, or Keycloak is asked each time. */
  recall?: Recall
}

/** All steps between a token and who it is about. */
export function createIdentification (verification: Verification, revoked: RealmRevocation | undefined, introspection: Introspection | undefined): Identification {
  const standing = revoked && ((identity: Identity): Identity => {
    revoked.check(identity.claims)
    return identity
  })
  return { identify: inFull(verification, standing, introspection), recall: atOnce(verification, standing, introspection) }
}

/** Throws for whom was logged out. */
type Standing = (identity: Identity) => Identity

function inFull ({ verify }: Verification, standing: Standing | undefined, introspection: Introspection | undefined): Identify {
  const valid: Identify = standing === undefined ? verify : (token) => andThen(verify(token), standing)
  if (introspection === undefined) return valid
  const { introspect } = introspection
  // What introspection adds (the sub of a lightweight token), and what was revoked meanwhile, counts as well.
  const live = standing ?? ((identity: Identity) => identity)
  return (token, reply) => andThen(valid(token), (verified) => andThen(introspect(token, verified, reply?.raw), live))
}

/** The same steps, where nothing of them has to be waited for. */
function atOnce ({ recall }: Verification, standing: Standing | undefined, introspection: Introspection | undefined): Recall | undefined {
  if (recall === undefined) return undefined
  const valid = standing === undefined ? recall : known(recall, standing)
  if (introspection === undefined) return valid
  const { recall: shared } = introspection
  if (shared === undefined) return undefined
  const live = standing === undefined ? shared : known(shared, standing)
  return (header, wall, monotonic) => valid(header, wall, monotonic) && live(header, wall, monotonic)
}

function known (recall: Recall, standing: Standing): Recall {
  return (header, wall, monotonic) => {
    const identity = recall(header, wall, monotonic)
    return identity && standing(identity)
  }
}
