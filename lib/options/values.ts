import type { KeycloakOptions } from '../../types/options.js'
import type { RevocationStore } from '../../types/revocation.js'
import { certificateFault } from './certificate.js'
import { dispatcherFault, isDispatcher } from './dispatcher.js'
import { WITHDRAWABLE } from './kept-claims.js'
import { isRealmUrl, realmUrlFault } from './realm-url.js'
import { RISK_CODES } from './risks.js'
import { boolean, checked, either, type Fault, filledIn, type Group, integer, list, made, number, oneOf, type OutputOf, type Schema, string, valueThat } from './schemas.js'

/**
 * The asymmetric algorithms (RFC 7518 section 3.1, RFC 8037). Others are refused: with HS*, everybody who has the public key
 * could make a token, and with none, everybody could.
 */
export const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'] as const

/** The longest time of setTimeout, in milliseconds: 24 days. */
const MAX_TIME = 2_147_483_647

/** A fault that has words for the value; `undefined` without them. */
export function foundAs (found: string | undefined): Fault | undefined {
  return found === undefined ? undefined : { found }
}

export const text = (what: string) => checked(string(what), what, (value) => value === '' ? {} : undefined)
export const matching = (pattern: RegExp, what: string) => checked(string(what), what, (value) => pattern.test(value) ? undefined : { types: ['string'] })
export const flag = boolean('true or false')
export const between = (least: number, most: number, schema: Schema<number>, what: string) => checked(schema, what, (value) => value < least || value > most ? {} : undefined)
export const atMost = (most: number, schema: Schema<number>, what: string) => between(-Infinity, most, schema, what)
export const whole = (least: number, unit = '') => {
  const what = `a whole number ${unit}from ${least}`
  return between(least, Infinity, integer(what), what)
}
export const milliseconds = (least: number) => {
  const what = `a whole number of milliseconds from ${least} to ${MAX_TIME}`
  return between(least, MAX_TIME, integer(what), what)
}
const SECONDS = 'a number of seconds, 0 or more'
export const secondsWithinADay = atMost(86_400, between(0, Infinity, number(SECONDS), SECONDS), 'a number of seconds, a day at the most')
const REALM = 'the full URL of a realm, such as https://sso.example.com/realms/acme'
export const realmUrl = checked(text(REALM), REALM, (value) => {
  const found = realmUrlFault(value)
  if (found === undefined || isRealmUrl(value)) return foundAs(found)
  return { found, message: 'an http or https URL without user name, query, fragment or white space, such as https://sso.example.com/realms/acme' }
})
/** A text that is compared character by character, and often comes from a file or an environment variable. */
export const exactText = (what: string) => checked(text(what), what, (value) => {
  if (/^(undefined|null)$/.test(value)) return { found: `the text "${value}": is an environment variable unset?` }
  return value === value.trim() ? undefined : { found: 'one with white space around it, such as the line break at the end of a file: write .trim()' }
})
export const oneOrMore = <T>(item: Schema<T>, what: string): Schema<T[]> => made(either([item, list(item, what, 1)], what), (value) => Array.isArray(value) ? value as T[] : [value])
export const aFunction = <T = (...parameters: never[]) => unknown>(what: string): Schema<T> => valueThat((value) => typeof value === 'function', what)
export const key = (what: string) => checked(text(what), what, (name) => name === '__proto__' ? { found: '"__proto__"' } : undefined)
/** A group, or `true` for all its defaults. */
export const orTrue = <G extends Group>(group: G, what: string): Schema<OutputOf<G>> =>
  either([made(oneOf([true], what), () => filledIn(group)), group], what) as Schema<OutputOf<G>>

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
export const dotted = (what: string) => checked(text(what), what, (path) => {
  if (path.includes('://')) return { found: 'a URL, which its dots would take apart: write an array of one segment' }
  return path !== '' && path.split('.').includes('') ? { found: 'one with an empty segment' } : undefined
})
export const claimPath = (what: string) => either([dotted(what), list(text(what), what, 1)], what)
export const keptClaim = checked(key(KEPT), KEPT, (name) => WITHDRAWABLE.has(name) ? { found: `"${name}", which is missing in an answer when what it grants was withdrawn` } : undefined)
export const certificate = checked(valueThat<string | Buffer>(isPem, CERTIFICATE), CERTIFICATE, (value) => foundAs(certificateFault(value)))
export const dispatcher = checked(valueThat<NonNullable<KeycloakOptions['dispatcher']>>(isDispatcher, DISPATCHER), DISPATCHER, (value) => foundAs(dispatcherFault(value)))
export const acceptedRisks = list(oneOf(RISK_CODES, `the code of a risk (${RISK_CODES.join(', ')})`), 'an array of codes of risks, such as ["audience_unchecked"]')
export const warnOrRequire = oneOf([false, 'warn', 'require'], '"warn", "require" or false')
export const route = (example: string) => matching(/^\/[^?#:*]*$/, `the path of a route that begins with a slash and has no parameters, such as "${example}"`)

function isPem (value: unknown): boolean {
  return typeof value === 'string' || Buffer.isBuffer(value)
}

export function isStore (value: unknown): boolean {
  const { follow, publish, close } = (value ?? {}) as Partial<Record<keyof RevocationStore, unknown>>
  return [follow, publish, close].every((each) => typeof each === 'function')
}
