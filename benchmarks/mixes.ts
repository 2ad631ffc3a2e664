// The order in which users send requests: each user equally often, or by Zipf's law, in which the frequency of a user is 1 / rank.

export type Mix = 'Zipf' | 'uniform'

/** Numbers of users. The same seed gives the same order. */
export function orderOf (mix: Mix, users: number, count: number, seed = 1): Int32Array {
  const random = randomBy(seed)
  if (mix === 'uniform') return Int32Array.from({ length: count }, () => Math.floor(random() * users))
  const sums = new Float64Array(users)
  let sum = 0
  for (let rank = 0; rank < users; rank++) sums[rank] = sum += 1 / (rank + 1)
  return Int32Array.from({ length: count }, () => placeOf(sums, random() * sum))
}

/** The first place whose value is not below the target. */
function placeOf (ascending: Float64Array, target: number): number {
  let [low, high] = [0, ascending.length - 1]
  while (low < high) {
    const middle = (low + high) >> 1
    if (ascending[middle]! < target) low = middle + 1
    else high = middle
  }
  return low
}

/** Numbers from 0 to 1 by mulberry32. */
function randomBy (seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
