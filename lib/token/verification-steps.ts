import type { KeycloakError } from '../errors.js'
import type { KeySource } from '../keys/key-source.js'
import { wallSeconds } from '../util/clock.js'
import type { JsonObject } from '../util/strict-json.js'
import { CLAIM_CHECKS, type ExpectedClaims } from './claims.js'
import { HEADER_CHECKS, headerFault, type Jws, type JwsRules, openJws, readHeader, splitJws } from './jws.js'
import { withoutKey } from './missing-key.js'
import { createPayloadFromVerifier } from './payload-from-verifier.js'

/** The steps of a verification, in the order of the plugin. */
export const STEPS = ['form', ...keysOf(HEADER_CHECKS, 'header_'), 'key', 'signature', 'payload', ...keysOf(CLAIM_CHECKS, '')] as const

/** The name of a step. */
export type StepName = typeof STEPS[number]

/** One check of a token. */
export interface Step {
  readonly name: StepName
  /** The refusal; `undefined` if the token has passed. */
  readonly error: KeycloakError | undefined
}

export interface Steps {
  /** Those that were made: the others need what a step before them was refused. */
  readonly made: readonly Step[]
  /** The claims, if the realm signed them. */
  readonly claims: JsonObject | undefined
}

/** The parts of a verification; those of the plugin's own verifier. */
export interface VerificationParts {
  rules: JwsRules
  expected: ExpectedClaims
  keys: Pick<KeySource, 'lookup' | 'usableSet'>
}

/**
 * Verifies a token step by step, by the checks of the plugin's verifier, which ends at the first refusal and tells no step
 * from another. Here the checks of claims go on after a refusal, so that an expired token shows its wrong audience too.
 */
export async function verificationSteps (token: string, parts: VerificationParts): Promise<Steps> {
  const made: Step[] = []
  const header = await step(made, 'form', () => readHeader(splitJws(token, parts.rules).header, parts.rules))
  if (header === undefined || !checkHeader(made, token, header, parts.rules)) return { made, claims: undefined }
  const claims = await signedClaims(made, token, parts)
  if (claims !== undefined) await checkClaims(made, claims, parts.expected)
  return { made, claims }
}

/** @returns whether all checks of the header have passed */
function checkHeader (made: Step[], token: string, header: JsonObject, rules: JwsRules): boolean {
  for (const [name, check] of Object.entries(HEADER_CHECKS)) {
    const fault = check(header, rules)
    const error = fault && headerFault(() => fault, header, () => splitJws(token, rules).payload, rules)
    made.push({ name: `header_${name as keyof typeof HEADER_CHECKS}`, error })
    if (error !== undefined) return false
  }
  return true
}

/** The claims of a token whose header is good; `undefined` if its signature is not. */
async function signedClaims (made: Step[], token: string, { rules, keys }: VerificationParts): Promise<JsonObject | undefined> {
  let jws: Jws
  try {
    jws = openJws(token, rules)
  } catch (error) {
    made.push({ name: 'signature', error: error as KeycloakError })
    return undefined
  }
  const { header } = jws
  const key = await step(made, 'key', () => keys.lookup(header.kid, header.alg).catch((error) => { throw withoutKey(error, token, header, keys, rules) }))
  if (key === undefined) return undefined
  const read = await step(made, 'signature', async () => ({ payload: await key.verify(token) }))
  return read && step(made, 'payload', () => createPayloadFromVerifier(rules)(jws, read.payload))
}

/** A token of another kind has another audience too, and is bound in another way: its type is the last step. */
async function checkClaims (made: Step[], claims: JsonObject, expected: ExpectedClaims): Promise<void> {
  const now = wallSeconds()
  for (const [name, check] of Object.entries(CLAIM_CHECKS)) {
    await step(made, name as keyof typeof CLAIM_CHECKS, () => { check(claims, expected, now) })
    if (name === 'typ' && made.at(-1)!.error !== undefined) return
  }
}

/** Makes a step, and notes it. */
async function step<Result> (made: Step[], name: StepName, check: () => Result | Promise<Result>): Promise<Result | undefined> {
  try {
    const result = await check()
    made.push({ name, error: undefined })
    return result
  } catch (error) {
    made.push({ name, error: error as KeycloakError })
    return undefined
  }
}

function keysOf<Name extends string, Prefix extends string> (checks: Readonly<Record<Name, unknown>>, prefix: Prefix): Array<`${Prefix}${Name}`> {
  return Object.keys(checks).map((name) => `${prefix}${name as Name}` as const)
}
