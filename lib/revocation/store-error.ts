import { reasonOf } from '../errors.js'

/** Codes of Redis: the first words of its error messages. */
const REDIS = new Set([
  'ASK', 'BUSY', 'CLUSTERDOWN', 'CROSSSLOT', 'DENIED', 'ERR', 'EXECABORT', 'IOERR', 'LOADING', 'MASTERDOWN', 'MISCONF', 'MOVED', 'NOAUTH',
  'NOPERM', 'NOPROTO', 'NOREPLICAS', 'NOSCRIPT', 'OOM', 'READONLY', 'TRYAGAIN', 'UNKILLABLE', 'WRONGPASS', 'WRONGTYPE'
])

/** The reason why a call of the store failed, for the log: a code, because the message may quote a secret. */
export function storeReasonOf (error: unknown): string {
  const message = (error as { message?: unknown } | null | undefined)?.message
  const [word = ''] = typeof message === 'string' ? message.split(' ', 1) : []
  return REDIS.has(word) ? word : reasonOf(error)
}
