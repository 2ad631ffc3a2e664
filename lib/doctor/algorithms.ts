import type { UnavailableError } from '../errors.js'
import type { Keys } from '../keys.js'
import type { Settings } from '../options.js'
import { TEST_KEYS } from '../test-keys.js'
import type { Finding } from './finding.js'

/** Does the realm have a key for any of the algorithms that are accepted? */
export async function checkAlgorithms (keys: Keys, { algorithms, baseUrl }: Settings): Promise<Finding | undefined> {
  let available: ReadonlySet<string>
  try {
    available = await keys.algorithms()
  } catch (error) {
    const { reason, outage } = error as UnavailableError
    return { check: 'keys', sentence: `the keys of ${baseUrl} cannot be had (${reason})${mend(reason)}`, reason, certain: true, away: outage !== 'answer' }
  }
  if (available.size === 0) return { check: 'keys', sentence: `the realm at ${baseUrl} has no keys but those ${TEST_KEYS}`, certain: true }
  if (algorithms.some((each) => available.has(each))) return undefined
  const has = [...available].map((each) => `'${each}'`)
  return {
    check: 'algorithms',
    sentence: `the realm has no key for ${algorithms.join(' or ')}, so every token would be 401 token_not_valid; it has keys for ${[...available].join(', ')}: write algorithms: [${has.join(', ')}]`,
    certain: true
  }
}

function mend (reason: string): string {
  if (reason.startsWith('a body of more')) return ': raise limits.keySetBytes'
  if (reason.includes('without a signing key')) return ': give the realm an active key provider for signatures, in its settings under Keys'
  return ': is a proxy in the way that blocks /protocol/openid-connect/certs?'
}
