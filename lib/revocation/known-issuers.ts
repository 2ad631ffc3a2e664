import { BoundedMap } from '../util/bounded-map.js'

/** Limit of the issuers without a realm whose names are remembered. */
const MAX_FORMER = 10_000

/** The names of the issuers that have a realm, or had one: the admin URL of a realm has its name, and its pushes have no `iss`. */
export class KnownIssuers {
  /** Issuers that have a realm, by name. */
  readonly #names = new Map<string, string>()
  /** Issuers whose realm has ended, by name. */
  readonly #formerNames = new BoundedMap<string, string>(MAX_FORMER)
  readonly #former = new BoundedMap<string, true>(MAX_FORMER)

  enter (name: string, issuer: string): void {
    this.#names.set(name, issuer)
  }

  leave (name: string, issuer: string): void {
    if (this.#names.get(name) === issuer) this.#names.delete(name)
    this.#formerNames.set(name, issuer)
    this.#former.set(issuer, true)
  }

  /** Has the issuer had a realm before? */
  had (issuer: string): boolean {
    return this.#former.has(issuer)
  }

  issuerOf (name: string): string | undefined {
    return this.#names.get(name) ?? this.#formerNames.get(name)
  }
}
