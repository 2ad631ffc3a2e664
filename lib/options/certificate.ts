import { X509Certificate } from 'node:crypto'

/** A table: what is taken for a certificate, in words; the first that matches is it. */
const FAULTS: ReadonlyArray<readonly [RegExp, string]> = [
  [/\\n/, 'one whose line breaks are written as \\n: write .replaceAll("\\\\n", "\\n")'],
  [/PRIVATE KEY/, 'a private key, which belongs to nobody but its owner'],
  [/^[./~]|\.(?:pem|crt|cer)$/i, 'a path: write readFileSync(path)']
]

/** What is wrong with the PEM of a certificate, in words. A bundle is judged by its first certificate. */
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
