import type { KeptResponse } from '../introspection/own-responses.js'
import type { PluginSettings } from '../options/options.js'
import { DEFAULT_CACHE } from '../options/schema.js'
import { TokenCache } from '../token/token-cache.js'
import type { VerifiedToken } from '../token/verifier.js'

/** The memory of the plugin for tokens, with one bound for all realms: an entry names the realm whose it is. */
export class Caches {
  /** Verified tokens; `undefined` to keep none. */
  readonly tokens: TokenCache<VerifiedToken> | undefined
  /** Responses of introspection. Those that are shared are kept in any case. */
  readonly responses: TokenCache<KeptResponse>

  constructor (bounds: PluginSettings['cache']) {
    this.tokens = bounds === false ? undefined : new TokenCache(bounds)
    this.responses = new TokenCache(bounds || DEFAULT_CACHE)
  }

  close (): void {
    this.tokens?.close()
    this.responses.close()
  }
}
