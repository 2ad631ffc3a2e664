import type { FastifyBaseLogger } from 'fastify'
import type { AccessTokenClaims } from '../../types/user.js'
import type { JsonObject } from '../util/strict-json.js'
import { WITHDRAWABLE } from '../options/kept-claims.js'
import { shown } from '../util/shown.js'

/** Claims that are named in the log; a realm whose tokens differ by more has its reasons. */
const MAX_NAMES = 20

/** Tells, once for each, which claims of the tokens are missing in the answers of introspection, and so in request.auth. */
export function createMissingClaims (log: FastifyBaseLogger, keepClaims: readonly string[]) {
  // `aud`, `typ` and `cnf` stay the token's.
  const told = new Set(['aud', 'typ', 'cnf', ...WITHDRAWABLE, ...keepClaims])
  const most = told.size + MAX_NAMES

  return (token: AccessTokenClaims, answer: JsonObject): void => {
    if (told.size === most) return
    for (const name of Object.keys(token)) {
      if (Object.hasOwn(answer, name) || told.has(name) || told.size === most) continue
      told.add(name)
      const claim = shown(name)
      log.warn({ claim }, `${claim === undefined ? 'a claim whose name cannot be shown' : `the claim ${claim}`} is in tokens and missing in what introspection answers, and so in request.auth: switch "Add to token introspection" of its mapper on in Keycloak, or keep the token's by introspection.keepClaims. All is well if it was only withdrawn meanwhile`)
    }
  }
}
