import type { RealmSettings } from './options.js'

/** An option whose number may have been written in another unit. */
interface Suspect {
  option: string
  value: number | undefined
  unit: 'milliseconds' | 'seconds'
  /** The implausible range, without its ends. */
  between: readonly [number, number]
}

/** Times are in milliseconds, except those that are compared with the dates of a token, which are in seconds. */
function suspects ({ jwks, introspection, outbound, leeway, maxTokenAge, revocation }: RealmSettings): Suspect[] {
  const milliseconds = (option: string, value: number, most: number): Suspect => ({ option, value, unit: 'milliseconds', between: [0, most] })
  return [
    milliseconds('jwks.maxAge', jwks.maxAge, 4000),
    milliseconds('jwks.maxStale', jwks.maxStale, 4000),
    milliseconds('jwks.timeout', jwks.timeout, 61),
    milliseconds('jwks.cooldown', jwks.cooldown, 61),
    milliseconds('introspection.timeout', introspection.timeout, 61),
    milliseconds('introspection.cacheTtl', introspection.cacheTtl, 61),
    milliseconds('outbound.timeout', outbound.timeout, 61),
    { option: 'leeway', value: leeway, unit: 'seconds', between: [300, Infinity] },
    { option: 'maxTokenAge', value: maxTokenAge, unit: 'seconds', between: [86_400, Infinity] },
    { option: 'revocation.maxTokenLifetime', value: revocation?.maxTokenLifetime, unit: 'seconds', between: [30 * 86_400, Infinity] }
  ]
}

/** An option whose number is probably in another unit, and the sentence about it. */
export interface SuspiciousUnit {
  option: string
  sentence: string
}

/** The options that seem to be seconds instead of milliseconds, or milliseconds instead of seconds. */
export function suspiciousUnits (settings: RealmSettings): SuspiciousUnit[] {
  return suspects(settings)
    .filter(({ value, between: [least, most] }) => value !== undefined && value > least && value < most)
    .map(({ option, value, unit }) => ({
      option,
      sentence: `${option} is ${value}, and is in ${unit}: ${unit === 'seconds' ? `that is ${inWords(value!)}, write ${value! / 1000} if milliseconds were meant` : `write ${value! * 1000} if seconds were meant`}`
    }))
}

function inWords (seconds: number): string {
  return seconds >= 86_400 ? `${Math.round(seconds / 86_400)} days` : `${Math.round(seconds / 60)} minutes`
}
