import { randomBytes } from 'node:crypto'
import { BoundedMap } from '../../util/bounded-map.js'
import { wallSeconds } from '../../util/clock.js'

/** The session of a user who is logged in. */
export interface Session {
  readonly username: string
  readonly clientId: string
  /** The scopes that the client asked for. */
  readonly words: readonly string[]
  /** The resource that the client asked for (RFC 8707). */
  readonly resource: string | undefined
  /** The level of the login; `undefined` if the client asked for none. */
  readonly acr: string | undefined
  /** Seconds since 1970. */
  readonly authTime: number
  /** The only refresh token that is valid. */
  refreshToken?: string
}

// The ids of the realm's other sessions are base64url, which has no dot.
const MARK = 'login.'

const MAX_SESSIONS = 1000

/** The sessions of users who logged in. A session that is dropped for lack of room counts as ended. */
export class Sessions {
  readonly #sessions = new BoundedMap<string, Session>(MAX_SESSIONS)
  readonly #announce: (sid: string, session: Session) => Promise<void>

  /** @param announce is called for each session that ends, except sessions that are dropped for lack of room */
  constructor (announce: (sid: string, session: Session) => Promise<void>) {
    this.#announce = announce
  }

  /** @returns the session's id, of 24 characters, as in Keycloak */
  start ({ username, clientId, words, resource, acr }: Omit<Session, 'authTime' | 'refreshToken'>): string {
    const sid = MARK + randomBytes(32).toString('base64url').slice(0, 24 - MARK.length)
    this.#sessions.set(sid, { username, clientId, words, resource, acr, authTime: Math.floor(wallSeconds()) })
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

  /** Did this session begin by a login, and has it ended? */
  isOver (sid: unknown): boolean {
    return typeof sid === 'string' && sid.startsWith(MARK) && !this.#sessions.has(sid)
  }
}
