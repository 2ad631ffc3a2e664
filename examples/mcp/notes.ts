const MAX_NOTES = 100
const MAX_USERS = 1000

/** The notes of each user, in memory, and bounded. */
export class Notes {
  readonly #notes = new Map<string, string[]>()

  of (user: string): readonly string[] {
    return this.#notes.get(user) ?? []
  }

  /** @returns `false` if there is no room */
  add (user: string, text: string): boolean {
    const notes = this.#notes.get(user) ?? []
    if (notes.length >= MAX_NOTES || (notes.length === 0 && this.#notes.size >= MAX_USERS)) return false
    notes.push(text)
    this.#notes.set(user, notes)
    return true
  }

  clear (user: string): void {
    this.#notes.delete(user)
  }
}
