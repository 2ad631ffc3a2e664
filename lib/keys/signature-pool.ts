import type { SignatureCheck } from './signature-check.js'

/**
 * The most signatures in the pool at once, some 3 kB each. They wait there behind whatever else the process does in it (files, names
 * of hosts, password hashes). With a bound of 32, half of 64 connections did not find room, and the pool gained little.
 */
const MAX_PENDING = 256

/** Checks signatures in libuv's thread pool, so that they use other cores than the one of JavaScript. */
export class SignaturePool {
  #pending = 0

  /** May one more signature be checked here? Otherwise its caller checks it at once, by itself. */
  get hasRoom (): boolean {
    return this.#pending < MAX_PENDING
  }

  /** @param text only of ASCII characters */
  isGood (check: SignatureCheck, text: string, signature: Buffer): Promise<boolean> {
    return new Promise((resolve) => {
      check.inPool(text, signature, (isGood) => {
        this.#pending--
        resolve(isGood)
      })
      this.#pending++
    })
  }
}
