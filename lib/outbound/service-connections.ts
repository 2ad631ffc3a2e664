import type { Agent } from 'undici'

/** The connections of all dispatchers that have none of their own, made with the first request. */
export class ServiceConnections {
  #agent: Agent | undefined
  #closed = false

  get = async (): Promise<Agent> => {
    // By its file, because Bun has a stub of its own for the bare name, whose pool makes no calls.
    const { Agent } = await import('undici/index.js')
    if (this.#closed) throw new Error('the API is closed')
    this.#agent ??= new Agent()
    return this.#agent
  }

  /** Requests under way fail. */
  async close (): Promise<void> {
    this.#closed = true
    await this.#agent?.destroy()
  }
}
