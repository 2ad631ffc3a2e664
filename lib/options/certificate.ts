import { X509Certificate } from 'node:crypto'

/** Texts that are given instead of a certificate, and the words for them; the first match counts. */
const FAULTS: ReadonlyArray<readonly [RegExp, string]> = [
  [/\\n/, 'one whose line breaks are written as \\n: write .replaceAll("\\\\n", "\\n")'],
  [/PRIVATE KEY/, 'a private key, which belongs to nobody but its owner'],
  [/^[./~]|\.(?:pem|crt|cer)$/i, 'a path: write readFileSync(path)']
]

/** The fault of a certificate in PEM, in words; `undefined` if it has none. Only the first of several certificates is checked. */
export function certificateFault (pem: string | Buffer): string | undefined {
  if (isCertificate(pem)) return undefined
  const text = pem.toString()
  if (text === '') return 'an empty one'
  return FAULTS.find(([wrong]) => wrong.test(text))?.[1] ?? 'another text'
}

function isCertificate (pem: string | Buffer): boolean {
  try {
    return Boolean(new X509Certificate(pem))
  } catch {
    return false
  }
}
