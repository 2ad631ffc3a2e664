import type { KeycloakError } from '../errors.js'
import type { KeySource } from '../keys/key-source.js'
import { monotonicMilliseconds } from '../util/clock.js'
import { type Header, headerFault, type HeaderFault, type JwsRules } from './jws.js'

/** The refusal of a token that has no key, or whose key nobody could look up. */
export function withoutKey (error: KeycloakError, token: string, header: Header, keys: Pick<KeySource, 'usableSet'>, rules: JwsRules): KeycloakError {
  if (error.code !== 'token_not_valid') return error
  const isOfOtherAlgorithm = header.kid !== undefined && keys.usableSet(monotonicMilliseconds())?.has(header.kid, header.alg) === true
  return headerFault(() => isOfOtherAlgorithm ? 'key_other_algorithm' : error.reasonCode as HeaderFault, { ...header }, () => token.split('.')[1]!, rules)
}
