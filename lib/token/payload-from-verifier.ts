import { bytesIn, endsWell } from '../util/base64url.js'
import { freezeWithin, isObject, type JsonObject, stringsIn } from '../util/strict-json.js'
import { type Jws, type JwsRules, payloadOf } from './jws.js'

/** Freezes a payload as {@link freezeWithin} does, which is the default. */
type Freeze = (levels: number, payload: JsonObject) => number | undefined

/** The largest payload that is compared in the scratch buffer, in bytes. A larger one, under a raised limit, is parsed again. */
const MAX_SCRATCH = 32 * 1024

/**
 * Gives the payload of a verified JWS, deeply frozen, from the object that the verifier has parsed already.
 *
 * The object is taken if there is only one way to read the payload: as many bytes as its base64url characters stand for, no
 * stray bits, UTF-8, and no member twice. Any other payload is parsed again by {@link payloadOf}, which names its fault.
 * @param rules the rules by which the JWS was opened
 * @throws {KeycloakError} token_not_valid
 */
export function createPayloadFromVerifier (rules: JwsRules): (jws: Jws, read: unknown, freeze?: Freeze) => JsonObject {
  // One buffer for all tokens, because its use is synchronous: a buffer for each token would keep the garbage collector busy.
  const scratch = Buffer.allocUnsafeSlow(Math.min(rules.maxLength, MAX_SCRATCH))

  return (jws, read, freeze = freezeWithin) => isObject(read) && isAllOf(jws.segments.payload, read, freeze) ? read : payloadOf(jws, rules)

  function isAllOf (payload: string, read: JsonObject, freeze: Freeze): boolean {
    const length = scratch.write(payload, 'base64url')
    // A payload that does not fit is cut off, so that too few bytes are written.
    if (length !== bytesIn(payload.length) || !endsWell(payload)) return false
    return freeze(rules.maxDepth, read) === stringsIn(scratch, length)
  }
}
