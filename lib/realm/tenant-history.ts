import { BoundedMap } from '../util/bounded-map.js'

/** Tenants that are remembered, about 0.5 kB each. */
const MAX = 10_000

/**
 * The issuers of which a token was ever accepted, and their names, also when their realms have ended. They return before
 * strangers are asked about, and no other issuer takes their names, which rules trust (`config.issuer`).
 */
export class TenantHistory {
  readonly #names = new BoundedMap<string, string>(MAX)
  readonly #issuers = new BoundedMap<string, string>(MAX)

  add (issuer: string, name: string): void {
    this.#names.set(issuer, name)
    this.#issuers.set(name, issuer)
  }

  /** The issuer is no tenant any more: it is asked about like a stranger. Its name is its own until another one claims it. */
  forget (issuer: string): void {
    this.#names.delete(issuer)
  }

  has (issuer: string): boolean {
    return this.#names.has(issuer)
  }

  /** The issuer that had a name last. */
  issuerOf (name: string): string | undefined {
    return this.#issuers.get(name)
  }

  /** The issuer has that name no more. */
  release (name: string): void {
    this.#issuers.delete(name)
  }
}
