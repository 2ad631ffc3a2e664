import { randomBytes } from 'node:crypto'
import { BoundedMap } from '../../util/bounded-map.js'
import { wallSeconds } from '../../util/clock.js'

/** Somebody who is logged in. */
export interface Session {
  readonly username: string
  readonly scope: string
  /** Seconds since 1970. */
  readonly authTime: number
  /** The one refresh token that is good. */
  refreshToken?: string
}

// No base64url has a dot: no other session of the realm begins so.
const MARK = 'login.'

const MAX_SESSIONS = 1000

/** The sessions of those who logged in. A session that is forgotten is over. */
export class Sessions {
  readonly #sessions = new BoundedMap<string, Session>(MAX_SESSIONS)
  readonly #announce: (sid: string, session: Session) => Promise<void>

  /** `announce` is awaited for each session that ends, but not for those that are forgotten for lack of room. */
  constructor (announce: (sid: string, session: Session) => Promise<void>) {
    this.#announce = announce
  }

  /** Answers the session's id: 24 characters, as Keycloak's. */
  start ({ username, scope }: { username: string, scope: string }): string {
    const sid = MARK + randomBytes(32).toString('base64url').slice(0, 24 - MARK.length)
    this.#sessions.set(sid, { username, scope, authTime: Math.floor(wallSeconds()) })
    return sid
  }

  get (sid: unknown): Session | undefined {
    return this.#sessions.get(String(sid))
  }

  async end (sid: string): Promise<void> {
    const session = this.#sessions.get(sid)
    if (session === undefined) return
    this.#sessions.delete(sid)
    await this.#announce(sid, session)
  }

  /** Was it a session of a login, and is no more? */
  isOver (sid: unknown): boolean {
    return typeof sid === 'string' && sid.startsWith(MARK) && !this.#sessions.has(sid)
  }
}
