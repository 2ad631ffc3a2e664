// What was to be reached, and whether it is.
import { table } from './tables.js'

interface Target {
  what: string
  /** Which value it is about. */
  value: string
  least?: number
  most?: number
  show: (value: number) => string
}

/** drf-keycloak on gunicorn, one worker, one hot token: measured once, on a machine like this. */
export const DRF_KEYCLOAK = 1304

const ratio = (value: number): string => value.toFixed(2)
const times = (value: number): string => value.toFixed(1)

const TARGETS: readonly Target[] = [
  { what: 'one hot token, against a bare Fastify route with the same headers sent', value: 'ours/bare', least: 0.95, show: ratio },
  { what: '1,000 tokens in turn, same base', value: 'ours-1000/bare-1000', least: 0.85, show: ratio },
  { what: '100,000 distinct tokens over a cache of 1,000, against a route that does only `crypto.verify`', value: 'ours-100k/verify-100k', least: 0.72, show: ratio },
  { what: 'the same, against jose\'s `jwtVerify` in a hook', value: 'ours-100k/jose-100k', least: 1.2, show: ratio },
  { what: 'hot, against @fastify/jwt + get-jwks with its cache on', value: 'ours/fastify-jwt-cache', least: 4.5, show: times },
  { what: 'introspection each request, against a bare route that makes the same undici call', value: 'ours-introspection/bare-call', least: 0.9, show: ratio },
  { what: 'introspection with `cacheTtl`, hot, against bare', value: 'ours-ttl/bare', least: 0.9, show: ratio },
  { what: `hot, against drf-keycloak on gunicorn, one worker (${DRF_KEYCLOAK.toLocaleString('en')} requests/s, measured once)`, value: 'ours/drf-keycloak', least: 40, show: times },
  { what: 'resident memory of a full cache of 10,000 tokens, over an empty one', value: 'memory', most: 100, show: megabytes },
  { what: 'the same after 200,000 further tokens', value: 'memoryFurther', most: 100, show: megabytes },
  { what: 'start: import to listening, over bare Fastify', value: 'start', most: 100, show: (value) => `${value.toFixed(0)} ms` }
]

/** The ratios that targets are about, by name: `ours/bare`. */
export const RATIOS = TARGETS.map(({ value }) => value.split('/')).filter(([of, to]) => to !== undefined && to !== 'drf-keycloak' && of !== undefined) as Array<[string, string]>

export function targetsTable (values: Readonly<Record<string, number>>): string {
  return table(['target', 'wanted', 'measured', ''], TARGETS.map(({ what, value: name, least, most, show }) => {
    const value = values[name]
    const wanted = least === undefined ? `under ${show(most!)}` : `at least ${show(least)}`
    if (value === undefined) return [what, wanted, '', 'not measured']
    const reached = least === undefined ? value < most! : value >= least
    return [what, wanted, show(value), reached ? 'reached' : 'NOT reached']
  }))
}

function megabytes (value: number): string {
  return `${value.toFixed(0)} MB`
}
