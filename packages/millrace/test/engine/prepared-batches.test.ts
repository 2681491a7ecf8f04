import { describe, expect, test } from 'vitest'
import { preview } from '../../src/cli/preview/index.ts'
import { preparing } from '../../src/contracts/preparing.ts'
import type { Delivery } from '../../src/contracts/context.ts'
import { runGraph } from '../../src/engine/graph/run-graph.ts'
import type { RunOptions, RunResult } from '../../src/engine/plan.ts'
import { runPipeline } from '../../src/engine/run-pipeline.ts'
import { ConnectionError } from '../../src/errors/index.ts'
import { batchOf } from '../support/batches.ts'
import {
  FetchingCodec,
  MemorySink,
  memoryComponents,
  memoryGraph,
  memoryPlan,
  MemorySource,
} from '../support/memory-components.ts'

const never = new AbortController().signal

/** Runs batches of three schemas. Each fetch of a schema is logged, and waits for `wait`. */
async function run(
  delivery: Delivery,
  wait: (schema: string, log: readonly string[]) => Promise<void>,
  options: Partial<RunOptions> = {},
): Promise<{ readonly log: readonly string[]; readonly result: RunResult }> {
  const log: string[] = []
  const codec = new FetchingCodec(async (schema) => {
    log.push(`fetch ${schema}`)
    await wait(schema, log)
    log.push(`got ${schema}`)
  })
  const source = new MemorySource([['a:1'], ['b:2', 'a:3'], ['a:4']], log)
  const sink = new MemorySink(log, delivery === 'exactly_once')
  const result = await runPipeline(memoryPlan({ delivery, commitIntervalMs: 1 }), {
    components: memoryComponents(source, sink, codec),
    signal: never,
    abort: never,
    untilEnd: true,
    warn: () => {},
    ...options,
  })
  return { log, result }
}

const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('a codec that has to fetch something', () => {
  test('does so before a batch is decoded, and holds up none for which everything is there: at_least_once', async () => {
    const { log } = await run('at_least_once', soon)
    expect(log.filter((line) => !line.startsWith('ack'))).toEqual([
      'fetch a',
      'got a',
      'write {"text":"1"}',
      'fetch b',
      'got b',
      'write {"text":"2"} {"text":"3"}',
      'write {"text":"4"}',
    ])
  })

  test('does so before offsets are committed: at_most_once', async () => {
    const { log } = await run('at_most_once', soon)
    expect(log.indexOf('got b')).toBeLessThan(log.indexOf('commit first {"text":"2"} {"text":"3"}'))
    expect(log.indexOf('commit first {"text":"2"} {"text":"3"}')).toBeLessThan(
      log.indexOf('write {"text":"2"} {"text":"3"}'),
    )
  })

  test('lets transactions be committed meanwhile, which hold nothing of the batch that waits: exactly_once (I5)', async () => {
    const { log } = await run('exactly_once', async (schema, soFar) => {
      if (schema === 'b') await expect.poll(() => soFar).toContain('commit a:1')
    })
    expect(log.filter((line) => !line.startsWith('ack')).slice(0, 7)).toEqual([
      'fetch a',
      'got a',
      'write {"text":"1"}',
      'fetch b',
      'commit a:1',
      'got b',
      'write {"text":"2"} {"text":"3"}',
    ])
    expect(log.filter((line) => line.startsWith('commit')).join(' ')).toMatch(/ b:2 a:3.* a:4$/)
  })

  test.each(['at_least_once', 'exactly_once'] as const)(
    'is not waited for when the run is to end, and its batch is read by the next one: %s',
    async (delivery) => {
      const stop = new AbortController()
      const { log, result } = await run(
        delivery,
        async (schema) => {
          if (schema !== 'b') return
          stop.abort()
          await new Promise(() => {})
        },
        { signal: stop.signal },
      )
      expect(result.ended).toBe('signal')
      expect(log.filter((line) => line.startsWith('ack'))).toEqual(['ack a:1'])
      expect(log).not.toContain('got b')
    },
  )

  test('ends the run when it fails', async () => {
    const down = new ConnectionError('BROKER_UNREACHABLE', 'The registry is down')
    await expect(run('at_least_once', () => Promise.reject(down))).rejects.toBe(down)
  })

  test('ends an attempt when it fails, and is tried again with the next one: exactly_once', async () => {
    let failures = 0
    const { log } = await run('exactly_once', async (schema) => {
      if (schema === 'b' && failures++ === 0) throw new ConnectionError('BROKER_UNREACHABLE', 'The registry is down')
    })
    const begun = log.indexOf('rewind')
    expect(log.slice(log.indexOf('fetch b'), begun).filter((line) => !line.startsWith('ack'))).toEqual([
      'fetch b',
      'abort',
    ])
    expect(log.slice(begun)).toContain('got b')
    expect(log.filter((line) => line.startsWith('commit')).join(' ')).toContain('b:2 a:3')
  })

  test('does so in a preview', async () => {
    const log: string[] = []
    const codec = new FetchingCodec(async (schema) => {
      await soon()
      log.push(`got ${schema}`)
    })
    const components = memoryComponents(new MemorySource([['a:1'], ['b:2']], log), new MemorySink(log), codec)
    const onRow = (batch: { readonly documents: unknown[] | undefined }, row: number): void =>
      void log.push(JSON.stringify(batch.documents![row]))
    await preview(memoryPlan(), { from: 'earliest', follow: false, onRow }, components)
    expect(log).toEqual(['got a', '{"text":"1"}', 'got b', '{"text":"2"}'])
  })
})

test.each(['at_least_once', 'at_most_once', 'exactly_once'] as const)(
  'sources and sinks of a graph prepare before rows are made: %s',
  async (delivery) => {
    const log: string[] = []
    const source = Object.assign(new MemorySource([['a'], ['b']], log), {
      prepare: async () => {
        await soon()
        log.push('source is prepared')
      },
      decode: () => void log.push('decode'),
    })
    const sink = Object.assign(new MemorySink(log, delivery === 'exactly_once'), {
      prepare: async () => {
        await soon()
        await soon()
        log.push('sink is prepared')
      },
    })
    await runGraph(memoryGraph({ delivery }), {
      components: memoryComponents(source, sink),
      signal: never,
      abort: never,
      untilEnd: true,
      warn: () => {},
    })
    const steps = log.filter((line) => !/^(?:ack|commit)/.test(line))
    const each = (value: string): string[] => ['source is prepared', 'sink is prepared', 'decode', `write ${value}`]
    expect(steps).toEqual([...each('a'), ...each('b')])
  },
)

describe('preparing several parts', () => {
  const batch = batchOf(['x'])

  test('is nothing where none has to prepare', () => {
    expect(preparing([undefined, {}, { prepare: undefined }])).toBeUndefined()
  })

  test('asks each part once, and waits for none that has everything', () => {
    let asked = 0
    const part = { prepare: () => (asked++, undefined) }
    expect(preparing([part, part, { prepare: () => undefined }])!(batch, never)).toBeUndefined()
    expect(asked).toBe(1)
  })

  test('waits for all parts', async () => {
    const done: string[] = []
    const after = (name: string, turns: number) => ({
      async prepare() {
        for (let i = 0; i < turns; i++) await soon()
        done.push(name)
      },
    })
    await preparing([after('slow', 3), after('fast', 1)])!(batch, never)
    expect(done).toEqual(['fast', 'slow'])
  })
})
