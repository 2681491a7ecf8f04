import { describe, expect, test } from 'vitest'
import { Batch } from '../../src/records/batch.ts'
import { Delivery, type WritableSink } from '../../src/engine/delivery.ts'
import { ErrorHandling } from '../../src/engine/failures/error-handling.ts'
import type { ErrorPolicy } from '../../src/engine/plan.ts'
import {
  AuthenticationError,
  BatchError,
  BrokerError,
  CircuitOpenError,
  ClosedError,
  DeliveryError,
  FileError,
  type MillraceError,
} from '../../src/errors/index.ts'
import { CircuitBreaker } from '../../src/resilience/circuit-breaker.ts'
import { batchOf } from '../support/batches.ts'

const BACKOFF = { initialMs: 1, maxMs: 2 }
const down = (): MillraceError => new DeliveryError('the sink is down', { code: 'DELIVERY_TIMED_OUT' })
const tooLarge = (): MillraceError => new DeliveryError('the record is too large', { code: 'RECORD_TOO_LARGE' })
const refused = (kafkaName: string): MillraceError =>
  new DeliveryError('refused', { cause: new BrokerError('refused', { kafkaCode: 87, kafkaName, retriable: false }) })
const wrapped = (cause: MillraceError): MillraceError => new DeliveryError('not acknowledged', { cause })
const beside = (): MillraceError =>
  new DeliveryError('others were refused', { code: 'REFUSED_WITH_BATCH', cause: refused('INVALID_RECORD').cause })

/** What a sink answers to one call: nothing, an error for the whole batch, or errors by value. */
type Answer = MillraceError | { readonly [value: string]: MillraceError } | undefined

/** A sink in memory that answers as it is told, then well. */
class ScriptedSink {
  readonly written: string[] = []
  readonly calls: string[][] = []
  readonly #answers: Answer[]
  constructor(answers: readonly Answer[]) {
    this.#answers = [...answers]
  }
  async write(batch: Batch): Promise<void> {
    const values = Array.from({ length: batch.length }, (_, row) => batch.value(row)!.toString())
    this.calls.push(values)
    const answer = this.#answers.shift()
    await new Promise((resolve) => setTimeout(resolve, 1))
    if (answer instanceof Error) throw answer
    const failures = new Map<number, MillraceError>()
    values.forEach((value, row) => {
      const error = answer?.[value]
      if (error === undefined) this.written.push(value)
      else failures.set(row, error)
    })
    if (failures.size > 0) throw new BatchError('some failed', failures)
  }
}

function deliveryTo(
  sink: Pick<ScriptedSink, 'write'> & Pick<WritableSink, 'failsInOrder' | 'giveUp'>,
  policy: Pick<ErrorPolicy, 'retry' | 'fate'>,
  breaker?: CircuitBreaker,
) {
  const errors = new ErrorHandling(policy, undefined)
  const hurry = new AbortController()
  const abort = new AbortController()
  return {
    errors,
    hurry,
    abort,
    delivery: new Delivery({ sink, policy, breaker, errors, abort: abort.signal, stopWaiting: hurry.signal }),
  }
}

const retry = (maxRetries: number): ErrorPolicy['retry'] => ({ maxRetries, backoff: BACKOFF })

interface Row {
  readonly name: string
  readonly policy: Pick<ErrorPolicy, 'retry' | 'fate'>
  readonly answers: readonly Answer[]
  readonly written: readonly string[]
  /** Calls to the sink, as the values they brought. */
  readonly calls: readonly (readonly string[])[]
  /** Rows that failed for good, as offset, code and attempts. */
  readonly failed?: readonly string[]
  readonly retried?: { readonly [code: string]: number }
  readonly throws?: string
}

const ALL = ['a', 'b', 'c']

const TABLE: readonly Row[] = [
  {
    name: 'fail: the first failure is thrown',
    policy: { retry: undefined, fate: 'fail' },
    answers: [down()],
    written: [],
    calls: [ALL],
    throws: 'DELIVERY_TIMED_OUT',
  },
  {
    name: 'fail: so is one of a record',
    policy: { retry: undefined, fate: 'fail' },
    answers: [{ b: tooLarge() }],
    written: ['a', 'c'],
    calls: [ALL],
    throws: 'BATCH_FAILED',
  },
  {
    name: 'skip: a record that fails does not cost the others',
    policy: { retry: undefined, fate: 'skip' },
    answers: [{ b: tooLarge() }],
    written: ['a', 'c'],
    calls: [ALL],
    failed: ['101 RECORD_TOO_LARGE 1'],
  },
  {
    name: 'skip: a batch of which no record can be named',
    policy: { retry: undefined, fate: 'skip' },
    answers: [new FileError('FILE_UNWRITABLE', 'the disk is full')],
    written: [],
    calls: [ALL],
    failed: ['100 FILE_UNWRITABLE 1', '101 FILE_UNWRITABLE 1', '102 FILE_UNWRITABLE 1'],
  },
  {
    name: 'retry: the whole batch',
    policy: { retry: retry(3), fate: 'fail' },
    answers: [down(), down()],
    written: ALL,
    calls: [ALL, ALL, ALL],
    retried: { DELIVERY_TIMED_OUT: 6 },
  },
  {
    name: 'retry: only what failed',
    policy: { retry: retry(3), fate: 'fail' },
    answers: [{ a: down(), c: down() }, { c: down() }],
    written: ['b', 'a', 'c'],
    calls: [ALL, ['a', 'c'], ['c']],
    retried: { DELIVERY_TIMED_OUT: 3 },
  },
  {
    name: 'retry, then fail',
    policy: { retry: retry(2), fate: 'fail' },
    answers: [down(), down(), down()],
    written: [],
    calls: [ALL, ALL, ALL],
    retried: { DELIVERY_TIMED_OUT: 6 },
    throws: 'DELIVERY_TIMED_OUT',
  },
  {
    name: 'retry, then skip',
    policy: { retry: retry(1), fate: 'skip' },
    answers: [{ b: down() }, { b: down() }],
    written: ['a', 'c'],
    calls: [ALL, ['b']],
    retried: { DELIVERY_TIMED_OUT: 1 },
    failed: ['101 DELIVERY_TIMED_OUT 2'],
  },
  {
    name: 'retry does not try again what will fail again',
    policy: { retry: retry(3), fate: 'skip' },
    answers: [{ a: down(), b: tooLarge(), c: refused('INVALID_RECORD') }],
    written: ['a'],
    calls: [ALL, ['a']],
    retried: { DELIVERY_TIMED_OUT: 1 },
    failed: ['101 RECORD_TOO_LARGE 1', '102 DELIVERY_FAILED 1'],
  },
  {
    name: 'retry, fail: what will fail again is thrown at once',
    policy: { retry: retry(3), fate: 'fail' },
    answers: [{ a: down(), b: tooLarge() }],
    written: ['c'],
    calls: [ALL],
    throws: 'BATCH_FAILED',
  },
  {
    name: 'skip: what was refused beside others is written without them',
    policy: { retry: undefined, fate: 'skip' },
    answers: [{ a: beside(), b: refused('INVALID_RECORD'), c: beside() }],
    written: ['a', 'c'],
    calls: [ALL, ['a', 'c']],
    retried: {},
    failed: ['101 DELIVERY_FAILED 1'],
  },
  {
    name: 'skip: what says nothing about a record ends the run',
    policy: { retry: retry(3), fate: 'skip' },
    answers: [new ClosedError('the sink')],
    written: [],
    calls: [ALL],
    throws: 'CLOSED',
  },
  {
    name: 'skip: so does it in a batch',
    policy: { retry: retry(3), fate: 'skip' },
    answers: [{ a: down(), b: new DeliveryError('broken', { code: 'SEQUENCE_BROKEN' }) }],
    written: ['c'],
    calls: [ALL],
    throws: 'BATCH_FAILED',
  },
  // Credentials that are revoked in mid-run arrive as the cause of a delivery that failed. With the outer code alone, the rest of
  // the topic was skipped and committed.
  {
    name: 'skip: credentials that are refused in mid-run end the run, however they are wrapped',
    policy: { retry: retry(3), fate: 'skip' },
    answers: [{ a: wrapped(new AuthenticationError('refused')), b: wrapped(new AuthenticationError('refused')) }],
    written: ['c'],
    calls: [ALL],
    throws: 'BATCH_FAILED',
  },
  {
    name: 'skip: a topic that may not be written ends the run',
    policy: { retry: retry(3), fate: 'skip' },
    answers: [{ a: refused('TOPIC_AUTHORIZATION_FAILED') }],
    written: ['b', 'c'],
    calls: [ALL],
    throws: 'BATCH_FAILED',
  },
]

describe('a delivery', () => {
  test.each(TABLE)('$name', async ({ policy, answers, written, calls, failed = [], retried = {}, throws }) => {
    const sink = new ScriptedSink(answers)
    const { delivery, errors } = deliveryTo(sink, policy)
    const failures = errors.collect()
    const done = delivery.write(batchOf(ALL), failures)
    await (throws === undefined ? done : expect(done).rejects.toMatchObject({ code: throws }))
    expect(sink.written).toEqual(written)
    expect(sink.calls).toEqual(calls)
    expect(
      (failures?.list ?? []).map(({ batch, row, error, attempts }) => `${batch.offset(row)} ${error.code} ${attempts}`),
    ).toEqual(failed)
    expect(errors.progress.retried).toEqual(retried)
  })

  test('keeps the order of a partition while one batch waits for its next attempt, and other partitions go on (I2)', async () => {
    const other = (values: readonly string[]): Batch => {
      const { records } = batchOf(values)
      return new Batch(
        { ...batchOf(['']).origin, partition: 4 },
        { byteLength: 0, count: values.length, firstOffset: 0, lastOffset: 0, raw: undefined, locate: () => records },
        { ack() {} },
      )
    }
    const sink = new ScriptedSink([down()])
    const { delivery } = deliveryTo(sink, {
      retry: { maxRetries: 1, backoff: { initialMs: 40, maxMs: 40, jitter: 0 } },
      fate: 'fail',
    })
    await Promise.all([
      delivery.write(batchOf(['1', '2']), undefined),
      delivery.write(batchOf(['3']), undefined),
      delivery.write(other(['x']), undefined),
    ])
    expect(sink.written).toEqual(['x', '1', '2', '3'])
  })

  describe('to a sink that fails in order', () => {
    const inOrder = (answers: readonly Answer[]): ScriptedSink & { readonly failsInOrder: true } =>
      Object.assign(new ScriptedSink(answers), { failsInOrder: true as const })

    test('gives it what has come meanwhile all at once', async () => {
      const sink = inOrder([])
      const { delivery } = deliveryTo(sink, { retry: retry(1), fate: 'fail' })
      let underWay = 0
      let most = 0
      const counting = {
        failsInOrder: true,
        async write(batch: Batch): Promise<void> {
          most = Math.max(most, ++underWay)
          await sink.write(batch)
          underWay--
        },
      }
      const { delivery: counted } = deliveryTo(counting, { retry: retry(1), fate: 'fail' })
      await Promise.all(['1', '2', '3', '4'].map((value) => counted.write(batchOf([value]), undefined)))
      expect([sink.written, most]).toEqual([['1', '2', '3', '4'], 3])
      await delivery.write(batchOf(['5']), undefined)
      expect(sink.written.at(-1)).toBe('5')
    })

    test('writes what failed again in order, before anything that came later (I2)', async () => {
      const sink = inOrder([undefined, down(), beside(), beside()])
      const { delivery, errors } = deliveryTo(sink, { retry: retry(1), fate: 'skip' })
      const failures = errors.collect()
      await Promise.all(['1', '2', '3', '4'].map((value) => delivery.write(batchOf([value]), failures)))
      expect(sink.written).toEqual(['1', '2', '3', '4'])
      expect(failures!.list).toEqual([])
    })

    // A run that was asked to stop ended with the error of the record that it should have skipped, as it did not wait for the
    // next attempt; with at_most_once, what was behind that record was lost.
    test('writes what had failed behind a record that met its fate at once, so also when the run is to end', async () => {
      const sink = inOrder([{ a: tooLarge(), b: beside() }, undefined])
      const { delivery, errors, hurry } = deliveryTo(sink, { retry: undefined, fate: 'skip' })
      const failures = errors.collect()
      hurry.abort()
      await delivery.write(batchOf(ALL), failures)
      expect(sink.written).toEqual(['c', 'b'])
      expect(failures!.list.map(({ error }) => error.code)).toEqual(['RECORD_TOO_LARGE'])
    })

    test('leaves a record to its fate, and writes what had failed behind it', async () => {
      const sink = inOrder([undefined, { '2': tooLarge() }, beside()])
      const { delivery, errors } = deliveryTo(sink, { retry: undefined, fate: 'skip' })
      const failures = errors.collect()
      await Promise.all(['1', '2', '3'].map((value) => delivery.write(batchOf([value]), failures)))
      expect(sink.written).toEqual(['1', '3'])
      expect(failures!.list.map(({ error }) => error.code)).toEqual(['RECORD_TOO_LARGE'])
    })
  })

  describe('to a sink that continues with what it was given', () => {
    /** Answers with a time-out as often as it is told to; what it has under way is settled by `giveUp`, or by the attempt after that. */
    class PatientSink {
      readonly failsInOrder = true
      readonly begun: Batch[] = []
      readonly log: string[] = []
      readonly #stalls: number
      readonly #lost: ReadonlyMap<number, MillraceError>
      #calls = 0
      constructor(stalls: number, lost: readonly number[] = []) {
        this.#stalls = stalls
        this.#lost = new Map(lost.map((row) => [row, down()]))
      }
      async write(batch: Batch): Promise<void> {
        if (!this.begun.includes(batch)) this.begun.push(batch)
        const [value] = valuesOf(batch)
        this.log.push(`write ${value}`)
        await Promise.resolve()
        if (++this.#calls <= this.#stalls) throw down()
      }
      async giveUp(batch: Batch): Promise<boolean> {
        this.log.push(`give up ${valuesOf(batch)[0]}`)
        if (this.#lost.size > 0) throw new BatchError('some were not written', this.#lost)
        return true
      }
    }
    const valuesOf = (batch: Batch): string[] =>
      Array.from({ length: batch.length }, (_, row) => batch.value(row)!.toString())

    test('another attempt is one with the very same batch, before anything that came later', async () => {
      const sink = new PatientSink(3)
      const { delivery, errors } = deliveryTo(sink, { retry: retry(5), fate: 'skip' })
      const failures = errors.collect()
      await Promise.all(['1', '2', '3'].map((value) => delivery.write(batchOf([value]), failures)))
      expect(sink.begun).toHaveLength(3)
      expect(sink.log).toEqual(['write 1', 'write 1', 'write 1', 'write 1', 'write 2', 'write 3'])
      expect(failures!.list).toEqual([])
    })

    // A record that was skipped, or written as a dead letter, was written all the same when the brokers were back.
    test.each([
      { name: 'everything was written after all', lost: [], failed: [] },
      { name: 'some of it was written', lost: [1], failed: ['b'] },
    ])('the fate is that of what was not written: $name', async ({ lost, failed }) => {
      const sink = new PatientSink(2, lost)
      const { delivery, errors } = deliveryTo(sink, { retry: retry(1), fate: 'skip' })
      const failures = errors.collect()
      await delivery.write(batchOf(['a', 'b', 'c']), failures)
      expect(sink.log).toEqual(['write a', 'write a', 'give up a'])
      expect(failures!.list.map(({ batch, row }) => valuesOf(batch)[row])).toEqual(failed)
    })
  })

  test('writes nothing of a partition behind a batch that failed', async () => {
    const sink = new ScriptedSink([down(), down()])
    const { delivery } = deliveryTo(sink, { retry: retry(1), fate: 'fail' })
    const results = await Promise.allSettled([
      delivery.write(batchOf(['1']), undefined),
      delivery.write(batchOf(['2']), undefined),
    ])
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(sink.written).toEqual([])
  })

  test('ends with the last error when the run is to end while it waits', async () => {
    const sink = new ScriptedSink([down()])
    const { delivery, hurry } = deliveryTo(sink, {
      retry: { maxRetries: 1, backoff: { initialMs: 60_000, maxMs: 60_000 } },
      fate: 'fail',
    })
    const done = delivery.write(batchOf(ALL), undefined)
    setTimeout(() => hurry.abort(), 20)
    await expect(done).rejects.toMatchObject({ code: 'DELIVERY_TIMED_OUT' })
  })
})

describe('a delivery with a circuit breaker', () => {
  const breakerOf = (openMs: number): CircuitBreaker =>
    new CircuitBreaker({ failureThreshold: 2, openMs, name: 'The sink' })

  test('waits for a sink that is down, whatever the policy, and loses and repeats nothing', async () => {
    const breaker = breakerOf(20)
    const sink = new ScriptedSink([down(), down(), down(), down()])
    const { delivery } = deliveryTo(sink, { retry: undefined, fate: 'fail' }, breaker)
    await Promise.all([['1'], ['2', '3'], ['4']].map((values) => delivery.write(batchOf(values), undefined)))
    expect(sink.written).toEqual(['1', '2', '3', '4'])
    expect(breaker.progress).toMatchObject({ state: 'closed', openings: 3 })
  })

  test('does not take a record that is refused for a sink that is down', async () => {
    const breaker = breakerOf(60_000)
    const sink = new ScriptedSink([{ a: tooLarge() }, { a: tooLarge() }, { a: tooLarge() }])
    const { delivery, errors } = deliveryTo(sink, { retry: undefined, fate: 'skip' }, breaker)
    for (let i = 0; i < 3; i++) await delivery.write(batchOf(['a']), errors.collect())
    expect(breaker.progress).toEqual({ state: 'closed', openings: 0, rejections: 0 })
  })

  // An idempotent sink that is down fails the first batch with its reason, and those behind it because of the first. Counted as
  // successes, these closed the circuit again with every attempt, so that it never opened and all records were skipped.
  test('opens for a sink that fails in order, although what is behind a failure says nothing about it (K1)', async () => {
    const breaker = new CircuitBreaker({ failureThreshold: 3, openMs: 10, name: 'The sink' })
    const behind = (): MillraceError => new DeliveryError('not written', { code: 'REFUSED_WITH_BATCH', cause: down() })
    const attempt = [down(), behind(), behind()]
    const sink = new ScriptedSink([...attempt, ...attempt, ...attempt])
    const inOrder = { write: (batch: Batch) => sink.write(batch), failsInOrder: true }
    const { delivery, errors } = deliveryTo(inOrder, { retry: retry(3), fate: 'skip' }, breaker)
    const failures = errors.collect()!
    await Promise.all(ALL.map((value) => delivery.write(batchOf([value]), failures)))
    expect(failures.list).toEqual([])
    expect(sink.written).toEqual(ALL)
    expect(breaker.progress).toMatchObject({ state: 'closed' })
    expect(breaker.progress.openings).toBeGreaterThan(0)
  })

  test('leaves records to their fate after the attempts of the policy, as long as the circuit is closed', async () => {
    const breaker = new CircuitBreaker({ failureThreshold: 5, openMs: 10, name: 'The sink' })
    const sink = new ScriptedSink([down(), down(), down()])
    const { delivery, errors } = deliveryTo(sink, { retry: retry(2), fate: 'skip' }, breaker)
    const failures = errors.collect()!
    await delivery.write(batchOf(['a']), failures)
    expect(failures.list).toMatchObject([{ attempts: 3 }])
    expect(breaker.progress).toMatchObject({ state: 'closed', openings: 0 })
  })

  test('does not count attempts while the circuit is open: the sink is to blame', async () => {
    const breaker = breakerOf(10)
    const sink = new ScriptedSink([down(), down(), down(), down(), down()])
    const { delivery, errors } = deliveryTo(sink, { retry: retry(1), fate: 'skip' }, breaker)
    const failures = errors.collect()!
    await delivery.write(batchOf(['a']), failures)
    expect(failures.list).toEqual([])
    expect(sink.written).toEqual(['a'])
    expect(breaker.progress).toMatchObject({ state: 'closed', openings: 4 })
  })

  test('stops waiting when the run is to end', async () => {
    const breaker = breakerOf(60_000)
    const sink = new ScriptedSink([down(), down()])
    const { delivery, hurry } = deliveryTo(sink, { retry: undefined, fate: 'fail' }, breaker)
    const done = delivery.write(batchOf(['a']), undefined)
    const opened = async (): Promise<void> => {
      while (breaker.progress.rejections === 0) await new Promise((resolve) => setTimeout(resolve, 5))
      hurry.abort()
    }
    await expect(Promise.all([done, opened()])).rejects.toBeInstanceOf(CircuitOpenError)
  })
})

// A dead letter or a batch beside it failed first and ended the attempt; the refusal was forgotten, and the run ended with an error.
test('a record that is refused in a transaction is known to be, also where the attempt has ended meanwhile', async () => {
  const batch = batchOf([{ value: 'a' }, { value: 'b' }])
  const policy = { retry: undefined, fate: 'skip' } as const
  const errors = new ErrorHandling(policy, undefined, undefined, undefined, true)
  const attempt = new AbortController()
  const answer = Promise.withResolvers<void>()
  const sink = { write: (): Promise<void> => answer.promise }
  const { signal } = attempt
  const options = { policy, breaker: undefined, errors, inTransaction: true, abort: signal, stopWaiting: signal }
  const written = new Delivery({ ...options, sink }).write(batch, errors.collect())
  attempt.abort(beside())
  answer.reject(new BatchError('refused', new Map([[1, refused('INVALID_RECORD')]])))
  await expect(written).rejects.toThrow('refused')
  expect(errors.aborted()).toBe(true)
  expect([...errors.refused.of(sink, batch)!.keys()]).toEqual([1])
})
