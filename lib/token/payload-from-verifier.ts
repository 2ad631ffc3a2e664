import { bytesIn, endsWell } from '../util/base64url.js'
import { freezeWithin, isObject, type JsonObject, stringsIn } from '../util/strict-json.js'
import { type Jws, type JwsRules, payloadOf } from './jws.js'

/** Bytes of a payload that is looked at so. A larger one, where the limit of tokens was raised, is read once more. */
const LOOKED_AT = 32 * 1024

/**
 * What a verified JWS says, deeply frozen, where its verifier has read it already and found base64url alone.
 *
 * What was read is believed if there is one way to read the payload: as many bytes as its characters stand for and no
 * stray bits, UTF-8, and no member named twice. Any other is read once more, for the refusal to name what it is.
 * @param rules those that the JWS was opened by
 * @throws {KeycloakError} token_not_valid
 */
export function createPayloadFromVerifier (rules: JwsRules): (jws: Jws, read: unknown) => JsonObject {
  // One for all, since nothing waits in between: a buffer for each token would keep the garbage collector busy.
  const scratch = Buffer.allocUnsafeSlow(Math.min(rules.maxLength, LOOKED_AT))

  return (jws, read) => isObject(read) && isAllOf(jws.segments.payload, read) ? read : payloadOf(jws, rules)

  function isAllOf (payload: string, read: JsonObject): boolean {
    const length = scratch.write(payload, 'base64url')
    // What does not fit is cut off, and so too few.
    if (length !== bytesIn(payload.length) || !endsWell(payload)) return false
    return freezeWithin(rules.maxDepth, read) === stringsIn(scratch, length)
  }
}
