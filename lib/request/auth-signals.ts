import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify'
import { writesDebug } from '../diagnostics/log-level.js'
import { type KeycloakError, notValid } from '../errors.js'
import type { RealmDirectory } from '../realm/directory.js'
import { type Realm, realmOf } from '../realm/realm.js'
import type { Identity } from '../token/identity.js'
import { wallMilliseconds, wallSeconds } from '../util/clock.js'
import { outsideRequests } from '../util/outside-requests.js'
import { isGone } from './presentation.js'

/** The property of a request that holds the identity of its token. */
export const IDENTITY = Symbol('fastify-keycloak-bearer.identity')

/** The property of a request that holds its reply, which tells when the connection ends. */
export const REPLY = Symbol('fastify-keycloak-bearer.reply')

/** A request whose token was accepted. */
export type AcceptedRequest = FastifyRequest & { [IDENTITY]?: Identity, [REPLY]?: FastifyReply }

/** An open connection whose handler has read `request.authSignal`. */
interface Connection {
  readonly identity: Identity
  readonly controller: AbortController
  readonly log: FastifyBaseLogger
}

/** The open connections by tokens of one realm. */
interface RealmConnections {
  readonly realm: Realm
  readonly all: Set<Connection>
  /** Were there logouts that the connections have not been compared with? */
  isDue: boolean
  /** Ends the wait for logouts. */
  stop: (() => void) | undefined
}

/** The timer may fire a moment before the second that it waits for. */
const MARGIN = 5

/**
 * The signals of open connections, which fire when the token of the connection ends. One timer looks at all of them once a second,
 * since tokens end at whole seconds; a logout is heard at once. A signal is remembered until its response has ended, so there are
 * never more of them than open requests.
 */
export class AuthSignals {
  readonly #directory: Pick<RealmDirectory, 'isOpen'>
  readonly #realms = new Map<Realm, RealmConnections>()
  readonly #signals = new WeakMap<FastifyRequest, AbortSignal>()
  #timer: NodeJS.Timeout | undefined

  constructor (directory: Pick<RealmDirectory, 'isOpen'>) {
    this.#directory = directory
  }

  /** The number of open connections that are watched. */
  get size (): number {
    return [...this.#realms.values()].reduce((sum, { all }) => sum + all.size, 0)
  }

  /** The signal of a request; `null` for an anonymous one. */
  signalOf (request: AcceptedRequest): AbortSignal | null {
    const identity = request[IDENTITY]
    if (identity === undefined) return null
    let signal = this.#signals.get(request)
    if (signal === undefined) this.#signals.set(request, signal = this.#create(identity, request[REPLY]!, request.log))
    return signal
  }

  /** No signal fires any more. */
  close (): void {
    clearTimeout(this.#timer)
    for (const { stop, all } of this.#realms.values()) {
      stop?.()
      all.clear()
    }
    this.#realms.clear()
  }

  #create (identity: Identity, reply: FastifyReply, log: FastifyBaseLogger): AbortSignal {
    // Nothing tells when work for a response that has ended is over.
    if (isGone(reply)) return AbortSignal.abort()
    const connection = { identity, controller: new AbortController(), log }
    const realm = realmOf(identity)
    const reason = endOf(identity, this.#directory)
    if (reason === undefined) this.#watch(realm, connection, reply)
    else end(connection, reason)
    return connection.controller.signal
  }

  #watch (realm: Realm, connection: Connection, reply: FastifyReply): void {
    const connections = this.#connectionsOf(realm)
    connections.all.add(connection)
    reply.raw.once('close', () => this.#leave(connections, connection))
    this.#schedule()
  }

  #connectionsOf (realm: Realm): RealmConnections {
    const known = this.#realms.get(realm)
    if (known !== undefined) return known
    const connections: RealmConnections = { realm, all: new Set(), isDue: false, stop: undefined }
    connections.stop = realm.onRevoked(() => this.#lookSoon(connections))
    this.#realms.set(realm, connections)
    return connections
  }

  #leave ({ realm, all, stop }: RealmConnections, connection: Connection): void {
    if (!all.delete(connection) || all.size > 0) return
    stop?.()
    this.#realms.delete(realm)
  }

  #schedule (): void {
    if (this.#realms.size === 0) return
    this.#timer ??= outsideRequests(() => setTimeout(() => {
      this.#timer = undefined
      for (const connections of [...this.#realms.values()]) this.#look(connections)
      this.#schedule()
    }, 1000 - wallMilliseconds() % 1000 + MARGIN).unref())
  }

  /** One look for all logouts that one push brings, before anything else is read from a connection. */
  #lookSoon (connections: RealmConnections): void {
    if (connections.isDue) return
    connections.isDue = true
    queueMicrotask(() => {
      connections.isDue = false
      this.#look(connections)
    })
  }

  /** Fire the signals of all tokens of a realm that have ended. To look counts as a use of the realm, so an open connection keeps it. */
  #look (connections: RealmConnections): void {
    const { realm, all } = connections
    const now = wallSeconds()
    const withdrawn = withdrawal(realm, this.#directory)
    for (const connection of [...all]) {
      const reason = withdrawn ?? realm.endOf(connection.identity, now)
      if (reason === undefined) continue
      this.#leave(connections, connection)
      end(connection, reason)
    }
  }
}

/** The refusal that the token of a request would get now, because it has ended or its realm is withdrawn; `undefined` if it is still good. */
export function endOf (identity: Identity, directory: Pick<RealmDirectory, 'isOpen'>): KeycloakError | undefined {
  const realm = realmOf(identity)
  return withdrawal(realm, directory) ?? realm.endOf(identity, wallSeconds())
}

function withdrawal (realm: Realm, directory: Pick<RealmDirectory, 'isOpen'>): KeycloakError | undefined {
  return directory.isOpen(realm) ? undefined : notValid('issuer_unknown')
}

function end ({ log, controller }: Connection, error: KeycloakError): void {
  if (writesDebug(log)) {
    const { code, reason, reasonCode } = error
    log.debug({ code, reason, reasonCode }, `request.authSignal fired: ${reason}`)
  }
  controller.abort(error)
}
