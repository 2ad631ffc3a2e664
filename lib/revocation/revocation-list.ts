import type { Revocation } from '../../types/revocation.js'
import type { AccessTokenClaims } from '../../types/user.js'
import { notValid } from '../errors.js'
import { isOffline, sessionOf } from './token-session.js'
import { hasPassed, monotonicSeconds, wallSeconds } from '../util/clock.js'

export interface RevocationListOptions {
  /** Seconds; no token that is accepted lives longer. */
  maxTokenLifetime: number
  /** Seconds by which a token may outlive its exp. */
  leeway: number
  /** How many sessions and users are remembered. */
  max: number
  /** Does introspection tell the user of a token that names none? */
  introspected: boolean
  /** Called when `max` is too few. */
  onFull: () => void
}

/** A session or a user that was logged out. */
interface Entry {
  /** The second of the logout, by Keycloak's clock. */
  readonly at: number
  /** When it was taken, in seconds of the monotonic clock. */
  readonly taken: number
}

/**
 * Who was logged out. Nobody is forgotten while a token of theirs may live: where there is no room, the oldest entries
 * become a not-before for everybody.
 */
export class RevocationList {
  readonly #options: RevocationListOptions
  /** Seconds for which an entry counts. */
  readonly #lifetime: number
  /** In the order in which they were taken: the oldest first, more or less. */
  readonly #sessions = new Map<string, Entry>()
  readonly #users = new Map<string, Entry>()
  /** The second of the last logout of a user. */
  #lastUser = -Infinity
  #everybody = 0
  #realm: Pick<Revocation, 'at' | 'call'> = { at: 0 }

  constructor (options: RevocationListOptions) {
    this.#options = options
    this.#lifetime = options.maxTokenLifetime + options.leeway
  }

  /** Seconds; tokens issued before are refused. 0: none. */
  get notBefore (): number {
    return Math.max(this.#everybody, this.#realm.at)
  }

  /** How many sessions and users count by the wall clock, as tokens do. Some that do not may be kept still. */
  get size (): number {
    this.#dropEnded()
    return [this.#sessions, this.#users].reduce((size, entries) => size + entries.size - this.#over(entries), 0)
  }

  /** @throws {KeycloakError} token_not_valid */
  check (claims: AccessTokenClaims): void {
    // An entry that has ended must not have been needed any more.
    if (claims.exp - claims.iat > this.#options.maxTokenLifetime) throw notValid('the token lives longer than revocation.maxTokenLifetime')
    if (claims.iat < this.notBefore) throw notValid('the token was issued before the not-before date')
    const session = sessionOf(claims)
    if (this.#sessions.size > 0 && this.#isSessionLoggedOut(session, claims)) throw notValid('the session was logged out')
    if (this.#users.size > 0 && this.#isUserLoggedOut(session, claims)) throw notValid('the user was logged out')
  }

  take (revocation: Revocation): void {
    const { kind, id, at } = revocation
    if (kind === 'everybody') this.#everybody = Math.max(this.#everybody, at)
    else if (kind === 'realm') this.#takeRealm(revocation)
    else this.#remember(kind, id!, at)
  }

  /** Need others be told of it? A push of not-before whose date was replaced meanwhile would bring that date back. */
  holds ({ kind, at }: Revocation): boolean {
    return kind !== 'realm' || at === this.#realm.at
  }

  /** All that counts now, in the form in which it can be taken. */
  * current (): Iterable<Revocation> {
    this.#dropEnded()
    for (const [id, { at }] of this.#sessions) yield { kind: 'session', id, at }
    for (const [id, { at }] of this.#users) yield { kind: 'user', id, at }
    if (this.#everybody > 0) yield { kind: 'everybody', at: this.#everybody }
    if (this.#realm.call !== undefined) yield { kind: 'realm', ...this.#realm }
  }

  /**
   * Keycloak issues no token for a session that has ended, so each one is refused, by whatever clock. Tokens of offline
   * access are let in again once they are newer than the logout.
   */
  #isSessionLoggedOut (session: string | undefined, claims: AccessTokenClaims): boolean {
    const entry = session === undefined ? undefined : this.#sessions.get(session)
    return entry !== undefined && (isUpTo(entry.at, claims) || !isOffline(claims))
  }

  /** A token of a session that names no user may be of any user, where nobody tells whose it is. */
  #isUserLoggedOut (session: string | undefined, claims: AccessTokenClaims): boolean {
    const user = Object.hasOwn(claims, 'sub') ? claims.sub : undefined
    if (user === undefined && session !== undefined && !this.#options.introspected) return isUpTo(this.#lastUser, claims)
    const entry = user === undefined ? undefined : this.#users.get(user)
    return entry !== undefined && isUpTo(entry.at, claims)
  }

  /**
   * A later date counts whoever pushes it, since the clocks of Keycloak's nodes differ and refusing more is the safe direction.
   * An earlier one counts if its push is not older than any before: so an administrator can take a date back. All instances
   * that take the pushes in the same order agree, whatever they had taken before.
   */
  #takeRealm ({ at, call }: Revocation): void {
    const { id, until } = call!
    const last = Math.max(until, this.#realm.call?.until ?? until)
    if (at > this.#realm.at || until === last) this.#realm = { at, call: { id, until: last } }
  }

  #remember (kind: 'session' | 'user', id: string, at: number): void {
    if (kind === 'user') this.#lastUser = Math.max(this.#lastUser, at)
    const entries = kind === 'session' ? this.#sessions : this.#users
    const latest = Math.max(at, entries.get(id)?.at ?? at)
    // At the end of the order, where the latest are.
    entries.delete(id)
    entries.set(id, { at: latest, taken: monotonicSeconds() })
    this.#dropEnded()
    while (this.#sessions.size + this.#users.size > this.#options.max) this.#dropOldest()
  }

  /** Does no token that is good by the wall clock fall by it? */
  #isOver (at: number): boolean {
    return at + this.#lifetime <= wallSeconds()
  }

  #over (entries: ReadonlyMap<string, Entry>): number {
    let over = 0
    for (const { at } of entries.values()) {
      if (!this.#isOver(at)) break
      over++
    }
    return over
  }

  #dropEnded (): void {
    for (const entries of [this.#sessions, this.#users]) {
      for (const [id, { at, taken }] of entries) {
        if (!hasPassed(at + this.#lifetime, taken + this.#lifetime)) break
        entries.delete(id)
      }
    }
  }

  #dropOldest (): void {
    const [one, other] = [this.#sessions, this.#users].map((entries) => entries.entries().next().value)
    const oldest = other === undefined || (one !== undefined && one[1].at <= other[1].at) ? one! : other
    const [id, { at }] = oldest
    ;(oldest === one ? this.#sessions : this.#users).delete(id)
    this.#everybody = Math.max(this.#everybody, Math.floor(at) + 1)
    if (!this.#isOver(at)) this.#options.onFull()
  }
}

/** Was the token issued in the second of the logout, or before? */
function isUpTo (at: number, { iat }: AccessTokenClaims): boolean {
  return Math.floor(iat) <= at
}
