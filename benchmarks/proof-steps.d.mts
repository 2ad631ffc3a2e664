import type { DpopClient } from '../lib/testing/index.js'
import type { Step } from './single-process.js'

export function proofSteps (
  plugin: unknown,
  client: Pick<DpopClient, 'jkt' | 'proof'>,
  claims: object,
  options?: { proofs?: number, blocks?: number, least?: number }
): Promise<Step[]>
