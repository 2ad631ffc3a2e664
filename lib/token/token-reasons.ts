import type { ClaimFault, ExplainClaims } from './claims.js'
import { type JsonObject, member } from '../util/strict-json.js'
import type { ExplainHeader, HeaderFault } from './jws.js'
import { kindOf } from '../util/kind-of.js'
import { isRealmUrl } from '../options/realm-url.js'
import { plainReason, type Reason, reasonFor } from '../reasons/reason.js'
import { wallSeconds } from '../util/clock.js'
import { listed, shown } from '../util/shown.js'
import { isLightweight, otherKind, otherKindByHeader } from './token-kind.js'

export interface ReasonOptions {
  issuer: string
  audience: readonly string[] | null
  /** The `typ` that the header must have. */
  tokenType?: 'at+jwt' | undefined
  /** Are requests introspected? */
  verifyTokensWithKeycloak: boolean
  /** Without a check of signatures a reason shows no value of the token: anybody can have written it. */
  verifySignature: boolean
}

/** The reason for the refusal of an access token, made when somebody reads it. */
export interface TokenReasons {
  /** Of a token whose signature is good. */
  claims: ExplainClaims
  /** Of a token that nobody has verified, so that no value of it is shown. */
  header: ExplainHeader
}

/** The longest URL that is shown, in characters. */
const MAX_URL = 200

/** By the algorithm of a token, if it is a known one; any other is not shown. */
const BY_ALGORITHM: ReadonlyMap<unknown, Reason> = new Map([
  ...['HS256', 'HS384', 'HS512'].map((alg) => [alg, plainReason('alg_symmetric')] as const),
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'].map((alg) => [alg, reasonFor('alg_not_allowed', { alg })] as const),
  ['none', plainReason('alg_none')]
])

export function createTokenReasons (options: ReasonOptions): TokenReasons {
  return {
    claims: (fault, claims) => CLAIMS[fault](claims, options),
    header: (fault, header, payload) => otherKindByHeader(member(header, 'typ')) ?? unverified(payload, options) ?? ofHeader(fault, header, options)
  }
}

/** The kind or the issuer that a token claims to have. Nobody has verified it, so an attacker gets a fixed sentence into the log, no more. */
function unverified (payload: JsonObject | undefined, { issuer }: ReasonOptions): Reason | undefined {
  if (payload === undefined) return undefined
  const kind = otherKind(payload)
  if (kind !== undefined) return kind
  const iss = member(payload, 'iss')
  return iss === undefined || iss === issuer ? undefined : plainReason('issuer_other')
}

function ofHeader (fault: HeaderFault, header: JsonObject, { tokenType }: ReasonOptions): Reason {
  if (fault === 'typ_not_allowed' && tokenType !== undefined) return plainReason('at_jwt_required')
  if (fault === 'alg_unknown') return BY_ALGORITHM.get(member(header, 'alg')) ?? plainReason(fault)
  if (fault === 'kid_unknown' && member(header, 'kid') === undefined) return plainReason('kid_missing')
  return plainReason(fault)
}

type Explain = (claims: JsonObject, options: ReasonOptions) => Reason

const CLAIMS: Readonly<Record<ClaimFault, Explain>> = {
  iat_missing: (claims) => otherKind(claims) ?? plainReason('iat_missing'),
  iat_future: (claims) => reasonFor('iat_future', { seconds: secondsAhead(claims, 'iat') }),
  nbf_future: (claims) => reasonFor('nbf_future', { seconds: secondsAhead(claims, 'nbf') }),
  exp_missing: (claims) => otherKind(claims) ?? plainReason('exp_missing'),
  iss_mismatch (claims, { issuer, verifySignature }) {
    const iss = member(claims, 'iss')
    if (iss === undefined) return plainReason('iss_missing')
    return issuerMismatch(verifySignature ? iss : undefined, issuer)
  },
  aud_missing (claims, { audience, verifyTokensWithKeycloak }) {
    if (isLightweight(claims) && !verifyTokensWithKeycloak) return plainReason('lightweight')
    const where = verifyTokensWithKeycloak ? 'in the token and in what introspection answers' : undefined
    return reasonFor('aud_missing', { where, wanted: wanted(audience) })
  },
  aud_malformed (claims) {
    const aud = member(claims, 'aud')
    const kind = Array.isArray(aud) ? `an array with ${kindOf(aud.find((each) => typeof each !== 'string'))} in it` : kindOf(aud)
    return reasonFor('aud_malformed', { kind })
  },
  aud_mismatch (claims, { audience, verifySignature }) {
    const aud = verifySignature ? listed([member(claims, 'aud')].flat()) : undefined
    return reasonFor('aud_mismatch', { aud, audience: `[${quoted(audience).join(', ')}]`, wanted: wanted(audience) })
  },
  typ_mismatch (claims, { verifySignature }) {
    const kind = otherKind(claims)
    if (kind !== undefined) return kind
    if (member(claims, 'typ') === 'DPoP') return plainReason('dpop_bound')
    return reasonFor('typ_mismatch', { typ: verifySignature ? shown(member(claims, 'typ')) : undefined })
  },
  sender_constrained: () => plainReason('sender_constrained'),
  cnf_malformed: () => plainReason('cnf_malformed'),
  cnf_method_unknown: () => plainReason('cnf_method_unknown'),
  dpop_typ_unbound: () => plainReason('dpop_typ_unbound')
}

/** @param iss of a token that the realm of this issuer signed; `undefined` if it must not be shown */
export function issuerMismatch (iss: unknown, issuer: string): Reason {
  const isShowable = typeof iss === 'string' && iss.length <= MAX_URL && isRealmUrl(iss)
  return reasonFor('iss_mismatch', isShowable ? { iss: `"${iss}"`, issuer: `"${issuer}"` } : {})
}

function secondsAhead (claims: JsonObject, name: string): number {
  return Math.max(Math.ceil(member(claims, name) as number - wallSeconds()), 1)
}

function wanted (audience: readonly string[] | null): string {
  return quoted(audience).join(' or ')
}

/** @param audience never `null`: without one no token lacks it */
function quoted (audience: readonly string[] | null): string[] {
  return audience!.map((each) => `"${each}"`)
}
