import { afterEach, describe, expect, test, vi } from 'vitest'
import { runPipeline } from '../../src/engine/run-pipeline.ts'
import { compress } from '../../src/kafka/protocol/compression/compression.ts'
import { FetchedRecords } from '../../src/kafka/protocol/locate-records.ts'
import { Batch } from '../../src/records/batch.ts'
import { batchOf } from '../support/batches.ts'
import { encodeRecordBatch } from '../support/encode-record-batch.ts'
import { memoryComponents, memoryPlan, MemorySink, MemorySource } from '../support/memory-components.ts'

const NEVER = new AbortController().signal
const MIB = 1024 * 1024

afterEach(() => void vi.useRealTimers())

describe('an exception of the progress callback', () => {
  /** Waits for more until it is asked to stop. */
  class EndlessSource extends MemorySource {
    override async *batches(signal: AbortSignal): AsyncGenerator<Batch> {
      yield* super.batches(signal)
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
    }
  }

  // It was thrown by a timer, and ended the process (K5).
  test.each(['at_least_once', 'at_most_once', 'exactly_once'] as const)(
    'ends the run with it: %s',
    async (delivery) => {
      vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
      const log: string[] = []
      const sink = new MemorySink(log, delivery === 'exactly_once')
      const run = runPipeline(memoryPlan({ delivery }), {
        components: memoryComponents(new EndlessSource([['1']], log), sink),
        signal: NEVER,
        abort: NEVER,
        untilEnd: false,
        warn: () => {},
        onProgress: () => {
          throw new TypeError('injected')
        },
      })
      const ended = expect(run).rejects.toThrow('injected')
      await vi.waitFor(() => expect(log.join()).toContain('write'))
      vi.advanceTimersByTime(1000)
      await ended
    },
  )
})

// Records were located when they were written, which was after their batch had been counted: 1 MiB in flight held 868 MB (K9).
test.each(['at_least_once', 'at_most_once', 'exactly_once'] as const)(
  'what compressed batches become counts as in flight where records are written one by one: %s',
  async (delivery) => {
    const log: string[] = []
    const plain = { records: [{ value: Buffer.alloc(MIB) }] }
    const bytes = encodeRecordBatch({ ...plain, attributes: 1, compress: (records) => compress('gzip', records) })
    let taken = 0
    const source = new MemorySource([], log)
    source.batches = async function* () {
      for (; taken < 200; taken++) {
        const ranges = Int32Array.of(0, bytes.length)
        const storage = new FetchedRecords({ topic: 't', partition: 0, bytes, ranges, fromOffset: 0 })
        yield new Batch(batchOf([]).origin, storage, { ack() {}, split: () => [{ ack() {} }, { ack() {} }] })
      }
    }
    const sink = new MemorySink(log, delivery === 'exactly_once')
    const written = Promise.withResolvers<void>()
    sink.write = () => written.promise
    const run = runPipeline(memoryPlan({ delivery }), {
      components: { ...memoryComponents(source, sink), documents: async () => undefined },
      signal: NEVER,
      abort: NEVER,
      untilEnd: true,
      warn: () => {},
    })
    expect(bytes.length).toBeLessThan(MIB / 200)
    await expect.poll(() => taken).toBeGreaterThan(15)
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(taken).toBeLessThanOrEqual(18)
    written.resolve()
    await run
    expect(taken).toBe(200)
  },
)
