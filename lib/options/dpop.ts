import type { DpopAlgorithm, DpopOptions, ReplayStore } from '../../types/dpop.js'
import { memberOf } from '../util/members.js'
import { checked, either, filledIn, group, number, oneOf, optional, type OutputOf, string, valueThat } from './schemas.js'
import { aFunction, atMost, between, flag, foundAs, oneOrMore, orTrue, text, whole } from './values.js'

/** The algorithms of proofs, in the order of the challenge: those without RSA first, whose proofs are shorter. */
export const PROOF_ALGORITHMS = ['ES256', 'ES384', 'ES512', 'EdDSA', 'PS256', 'RS256'] as const satisfies readonly DpopAlgorithm[]

const NONCE = 'false, or an object with secret and maxAge'
const DPOP = 'true, or an object with required, algorithms, maxAge, leeway, url, nonce and replay'
const ALGORITHM = `one or more of ${PROOF_ALGORITHMS.join(', ')}: a secret (HS*) proves no key of the client`
const URL_OF_API = 'the URL of this API as clients see it, such as https://api.example.com, without query, fragment and dot segments, or a function that returns it'
const SECRET = 'a text of 32 characters or more, such as one by `openssl rand -base64 32`'
const SECRETS = `${SECRET}, or an array of such`
const STORE = 'a replay store, such as redisReplayStore({ client })'
const SECONDS = 'a number of seconds, 0 or more, 300 at the most'

/** The parts of the option that are objects. */
export const dpopGroups = {
  nonce: group({
    secret: oneOrMore(checked(text(SECRET), SECRET, (value) => value.length < 32 ? { found: 'a shorter one' } : undefined), SECRETS),
    maxAge: optional(atMost(86_400, whole(1, 'of seconds '), 'a whole number of seconds, a day at the most'), 300)
  }, NONCE),
  replay: group({
    store: optional(valueThat<ReplayStore>(isStore, STORE)),
    max: optional(whole(1), 100_000)
  }, 'an object with store or max')
}

export const dpopGroup = group({
  required: optional(flag, false),
  algorithms: optional(oneOrMore(oneOf(PROOF_ALGORITHMS, ALGORITHM), ALGORITHM), () => [...PROOF_ALGORITHMS]),
  maxAge: optional(atMost(300, whole(1, 'of seconds '), 'a whole number of seconds from 1 to 300'), 30),
  leeway: optional(between(0, 300, number(SECONDS), SECONDS), 5),
  url: optional(either([checked(string(URL_OF_API), URL_OF_API, (value) => foundAs(baseFault(value))), aFunction<NonNullable<Exclude<DpopOptions['url'], string>>>(URL_OF_API)], URL_OF_API)),
  nonce: optional(either([oneOf([false], NONCE), dpopGroups.nonce], NONCE), false),
  replay: optional(dpopGroups.replay, () => filledIn(dpopGroups.replay))
}, DPOP)

/** The option `dpop` after the checks. */
export type DpopSettings = OutputOf<typeof dpopGroup>

/** The option: `true` is all defaults. */
export const dpop = optional(orTrue(dpopGroup, DPOP))

/** The segments of a path that clients remove before they send. */
const DOT_SEGMENT = /\/(?:\.|%2e){1,2}(?:\/|$)/i

/** The base of URLs that clients see: http or https, with nothing that a path cannot follow. */
export function isBase (value: string): boolean {
  return baseFault(value) === undefined
}

/** The words for a text that is no such base; `undefined` if it is one. */
function baseFault (value: string): string | undefined {
  if (!/^https?:\/\//i.test(value)) return 'a text that does not begin with http:// or https://'
  if (/[\s\\]/.test(value)) return 'one with white space or a backslash in it'
  if (/[?#]/.test(value)) return 'one with a query or a fragment'
  if (DOT_SEGMENT.test(value)) return 'one with a dot segment'
  if (!URL.canParse(value)) return 'one that no URL parser takes'
  const { username, password } = new URL(value)
  return username === '' && password === '' ? undefined : 'one with a user name or a password'
}

function isStore (value: unknown): boolean {
  return typeof value === 'object' && value !== null && typeof memberOf(value, 'add') === 'function'
}
