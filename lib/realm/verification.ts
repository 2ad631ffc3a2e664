import type { KeySource } from '../keys/key-source.js'
import type { PluginSettings, RealmSettings } from '../options/options.js'
import { AlgorithmAdvice } from '../token/algorithm-advice.js'
import type { ExpectedClaims } from '../token/claims.js'
import type { ConfirmationMethods } from '../token/confirmation.js'
import { ACCESS_TOKEN, AT_JWT, type JwsRules } from '../token/jws.js'
import { createRestrictions } from '../token/restrictions.js'
import { createTokenReasons } from '../token/token-reasons.js'
import type { IdentityOwner } from '../token/identity.js'
import { createUnsignedVerify, type FromKept, TokenVerifier, type Verify } from '../token/verifier.js'
import type { SharedByRealms } from './shared.js'

/**
 * The claims that a token of the realm must have.
 * @param audienceOptional before introspection
 * @param confirmation the ways in which bound tokens are checked
 */
export function expectedClaimsOf (settings: RealmSettings, audienceOptional: boolean, confirmation: ConfirmationMethods): ExpectedClaims {
  return {
    issuer: settings.issuer,
    audience: settings.audience && new Set(settings.audience),
    leeway: settings.leeway,
    audienceOptional,
    confirmation,
    restrictions: createRestrictions(settings, !audienceOptional),
    explain: createTokenReasons(settings).claims
  }
}

/** The form that an access token of the realm must have. */
export function jwsRulesOf (settings: RealmSettings, limits: PluginSettings['limits']): JwsRules {
  return {
    algorithms: new Set<string>(settings.algorithms),
    types: settings.tokenType === undefined ? ACCESS_TOKEN : AT_JWT,
    typeOptional: settings.tokenType === undefined,
    maxLength: limits.tokenLength,
    maxDepth: limits.jsonDepth,
    onOtherAlgorithm: undefined,
    explain: createTokenReasons(settings).header
  }
}

/** The functions that verify the realm's access tokens. */
export function createVerification (owner: IdentityOwner, settings: RealmSettings, keys: KeySource, { tokens, limits, startLog, confirmation }: SharedByRealms): { verify: Verify, fromKept: FromKept | undefined } {
  const expected = expectedClaimsOf(settings, settings.verifyTokensWithKeycloak, confirmation)
  const rules = jwsRulesOf(settings, limits)
  if (!settings.verifySignature) return { verify: createUnsignedVerify({ owner, expected, jws: rules }), fromKept: undefined }
  const advice = new AlgorithmAdvice({ keys, issuer: settings.issuer, jws: rules, log: startLog })
  const jws: JwsRules = { ...rules, onOtherAlgorithm: (token, header) => advice.consider(token, header) }
  return new TokenVerifier({ owner, expected, jws, keys, cache: tokens })
}
