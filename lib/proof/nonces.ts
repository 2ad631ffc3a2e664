import { createHmac } from 'node:crypto'
import { wallSeconds } from '../util/clock.js'

/** Characters of a nonce: 144 bits. */
const LENGTH = 24

/** The nonces of a window of time, by each secret. */
interface Window {
  readonly number: number
  readonly nonces: readonly string[]
}

/**
 * Nonces without memory (RFC 9449 section 9): each is an HMAC over the window of time in which it was made, the same on all
 * instances with the secret. Those of the current window and of the last one are good.
 */
export class Nonces {
  readonly #secrets: readonly string[]
  readonly #seconds: number
  #current: Window
  #last: Window

  constructor ({ secret, maxAge }: { secret: readonly string[], maxAge: number }) {
    this.#secrets = secret
    this.#seconds = maxAge
    const number = this.#now()
    this.#current = this.#windowOf(number)
    this.#last = this.#windowOf(number - 1)
  }

  /** The nonce of now, by the first secret. */
  get current (): string {
    this.#turn()
    return this.#current.nonces[0]!
  }

  isGood (nonce: string): boolean {
    this.#turn()
    return this.#current.nonces.includes(nonce) || this.#last.nonces.includes(nonce)
  }

  #turn (): void {
    const number = this.#now()
    if (number === this.#current.number) return
    this.#last = number === this.#current.number + 1 ? this.#current : this.#windowOf(number - 1)
    this.#current = this.#windowOf(number)
  }

  #now (): number {
    return Math.floor(wallSeconds() / this.#seconds)
  }

  #windowOf (number: number): Window {
    const nonces = this.#secrets.map((secret) => createHmac('sha256', secret).update(`dpop-nonce ${this.#seconds} ${number}`).digest('base64url').slice(0, LENGTH))
    return { number, nonces }
  }
}
