import { Departure } from './departure.js'
import { KeycloakError, refusal, UnavailableError } from './errors.js'
import type { Identity } from './identity.js'
import { type Bounds, copyOf, type Kept, Memory, WEIGHT } from './memory.js'
import type { Maybe } from './maybe.js'
import { seconds } from './seconds.js'

/** Who a token is about now, and the characters it took Keycloak to say it. */
export interface Answer {
  identity: Identity
  size: number
}

/** Ask Keycloak about a verified token. */
export type Ask = (token: string, verified: Identity, departure: Departure) => Promise<Answer>

/** Tells when somebody waits no more: a reply to a client, which closes when it is sent or the client is gone. */
export interface Waiting {
  once (event: 'close', listener: () => void): unknown
}

/** An answer that serves all who come until it ends: who the token is about now, or its refusal. */
interface Shared extends Kept {
  readonly outcome: Identity | KeycloakError
  /** On the monotonic clock. */
  readonly ends: number
}

/** A call under way, and how many wait for it. */
interface Call {
  readonly answer: Promise<Identity>
  readonly departure: Departure
  waiting: number
}

export interface SharingOptions {
  /** Milliseconds that an answer may serve, from when it was asked for. */
  ttl: number
  bounds: Bounds
  /** @throws {KeycloakError} when the dates of claims that were good before are not any more */
  recheck: (identity: Identity) => void
}

/**
 * One call in flight for a token, and its answer for a while. What failed is asked again. A call is called off when
 * the last of those who wait for it is gone.
 */
export function sharing (ask: Ask, { ttl, bounds, recheck }: SharingOptions) {
  const answers = new Memory<Shared>(bounds)
  const calls = new Map<string, Call>()

  return {
    close: () => answers.close(),

    /** There at once when it is known already. */
    find (token: string, verified: Identity, waiting?: Waiting): Maybe<Identity> {
      const shared = answers.find(token)
      if (shared !== undefined && performance.now() < shared.ends) return recall(shared)
      const call = calls.get(token) ?? start(token, verified)
      call.waiting++
      waiting?.once('close', () => {
        if (--call.waiting === 0) leave(token, call)
      })
      return call.answer
    }
  }

  function recall ({ outcome }: Shared): Identity {
    // A new one, since an error handler may write into the one it gets.
    if (outcome instanceof KeycloakError) throw refusal(outcome.code, outcome.reason)
    recheck(outcome)
    return outcome
  }

  function start (token: string, verified: Identity): Call {
    const ends = performance.now() + ttl
    const until = Math.min(verified.claims.exp, seconds() + ttl / 1000)
    const departure = new Departure()
    const keep = (outcome: Shared['outcome'], size: number): void => {
      answers.keep({ token: copyOf(token), outcome, ends, until, bytes: (token.length + size) * WEIGHT })
    }
    const answer = ask(token, verified, departure).then(({ identity, size }) => {
      keep(identity, size)
      return identity
    }).catch((error) => {
      if (!(error instanceof UnavailableError)) keep(error, 0)
      throw error
    }).finally(() => forget(token, call))
    const call: Call = { answer, departure, waiting: 0 }
    calls.set(token, call)
    return call
  }

  /** Called off, it is no call that a newcomer could join. */
  function leave (token: string, call: Call): void {
    forget(token, call)
    call.departure.leave()
  }

  function forget (token: string, call: Call): void {
    if (calls.get(token) === call) calls.delete(token)
  }
}
