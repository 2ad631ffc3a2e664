/** The bytes of a Byte Sequence (RFC 8941 section 3.3.5): base64 between colons; `undefined` for another text. */
export function bytesOf (value: string): Buffer | undefined {
  const text = value.trim()
  if (text.length < 3 || !text.startsWith(':') || !text.endsWith(':')) return undefined
  const base64 = text.slice(1, -1)
  const bytes = Buffer.from(base64, 'base64')
  // Node decodes leniently; what it does not write back the same was something else.
  return bytes.toString('base64') === base64 ? bytes : undefined
}
