import type { Revocation } from '../../types/revocation.js'
import type { AccessTokenClaims } from '../../types/user.js'
import { notValid } from '../errors.js'
import { seconds } from '../seconds.js'

export interface RevocationsOptions {
  /** Seconds; no token that is accepted lives longer. */
  maxTokenLifetime: number
  /** Seconds by which a token may outlive its exp. */
  leeway: number
  /** How many sessions and users are remembered. */
  max: number
  /** Called when that is too few. */
  onFull: () => void
}

/**
 * Who was logged out. Nobody is forgotten while a token of theirs may live: where there is no room, the oldest entries
 * become a not-before for everybody.
 */
export class Revocations {
  readonly #options: RevocationsOptions
  /** The second of the logout of each session and user, the oldest first, more or less. */
  readonly #sessions = new Map<unknown, number>()
  readonly #users = new Map<unknown, number>()
  #everybody = 0
  #realm: Pick<Revocation, 'at' | 'call'> = { at: 0 }

  constructor (options: RevocationsOptions) {
    this.#options = options
  }

  /** Seconds; tokens issued before are refused. 0: none. */
  get notBefore (): number {
    return Math.max(this.#everybody, this.#realm.at)
  }

  /** How many sessions and users are remembered. */
  get size (): number {
    this.#dropEnded()
    return this.#sessions.size + this.#users.size
  }

  /** @throws {KeycloakError} token_not_valid */
  check (claims: AccessTokenClaims): void {
    // An entry that has ended must not have been needed any more.
    if (claims.exp - claims.iat > this.#options.maxTokenLifetime) throw notValid('the token lives longer than revocation.maxTokenLifetime')
    if (claims.iat < this.notBefore) throw notValid('the token was issued before the not-before date')
    if (this.#sessions.size > 0 && this.#isLoggedOut(claims)) throw notValid('the session was logged out')
    if (this.#users.size > 0 && isUpTo(this.#users.get(claims.sub), claims)) throw notValid('the user was logged out')
  }

  take (revocation: Revocation): void {
    const { kind, id, at } = revocation
    if (kind === 'everybody') this.#everybody = Math.max(this.#everybody, at)
    else if (kind === 'realm') this.#takeRealm(revocation)
    else this.#remember(kind === 'session' ? this.#sessions : this.#users, id!, at)
  }

  /** All that counts now, in the form in which it can be taken. */
  * current (): Iterable<Revocation> {
    this.#dropEnded()
    for (const [id, at] of this.#sessions) yield { kind: 'session', id: id as string, at }
    for (const [id, at] of this.#users) yield { kind: 'user', id: id as string, at }
    if (this.#everybody > 0) yield { kind: 'everybody', at: this.#everybody }
    if (this.#realm.call !== undefined) yield { kind: 'realm', ...this.#realm }
  }

  /**
   * Keycloak issues no token for a session that has ended, so each one is refused, by whatever clock. Offline access
   * is another matter: it has the `sid` of the session it was granted in, and survives that session's logout.
   */
  #isLoggedOut (claims: AccessTokenClaims): boolean {
    const at = this.#sessions.get(claims.sid)
    return at !== undefined && (isUpTo(at, claims) || !isOffline(claims))
  }

  /** As in Keycloak the last push counts, which may be a lower date; an older one that comes late does not. */
  #takeRealm ({ at, call }: Revocation): void {
    if (call!.until >= (this.#realm.call?.until ?? 0)) this.#realm = { at, call }
  }

  #remember (entries: Map<unknown, number>, id: string, at: number): void {
    if (this.#hasEnded(at)) return
    const latest = Math.max(at, entries.get(id) ?? 0)
    // At the end of the order, where the latest are.
    entries.delete(id)
    entries.set(id, latest)
    this.#dropEnded()
    while (this.#sessions.size + this.#users.size > this.#options.max) this.#dropOldest()
  }

  #hasEnded (at: number): boolean {
    return at + this.#options.maxTokenLifetime + this.#options.leeway <= seconds()
  }

  #dropEnded (): void {
    for (const entries of [this.#sessions, this.#users]) {
      for (const [id, at] of entries) {
        if (!this.#hasEnded(at)) break
        entries.delete(id)
      }
    }
  }

  #dropOldest (): void {
    const [one, other] = [this.#sessions, this.#users].map((entries) => entries.entries().next().value)
    const oldest = other === undefined || (one !== undefined && one[1] <= other[1]) ? one! : other
    ;(oldest === one ? this.#sessions : this.#users).delete(oldest[0])
    this.#everybody = Math.max(this.#everybody, Math.floor(oldest[1]) + 1)
    this.#options.onFull()
  }
}

/** Was the token issued in the second of the logout, or before? */
function isUpTo (at: number | undefined, { iat }: AccessTokenClaims): boolean {
  return at !== undefined && Math.floor(iat) <= at
}

function isOffline ({ scope }: AccessTokenClaims): boolean {
  return typeof scope === 'string' && scope.split(' ').includes('offline_access')
}
