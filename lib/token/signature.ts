import type { KeySource } from '../keys/key-source.js'
import { ALGORITHMS } from '../options/values.js'
import { monotonicMilliseconds } from '../util/clock.js'
import { type JwsRules, openJws } from './jws.js'

const ANY: ReadonlySet<string> = { has: () => true } as unknown as ReadonlySet<string>

/** Is a token signed by a key of the realm? */
export type IsSigned = (token: string) => Promise<boolean>

/**
 * A check of the signature of a refused token, by any algorithm of the realm's keys, for a warning about the refusal. Nothing else of the
 * token is checked.
 */
export function createSignatureCheck (keys: KeySource, limits: { tokenLength: number, jsonDepth: number }): IsSigned {
  const rules: JwsRules = {
    algorithms: new Set<string>(ALGORITHMS),
    types: ANY,
    typeOptional: true,
    maxLength: limits.tokenLength,
    maxDepth: limits.jsonDepth,
    onOtherAlgorithm: undefined,
    explain: undefined
  }
  return async (token) => {
    try {
      const { kid, alg } = openJws(token, rules).header
      // The set of now, if there is one, tells for nothing that it has no such key.
      if (keys.usableSet(monotonicMilliseconds())?.fits(kid, alg) === false) return false
      const key = await keys.resolve(kid, alg)
      key?.checkSignature(token)
      return key !== undefined
    } catch {
      return false
    }
  }
}
