// Policies for the token that a full cache drops, for the simulation (token-cache.ts) and for servers (populations.ts). All of them find
// an entry by a number of 32 bits made of the signature, and compare the whole header. A policy is a function of the largest number of
// entries.
import { LRUCache } from 'lru-cache'
import { FrequencySketch } from './frequency-sketch.mjs'

/** Entries that a sampled LRU compares. */
const SAMPLE = 5

/** The share of W-TinyLFU's window, and the share of the rest that is protected. */
const WINDOW = 0.01
const PROTECTED = 0.8

export const POLICIES = {
  SIEVE: (max) => {
    const sieve = new Sieve(max)
    return { find: (header) => sieve.find(header), keep: (entry) => sieve.keep(entry) }
  },
  'first in, first out': (max) => mapPolicy(max, () => {}, dropOldest),
  'second chance (CLOCK)': (max) => mapPolicy(max, mark, secondChance),
  'LRU by a Map': (max) => mapPolicy(max, (entry, slot, entries) => {
    entries.delete(slot)
    entries.set(slot, entry)
  }, dropOldest),
  [`LRU of ${SAMPLE} at random`]: sampledLru,
  'lru-cache': (max) => {
    const cache = new LRUCache({ max })
    return { find: (header) => same(cache.get(slotOf(header)), header), keep: (entry) => { cache.set(slotOf(entry.credentials), entry) } }
  },
  'W-TinyLFU': tinyLfu,
  'SIEVE, TinyLFU admission': (max) => {
    const sieve = new Sieve(max)
    const sketch = new FrequencySketch(max)
    return {
      find (header) {
        sketch.add(slotOf(header))
        return sieve.find(header)
      },
      keep (entry) {
        const often = sketch.count(slotOf(entry.credentials))
        sieve.keep(entry, (victim) => often > sketch.count(slotOf(victim.credentials)))
      }
    }
  }
}

/** The slot of a header, as in lib/token/token-cache.ts. */
export function slotOf (text) {
  let slot = 0
  for (let at = text.length - 9; at < text.length - 1; at++) slot = (Math.imul(slot, 31) + text.charCodeAt(at)) | 0
  return slot
}

function mapPolicy (max, use, drop) {
  const entries = new Map()
  return {
    find (header) {
      const slot = slotOf(header)
      const entry = same(entries.get(slot), header)
      if (entry !== undefined) use(entry, slot, entries)
      return entry
    },
    keep (entry) {
      if (entries.size >= max) drop(entries)
      entries.set(slotOf(entry.credentials), entry)
    }
  }
}

function same (entry, header) {
  return entry !== undefined && entry.credentials === header ? entry : undefined
}

function mark (entry) {
  if (!entry.isUsed) entry.isUsed = true
}

function dropOldest (entries) {
  entries.delete(entries.keys().next().value)
}

/** Puts an entry that was used behind the newest instead of dropping it. */
function secondChance (entries) {
  for (const [slot, entry] of entries) {
    entries.delete(slot)
    if (!entry.isUsed) return
    entry.isUsed = false
    entries.set(slot, entry)
  }
}

/** Leaves an entry that was used in its place, and goes on from there the next time (Zhang et al., NSDI 2024). */
class Sieve {
  #max
  #entries = new Map()
  #hand
  #newest

  constructor (max) {
    this.#max = max
  }

  find (header) {
    const entry = same(this.#entries.get(slotOf(header)), header)
    if (entry !== undefined) mark(entry)
    return entry
  }

  /** @param isAdmitted whether the new entry may take the place of this one */
  keep (entry, isAdmitted = () => true) {
    if (this.#entries.size >= this.#max) {
      const victim = this.#victim()
      if (!isAdmitted(victim)) return
      this.#entries.delete(slotOf(victim.credentials))
    }
    this.#entries.set(slotOf(entry.credentials), entry)
    this.#newest = entry
  }

  #victim () {
    for (;;) {
      this.#hand ??= this.#entries.values()
      const { value: entry } = this.#hand.next()
      if (entry === undefined || entry === this.#newest) this.#hand = undefined
      if (entry === undefined) continue
      if (!entry.isUsed) return entry
      entry.isUsed = false
    }
  }
}

/** Drops the least recently used of some entries at random (as Redis does). */
function sampledLru (max) {
  const nodes = new Map()
  const list = []
  let clock = 0
  return {
    find (header) {
      const node = nodes.get(slotOf(header))
      if (node === undefined || node.entry.credentials !== header) return undefined
      node.usedAt = ++clock
      return node.entry
    },
    keep (entry) {
      const node = { entry, usedAt: ++clock }
      if (list.length < max) list.push(node)
      else {
        let victim = Math.floor(Math.random() * max)
        for (let times = 1; times < SAMPLE; times++) {
          const other = Math.floor(Math.random() * max)
          if (list[other].usedAt < list[victim].usedAt) victim = other
        }
        nodes.delete(slotOf(list[victim].entry.credentials))
        list[victim] = node
      }
      nodes.set(slotOf(entry.credentials), node)
    }
  }
}

/** A small window of new entries; who leaves it has to be more frequent than the one that would have to go (Einziger et al., 2017). */
function tinyLfu (max) {
  const ofWindow = Math.max(1, Math.round(max * WINDOW))
  const ofProtected = Math.round((max - ofWindow) * PROTECTED)
  const [window, probation, protectedOnes] = [ofWindow, max, ofProtected].map((size) => new LRUCache({ max: size + 1 }))
  const sketch = new FrequencySketch(max)
  return {
    find (header) {
      const slot = slotOf(header)
      sketch.add(slot)
      const entry = same(window.get(slot) ?? protectedOnes.get(slot), header)
      if (entry !== undefined) return entry
      const promoted = same(probation.get(slot), header)
      if (promoted === undefined) return undefined
      probation.delete(slot)
      protectedOnes.set(slot, promoted)
      if (protectedOnes.size > ofProtected) move(protectedOnes, probation)
      return promoted
    },
    keep (entry) {
      window.set(slotOf(entry.credentials), entry)
      if (window.size <= ofWindow) return
      if (probation.size + protectedOnes.size < max - ofWindow) return move(window, probation)
      const candidate = window.pop()
      const victims = probation.size > 0 ? probation : protectedOnes
      const [victim] = victims.rvalues()
      if (sketch.count(slotOf(candidate.credentials)) <= sketch.count(slotOf(victim.credentials))) return
      victims.pop()
      probation.set(slotOf(candidate.credentials), candidate)
    }
  }
}

function move (from, to) {
  const entry = from.pop()
  to.set(slotOf(entry.credentials), entry)
}
