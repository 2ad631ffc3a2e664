import * as z from 'zod'
import type { KeycloakOptions } from '../../types/options.js'
import type { RevocationStore } from '../../types/revocation.js'
import { certificateFault } from './certificate.js'
import { dispatcherFault, isDispatcher } from './dispatcher.js'
import { WITHDRAWABLE } from './kept-claims.js'
import { isRealmUrl, realmUrlFault } from './realm-url.js'
import { RISK_CODES } from './risks.js'

/**
 * The asymmetric algorithms (RFC 7518 section 3.1, RFC 8037). Others are refused: with HS*, everybody who has the public key
 * could make a token, and with none, everybody could.
 */
export const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'] as const

/** The longest time of setTimeout, in milliseconds: 24 days. */
const MAX_TIME = 2_147_483_647

export const text = (what: string) => z.string(what).min(1, what)
export const flag = z.boolean('true or false')
export const whole = (least: number, unit = '') => {
  const what = `a whole number ${unit}from ${least}`
  return z.int(what).min(least, what)
}
export const milliseconds = (least: number) => {
  const what = `a whole number of milliseconds from ${least} to ${MAX_TIME}`
  return z.int(what).min(least, what).max(MAX_TIME, what)
}
export const secondsWithinADay = z.number('a number of seconds, 0 or more').min(0, 'a number of seconds, 0 or more').max(86_400, 'a number of seconds, a day at the most')
const REALM = 'the full URL of a realm, such as https://sso.example.com/realms/acme'
export const realmUrl = z.string(REALM).min(1, REALM).superRefine((value, context) => {
  const fault = realmUrlFault(value)
  if (fault === undefined) return
  const message = isRealmUrl(value) ? REALM : 'an http or https URL without user name, query, fragment or white space, such as https://sso.example.com/realms/acme'
  context.addIssue({ code: 'custom', message, params: { found: fault } })
})
/** A text that is compared character by character, and often comes from a file or an environment variable. */
export const exactText = (what: string) => text(what).superRefine((value, context) => {
  const fault = /^(undefined|null)$/.test(value)
    ? `the text "${value}": is an environment variable unset?`
    : value !== value.trim() && 'one with white space around it, such as the line break at the end of a file: write .trim()'
  if (fault !== false) context.addIssue({ code: 'custom', message: what, params: { found: fault } })
})
export const oneOrMore = <T extends z.ZodType>(item: T, what: string) =>
  z.union([item, z.array(item).min(1, what)], what).transform((value) => [value].flat() as Array<z.output<T>>)
export const aFunction = (what: string) => z.custom<(...parameters: never[]) => unknown>((value) => typeof value === 'function', what)
export const key = (what: string) => text(what).refine((name) => name !== '__proto__', { message: what, params: { found: '"__proto__"' } })

export const PATH = 'a dotted string such as "realm_access.roles", an array of segments, or a function of the claims'
export const MAPPING = 'an object of user keys and claim names, such as { email: "email" }'
export const ALGORITHM = `one or more of ${ALGORITHMS.join(', ')}: a secret (HS*) or no signature (none) cannot prove who issued a token`
export const PARTY = 'the id of a client whose tokens are accepted'
export const PARTIES = `${PARTY}, or an array of such`
export const TOKEN_TYPE = '"at+jwt"'
export const SECRET = 'the secret of that client, or a function that returns it'
export const CLAIM = 'the name of a claim, such as "email"'
const KEPT = 'the name of a claim that restricts, such as "readonly"'
export const KEEP = 'an array of names of claims that restrict, such as ["readonly"]'
const CERTIFICATE = 'a certificate in PEM as string or Buffer (its text, not its path)'
export const CA = `${CERTIFICATE}, or an array of them`
export const ISSUERS = 'an array of realms with their issuer, or a function (iss) => a realm or null'
export const STORE = 'a store of revocations, such as redisStore({ client })'
const DISPATCHER = 'a dispatcher of undici 7 or 8, such as new ProxyAgent(url)'

/** The path to a claim, with dots between its segments. A URL is refused, because its dots would separate segments too. */
export const dotted = (what: string) => text(what).superRefine((path, context) => {
  const found = path.includes('://')
    ? 'a URL, which its dots would take apart: write an array of one segment'
    : path.split('.').includes('') && path !== '' && 'one with an empty segment'
  if (found !== false) context.addIssue({ code: 'custom', message: what, params: { found } })
})
export const claimPath = (what: string) => z.union([dotted(what), z.array(text(what)).min(1, what)], what)
export const keptClaim = key(KEPT).superRefine((name, context) => {
  if (WITHDRAWABLE.has(name)) context.addIssue({ code: 'custom', message: KEPT, params: { found: `"${name}", which is missing in an answer when what it grants was withdrawn` } })
})
export const certificate = z.custom<string | Buffer>(isPem, CERTIFICATE).superRefine((value, context) => {
  const found = certificateFault(value)
  if (found !== undefined) context.addIssue({ code: 'custom', message: CERTIFICATE, params: { found } })
})
export const dispatcher = z.custom<NonNullable<KeycloakOptions['dispatcher']>>(isDispatcher, DISPATCHER).superRefine((value, context) => {
  const found = dispatcherFault(value)
  if (found !== undefined) context.addIssue({ code: 'custom', message: DISPATCHER, params: { found } })
})
export const acceptedRisks = z.array(z.enum(RISK_CODES, `the code of a risk (${RISK_CODES.join(', ')})`), 'an array of codes of risks, such as ["audience_unchecked"]')
export const warnOrRequire = z.union([z.literal(false), z.enum(['warn', 'require'])], '"warn", "require" or false')
export const route = (example: string) => {
  const what = `the path of a route that begins with a slash and has no parameters, such as "${example}"`
  return z.string(what).regex(/^\/[^?#:*]*$/, what)
}

function isPem (value: unknown): boolean {
  return typeof value === 'string' || Buffer.isBuffer(value)
}

export function isStore (value: unknown): boolean {
  const { follow, publish, close } = (value ?? {}) as Partial<Record<keyof RevocationStore, unknown>>
  return [follow, publish, close].every((each) => typeof each === 'function')
}
