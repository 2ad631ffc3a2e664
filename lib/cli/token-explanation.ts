import type { AccessTokenClaims } from '../../types/user.js'
import type { Guard } from '../access/route-guard.js'
import { isRefusal, type KeycloakError, notValid } from '../errors.js'
import type { RealmSettings } from '../options/options.js'
import type { Realm } from '../realm/realm.js'
import { expectedClaimsOf, jwsRulesOf } from '../realm/verification.js'
import type { Credentials } from '../token/credentials.js'
import { identityOf, type Identity, type IdentityOwner } from '../token/identity.js'
import { createUnverifiedIssuer } from '../token/unverified-issuer.js'
import { type StepName, type Steps, STEPS, verificationSteps } from '../token/verification-steps.js'
import { accessRefusal } from './access-checks.js'
import { type Check, CheckList } from './check.js'
import type { OpenRealm, OpenRealms } from './open-realms.js'
import { tokenEndpointError } from './token-endpoint-error.js'
import { factsOf, type TokenFacts } from './token-facts.js'
import { credentialsOf, type GivenCredentials, type TokenInput } from './token-input.js'

/** The answer that a request with the token gets. */
export interface Answer {
  statusCode: number
  /** The code of the body, and its reason; absent if the request passes. */
  code?: string
  reasonCode?: string
}

/** A token, and what the API says to it. */
export interface TokenReport {
  source: TokenInput['source']
  /** The realm that has to verify it; `null` if it is of none. */
  issuer: string | null
  /** Did the realm sign it? If not, anybody may have written the facts. */
  signed: boolean
  facts: TokenFacts | null
  answer: Answer
}

export interface Explanation {
  checks: Check[]
  token: TokenReport
}

/** Explains each check of a token, in the order of the plugin. */
export async function explainToken ({ source, text }: TokenInput, open: OpenRealms, guard: Guard): Promise<Explanation> {
  const list = new CheckList({ subject: 'token' })
  let credentials: GivenCredentials
  let picked: OpenRealm
  const endpointError = tokenEndpointError(text)
  if (endpointError !== undefined) {
    list.add('authorization', 'failed', { code: 'token_endpoint_error', message: endpointError })
    return withoutToken(list, notValid('token_malformed'), source, null)
  }
  try {
    credentials = credentialsOf(text)
  } catch (error) {
    return refusedEarly(list, 'authorization', error as KeycloakError, source, null)
  }
  const facts = factsOf(credentials.token, jwsRulesOf(open.realms[0]!.settings, open.shared.limits)) ?? null
  try {
    picked = pick(credentials.token, open)
  } catch (error) {
    return refusedEarly(list, 'issuers', error as KeycloakError, source, facts)
  }
  if (open.realms.length > 1) list.add('issuers', 'passed', { message: `the token is of ${picked.settings.issuer}` })
  const { signed, answer } = await explainWith(picked, open, { list, guard, credentials })
  return { checks: list.checks, token: { source, issuer: picked.settings.issuer, signed, facts, answer } }
}

function refusedEarly (list: CheckList, check: Check['check'], error: KeycloakError, source: TokenInput['source'], facts: TokenFacts | null): Explanation {
  list.addRefusal(check, error)
  return withoutToken(list, error, source, facts)
}

/** There is no token that a realm could verify. */
function withoutToken (list: CheckList, error: KeycloakError, source: TokenInput['source'], facts: TokenFacts | null): Explanation {
  return { checks: list.checks, token: { source, issuer: null, signed: false, facts, answer: answerOf(error) } }
}

/**
 * The realm that has to verify a token: of several, the one that its unverified `iss` names.
 * @throws {KeycloakError} token_not_valid
 */
function pick (token: string, { realms, shared }: OpenRealms): OpenRealm {
  if (realms.length === 1) return realms[0]!
  const iss = createUnverifiedIssuer(shared.limits)(token)
  const picked = realms.find(({ settings }) => settings.issuer === iss)
  if (picked === undefined) throw notValid('issuer_unknown')
  return picked
}

interface Task {
  list: CheckList
  guard: Guard
  credentials: GivenCredentials
}

async function explainWith ({ settings, realm }: OpenRealm, { shared, required }: OpenRealms, { list, guard, credentials }: Task): Promise<{ signed: boolean, answer: Answer }> {
  const { token, scheme = 'Bearer' } = credentials
  const steps = await verificationSteps(token, {
    rules: jwsRulesOf(settings, shared.limits),
    expected: expectedClaimsOf(settings, settings.verifyTokensWithKeycloak, shared.confirmation),
    keys: realm.check.context.keys!
  })
  addSteps(list, steps)
  // The decision of the plugin itself, with introspection. A token whose key is unknown would only make it fetch the keys again.
  const decided = steps.claims === undefined ? steps.made.at(-1)!.error! : await decisionOf(realm, { token, scheme })
  if (settings.verifyTokensWithKeycloak) addIntrospection(list, steps, decided)
  const identity = isRefusal(decided) ? identityAfter(steps, settings, realm) : decided
  const refusal = identity === undefined ? undefined : accessRefusal({ list, guard, credentials, identity, realm, settings, required })
  return { signed: steps.claims !== undefined, answer: answerOf(isRefusal(decided) ? decided : refusal) }
}

async function decisionOf (realm: Realm, credentials: Credentials): Promise<Identity | KeycloakError> {
  try {
    return await realm.identify(credentials)
  } catch (error) {
    return error as KeycloakError
  }
}

function addSteps (list: CheckList, { made }: Steps): void {
  for (const name of STEPS) {
    const step = made.find((each) => each.name === name)
    if (step === undefined) list.add(name, 'skipped')
    else list.addRefusal(name, step.error)
  }
}

function addIntrospection (list: CheckList, steps: Steps, decided: Identity | KeycloakError): void {
  if (isRefused(steps)) return list.add('introspection', 'skipped')
  list.addRefusal('introspection', isRefusal(decided) ? decided : undefined)
}

function isRefused ({ made }: Steps): boolean {
  return made.some(({ error }) => error !== undefined)
}

/** The steps after whose refusal the claims still tell who the caller is and what they may do. */
const HARMLESS: ReadonlySet<StepName> = new Set(['iat', 'nbf', 'exp', 'iss', 'aud', 'restrictions'])

/** The identity of a refused token that the realm signed, so that one report names what is wrong with its rights too. */
function identityAfter ({ made, claims }: Steps, { verifyTokensWithKeycloak }: RealmSettings, owner: IdentityOwner): Identity | undefined {
  if (claims === undefined || verifyTokensWithKeycloak) return undefined
  return made.every(({ name, error }) => error === undefined || HARMLESS.has(name)) ? identityOf(claims as AccessTokenClaims, owner, undefined) : undefined
}

function answerOf (refusal: KeycloakError | undefined): Answer {
  return refusal === undefined ? { statusCode: 200 } : { statusCode: refusal.statusCode, code: refusal.code, reasonCode: refusal.reasonCode }
}
