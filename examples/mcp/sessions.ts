import { randomUUID } from 'node:crypto'

/** A session, which belongs to the user who opened it. */
export interface Session<Transport> {
  readonly id: string
  readonly owner: string
  readonly transport: Transport
}

interface Open<Transport> extends Session<Transport> {
  /** Responses that are still open, streams among them. */
  requests: number
  timer: NodeJS.Timeout | undefined
}

export interface SessionLimits {
  /** Sessions of all users. */
  max: number
  /** Sessions of one user: one more ends the oldest of this user. */
  maxOfUser: number
  /** Milliseconds without a request or an open stream, after which a session ends. */
  idle: number
}

const DEFAULTS: SessionLimits = { max: 1000, maxOfUser: 10, idle: 600_000 }

/** The sessions of an MCP server, by Mcp-Session-Id. */
export class Sessions<Transport extends { close (): Promise<void> }> {
  readonly #limits: SessionLimits
  readonly #sessions = new Map<string, Open<Transport>>()

  constructor (limits: Partial<SessionLimits> = {}) {
    this.#limits = { ...DEFAULTS, ...limits }
  }

  get size (): number {
    return this.#sessions.size
  }

  /** @returns `undefined` if there is no room: a user never ends a session of another one */
  open (owner: string, create: (id: string) => Transport): Session<Transport> | undefined {
    const own = [...this.#sessions.values()].filter((session) => session.owner === owner)
    if (own.length >= this.#limits.maxOfUser) this.end(own[0]!.id)
    if (this.#sessions.size >= this.#limits.max) return undefined
    const id = randomUUID()
    const session = { id, owner, transport: create(id), requests: 0, timer: undefined }
    this.#sessions.set(id, session)
    this.#wait(session)
    return session
  }

  /** The session of this id, if it belongs to this user. */
  find (id: string, owner: string): Session<Transport> | undefined {
    const session = this.#sessions.get(id)
    return session?.owner === owner ? session : undefined
  }

  /** Keeps the session while a request is under way. The function that it returns is called when the response has ended. */
  use (id: string): () => void {
    const session = this.#sessions.get(id)
    if (session === undefined) return () => {}
    session.requests++
    clearTimeout(session.timer)
    return () => {
      session.requests--
      this.#wait(session)
    }
  }

  end (id: string): void {
    const session = this.#sessions.get(id)
    if (session === undefined) return
    this.#sessions.delete(id)
    clearTimeout(session.timer)
    // Closes the streams of the session. An error of it has nobody to be told to.
    session.transport.close().catch(() => {})
  }

  close (): void {
    for (const id of [...this.#sessions.keys()]) this.end(id)
  }

  #wait (session: Open<Transport>): void {
    if (session.requests > 0 || !this.#sessions.has(session.id)) return
    session.timer = setTimeout(() => this.end(session.id), this.#limits.idle).unref()
  }
}
