import { createServer } from 'node:http'
import { describe, expect, test } from 'vitest'
import { catalog } from '../../../src/catalog.ts'
import { TransactionError } from '../../../src/errors/index.ts'
import { brokerAvailable, uniqueName } from '../../support/broker.ts'
import { startCli } from '../../support/cli.ts'
import { consume, graphFile, type GraphStage, produce, runGraphHere } from '../../support/graphs.ts'
import { expectEachOnce, numbered, numberOf } from '../../support/numbered.ts'
import { topicBed } from '../../support/topics.ts'

const EOS = { global: { delivery: 'exactly_once', commit_interval: 'PT0.02S' } }
const committed = { isolation: 'read_committed' }
const seen: GraphStage = {
  id: 'map',
  function: 'map.apply',
  inputs: ['consume'],
  config: { expression: 'true', output_column: 'seen' },
}
const isNumber: GraphStage = {
  id: 'check',
  function: 'validate.schema',
  inputs: ['consume'],
  config: { field_types: { n: 'integer' }, unique_fields: ['n'] },
}
const isFirst: GraphStage = { id: 'check', function: 'distinct.apply', inputs: ['consume'], config: { columns: 'n' } }

// I1, I2, I3, I5
describe.skipIf(!brokerAvailable)('a graph with exactly_once', () => {
  const bed = topicBed()
  const topics = (count: number, partitions = 2): Promise<string[]> =>
    Promise.all(Array.from({ length: count }, () => bed().create({ partitions })))
  const visible = async (topic: string): Promise<number[]> =>
    (await bed().values(topic, committed)).flat().map(numberOf)

  test('writes to all its producers, and commits the offsets of what was dropped', async () => {
    const [input, all, high] = (await topics(3)) as [string, string, string]
    await bed().write(input, numbered(5000), { batchBytes: 1000 })
    const filter = { column: 'n', operator: '>=', value: 4990 }
    const file = await graphFile(
      [
        consume(input),
        produce(all, ['consume'], {}, 'all'),
        { id: 'filter', function: 'filter.apply', inputs: ['all'], config: filter },
        produce(high, ['filter'], {}, 'high'),
      ],
      EOS,
    )
    expect(await runGraphHere(file)).toMatchObject({ read: { records: 5000 }, written: { records: 5010 } })
    expectEachOnce(await bed().values(all, committed), 5000)
    expect((await visible(high)).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 10 }, (_, i) => 4990 + i))
    expect(await runGraphHere(file)).toMatchObject({ read: { records: 0 } })
  })

  test('forwards record batches still compressed to both topics when nothing looks at them', async () => {
    const [input, a, b] = (await topics(3)) as [string, string, string]
    await bed().write(input, numbered(20_000), { compression: 'gzip' })
    await runGraphHere(
      await graphFile([consume(input), produce(a, ['consume'], {}, 'a'), produce(b, ['consume'], {}, 'b')], EOS),
    )
    expect(await bed().values(a, committed)).toEqual(await bed().values(input))
    expect(await bed().values(b, committed)).toEqual(await bed().values(input))
  })

  test.each([
    { lane: 'verbatim', between: undefined },
    { lane: 'documents', between: seen },
  ])('killed twice on the $lane lane, it writes each record once to both topics', async ({ between }) => {
    const [input, a, b] = (await topics(3, 3)) as [string, string, string]
    const from = between === undefined ? 'consume' : between.id
    const source = consume(input, { 'group.instance.id': uniqueName('member'), 'max.partition.fetch.bytes': 4000 })
    const file = await graphFile(
      [source, ...(between === undefined ? [] : [between]), produce(a, [from], {}, 'a'), produce(b, [from], {}, 'b')],
      EOS,
    )
    const count = 9000
    await bed().write(input, numbered(count / 2), { batchBytes: 300 })
    for (let kill = 0; kill < 2; kill++) {
      const { child, ended } = startCli(['run', file])
      const before = (await bed().values(b)).flat().length
      await bed().write(input, numbered(500, count / 2 + kill * 500), { batchBytes: 300 })
      // In the midst of its work: as soon as something new is written, committed or not.
      await expect.poll(async () => (await bed().values(b)).flat().length, { interval: 20 }).toBeGreaterThan(before)
      child.kill('SIGKILL')
      await ended
    }
    await bed().write(input, numbered(count / 2 - 1000, count / 2 + 1000), { batchBytes: 300 })
    const { code, stderr } = await startCli(['run', file, '--until-end']).ended
    expect(code, stderr).toBe(0)
    for (const topic of [a, b]) expectEachOnce(await bed().values(topic, committed), count)
  })

  test('a row that fails in the middle ends the run, and what is visible is the same in both topics', async () => {
    const [input, a, b] = (await topics(3, 1)) as [string, string, string]
    await bed().write(input, [...numbered(3000), { key: 'k', value: '{"n":"poison"}' }, ...numbered(3000, 3000)], {
      batchBytes: 1000,
    })
    const stages = [
      consume(input, { 'max.partition.fetch.bytes': 5000 }),
      isNumber,
      produce(a, ['check'], {}, 'a'),
      produce(b, ['check'], {}, 'b'),
    ]
    await expect(runGraphHere(await graphFile(stages, EOS))).rejects.toMatchObject({
      code: 'STAGE_FAILED',
      offset: 3000n,
    })
    expect(await visible(a)).toEqual((await visible(a)).map((_, i) => i))
    expect(await visible(b)).toEqual(await visible(a))
    await runGraphHere(await graphFile(stages, { ...EOS, error_handling: { strategy: 'continue' } }))
    for (const topic of [a, b]) expectEachOnce(await bed().values(topic, committed), 6000)
  })

  test('dead letters in a topic are part of the transaction', async () => {
    const [input, output, letters] = (await topics(3, 1)) as [string, string, string]
    await bed().write(input, [...numbered(500), { key: 'k', value: '{"n":"poison"}' }, ...numbered(500, 500)])
    const error_handling = { strategy: 'continue', dead_letter_queue: { topic: letters } }
    const file = await graphFile([consume(input), isNumber, produce(output, ['check'])], { ...EOS, error_handling })
    expect(await runGraphHere(file)).toMatchObject({ errors: { deadLettered: { STAGE_FAILED: 1 } } })
    expectEachOnce(await bed().values(output, committed), 1000)
    const [letter] = (await bed().values(letters, committed)).flat()
    expect(JSON.parse(letter!)).toMatchObject({ record: { n: 'poison' }, stage_id: 'check' })
  })

  test('a bounded consumer commits what it has read, and no more', async () => {
    const [input, output] = (await topics(2, 1)) as [string, string]
    await bed().write(input, numbered(1000), { batchBytes: 1000 })
    const bounded = consume(input, { max_messages: 333 })
    const file = await graphFile([bounded, seen, produce(output, ['map'])], EOS)
    for (const count of [333, 666, 999, 1000]) {
      await runGraphHere(file)
      expectEachOnce(await bed().values(output, committed), count)
    }
    const slow = await graphFile([consume(input, { timeout_ms: 500 }), produce(output, ['consume'])], EOS)
    expect(await runGraphHere(slow, { untilEnd: false })).toMatchObject({ ended: 'source', read: { records: 1000 } })
  })

  test.each([isNumber, isFirst])(
    'after an abort, $function and bounds are where the last commit left them',
    async (check) => {
      const [input, output] = (await topics(2, 1)) as [string, string]
      await bed().write(input, numbered(1000), { batchBytes: 300 })
      let calls = 0
      const failing: typeof catalog = {
        ...catalog,
        async function(kind, name) {
          const definition = await catalog.function(kind, name)
          if (definition.kind !== 'transform') return definition
          return {
            ...definition,
            async create(options, context) {
              const transform = await definition.create(options, context)
              const process: typeof transform.process = (batch, signal, failed) => {
                const passed = transform.process(batch, signal, failed)
                if (++calls % 10 === 7 && calls < 40) throw new TransactionError('It is over', { fatal: false })
                return passed
              }
              return { ...transform, process }
            },
          }
        },
      }
      const bounded = consume(input, { max_messages: 800, 'max.partition.fetch.bytes': 1000 })
      const file = await graphFile([bounded, check, produce(output, ['check'])], EOS)
      const warnings: string[] = []
      await runGraphHere(file, { components: failing, warn: (message) => warnings.push(message) })
      expect(warnings).toContainEqual(expect.stringContaining('reading restarts at the committed offsets'))
      expectEachOnce(await bed().values(output, committed), 800)
    },
  )

  test('a stage that asks a service keeps the order, and commits wait for it', async () => {
    const [input, output] = (await topics(2)) as [string, string]
    await bed().write(input, numbered(300), { batchBytes: 300 })
    const server = createServer((request, response) => {
      setTimeout(() => response.end(`{"url":"${request.url}"}`), Math.random() * 10)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    try {
      const { port } = server.address() as { port: number }
      const config = { url: `http://127.0.0.1:${port}/{{ n }}`, result_field: 'answer' }
      const file = await graphFile(
        [
          consume(input, { 'max.partition.fetch.bytes': 1000 }),
          { id: 'ask', function: 'http.fetch', inputs: ['consume'], config },
          produce(output, ['ask']),
        ],
        EOS,
      )
      await runGraphHere(file)
      const values = await bed().values(output, committed)
      expectEachOnce(values, 300)
      for (const value of values.flat())
        expect(JSON.parse(value)).toMatchObject({ answer: { url: `/${numberOf(value)}` } })
    } finally {
      server.close()
    }
  })

  test('members that come and go write each record once to both topics', async () => {
    const [input, a, b] = (await topics(3, 4)) as [string, string, string]
    const source = consume(input, {
      'partition.assignment.strategy': 'cooperative-sticky',
      'heartbeat.interval.ms': 300,
      timeout_ms: 60_000,
    })
    const file = await graphFile(
      [source, isNumber, produce(a, ['check'], {}, 'a'), produce(b, ['check'], {}, 'b')],
      EOS,
    )
    const count = 15_000
    const stops: AbortController[] = []
    const runs: Promise<unknown>[] = []
    const start = (): void => {
      const stop = new AbortController()
      stops.push(stop)
      // One that is stopped while it joins says so.
      const isStopped = (error: { code?: string }): void => expect(error.code).toBe('ABORTED')
      runs.push(runGraphHere(file, { untilEnd: false, signal: stop.signal }).catch(isStopped))
    }
    start()
    for (let first = 0; first < count; first += 1500) {
      await bed().write(input, numbered(1500, first))
      if (first === 3000 || first === 6000) start()
      if (first === 9000) stops[0]!.abort()
    }
    await expect.poll(async () => (await visible(b)).length, { interval: 300 }).toBeGreaterThanOrEqual(count)
    for (const stop of stops) stop.abort()
    await Promise.all(runs)
    for (const topic of [a, b]) expectEachOnce(await bed().values(topic, committed), count)
  })
})

describe.skipIf(!brokerAvailable)('a graph with at_most_once', () => {
  const bed = topicBed()

  test('commits a batch before it is processed', async () => {
    const [input, output] = [await bed().create(), await bed().create()]
    await bed().write(input, [...numbered(10), { value: '{"n":"poison"}' }], {})
    const stages = [consume(input), isNumber, produce(output, ['check'])]
    const global = { delivery: 'at_most_once' }
    await expect(runGraphHere(await graphFile(stages, { global }))).rejects.toMatchObject({ code: 'STAGE_FAILED' })
    expect(await runGraphHere(await graphFile(stages, { global }))).toMatchObject({ read: { records: 0 } })
  })
})
