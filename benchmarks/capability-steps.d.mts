import type { DpopClient } from '../lib/testing/index.js'
import type { Step } from './single-process.js'

export function capabilitySteps (
  plugins: readonly unknown[],
  client: Pick<DpopClient, 'jkt' | 'proof'>,
  name: string,
  claims: object,
  options?: { blocks?: number, least?: number }
): Promise<Step[]>
