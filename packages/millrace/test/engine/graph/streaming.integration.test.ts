import { describe, expect, test } from 'vitest'
import { catalog } from '../../../src/catalog.ts'
import type { PartitionStatus } from '../../../src/contracts/source.ts'
import type { RunProgress } from '../../../src/engine/plan.ts'
import type { WatchedPipeline } from '../../../src/engine/watching/watched-pipeline.ts'
import { DeliveryError } from '../../../src/errors/index.ts'
import { brokerAvailable, uniqueName } from '../../support/broker.ts'
import { consume, graphFile, type GraphStage, produce, runGraphHere } from '../../support/graphs.ts'
import { numbered } from '../../support/numbered.ts'
import { topicBed } from '../../support/topics.ts'

const streaming = { execution_mode: 'streaming' }
const step = (name: string, config: object): GraphStage => ({
  id: 'step',
  function: name,
  inputs: ['consume'],
  config: { ...config },
})

describe.skipIf(!brokerAvailable)('a graph', () => {
  const bed = topicBed()

  // I1
  test('streams: what comes first is written and committed while more is being written to the source', async () => {
    const [input, output] = [await bed().create(), await bed().create()]
    const group_id = uniqueName('group')
    const stages = [
      consume(input, { group_id, 'auto.commit.interval.ms': 50, max_messages: undefined }),
      step('map.apply', { expression: 'n + 1', output_column: 'next' }),
      produce(output, ['step']),
    ]
    const stop = new AbortController()
    const file = await graphFile(stages, { global: streaming })
    const ended = runGraphHere(file, { untilEnd: false, signal: stop.signal })
    for (let round = 1; round <= 3; round++) {
      await bed().write(input, numbered(100, (round - 1) * 100))
      await expect.poll(async () => (await bed().values(output)).flat().length).toBe(round * 100)
      await expect.poll(async () => (await bed().groups.committedOffsets(group_id))[0]?.offset).toBe(round * 100)
    }
    stop.abort()
    expect(await ended).toMatchObject({ ended: 'signal', read: { records: 300 } })
  })

  // /status, the dashboard and the metrics by partition had none of a stage graph, nor the age of its lag.
  test('shows the partitions that it reads', async () => {
    const [input, output] = [await bed().create({ partitions: 2 }), await bed().create()]
    await bed().write(input, numbered(10))
    const stop = new AbortController()
    const pipelines: WatchedPipeline[] = []
    const stages = [consume(input, { max_messages: undefined }), produce(output, ['consume'])]
    const ended = runGraphHere(await graphFile(stages, { global: streaming }), {
      untilEnd: false,
      signal: stop.signal,
      onPipeline: (pipeline) => pipelines.push(pipeline),
    })
    const partitions = (): readonly PartitionStatus[] => pipelines[0]?.sources[0]?.status()?.partitions ?? []
    await expect.poll(() => partitions().map(({ partition }) => partition)).toEqual([0, 1])
    await expect.poll(() => partitions().reduce((sum, { position = 0 }) => sum + position, 0)).toBe(10)
    stop.abort()
    await ended
  })

  test.each([
    { limit: 'max_rows', config: { by: 'n', max_rows: 100 }, text: 'Cannot collect' },
    { limit: 'max_bytes', config: { by: 'n', max_bytes: 2000 }, text: 'as max_bytes is 2.00 kB' },
  ])('says when a stage that needs all rows has reached $limit, and writes nothing', async ({ config, text }) => {
    const [input, output] = [await bed().create(), await bed().create()]
    await bed().write(input, numbered(1000), { batchBytes: 500 })
    const stages = [consume(input), step('sort.apply', config), produce(output, ['step'])]
    // With an error policy, rows beyond the limit were dead letters and were written, too, and memory was not limited.
    for (const error_handling of [{ strategy: 'stop' }, { strategy: 'continue' }]) {
      await expect(runGraphHere(await graphFile(stages, { error_handling }))).rejects.toMatchObject({
        code: 'STAGE_MISCONFIGURED',
        message: expect.stringContaining(text) as unknown,
      })
      expect((await bed().values(output)).flat()).toEqual([])
    }
  })

  test('waits for a sink that fails with an open circuit, while the other sink continues', async () => {
    const [input, good, bad] = [await bed().create(), await bed().create(), await bed().create()]
    await bed().write(input, numbered(50))
    let failures = 3
    const failing: typeof catalog = {
      ...catalog,
      async function(kind, name) {
        const definition = await catalog.function(kind, name)
        if (definition.kind !== 'sink') return definition
        return {
          ...definition,
          async create(options, context) {
            const sink = await definition.create(options, context)
            if (context.stage !== 'bad') return sink
            const write: typeof sink.write = (batch, signal) =>
              failures-- > 0
                ? Promise.reject(new DeliveryError('The leader is gone', { topic: bad, component: 'kafka' }))
                : sink.write(batch, signal)
            return new Proxy(sink, {
              get: (target, property) => {
                if (property === 'write') return write
                const value: unknown = Reflect.get(target, property, target)
                return typeof value === 'function' ? (value.bind(target) as unknown) : value
              },
            })
          },
        }
      },
    }
    const error_handling = { circuit_breaker: { failure_threshold: 2, timeout: 100 } }
    const stages = [consume(input), produce(good, ['consume'], {}, 'good'), produce(bad, ['consume'], {}, 'bad')]
    const warnings: string[] = []
    let last: RunProgress | undefined
    await runGraphHere(await graphFile(stages, { error_handling }), {
      components: failing,
      warn: (message) => warnings.push(message),
      onProgress: (progress) => (last = progress),
    })
    expect(warnings).toContain('The circuit breaker of stage "bad" is open')
    expect(warnings.join()).not.toContain('"good"')
    expect(last?.circuitBreaker).toMatchObject({ state: 'closed', openings: 2 })
    for (const topic of [good, bad]) expect((await bed().values(topic)).flat()).toHaveLength(50)
  })

  // The rows passed on and were committed as if the inner pipeline had done its work.
  test('stopped while an inner pipeline runs, passes on none of the rows that wait for it, and reads them again', async () => {
    const [input, lines, loaded, output] = await Promise.all([1, 2, 3, 4].map(() => bed().create()))
    await bed().write(input!, numbered(5))
    const group_id = uniqueName('group')
    const inline = {
      global: streaming,
      stages: [consume(lines!, { max_messages: undefined }), produce(loaded!, ['consume'])],
    }
    const stages = [
      consume(input!, { group_id, max_messages: 5 }),
      step('stage.pipeline', { inline }),
      produce(output!, ['step']),
    ]
    const stop = new AbortController()
    const warnings: string[] = []
    const ended = runGraphHere(await graphFile(stages), {
      untilEnd: false,
      signal: stop.signal,
      warn: (message) => warnings.push(message),
    })
    await bed().write(lines!, numbered(3))
    await expect.poll(async () => (await bed().values(loaded!)).flat().length).toBe(3)
    stop.abort()
    expect(await ended).toMatchObject({ ended: 'signal', read: { records: 5 } })
    expect((await bed().values(output!)).flat()).toEqual([])
    expect((await bed().groups.committedOffsets(group_id))[0]?.offset ?? 0).toBe(0)
    expect(warnings.join()).toMatch(/"step".*5 rows.*the next run reads them again/)
  })

  // It began, read nothing, and put an empty file in the place of the one that the last run had written.
  test('stopped before an inner pipeline begins, does not run it', async () => {
    const [input, output] = [await bed().create(), await bed().create()]
    await bed().write(input, numbered(5))
    const read = { id: 'read', function: 'csv.read', config: { path: 'prices.csv' } }
    const save = { id: 'save', function: 'json.write', inputs: ['read'], config: { path: 'prices.json' } }
    const stages = [
      consume(input, { max_messages: undefined }),
      step('stage.pipeline', { inline: { stages: [read, save] } }),
      produce(output, ['step']),
    ]
    const made: string[] = []
    const components: typeof catalog = {
      ...catalog,
      function(kind, name) {
        made.push(name)
        return catalog.function(kind, name)
      },
    }
    const stop = new AbortController()
    let last: RunProgress | undefined
    const ended = runGraphHere(await graphFile(stages, { global: streaming }), {
      components,
      untilEnd: false,
      signal: stop.signal,
      onProgress: (progress) => (last = progress),
    })
    await expect.poll(() => last?.read.records).toBe(5)
    stop.abort()
    expect(await ended).toMatchObject({ ended: 'signal' })
    expect(made).toEqual(['kafka', 'stage.pipeline', 'kafka'])
    expect((await bed().values(output)).flat()).toEqual([])
  })
})
