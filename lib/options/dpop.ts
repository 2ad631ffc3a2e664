import * as z from 'zod'
import type { DpopAlgorithm, DpopOptions, ReplayStore } from '../../types/dpop.js'
import { memberOf, withoutPrototype } from '../util/members.js'
import { flag, oneOrMore, text, whole } from './values.js'

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
  nonce: z.strictObject({
    secret: oneOrMore(text(SECRET).superRefine(tooShort), SECRETS),
    maxAge: whole(1, 'of seconds ').max(86_400, 'a whole number of seconds, a day at the most').default(300)
  }, NONCE),
  replay: z.strictObject({
    store: z.custom<ReplayStore>(isStore, STORE).optional(),
    max: whole(1).default(100_000)
  }, 'an object with store or max')
}

export const dpopGroup = z.strictObject({
  required: flag.default(false),
  algorithms: oneOrMore(z.enum(PROOF_ALGORITHMS, ALGORITHM), ALGORITHM).default([...PROOF_ALGORITHMS]),
  maxAge: whole(1, 'of seconds ').max(300, 'a whole number of seconds from 1 to 300').default(30),
  leeway: z.number(SECONDS).min(0, SECONDS).max(300, SECONDS).default(5),
  url: z.union([z.string(URL_OF_API).superRefine(noBase), z.custom<NonNullable<Exclude<DpopOptions['url'], string>>>((value) => typeof value === 'function', URL_OF_API)], URL_OF_API).optional(),
  nonce: z.union([z.literal(false, NONCE), dpopGroups.nonce], NONCE).default(false),
  replay: dpopGroups.replay.prefault(() => withoutPrototype({}))
}, DPOP)

/** The option `dpop` after the checks. */
export type DpopSettings = z.output<typeof dpopGroup>

/** The option: `true` is all defaults. A member that was left out is not found in a polluted Object.prototype. */
export const dpop = z.union([z.literal(true, DPOP).transform(() => withoutPrototype({})).pipe(dpopGroup), dpopGroup], DPOP)
  .transform(({ nonce, replay, ...members }): DpopSettings => withoutPrototype({ ...members, nonce: nonce && withoutPrototype(nonce), replay: withoutPrototype(replay) }))
  .optional()

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

function noBase (value: string, context: z.RefinementCtx): void {
  const found = baseFault(value)
  if (found !== undefined) context.addIssue({ code: 'custom', message: URL_OF_API, params: { found } })
}

function tooShort (value: string, context: z.RefinementCtx): void {
  if (value.length < 32) context.addIssue({ code: 'custom', message: SECRET, params: { found: 'a shorter one' } })
}

function isStore (value: unknown): boolean {
  return typeof value === 'object' && value !== null && typeof memberOf(value, 'add') === 'function'
}
