import type { Readable } from 'node:stream'
import type { Closing } from '../closing.js'
import { notValid } from '../errors.js'

/** A logout token has about 800 bytes. */
const MAX_BYTES = 64 * 1024

/** Milliseconds for a whole body, slow drips included. */
const TIMEOUT = 5000

/**
 * Read a body as text. One that is too long is read to its end all the same, and dropped: an answer to a client that
 * still writes would be lost on it.
 * @throws {KeycloakError} token_not_valid, keycloak_unavailable when the API closes before its end
 */
export function readBody (body: Readable, closing: Closing): Promise<string> {
  return closing.until(textOf(body))
}

function textOf (body: Readable): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const timer = setTimeout(() => reject(notValid(`the body took more than ${TIMEOUT} ms`)), TIMEOUT)
    body.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= MAX_BYTES) chunks.push(chunk)
    })
    body.on('end', () => {
      clearTimeout(timer)
      if (size <= MAX_BYTES) resolve(Buffer.concat(chunks).toString('utf8'))
      else reject(notValid(`the body has more than ${MAX_BYTES} bytes`))
    })
    body.on('error', () => reject(notValid('the body was cut off')))
    body.on('close', () => {
      clearTimeout(timer)
      reject(notValid('the body was cut off'))
    })
  })
}
