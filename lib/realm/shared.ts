import type { FastifyBaseLogger } from 'fastify'
import type { Closing } from '../keycloak/closing.js'
import type { PluginSettings } from '../options/options.js'
import type { TokenCache } from '../token/token-cache.js'
import type { VerifiedToken } from '../token/verifier.js'

/** The parts that all realms of the plugin share. */
export interface SharedByRealms extends Pick<PluginSettings, 'cache' | 'limits'> {
  /** Verified tokens of all realms; `undefined` to keep none. */
  tokens: TokenCache<VerifiedToken> | undefined
  closing: Closing
  log: FastifyBaseLogger
}
