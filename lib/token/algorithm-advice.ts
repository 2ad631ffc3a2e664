import type { StartLog } from '../diagnostics/start-log.js'
import type { KeySource } from '../keys/key-source.js'
import { ALGORITHMS } from '../options/values.js'
import { monotonicMilliseconds } from '../util/clock.js'
import { type JsonObject, member } from '../util/strict-json.js'
import { type JwsRules, openJws, payloadOf } from './jws.js'

const ASYMMETRIC: ReadonlySet<unknown> = new Set(ALGORITHMS)

/** The shortest time between two signatures that are verified only for the advice, in milliseconds. */
const VERIFY_INTERVAL = 1000

/** The shortest time between two warnings about one algorithm, in milliseconds. */
const WARN_INTERVAL = 600_000

export interface AdviceOptions {
  keys: KeySource
  issuer: string
  /** The rules for accepted tokens. */
  jws: JwsRules
  log: StartLog
}

/**
 * Names the option to change if the realm signs access tokens by an algorithm that is not allowed. The check at start
 * cannot tell: a realm can have keys for several algorithms, and each client has a setting for the one that signs.
 */
export class AlgorithmAdvice {
  readonly #options: AdviceOptions
  /** The next time that a signature may be verified, in milliseconds of the monotonic clock. */
  #verifyAt = -Infinity
  readonly #warnAt = new Map<string, number>()

  constructor (options: AdviceOptions) {
    this.#options = options
  }

  /**
   * Warn if the realm did sign a token that was refused for its algorithm. The token stays refused. The check costs next to
   * nothing unless the key set has the key that the token names.
   */
  consider (token: string, header: JsonObject): void {
    const now = monotonicMilliseconds()
    const alg = member(header, 'alg')
    const kid = member(header, 'kid')
    if (now < this.#verifyAt || !isAlgorithm(alg) || (kid !== undefined && typeof kid !== 'string')) return
    const set = this.#options.keys.usableSet(now)
    if (now < (this.#warnAt.get(alg) ?? -Infinity) || set?.fits(kid, alg) === false) return
    this.#verifyAt = now + VERIFY_INTERVAL
    // This fetches the keys, if every token is refused for its algorithm before its key is looked up.
    this.#verify(token, kid, alg).catch(() => {})
  }

  async #verify (token: string, kid: string | undefined, alg: string): Promise<void> {
    const { keys, issuer, jws, log } = this.#options
    const key = await keys.resolve(kid, alg)
    if (key === undefined) return
    await key.verify(token)
    const rules = { ...jws, algorithms: new Set([alg]) }
    const claims = payloadOf(openJws(token, rules), rules)
    if (member(claims, 'iss') !== issuer || !isAccessToken(claims)) return
    this.#warnAt.set(alg, monotonicMilliseconds() + WARN_INTERVAL)
    const allowed = [...jws.algorithms]
    log.warn({ check: 'algorithms' }, `a token that the realm signed by ${alg} was refused, since the option algorithms is ${listOf(allowed)}: write algorithms: ${listOf([alg])}, or ${listOf([...allowed, alg])} if the realm signs by each of them`)
  }
}

function isAlgorithm (alg: unknown): alg is string {
  return ASYMMETRIC.has(alg)
}

/** ID tokens may be signed by another algorithm, and are refused whatever the option allows. */
function isAccessToken (claims: JsonObject): boolean {
  const typ = member(claims, 'typ')
  return typ === undefined || typ === 'Bearer'
}

function listOf (algorithms: readonly string[]): string {
  return `[${algorithms.map((each) => `'${each}'`).join(', ')}]`
}
