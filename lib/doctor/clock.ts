import type { RealmSettings } from '../options/options.js'
import type { Discovered } from './discovery.js'
import type { Finding } from './finding.js'

/** Seconds beyond the leeway that are no finding: a Date header is one or two seconds old. */
const GRACE = 2

/** The longest leeway that the sentence advises, in seconds. A larger difference needs a correct clock. */
const MOST_LEEWAY = 60

/** RFC 9110 section 5.6.7, the form that servers write. */
const DATE = /^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/

/**
 * Compares the Date header of the answer with this machine's clock. Keycloak itself sends no Date (26.7), but a proxy before
 * it does. The header has whole seconds and was written at some moment of the call, so only a certain difference counts.
 */
export function checkClock ({ headers, asked, answered }: Discovered, { leeway }: RealmSettings): Finding | undefined {
  // RFC 9111 section 5.1: an answer from a cache has the date of another time.
  if (typeof headers.date !== 'string' || !DATE.test(headers.date) || headers.age !== undefined) return undefined
  const date = Date.parse(headers.date)
  const ahead = Math.floor((date - answered) / 1000)
  const behind = Math.floor((asked - date) / 1000) - 1
  const most = leeway + GRACE
  if (ahead > most) return finding(ahead, 'behind', 'new tokens count as issued in the future and are refused that long')
  return behind > most ? finding(behind, 'ahead of', 'tokens expire that much early') : undefined
}

function finding (seconds: number, direction: string, harm: string): Finding {
  const orLeeway = seconds < MOST_LEEWAY ? `, or write leeway: ${seconds + 1}` : ''
  return {
    check: 'clock',
    sentence: `this machine's clock is ${seconds} s ${direction} Keycloak's (by the Date header of its answer): ${harm}; set both clocks by NTP${orLeeway}`,
    certain: true
  }
}
