import { freezeWithin, isObject, type JsonObject } from './json.js'
import { type Jws, type JwsRules, payloadOf } from './jws.js'

/** Bytes of a payload that is compared so. A larger one, where the limit of tokens was raised, is read once more. */
const COMPARED = 32 * 1024

/**
 * What a verified JWS says, deeply frozen, where its verifier has read it already.
 *
 * What was read is believed if it makes the very characters of the payload when it is written again: then these are
 * canonical base64url of UTF-8, of one JSON object without a member twice and without a space, and say just that. Tokens
 * that are written otherwise, which few are, are read once more, with care.
 * @param rules those that the JWS was opened by
 * @throws {KeycloakError} token_not_valid
 */
export function createReading (rules: JwsRules): (jws: Jws, read: unknown) => JsonObject {
  // One for all, since nothing waits in between: a buffer for each token would keep the garbage collector busy.
  const scratch = Buffer.allocUnsafeSlow(Math.min(rules.maxLength, COMPARED))

  return (jws, read) => {
    // First how deep it nests, since whoever writes it recurses.
    const usable = isObject(read) && freezeWithin(rules.maxDepth, read) && written(read) === jws.segments.payload
    return usable ? read : payloadOf(jws, rules)
  }

  /** What does not fit is cut off, and so not the same. */
  function written (payload: JsonObject): string {
    return scratch.toString('base64url', 0, scratch.write(JSON.stringify(payload)))
  }
}
