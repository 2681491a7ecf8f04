/** What the end of a call that writes means for the circuit breaker, the numbers, and those who listen. */
import { isMillraceError } from '../../errors/index.ts'
import { meaningOf, meaningOfAll } from '../../errors/meaning.ts'
import type { DeliveryReports } from '../../kafka/producer/reports.ts'
import type { EventFacts, EventName } from '../../metrics/events.ts'
import type { Pass } from '../../resilience/circuit-breaker.ts'
import { counted, countedWere } from '../../options/units.ts'
import type { WriteTimes } from '../watching/write-times.ts'
import type { SinkStatistics } from './statistics.ts'

export interface CallEvents {
  hears(event: EventName): boolean
  /** Adds who reports it. */
  report(event: EventName, message: () => string, facts: EventFacts): void
}

export class CallOutcomes {
  readonly #statistics: SinkStatistics
  readonly #events: CallEvents
  readonly #writes: WriteTimes

  constructor(statistics: SinkStatistics, writes: WriteTimes, events: CallEvents) {
    this.#statistics = statistics
    this.#writes = writes
    this.#events = events
  }

  /** @returns when, for the end */
  began(): number {
    const now = performance.now()
    this.#writes.began(now)
    return now
  }

  /** Nothing of a call was written. */
  threw(error: unknown, records: number, pass: Pass | undefined): void {
    if (meaningOf(error) === 'sink-down') pass?.failed()
    else pass?.cancelled()
    this.#writes.ended(performance.now())
    this.#failed(records, error)
  }

  /** Each record was acknowledged or has failed. @param startedAt as `began` returned it */
  settled({ failures, length }: DeliveryReports, startedAt: number, pass: Pass | undefined): void {
    const now = performance.now()
    const ms = now - startedAt
    this.#writes.ended(now)
    if (failures.size === 0) pass?.succeeded()
    else this.#someFailed(failures, pass)
    const records = length - failures.size
    this.#statistics.sent(records, ms)
    if (records > 0 && this.#events.hears('records.written'))
      this.#events.report('records.written', () => `Wrote ${counted(records, 'record')}`, { records, ms })
  }

  #someFailed(failures: DeliveryReports['failures'], pass: Pass | undefined): void {
    const meaning = meaningOfAll(failures.values())
    if (meaning === 'sink-down') pass?.failed()
    else if (meaning === 'record') pass?.succeeded()
    else pass?.cancelled()
    this.#failed(failures.size, failures.values().next().value)
  }

  #failed(records: number, cause: unknown): void {
    this.#statistics.failed(records, cause)
    const error = cause instanceof Error ? cause.message : String(cause)
    const code = isMillraceError(cause) ? cause.code : 'UNEXPECTED'
    const facts = { records, code, error }
    this.#events.report('records.failed', () => `${countedWere(records, 'record')} not written: ${error}`, facts)
  }
}
