import type { CacheEntry, TokenCache } from '../token/token-cache.js'

/** A response of Keycloak about a token, in the cache that all realms of the plugin share. */
export interface KeptResponse extends CacheEntry {
  /** The realm's own responses, of which this is one. */
  readonly keeper: object
}

/** The responses that one realm keeps in the cache of all: it finds no others, and no other realm finds them. */
export class OwnResponses<Response extends KeptResponse> {
  readonly #cache: TokenCache<KeptResponse>

  constructor (cache: TokenCache<KeptResponse>) {
    this.#cache = cache
  }

  find (token: string): Response | undefined {
    return this.#own(this.#cache.find(token))
  }

  /** Finds a response by the Authorization header. */
  findBy (header: string): Response | undefined {
    return this.#own(this.#cache.findBy(header))
  }

  /** @param response whose keeper this is */
  keep (response: Response): void {
    this.#cache.keep(response)
  }

  /** Forget all of them. */
  close (): void {
    this.#cache.forgetAll(({ keeper }) => keeper === this)
  }

  #own (kept: KeptResponse | undefined): Response | undefined {
    return kept?.keeper === this ? kept as Response : undefined
  }
}
