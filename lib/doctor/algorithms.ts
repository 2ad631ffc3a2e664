import type { UnavailableError } from '../errors.js'
import type { KeySource } from '../keys/key-source.js'
import type { RealmSettings } from '../options/options.js'
import { TEST_KEYS } from '../keys/test-keys.js'
import type { KeycloakReasonCode } from '../reasons/reason.js'
import type { Finding } from './finding.js'
import { explainRefusal } from './refusal.js'

/** Check that the realm has a key for one of the accepted algorithms. */
export async function checkAlgorithms (keys: KeySource, settings: RealmSettings): Promise<Finding | undefined> {
  const { algorithms, baseUrl } = settings
  let available: ReadonlySet<string>
  try {
    available = await keys.algorithms()
  } catch (error) {
    const { reason, reasonCode, failureKind, responseStatus } = error as UnavailableError
    const sentence = `the keys of ${baseUrl} cannot be fetched (${reason}): ${cureOf(reasonCode)}`
    const refused = explainRefusal(reasonCode, responseStatus, settings)
    return { check: 'keys', sentence, ...refused, reason, reasonCode, certain: true, away: failureKind !== 'bad-response' }
  }
  if (available.size === 0) return { check: 'keys', sentence: `the realm at ${baseUrl} has no keys except those ${TEST_KEYS}`, certain: true }
  if (algorithms.some((each) => available.has(each))) return undefined
  const has = [...available].map((each) => `'${each}'`)
  return {
    check: 'algorithms',
    sentence: `the realm has no key for ${algorithms.join(' or ')}, so every token would be 401 token_not_valid; it has keys for ${[...available].join(', ')}: write algorithms: [${has.join(', ')}]`,
    certain: true
  }
}

function cureOf (reasonCode: KeycloakReasonCode): string {
  if (reasonCode === 'body_too_long') return 'raise limits.keySetBytes'
  if (reasonCode === 'key_set_empty') return 'give the realm an active key provider for signatures, in its settings under Keys'
  return 'check whether a proxy blocks /protocol/openid-connect/certs'
}
