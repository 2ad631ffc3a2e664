import type { FastifyBaseLogger, FastifyRequest } from 'fastify'
import type { User } from '../../types/user.js'
import type { StartLog } from '../diagnostics/start-log.js'
import type { Waiting } from '../keycloak/cancellation.js'
import type { Closing } from '../keycloak/closing.js'
import type { SignaturePool } from '../keys/signature-pool.js'
import type { PluginSettings, RealmSettings } from '../options/options.js'
import type { Revocations } from '../revocation/revocations.js'
import type { ConfirmationMethods } from '../token/confirmation.js'
import type { Identity } from '../token/identity.js'
import type { MaybePromise } from '../util/maybe-promise.js'
import type { Caches } from './caches.js'

/** Makes `request.user` of an identity. */
export type ToUser = (identity: Identity, request: FastifyRequest) => MaybePromise<User>

/** The token that a request came with, and its end. */
export interface Presented extends Waiting {
  readonly token: string
  /** Nothing waits for the end any more. */
  release (): void
}

/** The parts that all realms of the plugin share. */
export interface SharedByRealms extends Pick<PluginSettings, 'limits'>, Pick<Caches, 'tokens' | 'responses'> {
  /** Logouts of all realms; `undefined` if they are not received. */
  revocations: Revocations | undefined
  /** The ways in which bound tokens are checked. */
  confirmation: ConfirmationMethods
  /** Verifies signatures; `undefined`: the process does, at once. */
  pool?: SignaturePool | undefined
  closing: Closing
  /** Gives the token of an accepted request; `undefined` where no requests come. */
  presentedBy?: (request: FastifyRequest) => Presented | undefined
  createToUser: (settings: RealmSettings) => ToUser
  log: FastifyBaseLogger
  startLog: StartLog
  /** Is the option `issuers` given? Then each line of the log that is about a realm names it. */
  isOfSeveral: boolean
}
