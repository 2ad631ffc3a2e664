import type { ClaimFault, ExplainClaims } from './claims.js'
import { type JsonObject, member } from '../util/strict-json.js'
import type { ExplainHeader, HeaderFault } from './jws.js'
import { kindOf } from '../util/kind-of.js'
import { isRealmUrl } from '../options/realm-url.js'
import { shown } from '../util/shown.js'
import { INTROSPECT, isLightweight, LIGHTWEIGHT, otherKind, otherKindByHeader } from './token-kind.js'
import { wallSeconds } from '../util/clock.js'

export interface ReasonOptions {
  issuer: string
  audience: readonly string[] | null
  /** Are requests introspected? */
  verifyTokensWithKeycloak: boolean
  /** If signatures are not checked, nothing of a token is shown: anybody can have written it. */
  verifySignature: boolean
}

/** Why an access token is refused, in a sentence for an operator, which is made when somebody reads it. */
export interface TokenReasons {
  /** Of a token whose signature is good. */
  claims: ExplainClaims
  /** Of one that nobody has verified: fixed sentences alone. */
  header: ExplainHeader
}

/** Of a list, so many are shown. */
const MAX_LISTED = 5

/** Of a URL, in characters. */
const MAX_URL = 200

const OTHER_ISSUER = 'the token is of another issuer than the option issuer'

const NO_PROOF = 'and no proof of its key is checked here: have its client ask for it without DPoP and without a certificate'

const SYMMETRIC = 'secrets (HS256, HS384, HS512) sign what Keycloak alone reads, such as refresh tokens: send the access token'

/** Of algorithms that are known; what else stands there is not shown. */
const BY_ALGORITHM: ReadonlyMap<unknown, string> = new Map([
  ...['HS256', 'HS384', 'HS512'].map((alg) => [alg, SYMMETRIC] as const),
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'].map((alg) => [alg, `the token says ${alg}: add it to the option algorithms if this realm signs access tokens by it`] as const),
  ['none', 'the token says none, and so has no signature']
])

export function createTokenReasons (options: ReasonOptions): TokenReasons {
  return {
    claims: (fault, sentence, claims) => CLAIMS[fault](claims, sentence, options),
    header: (fault, sentence, header, payload) => otherKindByHeader(member(header, 'typ')) ?? stranger(payload, options) ?? HEADERS[fault](header, sentence)
  }
}

/** What a token that nobody has verified says of itself; an attacker gets one of these sentences into the log, no more. */
function stranger (payload: JsonObject | undefined, { issuer }: ReasonOptions): string | undefined {
  if (payload === undefined) return undefined
  const kind = otherKind(payload)
  if (kind !== undefined) return kind
  const iss = member(payload, 'iss')
  return iss === undefined || iss === issuer ? undefined : OTHER_ISSUER
}

const HEADERS: Readonly<Record<HeaderFault, (header: JsonObject, sentence: string) => string>> = {
  typ: (_header, sentence) => `${sentence}: an access token has JWT or at+jwt`,
  crit: (_header, sentence) => `${sentence}, and no extension is known here`,
  alg (header, sentence) {
    const why = BY_ALGORITHM.get(member(header, 'alg'))
    return why === undefined ? sentence : `${sentence}: ${why}`
  },
  kid: (_header, sentence) => sentence,
  key: (header, sentence) => member(header, 'kid') === undefined
    ? `${sentence}: the token names no key, and the realm has more than one for its algorithm, or none`
    : sentence,
  key_alg: (_header, sentence) => `${sentence}: the realm's key of that kid is for another algorithm than the token says, or for no signatures`
}

type Explain = (claims: JsonObject, sentence: string, options: ReasonOptions) => string

const CLAIMS: Readonly<Record<ClaimFault, Explain>> = {
  iat_missing: kindFirst,
  iat_future: (claims, sentence) => `${sentence}, by ${ahead(claims, 'iat')} s: set this machine's clock and Keycloak's by NTP, or raise leeway`,
  nbf_future: (claims, sentence) => `${sentence}, by ${ahead(claims, 'nbf')} s`,
  exp_missing: kindFirst,
  iss (claims, sentence, { issuer, verifySignature }) {
    const iss = member(claims, 'iss')
    if (iss === undefined) return 'iss is missing'
    const isShowable = verifySignature && typeof iss === 'string' && iss.length <= MAX_URL && isRealmUrl(iss)
    return `${sentence}: ${OTHER_ISSUER}${isShowable ? `, "${iss}" and not "${issuer}"` : ''}`
  },
  aud_missing (claims, _sentence, { audience, verifyTokensWithKeycloak }) {
    if (isLightweight(claims) && !verifyTokensWithKeycloak) return `${LIGHTWEIGHT}, without aud: ${INTROSPECT}`
    const from = verifyTokensWithKeycloak ? ' in the token and in what introspection answers' : ''
    return `aud is missing${from}: ${mend(audience)}`
  },
  aud_malformed (claims, sentence) {
    const aud = member(claims, 'aud')
    return `${sentence}, but ${Array.isArray(aud) ? `an array with ${kindOf(aud.find((each) => typeof each !== 'string'))} in it` : kindOf(aud)}`
  },
  aud_other (claims, sentence, { audience, verifySignature }) {
    const found = [member(claims, 'aud')].flat()
    return `${sentence}: ${verifySignature && found.length > 0 ? `it is ${list(found)}; ` : ''}${mend(audience)}`
  },
  typ (claims, sentence, { verifySignature }) {
    const kind = otherKind(claims)
    if (kind !== undefined) return kind
    if (member(claims, 'typ') === 'DPoP') return `the token is sender-constrained (DPoP), ${NO_PROOF}`
    const found = verifySignature ? shown(member(claims, 'typ')) : undefined
    return `${sentence}${found === undefined ? '' : ` but ${found}`}: the token is no access token`
  },
  cnf: (_claims, sentence) => `${sentence}, ${NO_PROOF}`
}

/** A token without a date can be one that never has it. */
function kindFirst (claims: JsonObject, sentence: string): string {
  return otherKind(claims) ?? sentence
}

function ahead (claims: JsonObject, name: string): number {
  return Math.max(Math.ceil(member(claims, name) as number - wallSeconds()), 1)
}

/** @param audience where none is asked for, none is missed */
function mend (audience: readonly string[] | null): string {
  const wanted = audience!.map((each) => `"${each}"`).join(' or ')
  return `add ${wanted}, the option audience, by an audience mapper in Keycloak`
}

/** Some of them, in quotes. */
function list (values: readonly unknown[]): string {
  const some = values.slice(0, MAX_LISTED).map((value) => shown(value) ?? 'one that cannot be shown')
  return some.join(', ') + (values.length > MAX_LISTED ? ', …' : '')
}
