import type { JsonWebKey } from 'node:crypto'

const EXPONENT = 65_537n

/**
 * An RSA key by its primes, since all its other numbers follow from them (RFC 7518 section 6.3, RFC 8017 section 3.2).
 * @param primes the first and the second prime factor, in base64url
 */
export function rsaKey (primes: { p: string, q: string }): JsonWebKey {
  const [p, q] = [numberOf(primes.p), numberOf(primes.q)]
  const d = inverse(EXPONENT, (p - 1n) * (q - 1n))
  const numbers = { n: p * q, e: EXPONENT, d, p, q, dp: d % (p - 1n), dq: d % (q - 1n), qi: inverse(q, p) }
  return { kty: 'RSA', ...Object.fromEntries(Object.entries(numbers).map(([name, number]) => [name, base64urlOf(number)])) }
}

/** The number whose product with another one is 1, by the extended algorithm of Euclid. */
function inverse (number: bigint, modulus: bigint): bigint {
  let [rest, other] = [number, modulus]
  let [factor, next] = [1n, 0n]
  while (rest !== 1n) {
    const quotient = other / rest;
    [rest, other] = [other - quotient * rest, rest];
    [factor, next] = [next - quotient * factor, factor]
  }
  return (factor + modulus) % modulus
}

function numberOf (text: string): bigint {
  return BigInt(`0x${Buffer.from(text, 'base64url').toString('hex')}`)
}

function base64urlOf (number: bigint): string {
  const digits = number.toString(16)
  return Buffer.from(digits.padStart(digits.length + digits.length % 2, '0'), 'hex').toString('base64url')
}
