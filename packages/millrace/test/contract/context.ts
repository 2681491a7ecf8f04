/** What components are created with in contract suites. */
import type { ComponentContext } from '../../src/contracts/context.ts'
import { Counters } from '../../src/metrics/counters.ts'

export function contextIn(directory: string, more: Partial<ComponentContext> = {}): ComponentContext {
  return {
    pipeline: 'contract',
    untilEnd: true,
    directory,
    warn: () => {},
    metrics: new Counters().meter({ pipeline: 'contract' }),
    ...more,
  }
}

/** A sentence about a component, which goes on in others: without a period. */
export const SENTENCE = /^\S.*[^.\s]$/s
