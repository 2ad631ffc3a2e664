/**
 * The points of Edwards curves whose order divides the cofactor, by their y in little-endian and without the bit that
 * is x's sign; for Ed25519 also as the encodings beyond the prime. For such a key anybody can find signatures that
 * verify (RFC 8725 section 3.1 asks to validate what an algorithm needs; RFC 8032 section 5.1.7 does not).
 */
const SMALL_ORDER: Readonly<Record<string, ReadonlySet<string>>> = {
  Ed25519: new Set([
    '00'.repeat(32),
    '01' + '00'.repeat(31),
    'ec' + 'ff'.repeat(30) + '7f',
    'ed' + 'ff'.repeat(30) + '7f',
    'ee' + 'ff'.repeat(30) + '7f',
    '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'
  ]),
  Ed448: new Set([
    '00'.repeat(57),
    '01' + '00'.repeat(56),
    'fe' + 'ff'.repeat(27) + 'fe' + 'ff'.repeat(27) + '00'
  ])
}

/** Could anybody sign for this public key of an OKP JWK (RFC 8037)? */
export function isOfSmallOrder (curve: string, x: string): boolean {
  const point = Buffer.from(x, 'base64url')
  point[point.length - 1]! &= 0x7f
  return SMALL_ORDER[curve]!.has(point.toString('hex'))
}
