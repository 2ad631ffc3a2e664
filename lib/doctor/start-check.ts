import type { FastifyInstance } from 'fastify'
import { codeOf } from '../errors.js'
import { BackgroundRetry } from '../util/background-retry.js'
import type { StartLog } from '../diagnostics/start-log.js'
import type { DoctorContext } from './run-checks.js'
import type { Finding } from './finding.js'

/** Milliseconds until the next check while Keycloak cannot be reached. */
const RETRY = { first: 1000, most: 30_000, jitter: 0.25, lengthens: undefined }

/** Checks Keycloak at start and logs each finding once, in a sentence with the setting that cures it. */
export class StartCheck {
  readonly #context: DoctorContext
  readonly #log: StartLog
  readonly #logged = new Set<string>()
  readonly #attempts = new BackgroundRetry(() => this.#attempt(), RETRY)
  #closed = false

  constructor (context: DoctorContext, log: StartLog) {
    this.#context = context
    this.#log = log
  }

  /**
   * Check once, before the start goes on.
   * @throws {Error} with all findings that are certain to refuse requests; its `checks` are their codes
   */
  async require (): Promise<void> {
    const findings = await this.#runChecks()
    const serious = findings.filter(({ certain }) => certain)
    for (const finding of findings) if (!finding.certain) this.#warn(finding)
    if (serious.length === 0) return
    const sentences = serious.map(({ sentence }) => sentence).join('. Also: ')
    throw Object.assign(new Error(`fastify-keycloak-bearer: ${sentences}`), { checks: serious.map(({ check }) => check) })
  }

  /** Check in the background, and again while Keycloak cannot be reached. It neither throws nor keeps the process alive. */
  async watch (): Promise<void> {
    await this.#attempts.attemptNow().catch(() => {})
  }

  close (): void {
    this.#closed = true
    this.#attempts.close()
  }

  /** @throws {Error} while Keycloak is away */
  async #attempt (): Promise<void> {
    const findings = await this.#runChecks().catch((error) => this.#fail(error))
    if (this.#closed || findings === undefined) return
    const hadWarnings = this.#logged.size > 0
    for (const finding of findings) this.#warn(finding)
    if (findings.some(({ away }) => away)) throw new Error('Keycloak is away')
    if (findings.length > 0) return
    this.#log[hadWarnings ? 'info' : 'debug']({ check: 'ok' }, `Keycloak answers at ${this.#context.settings.baseUrl}, and fits the options`)
  }

  /** Loads the checks when they are needed; usually the server listens by then. */
  async #runChecks (): Promise<Finding[]> {
    const { runChecks } = await import('./run-checks.js')
    return this.#closed ? [] : runChecks(this.#context)
  }

  /** The check only gives advice, so its own failure ends no server, even if its files were replaced meanwhile. */
  #fail (error: unknown): void {
    this.#log.warn({ reason: codeOf(error) ?? 'an error without a code' }, 'the check at start could not be made; requests are checked as usual')
  }

  #warn ({ check, sentence, reason, reasonCode }: Finding): void {
    const key = `${check} ${reason}`
    if (this.#logged.has(key)) return
    this.#logged.add(key)
    this.#log.warn({ check, ...(reason !== undefined && { reason }), ...(reasonCode !== undefined && { reasonCode }) }, sentence)
  }
}

/**
 * Check Keycloak once: in the background as soon as the server listens, or before the start goes on.
 * @throws {Error} if the check is required and has a finding
 */
export async function checkKeycloak (fastify: FastifyInstance, context: DoctorContext, log: StartLog): Promise<void> {
  const { startCheck } = context.settings
  if (startCheck === false) return
  const check = new StartCheck(context, log)
  if (startCheck === 'require') return check.require()
  fastify.addHook('onListen', async () => { void check.watch() })
  fastify.addHook('onClose', async () => check.close())
}
