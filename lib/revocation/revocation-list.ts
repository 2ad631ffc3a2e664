import type { Revocation } from '../../types/revocation.js'
import type { AccessTokenClaims } from '../../types/user.js'
import { notValid } from '../errors.js'
import type { LimitedEntries, SharedLimit } from './shared-limit.js'
import { isOffline, sessionOf } from './token-session.js'
import { hasPassed, monotonicSeconds, wallSeconds } from '../util/clock.js'

export interface RevocationListOptions {
  /** Seconds; a token that lives longer is refused. */
  maxTokenLifetime: number
  /** Seconds by which a token may outlive its exp. */
  leeway: number
  /** The bound of sessions and users. */
  limit: SharedLimit
  /** Seconds since 1970: a list that was dropped may have held logouts up to this date. 0 stands for none. */
  notBefore: number
  /** Called when the limit refuses tokens that nobody has logged out. */
  onFull: () => void
}

/** The second of a logout, by Keycloak's clock, and of its arrival, by the monotonic clock. */
interface Entry {
  readonly at: number
  readonly arrivedAt: number
}

/**
 * The logged-out sessions and users of one issuer, and its not-before dates. No entry is forgotten while a token of it may live:
 * when the limit is reached, the oldest entries become a not-before date for everybody.
 */
export class RevocationList implements LimitedEntries {
  readonly #options: RevocationListOptions
  /** Seconds for which an entry counts. */
  readonly #lifetime: number
  /** By `sid`, in the order of arrival. */
  readonly #sessions = new Map<string, Entry>()
  /** By `sub`, in the order of arrival. */
  readonly #users = new Map<string, Entry>()
  /** The second of the last logout of a user. */
  #lastUserLogout = -Infinity
  /** Not-before dates by `k_logout` and by the limit, in seconds; no push takes them back. */
  #everybody = 0
  /** The not-before date of the realm, which a later push replaces. */
  #realm: Pick<Revocation, 'at' | 'call'> = { at: 0 }
  /** Arrival of the last of these dates, in seconds of the monotonic clock. */
  #datesArrivedAt = -Infinity
  /** The latest of these dates and of that of a dropped list. */
  #notBefore: number

  constructor (options: RevocationListOptions) {
    this.#options = options
    this.#lifetime = options.maxTokenLifetime + options.leeway
    this.#notBefore = options.notBefore
    options.limit.add(this)
  }

  /** Seconds since 1970; tokens that were issued before are refused. 0 stands for no date. */
  get notBefore (): number {
    return this.#notBefore
  }

  /**
   * Not-before of all tokens that an entry may refuse, for a list that has to be dropped. A date in the future, which the administrator
   * of a realm can set, counts as now: it must not lock out the other realms.
   */
  get latest (): number {
    const ends = [...this.#sessions.values(), ...this.#users.values()].map(({ at }) => Math.floor(at) + 1)
    return ends.reduce((latest, end) => Math.max(latest, end), Math.min(this.#notBefore, Math.floor(wallSeconds()) + 1))
  }

  /** Can the list refuse no token any more? */
  get isEmpty (): boolean {
    this.#dropEnded()
    const date = Math.max(this.#everybody, this.#realm.at, this.#realm.call?.until ?? 0)
    return this.size === 0 && hasPassed(date + this.#lifetime, this.#datesArrivedAt + this.#lifetime)
  }

  /** Sessions and users in memory. */
  get size (): number {
    return this.#sessions.size + this.#users.size
  }

  /** Sessions and users that count by the wall clock, as tokens do. The monotonic clock may keep more in memory. */
  get inForce (): number {
    this.#dropEnded()
    return this.size - this.#ended(this.#sessions) - this.#ended(this.#users)
  }

  /**
   * @param introspected introspection tells the user of a token that names none
   * @throws {KeycloakError} token_not_valid
   */
  check (claims: AccessTokenClaims, introspected: boolean): void {
    // An entry that has ended must not have been needed any more.
    if (claims.exp - claims.iat > this.#options.maxTokenLifetime) throw notValid('token_lives_too_long')
    if (claims.iat < this.#notBefore) throw notValid('issued_before_not_before')
    const session = sessionOf(claims)
    if (this.#sessions.size > 0 && this.#isSessionLoggedOut(session, claims)) throw notValid('session_logged_out')
    if (this.#users.size > 0 && this.#isUserLoggedOut(session, claims, introspected)) throw notValid('user_logged_out')
  }

  take (revocation: Revocation): void {
    const { kind, id, at } = revocation
    if (kind === 'session' || kind === 'user') return this.#takeEntry(kind, id!, at)
    this.#datesArrivedAt = monotonicSeconds()
    if (kind === 'everybody') this.#everybody = Math.max(this.#everybody, at)
    else this.#takeRealm(revocation)
    this.#notBefore = Math.max(this.#everybody, this.#realm.at, this.#options.notBefore)
  }

  /** A realm's not-before date that was replaced must not be told to others any more, because it would come back. */
  isReplaced ({ kind, at }: Revocation): boolean {
    return kind === 'realm' && at !== this.#realm.at
  }

  /** All revocations that count now, for other instances to take. */
  * current (): Iterable<Revocation> {
    this.#dropEnded()
    for (const [id, { at }] of this.#sessions) yield { kind: 'session', id, at }
    for (const [id, { at }] of this.#users) yield { kind: 'user', id, at }
    if (this.#everybody > 0) yield { kind: 'everybody', at: this.#everybody }
    if (this.#realm.call !== undefined) yield { kind: 'realm', ...this.#realm }
  }

  /** The oldest session or user becomes a not-before date for everybody. */
  dropOldest (): void {
    const [session, user] = [this.#sessions, this.#users].map((entries) => entries.entries().next().value)
    const isSession = user === undefined || (session !== undefined && session[1].at <= user[1].at)
    const [id, { at }] = isSession ? session! : user
    ;(isSession ? this.#sessions : this.#users).delete(id)
    this.take({ kind: 'everybody', at: Math.floor(at) + 1 })
    if (!this.#hasEnded(at)) this.#options.onFull()
  }

  /**
   * Keycloak issues no token for a session that has ended, so each is refused, whatever its dates. Tokens of offline access are
   * let in again when they are newer than the logout.
   */
  #isSessionLoggedOut (session: string | undefined, claims: AccessTokenClaims): boolean {
    const entry = session === undefined ? undefined : this.#sessions.get(session)
    return entry !== undefined && (isIssuedUpTo(entry.at, claims) || !isOffline(claims))
  }

  /** Without introspection a token that names a session and no user may be of any user, so the last logout of any user counts. */
  #isUserLoggedOut (session: string | undefined, claims: AccessTokenClaims, introspected: boolean): boolean {
    const user = Object.hasOwn(claims, 'sub') ? claims.sub : undefined
    if (user === undefined && session !== undefined && !introspected) return isIssuedUpTo(this.#lastUserLogout, claims)
    const entry = user === undefined ? undefined : this.#users.get(user)
    return entry !== undefined && isIssuedUpTo(entry.at, claims)
  }

  /**
   * A later date always counts, because the clocks of Keycloak's nodes differ and to refuse more is the safe direction. An earlier
   * date counts if no push that was taken ends later: so an administrator can take a date back. Instances that take the pushes
   * in the same order agree, whatever they had taken before.
   */
  #takeRealm ({ at, call }: Revocation): void {
    const { id, until } = call!
    const latest = Math.max(until, this.#realm.call?.until ?? until)
    if (at > this.#realm.at || until === latest) this.#realm = { at, call: { id, until: latest } }
  }

  #takeEntry (kind: 'session' | 'user', id: string, at: number): void {
    if (kind === 'user') this.#lastUserLogout = Math.max(this.#lastUserLogout, at)
    const entries = kind === 'session' ? this.#sessions : this.#users
    const latest = Math.max(at, entries.get(id)?.at ?? at)
    // An entry that is set again moves to the end of the order when it is deleted first.
    entries.delete(id)
    entries.set(id, { at: latest, arrivedAt: monotonicSeconds() })
    this.#dropEnded()
    this.#options.limit.enforce()
  }

  /** By the wall clock no valid token falls by an entry of that second any more. */
  #hasEnded (at: number): boolean {
    return at + this.#lifetime <= wallSeconds()
  }

  #ended (entries: ReadonlyMap<string, Entry>): number {
    let ended = 0
    for (const { at } of entries.values()) {
      if (!this.#hasEnded(at)) break
      ended++
    }
    return ended
  }

  #dropEnded (): void {
    for (const entries of [this.#sessions, this.#users]) {
      for (const [id, { at, arrivedAt }] of entries) {
        if (!hasPassed(at + this.#lifetime, arrivedAt + this.#lifetime)) break
        entries.delete(id)
      }
    }
  }
}

/** The token was issued in the second of the logout, or before. */
const isIssuedUpTo = (at: number, { iat }: AccessTokenClaims): boolean => Math.floor(iat) <= at
