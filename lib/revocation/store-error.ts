import { reasonOf } from '../errors.js'

/** The first words of errors that Redis sends, which are their codes. Of other messages nothing is kept. */
const REDIS = new Set([
  'ASK', 'BUSY', 'CLUSTERDOWN', 'CROSSSLOT', 'DENIED', 'ERR', 'EXECABORT', 'IOERR', 'LOADING', 'MASTERDOWN', 'MISCONF', 'MOVED', 'NOAUTH',
  'NOPERM', 'NOPROTO', 'NOREPLICAS', 'NOSCRIPT', 'OOM', 'READONLY', 'TRYAGAIN', 'UNKILLABLE', 'WRONGPASS', 'WRONGTYPE'
])

/** Why a call of the store failed, for the log: a code, never what a foreign error says. */
export function storeReasonOf (error: unknown): string {
  const message = (error as { message?: unknown } | null | undefined)?.message
  const [word = ''] = typeof message === 'string' ? message.split(' ', 1) : []
  return REDIS.has(word) ? word : reasonOf(error)
}
