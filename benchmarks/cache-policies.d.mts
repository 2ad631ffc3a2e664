import type { CacheEntry } from '../lib/token/token-cache.js'

export interface Policy {
  find: (header: string) => CacheEntry | undefined
  keep: (entry: CacheEntry) => void
}

/** By name. */
export const POLICIES: Readonly<Record<string, (max: number) => Policy>>

export function slotOf (text: string): number
