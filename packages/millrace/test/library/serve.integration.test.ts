import { afterEach, describe, expect, test, vi } from 'vitest'
import { type HttpServer, KafkaSink, KafkaSource, serve } from '../../src/index.ts'
import type { Status } from '../../src/serve/index.ts'
import { bootstrapServers, brokerAvailable, uniqueName } from '../support/broker.ts'
import { readPrometheus } from '../support/prometheus.ts'
import { topicBed } from '../support/topics.ts'

let server: HttpServer | undefined
afterEach(() => server?.close())

describe.skipIf(!brokerAvailable)('serve', () => {
  const bed = topicBed()

  test('shows sources and sinks of a program: metrics, health, and where each partition is', async () => {
    const topic = await bed().create({ partitions: 2 })
    await using sink = new KafkaSink({ bootstrapServers: bootstrapServers(), topic })
    await using source = new KafkaSource({
      bootstrapServers: bootstrapServers(),
      topics: topic,
      groupId: uniqueName('g'),
    })
    server = await serve(0, { billing: { source, sink } })
    const { url } = server
    const ready = async (): Promise<number> => (await fetch(`${url}/ready`)).status
    expect(await ready()).toBe(503)
    await sink.write(Array.from({ length: 50 }, (_, i) => ({ key: `k${i}`, value: String(i) })))
    let read = 0
    for await (const batch of source.batches()) {
      batch.ack()
      read += batch.length
      if (read >= 50) break
    }
    await vi.waitFor(async () => expect(await ready()).toBe(200))
    const families = readPrometheus(await (await fetch(`${url}/metrics`)).text())
    const sumOf = (name: string): number => families.get(name)!.samples.reduce((sum, { value }) => sum + value, 0)
    expect(sumOf('millrace_source_records_total')).toBe(50)
    expect(sumOf('millrace_sink_records_total')).toBe(50)
    expect(sumOf('millrace_partition_end_offset')).toBe(50)
    const requests = families
      .get('millrace_kafka_request_seconds')!
      .samples.map(({ labels }) => `${labels['stage']} ${labels['request']}`)
    expect(requests).toEqual(expect.arrayContaining(['source Fetch', 'sink Produce']))
    const { pipelines } = (await (await fetch(`${url}/status`)).json()) as {
      pipelines: { name: string; partitions: { topic: string; lag: number }[] }[]
    }
    expect(pipelines).toMatchObject([
      {
        name: 'billing',
        partitions: [
          { topic, lag: 0 },
          { topic, lag: 0 },
        ],
      },
    ])
  })

  // Only pipelines had them: whether a program, its source or its sink is the limit could not be seen.
  test('shows what a program, its source and its sink spend their time on, however the program reads', async () => {
    const topic = await bed().create()
    await using sink = new KafkaSink({ bootstrapServers: bootstrapServers(), topic })
    await sink.write(Array.from({ length: 40 }, (_, i) => ({ value: String(i) })))
    server = await serve(0, { writing: { sink } })
    const states = async (name: string): Promise<{ readonly [state: string]: number }> => {
      const text = await (await fetch(`${server!.url}/metrics`)).text()
      const { samples } = readPrometheus(text).get(name)!
      return Object.fromEntries(
        samples.map(({ labels, value }) => [`${labels['stage'] ?? ''} ${labels['state']}`, value]),
      )
    }
    const alone = await states('millrace_pipeline_state_seconds_total')
    expect(alone[' busy']).toBeGreaterThan(0)
    expect(alone[' idle']).toBeGreaterThan(0)
    await server.close()
    const work = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
    const ways: { readonly [name: string]: (source: KafkaSource) => Promise<void> } = {
      async batches(source) {
        for await (const batch of source.batches()) {
          await work(300)
          batch.ack()
        }
      },
      async records(source) {
        for await (const { offset } of source) if (offset < 3n) await work(100)
      },
      async poll(source) {
        for (let read = 0; read < 40;) {
          read += (await source.poll()).length
          await work(300)
        }
      },
      process: (source) => source.process(({ offset }) => (offset < 3n ? work(100) : undefined)),
    }
    for (const [name, read] of Object.entries(ways)) {
      await using source = new KafkaSource({
        bootstrapServers: bootstrapServers(),
        topics: topic,
        groupId: uniqueName(name),
        autoOffsetReset: 'earliest',
        untilEnd: true,
      })
      server = await serve(0, { [name]: { source, sink } })
      await read(source)
      await source.close()
      const all = await states('millrace_pipeline_state_seconds_total')
      const parts = await states('millrace_component_state_seconds_total')
      // 300 ms of the program, and what timers are late.
      expect([name, all[' busy']! > 0.28, all[' busy']! < 3, all[' backpressured']]).toEqual([name, true, true, 0])
      expect([name, parts['source backpressured']! > 0.28, parts['source idle']! > 0]).toEqual([name, true, true])
      expect([name, parts['sink busy']! > 0, parts['sink backpressured']]).toEqual([name, true, 0])
      // After its loop has ended nothing counts, however long the program goes on.
      await work(50)
      expect(await states('millrace_pipeline_state_seconds_total')).toEqual(all)
      await server.close()
    }
  })

  // The time axis of the dashboard shows them, and had nothing to show of programs.
  test('shows rebalances and circuit breakers of a program among its events, until it is closed', async () => {
    const topic = await bed().create()
    await using source = new KafkaSource({
      bootstrapServers: bootstrapServers(),
      topics: topic,
      groupId: uniqueName('g'),
    })
    await using sink = new KafkaSink({
      bootstrapServers: '127.0.0.1:1',
      topic,
      circuitBreakerThreshold: 1,
      sendTimeoutMs: 300,
      onWarning: () => {},
    })
    server = await serve(0, { billing: { source, sink } })
    const { url } = server
    await source.poll({ timeoutMs: 10 })
    await expect(sink.send({ value: 'x' })).rejects.toThrow('No broker could be reached')
    await vi.waitFor(async () => {
      const { events } = (await (await fetch(`${url}/status`)).json()) as Status
      const names = events.map(({ event }) => event)
      expect(names).toEqual(expect.arrayContaining(['partitions.assigned', 'breaker.open']))
      expect(names).not.toContain('client.connected')
    })
  })

  // A handler that cannot get past a record: the program has to say nowhere what it waits for.
  test('shows the partition that a failing handler holds up, with the record', async () => {
    const topic = await bed().create()
    await using sink = new KafkaSink({ bootstrapServers: bootstrapServers(), topic })
    await sink.send({ key: 'o-1', value: '{"amount":"x"}' })
    await using source = new KafkaSource({
      bootstrapServers: bootstrapServers(),
      topics: topic,
      groupId: uniqueName('g'),
    })
    server = await serve(0, { billing: { source } })
    const { url } = server
    const stop = new AbortController()
    const processed = source.process(
      () => {
        throw new Error('amount is no number')
      },
      { retry: { attempts: 1000, backoffMs: 1 }, signal: stop.signal, drainTimeoutMs: 100 },
    )
    const pipeline = await vi.waitFor(async () => {
      const { pipelines } = (await (await fetch(`${url}/status`)).json()) as Status
      expect(pipelines[0]!.partitions[0]!.problem).toMatch(
        /^offset 0 failed \d+ times: HANDLER_FAILED: amount is no number$/,
      )
      return pipelines[0]!
    }, 10_000)
    const [failure] = pipeline.failures
    expect(failure).toMatchObject({ fate: 'retried', topic, partition: 0, offset: '0', hasRecord: true })
    const found = await fetch(`${url}/records?pipeline=billing&failure=${failure!.id}`)
    expect(await found.json()).toMatchObject({ record: { key: 'o-1', value: '{"amount":"x"}' } })
    stop.abort()
    await source.close()
    await processed.catch(() => {})
  })

  test('an address that is none, or is taken, is an error', async () => {
    await expect(serve('a b', {})).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    server = await serve({ listen: 0, token: 'secret' }, {})
    expect((await fetch(`${server.url}/status`)).status).toBe(401)
    await expect(serve(Number(new URL(server.url).port), {})).rejects.toMatchObject({ code: 'HTTP_UNAVAILABLE' })
  })
})
