/**
 * The circuit breaker in front of a sink.
 */
import { CircuitBreaker } from '../resilience/circuit-breaker.ts'
import type { CircuitBreakerPlan, RunOptions } from './plan.ts'

/** @param name of the sink, as it stands in a sentence. @returns undefined when the plan asks for none */
export function createBreaker(
  plan: CircuitBreakerPlan | undefined,
  { warn }: Pick<RunOptions, 'warn'>,
  name: string,
): CircuitBreaker | undefined {
  return (
    plan &&
    new CircuitBreaker({
      ...plan,
      name: `${name[0]!.toUpperCase()}${name.slice(1)}`,
      onChange: (state) =>
        warn(`The circuit breaker of ${name} is ${state}`, state === 'open' ? { openMs: plan.openMs } : {}),
    })
  )
}
