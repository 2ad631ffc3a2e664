/** The characters that may be the last one, by the number of characters in the last group of four: the other bits of that character encode nothing. */
const LAST = ['', '', 'AQgw', 'AEIMQUYcgkosw048']

/**
 * Base64url as a JWS has it: no padding, no other characters, no stray bits (RFC 7515 section 2, RFC 4648 section 3.5).
 * @returns `undefined` for anything else
 */
export function decode (text: string): Buffer | undefined {
  // Node decodes leniently; what it does not write back the same was something else.
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? bytes : undefined
}

/** The same question of a text that is known to have characters of base64url alone: then its end decides. */
export function endsWell (text: string): boolean {
  const rest = text.length % 4
  return rest === 0 || LAST[rest]!.includes(text[text.length - 1]!)
}

/** The number of bytes that so many characters encode. */
export function bytesIn (characters: number): number {
  return Math.floor(characters * 3 / 4)
}
