import type { StartLog } from '../diagnostics/start-log.js'
import type { KeySource } from '../keys/key-source.js'
import { ALGORITHMS } from '../options/values.js'
import { monotonicMilliseconds } from '../util/clock.js'
import { type JsonObject, member } from '../util/strict-json.js'
import { type JwsRules, openJws, payloadOf } from './jws.js'

const KNOWN: ReadonlySet<unknown> = new Set(ALGORITHMS)

/** Least time between two signatures that are verified for advice alone, and between two warnings of one algorithm, in milliseconds. */
const VERIFY_AGAIN = 1000
const WARN_AGAIN = 600_000

export interface AdviceOptions {
  keys: KeySource
  issuer: string
  /** Those of the tokens that are accepted. */
  jws: JwsRules
  log: StartLog
}

/**
 * Says which option is amiss when the realm signs access tokens by an algorithm that is not allowed. The check at start
 * cannot tell: a realm can have keys for several algorithms, and which one signs is a setting of each client.
 */
export class AlgorithmAdvice {
  readonly #options: AdviceOptions
  /** On the monotonic clock. */
  #verifyAt = -Infinity
  readonly #warnAt = new Map<string, number>()

  constructor (options: AdviceOptions) {
    this.#options = options
  }

  /**
   * A token was refused for its algorithm: did the realm sign it all the same? It stays refused, and costs next to nothing
   * unless the key set has the key that it names.
   */
  consider (token: string, header: JsonObject): void {
    const now = monotonicMilliseconds()
    const alg = member(header, 'alg')
    const kid = member(header, 'kid')
    if (now < this.#verifyAt || !isAlgorithm(alg) || (kid !== undefined && typeof kid !== 'string')) return
    const set = this.#options.keys.usableSet(now)
    if (now < (this.#warnAt.get(alg) ?? -Infinity) || set?.fits(kid, alg) === false) return
    this.#verifyAt = now + VERIFY_AGAIN
    // Where every token is refused before anybody asks for keys, this is who does.
    this.#verify(token, kid, alg).catch(() => {})
  }

  async #verify (token: string, kid: string | undefined, alg: string): Promise<void> {
    const { keys, issuer, jws, log } = this.#options
    const key = await keys.resolve(kid, alg)
    if (key === undefined) return
    key.verify(token)
    const rules = { ...jws, algorithms: new Set([alg]) }
    const claims = payloadOf(openJws(token, rules), rules)
    if (member(claims, 'iss') !== issuer || !isAccessToken(claims)) return
    this.#warnAt.set(alg, monotonicMilliseconds() + WARN_AGAIN)
    const allowed = [...jws.algorithms]
    log.warn({ check: 'algorithms' }, `a token that the realm signed by ${alg} was refused, since the option algorithms is ${listOf(allowed)}: write algorithms: ${listOf([alg])}, or ${listOf([...allowed, alg])} if the realm signs by each of them`)
  }
}

function isAlgorithm (alg: unknown): alg is string {
  return KNOWN.has(alg)
}

/** ID tokens may be signed by another algorithm, and are refused whatever is allowed. */
function isAccessToken (claims: JsonObject): boolean {
  const typ = member(claims, 'typ')
  return typ === undefined || typ === 'Bearer'
}

function listOf (algorithms: readonly string[]): string {
  return `[${algorithms.map((each) => `'${each}'`).join(', ')}]`
}
