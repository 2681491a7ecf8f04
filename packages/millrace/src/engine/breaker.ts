/**
 * The circuit breaker in front of a sink.
 */
import type { SinkTransactions } from '../contracts/sink.ts'
import { isMillraceError } from '../errors/index.ts'
import { CircuitBreaker, type Pass } from '../resilience/circuit-breaker.ts'
import { describeRate } from '../resilience/failure-rate.ts'
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
        warn(`The circuit breaker of ${name} is ${state}`, {
          event: `breaker.${state}`,
          ...(state === 'open' ? { openMs: plan.openMs } : {}),
        }),
    })
  )
}

/** When it opens, in words that go on after "after". */
export function describeOpening({ failureThreshold, failureRate }: CircuitBreakerPlan): string {
  return failureRate === undefined ? `${failureThreshold} failed deliveries in a row` : describeRate(failureRate)
}

/**
 * Transactions of a sink whose failures count for its circuit breaker as those of writes do: when the brokers go away, the
 * commit may be what notices first. They never wait for an open circuit: a rebalance waits for them (I3), and the records of
 * the next transaction meet the breaker anyway. What fails before the commit itself is asked for has been counted as a write.
 */
export function countedTransactions(
  transactions: SinkTransactions,
  breaker: CircuitBreaker | undefined,
): SinkTransactions {
  if (breaker === undefined) return transactions
  const passIfClosed = (): Pass | undefined => (breaker.progress.state === 'closed' ? breaker.enter() : undefined)
  const end = (pass: Pass | undefined, error: unknown, { aborted }: AbortSignal): void => {
    // Of the transaction itself: fenced, or of an old generation. The brokers are there.
    const saysNothing = aborted || !isMillraceError(error) || !error.retriable
    if (saysNothing) pass?.cancelled()
    else pass?.failed()
  }
  return {
    get renewable() {
      return transactions.renewable
    },
    get timeoutMs() {
      return transactions.timeoutMs
    },
    async commit(offsets, abort) {
      let pass: Pass | undefined
      try {
        const committed = await transactions.commit(async () => {
          const taken = await offsets()
          pass = passIfClosed()
          return taken
        }, abort)
        pass?.succeeded()
        return committed
      } catch (error) {
        end(pass, error, abort)
        throw error
      }
    },
    async abort(abort) {
      const pass = passIfClosed()
      try {
        const ending = await transactions.abort(abort)
        // That the coordinator is there says nothing about the leaders that refuse records.
        pass?.cancelled()
        return ending
      } catch (error) {
        end(pass, error, abort)
        throw error
      }
    },
  }
}
