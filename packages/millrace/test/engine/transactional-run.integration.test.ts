import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { exactlyOnce, KafkaSink, KafkaSource } from '../../src/index.ts'
import { Counters } from '../../src/metrics/counters.ts'
import {
  bootstrapServers,
  brokerAvailable,
  proxiedBroker,
  javaAvailable,
  javaTool,
  uniqueName,
} from '../support/broker.ts'
import { fromTopic, type PipelineSpec, pipelineFile, runHere, startCommand, toTopic } from '../support/pipelines.ts'
import { listTransactionsApi } from '../../src/protocol/messages/list-transactions.ts'
import { SLICE_ROWS } from '../../src/engine/slices.ts'
import { RawClient } from '../support/raw-client.ts'
import { expectEachOnce, numbered, numberOf } from '../support/numbered.ts'
import { readTopic } from '../support/read-topic.ts'
import { topicBed } from '../support/topics.ts'

const EOS = { delivery: 'exactly_once', commitInterval: 'PT0.02S' }
const committed = { isolation: 'read_committed' }

describe.skipIf(!brokerAvailable)('exactly once', () => {
  const bed = topicBed()

  test('copies whole record batches in transactions, in the order of each partition', async () => {
    const [input, output] = [await bed().create({ partitions: 3 }), await bed().create({ partitions: 3 })]
    await bed().write(input, numbered(20_000))
    const { read, written } = await runHere({ ...EOS, source: fromTopic(input), sink: toTopic(output) })
    expect([read.records, written.records]).toEqual([20_000, 20_000])
    expect(await bed().values(output, committed)).toEqual(await bed().values(input))
  })

  test('commits the offsets of records that a stage dropped', async () => {
    const [input, output] = [await bed().create({ partitions: 2 }), await bed().create()]
    await bed().write(input, numbered(1000))
    const spec = {
      ...EOS,
      source: fromTopic(input),
      stages: [{ $match: { n: { $gte: 5000 } } }],
      sink: toTopic(output),
    }
    expect((await runHere(spec)).read.records).toBe(1000)
    expect((await runHere(spec)).read.records).toBe(0)
  })

  test('a record that fails in the middle ends the run; what is visible is what the next run does not read again', async () => {
    const [input, output] = [await bed().create(), await bed().create()]
    await bed().write(input, [...numbered(3000), { key: 'k', value: 'poison' }, ...numbered(3000, 3000)], {
      batchBytes: 1000,
    })
    const spec = {
      ...EOS,
      source: fromTopic(input, { 'max.partition.fetch.bytes': 5000 }),
      stages: [{ $set: { seen: true } }],
      sink: toTopic(output),
    }
    await expect(runHere(spec)).rejects.toMatchObject({ code: 'DECODE_FAILED', offset: 3000n })
    const visible = (await bed().values(output, committed)).flat().map(numberOf)
    expect(visible).toEqual(visible.map((_, i) => i))
    await runHere({ ...spec, errorPolicy: 'skip' })
    expectEachOnce(await bed().values(output, committed), 6000)
  })

  // A large batch is begun slice by slice, and has one offset: a commit in between would show what is read again.
  test('nothing of a batch that is large enough to be cut is visible before all of it is (I5)', async () => {
    const [input, output] = [await bed().create(), await bed().create()]
    const count = 100_000
    await bed().write(input, [...numbered(count), { key: 'k', value: 'poison' }], {
      compression: 'zstd',
      batchBytes: 16_000_000,
      lingerMs: 1000,
      maxRequestBytes: 16_000_000,
      bufferBytes: 64_000_000,
    })
    const { batches } = await readTopic(bed().cluster, input)
    expect(Math.max(...batches.map(({ count }) => count))).toBeGreaterThan(4 * SLICE_ROWS)
    const spec = {
      ...EOS,
      commitInterval: 'PT0.001S',
      source: fromTopic(input),
      stages: [{ $set: { seen: true } }],
      sink: toTopic(output, { 'linger.ms': 0 }),
    }
    await expect(runHere(spec)).rejects.toMatchObject({ code: 'DECODE_FAILED' })
    await runHere({ ...spec, errorPolicy: 'skip' })
    expectEachOnce(await bed().values(output, committed), count)
  })

  test('dead letters are part of the transaction', async () => {
    const [input, output, letters] = [await bed().create(), await bed().create(), await bed().create()]
    await bed().write(input, [...numbered(500), { key: 'k', value: 'poison' }, ...numbered(500, 500)])
    const spec = {
      ...EOS,
      source: fromTopic(input),
      stages: [{ $set: { seen: true } }],
      sink: toTopic(output),
      errorPolicy: { type: 'deadLetter', deadLetter: { topic: letters } },
    }
    await runHere(spec)
    expectEachOnce(await bed().values(output, committed), 1000)
    expect(await bed().values(letters, committed)).toEqual([['poison']])
    // The record batch itself is marked as part of a transaction, whose marker lies behind it.
    expect((await bed().values(letters, committed)).flat()).toHaveLength(1)
  })

  // Each one doomed the transaction, and ended the run, whatever the policy said (K14).
  test.each([
    { lane: 'verbatim', stages: [], sink: {} },
    { lane: 'bytes', stages: [], sink: { keepPartition: false } },
    { lane: 'documents', stages: [{ $set: { seen: true } }], sink: { 'linger.ms': 20 } },
    { lane: 'unwound', stages: [{ $set: { part: [1, 2] } }, { $unwind: '$part' }], sink: {}, each: 2 },
  ])('records that the broker finds too large meet their fate, and all others are written once: $lane', async (row) => {
    const { stages, sink, each = 1 } = row
    const topics = [{ partitions: 2 }, { configs: { 'max.message.bytes': '2000' } }, {}]
    const [input, output, letters] = await Promise.all(topics.map((topic) => bed().create(topic)))
    const records = numbered(600)
    for (const at of [150, 300, 301, 500])
      records.splice(at, 0, { key: 'k', value: `{"n":-1,"pad":"${'x'.repeat(5000)}"}` })
    await bed().write(input!, records, { batchBytes: 1500 })
    const spec = { ...EOS, source: fromTopic(input!), stages, sink: toTopic(output!, sink) }
    await expect(runHere(spec)).rejects.toMatchObject({ code: 'BATCH_FAILED' })
    const { errors } = await runHere({
      ...spec,
      errorPolicy: { type: 'deadLetter', deadLetter: { topic: letters } },
    })
    const written = (await bed().values(output!, committed)).flat().map(numberOf)
    expect(written.toSorted((a, b) => a - b)).toEqual(
      numbered(600).flatMap(({ value }) => Array(each).fill(numberOf(value))),
    )
    expect((await bed().values(letters!, committed)).flat()).toHaveLength(4)
    expect(errors).toMatchObject({ deadLettered: { RECORD_TOO_LARGE: 4 }, skipped: {} })
    const skipped = await runHere({ ...spec, source: fromTopic(input!), errorPolicy: 'skip' })
    expect(skipped).toMatchObject({ errors: { skipped: { RECORD_TOO_LARGE: 4 } } })
  })

  test('records that the broker rejects for another reason meet their fate, and the transaction continues without them', async () => {
    const [input, output, letters] = await Promise.all(
      [{}, { configs: { 'cleanup.policy': 'compact' } }, {}].map((topic) => bed().create(topic)),
    )
    const records: { key: string | null; value: string }[] = numbered(300)
    for (const at of [0, 150, 151, 302]) records.splice(at, 0, { key: null, value: '{"n":-1}' })
    await bed().write(input!, records)
    const spec = {
      ...EOS,
      source: fromTopic(input!),
      stages: [{ $set: { seen: true } }],
      sink: toTopic(output!, { keepPartition: false }),
      errorPolicy: { type: 'deadLetter', deadLetter: { topic: letters } },
    }
    const metrics = new Counters()
    expect(await runHere(spec, { metrics })).toMatchObject({ errors: { deadLettered: { DELIVERY_FAILED: 4 } } })
    const aborts = metrics.snapshot().find(({ metric }) => metric === 'millrace_transaction_aborts_total')
    expect(aborts?.value ?? 0).toBe(0)
    expectEachOnce(await bed().values(output!, committed), 300)
    expect((await bed().values(letters!, committed)).flat()).toHaveLength(4)
  })

  test('of several documents made of a record, only those that are too large are left out', async () => {
    const topics = [{}, { configs: { 'max.message.bytes': '2000' } }]
    const [input, output] = await Promise.all(topics.map((topic) => bed().create(topic)))
    const large = 'x'.repeat(5000)
    const values = [['a', 'b'], ['a', large, 'c', large, 'd'], ['a']].map((i) => ({ value: JSON.stringify({ i }) }))
    await bed().write(input!, values)
    const spec = { ...EOS, source: fromTopic(input!), stages: [{ $unwind: '$i' }], sink: toTopic(output!) }
    expect(await runHere({ ...spec, errorPolicy: 'skip' })).toMatchObject({
      errors: { skipped: { RECORD_TOO_LARGE: 1 } },
    })
    const written = (await bed().values(output!, committed)).flat()
    expect(written.map((text) => (JSON.parse(text) as { i: string }).i)).toEqual(['a', 'b', 'a', 'c', 'd', 'a'])
  })

  test('a $limit that is reached ends the run and commits what it let through', async () => {
    const [input, output] = [await bed().create(), await bed().create()]
    await bed().write(input, numbered(50))
    await runHere({ ...EOS, source: fromTopic(input), stages: [{ $limit: 20 }], sink: toTopic(output) })
    expectEachOnce(await bed().values(output, committed), 20)
  })

  test('members that come and go write each record once', async () => {
    const [input, output] = [await bed().create({ partitions: 4 }), await bed().create({ partitions: 4 })]
    const source = fromTopic(input, {
      'partition.assignment.strategy': 'cooperative-sticky',
      'heartbeat.interval.ms': 300,
    })
    const spec = { ...EOS, source, stages: [{ $set: { seen: true } }], sink: toTopic(output) }
    const count = 30_000
    const stops: AbortController[] = []
    const runs: Promise<unknown>[] = []
    const start = (): void => {
      const stop = new AbortController()
      stops.push(stop)
      // One that is stopped while it joins says so.
      const isStopped = (error: { code?: string }): void => expect(error.code).toBe('ABORTED')
      runs.push(runHere(spec, { untilEnd: false, signal: stop.signal }).catch(isStopped))
    }
    start()
    for (let first = 0; first < count; first += 3000) {
      await bed().write(input, numbered(3000, first))
      if (first === 6000 || first === 12_000) start()
      if (first === 18_000) stops[0]!.abort()
      if (first === 24_000) stops[1]!.abort()
    }
    await expect
      .poll(async () => (await bed().values(output, committed)).flat().length, { interval: 300 })
      .toBeGreaterThanOrEqual(count)
    stops[2]!.abort()
    await Promise.all(runs)
    expectEachOnce(await bed().values(output, committed), count)
  })

  test('of two runs with the same transactional id one is fenced, and nothing comes out twice (I5)', async () => {
    const [input, output] = [await bed().create({ partitions: 2 }), await bed().create({ partitions: 2 })]
    await bed().write(input, numbered(1000))
    const source = fromTopic(input, { 'heartbeat.interval.ms': 300 })
    const spec = { ...EOS, source, sink: toTopic(output, { 'transactional.id': uniqueName('tx') }) }
    const stop = new AbortController()
    const first = runHere(spec, { untilEnd: false, signal: stop.signal }).then(
      () => undefined,
      (error: unknown) => error,
    )
    await expect.poll(async () => (await bed().values(output, committed)).flat().length).toBe(1000)
    const second = runHere(spec, { untilEnd: false, signal: stop.signal })
    let written = 1000
    // The old one finds out when it next commits something.
    const fenced = first.then((error) => ({ error }))
    let outcome: Awaited<typeof fenced> | undefined
    while ((outcome = await Promise.race([fenced, sleep(50, undefined)])) === undefined) {
      await bed().write(input, numbered(10, written))
      written += 10
    }
    expect(outcome.error).toMatchObject({ code: 'PRODUCER_FENCED', fatal: true })
    await expect.poll(async () => (await bed().values(output, committed)).flat().length).toBe(written)
    stop.abort()
    await second
    expectEachOnce(await bed().values(output, committed), written)
  })

  // A broker that is slow for longer than transaction.timeout.ms ended the run: the coordinator fences who keeps it waiting.
  test('a run with a generated transactional id continues under another one when it is fenced (I5)', async () => {
    const [input, output, letters] = [
      await bed().create({ partitions: 2 }),
      await bed().create({ partitions: 2 }),
      await bed().create(),
    ]
    await bed().write(input, [{ key: 'k', value: 'poison' }, ...numbered(1000)])
    const name = uniqueName('fenced')
    const spec = {
      ...EOS,
      name,
      source: fromTopic(input),
      stages: [{ $set: { seen: true } }],
      sink: toTopic(output),
      errorPolicy: { type: 'deadLetter', deadLetter: { topic: letters } },
    }
    const stop = new AbortController()
    const warnings: string[] = []
    const warn = (message: string): void => void warnings.push(message)
    const run = runHere(spec, { untilEnd: false, signal: stop.signal, warn })
    const visible = async (): Promise<number> => (await bed().values(output, committed)).flat().length
    await expect.poll(visible).toBe(1000)

    using client = await RawClient.connect(bootstrapServers().split(',')[0]!)
    const request = { stateFilters: [], producerIdFilters: [] }
    const { transactionStates } = await client.request(listTransactionsApi, 0, request)
    const { transactionalId } = transactionStates.find(({ transactionalId: id }) => id.startsWith(`${name}-`))!
    await using other = new KafkaSink({ bootstrapServers: bootstrapServers(), topic: output, transactionalId })
    await other.beginTransaction() // fences as the coordinator does
    await bed().write(input, [...numbered(1000, 1000), { key: 'k', value: 'poison' }])
    await expect.poll(visible).toBe(2000)
    stop.abort()
    const { written } = await run
    expect(warnings.filter((message) => message.startsWith('The transaction is aborted'))).toHaveLength(1)
    expectEachOnce(await bed().values(output, committed), 2000)
    expect(await bed().values(letters, committed)).toEqual([['poison', 'poison']])
    expect(written.records).toBeGreaterThanOrEqual(2000)
  })

  test('joins a source and a sink in a program, whatever aborts in between', async () => {
    const [input, output] = [await bed().create({ partitions: 2 }), await bed().create({ partitions: 2 })]
    await bed().write(input, numbered(5000), { batchBytes: 500 })
    await using source = new KafkaSource({
      bootstrapServers: bootstrapServers(),
      topics: input,
      groupId: uniqueName('group'),
      untilEnd: true,
    })
    await using sink = new KafkaSink({
      bootstrapServers: bootstrapServers(),
      topic: output,
      transactionalId: uniqueName('tx'),
    })
    await exactlyOnce(
      source,
      sink,
      (batch, transaction) => {
        for (let row = 0; row < batch.length; row++)
          void transaction.write([{ key: batch.key(row), value: batch.value(row) }])
      },
      { commitIntervalMs: 10 },
    )
    expectEachOnce(await bed().values(output, committed), 5000)
  })

  // It was written outside the transaction of its batch: a program that was killed after the commit had lost it.
  test('a write after the callback of its batch has returned is refused', async () => {
    const [input, output] = [await bed().create(), await bed().create()]
    await bed().write(input, numbered(10))
    await using source = new KafkaSource({
      bootstrapServers: bootstrapServers(),
      topics: input,
      groupId: uniqueName('group'),
      untilEnd: true,
    })
    await using sink = new KafkaSink({
      bootstrapServers: bootstrapServers(),
      topic: output,
      transactionalId: uniqueName('tx'),
    })
    let late: Promise<unknown> | undefined
    await exactlyOnce(source, sink, (batch, transaction) => {
      late = new Promise((resolve) => setImmediate(resolve))
        .then(() => transaction.write([{ value: batch.value(0) }]))
        .catch((error: unknown) => error)
    })
    expect(await late).toMatchObject({ code: 'TRANSACTION_FAILED', message: expect.stringContaining('has returned') })
    expect((await bed().values(output, committed)).flat()).toEqual([])
  })

  // A program that was still at a batch when its transaction was aborted, and at those that waited behind it, went on to write
  // into the next transaction, for which the same batches were read again.
  test('what a program writes for batches of an aborted transaction is no part of the next one (I5)', async () => {
    const [input, output] = [await bed().create({ partitions: 2 }), await bed().create({ partitions: 2 })]
    const count = 400
    await bed().write(input, numbered(count), { batchBytes: 500 })
    const member = {
      bootstrapServers: bootstrapServers(),
      topics: input,
      groupId: uniqueName('group'),
      sessionTimeoutMs: 6000,
      heartbeatIntervalMs: 300,
    }
    await using source = new KafkaSource(member)
    const transactionalId = uniqueName('tx')
    await using sink = new KafkaSink({ bootstrapServers: bootstrapServers(), topic: output, transactionalId })
    const [begun, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const stop = new AbortController()
    const run = exactlyOnce(
      source,
      sink,
      async (batch, transaction) => {
        begun.resolve()
        await released.promise
        for (let row = 0; row < batch.length; row++)
          void transaction.write([{ key: batch.key(row), value: batch.value(row) }])
      },
      // Long enough for both partitions to be handed out, shorter than what is left to give them back.
      { commitIntervalMs: 1500, signal: stop.signal },
    )
    await begun.promise
    // One that joins waits until the first has given everything back, which it does uncommitted: its program is not done.
    const other = new KafkaSource(member)
    await other.open()
    await other.close()
    released.resolve()
    const visible = async (): Promise<number> => (await bed().values(output, committed)).flat().length
    await expect.poll(visible).toBeGreaterThanOrEqual(count)
    stop.abort()
    await run
    expectEachOnce(await bed().values(output, committed), count)
  })

  test.each([
    { kills: 3, lane: 'verbatim', stages: [] },
    { kills: 2, lane: 'documents', stages: [{ $set: { seen: true } }] },
  ])(
    'killed $kills times on the $lane lane and started again with the same id, a run writes each record once',
    async ({ kills, stages }) => {
      const [input, output] = [await bed().create({ partitions: 3 }), await bed().create({ partitions: 3 })]
      const source = fromTopic(input, { 'group.instance.id': uniqueName('member'), 'max.partition.fetch.bytes': 4000 })
      const spec: PipelineSpec = {
        ...EOS,
        source,
        stages,
        sink: toTopic(output, { 'transactional.id': uniqueName('tx') }),
      }
      const file = await pipelineFile(spec)
      const count = 12_000
      await bed().write(input, numbered(count / 2), { batchBytes: 300 })
      for (let kill = 0; kill < kills; kill++) {
        const { child, done } = startCommand(['run', file])
        const before = (await bed().values(output)).flat().length
        await bed().write(input, numbered(500, count / 2 + kill * 500), { batchBytes: 300 })
        // In the midst of its work: as soon as something new is written, committed or not.
        await expect
          .poll(async () => (await bed().values(output)).flat().length, { interval: 20 })
          .toBeGreaterThan(before)
        child.kill('SIGKILL')
        await done
      }
      const first = count / 2 + kills * 500
      await bed().write(input, numbered(count - first, first), { batchBytes: 300 })
      const { code, stderr } = await startCommand(['run', file, '--until-end']).done
      expect(code, stderr).toBe(0)
      const values = await bed().values(output, committed)
      expectEachOnce(values, count)
      if (!javaAvailable) return
      const java = await javaTool('org.apache.kafka.tools.consumer.ConsoleConsumer', [
        '--bootstrap-server',
        bootstrapServers(),
        '--topic',
        output,
        '--from-beginning',
        '--isolation-level',
        'read_committed',
        '--max-messages',
        String(count),
        '--timeout-ms',
        '60000',
      ])
      expect(
        java.stdout
          .trim()
          .split('\n')
          .map(numberOf)
          .toSorted((a, b) => a - b),
      ).toEqual(
        values
          .flat()
          .map(numberOf)
          .toSorted((a, b) => a - b),
      )
    },
  )
})

describe.skipIf(!brokerAvailable)('exactly once, when a transaction is aborted', () => {
  const kafka = proxiedBroker()
  const bed = topicBed(() => kafka().kafka.bootstrapServers)

  test('$limit and $skip go back to where the last committed one left them', async () => {
    const [input, output] = [await bed().create(), await bed().create()]
    await bed().write(input, numbered(100))
    const { bootstrapServers } = kafka()
    const [proxy] = kafka().proxies
    const aborted: string[] = []
    proxy!.answerDelayMs.set('Produce', 5000)
    await runHere(
      {
        ...EOS,
        source: fromTopic(input, { bootstrapServers }),
        stages: [{ $skip: 10 }, { $limit: 20 }, { $set: { seen: true } }],
        sink: toTopic(output, { bootstrapServers, 'request.timeout.ms': 1000, 'delivery.timeout.ms': 1500 }),
      },
      {
        warn(message) {
          if (!message.startsWith('The transaction is aborted')) return
          aborted.push(message)
          proxy!.answerDelayMs.clear()
        },
      },
    )
    expect(aborted).not.toEqual([])
    const values = (await bed().values(output, committed)).flat().map(numberOf)
    expect(values).toEqual(Array.from({ length: 20 }, (_, i) => 10 + i))
  })
})
