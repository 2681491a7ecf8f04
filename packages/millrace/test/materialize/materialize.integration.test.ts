import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { TopicAdmin } from '../../src/kafka/admin/topics.ts'
import { type Codec, Frames } from '../../src/materialize/wire/frames.ts'
import { decodeProtobuf, type MessageObject } from '../../src/materialize/wire/protobuf.ts'
import { parseExactly } from '../../src/records/exact-numbers.ts'
import { bootstrapServers, brokerAvailable, uniqueName } from '../support/broker.ts'
import { inputOf, runRequests, runSession } from '../support/connector.ts'
import { FORMS, open, startConnector, storeRequest, type Stored, transact } from '../support/flow-session.ts'
import { readTopic } from '../support/read-topic.ts'
import { topicBed } from '../support/topics.ts'

const FIXTURES = join(import.meta.dirname, '../fixtures/flow')

function config(more: object = {}): object {
  return {
    bootstrap_servers: bootstrapServers(),
    message_format: 'JSON',
    topic_partitions: 1,
    topic_replication_factor: 1,
    ...more,
  }
}

const SELECTION = { keys: ['id'], values: ['count', 'name'], document: 'flow_document' }

function materialization(topics: readonly string[], more: object = {}, fieldSelection: object = SELECTION): object {
  const bindings = topics.map((topic) => ({ resourceConfig: { topic }, resourcePath: [topic], fieldSelection }))
  return { name: 'acme/orders', connectorType: 'LOCAL', config: config(more), bindings }
}

/** A document of `SELECTION`. */
function document(id: number, name: string, more: Partial<Stored> = {}): Stored {
  return { key: [id], values: [id * 10, name], doc: { count: id * 10, id, name }, ...more }
}

function recordOf({ key: [id], values: [count, name], doc }: Stored): { key: string; value: string } {
  const value = `{"count":${String(count)},"flow_document":${JSON.stringify(JSON.stringify(doc))},"id":${String(id)},"name":${JSON.stringify(name)}}`
  return { key: `{"id":${String(id)}}`, value }
}

describe.skipIf(!brokerAvailable)('materialize-kafka', () => {
  const bed = topicBed()

  /** Keys and values of a topic as text, per partition in order. */
  async function recordsOf(topic: string): Promise<{ partition: number; key: string | null; value: string | null }[]> {
    const { records } = await readTopic(bed().cluster, topic)
    return records.map(({ partition, key, value }) => ({
      partition,
      key,
      value: value === null ? null : String(value),
    }))
  }

  /** The same without partitions. */
  async function textsOf(topic: string): Promise<{ key: string | null; value: string | null }[]> {
    return (await recordsOf(topic)).map(({ key, value }) => ({ key, value }))
  }

  describe('a recorded session', () => {
    interface Opened {
      readonly materialization: { config: MessageObject; bindings: { resourceConfig: { topic: string } }[] }
    }

    /** The bytes of a recording, in which broker and topics are those of this test, and what it opens. */
    function recording(file: string, suffix: string): { codec: Codec; input: Buffer; opened: Opened } {
      const codec = file.endsWith('.bin') ? 'proto' : 'json'
      const frames = new Frames(codec)
      const parts: Buffer[] = []
      let opened: Opened | undefined
      frames.push(readFileSync(join(FIXTURES, file)))
      let from = 0
      while (frames.next()) {
        const { bytes, start, end } = frames
        const after = codec === 'json' ? end + 1 : end
        const request: { open?: Opened } =
          codec === 'json'
            ? (parseExactly(bytes.toString('utf8', start, end)) as MessageObject)
            : decodeProtobuf('Request', bytes, start, end)
        if (request.open === undefined) parts.push(Buffer.from(bytes.subarray(from, after)))
        else {
          opened = request.open
          opened.materialization.config['bootstrap_servers'] = bootstrapServers()
          for (const { resourceConfig } of opened.materialization.bindings) resourceConfig.topic += suffix
          parts.push(inputOf(codec, [{ open: opened }]))
        }
        from = after
      }
      return { codec, input: Buffer.concat(parts), opened: opened! }
    }

    test.each([
      { folder: '06-open-json', file: 'current-runtime-json.stdin.jsonl' },
      { folder: '06-open-json', file: 'legacy-runtime-packed.stdin.jsonl' },
      { folder: '06-open-json', file: 'legacy-runtime-packed.stdin.bin' },
      { folder: '12-legacy-harness-simple', file: 'legacy-runtime-packed.stdin.jsonl' },
    ])('has the responses, records and partitions of the original: $folder/$file', async ({ folder, file }) => {
      const suffix = uniqueName('-')
      const { codec, input, opened } = recording(`${folder}/${file}`, suffix)
      const applied = await runRequests(codec, [{ apply: { ...opened, version: '1' } }])
      expect(applied.exitCode).toBe(0)

      const session = await runSession(input, { pieces: 1000 })
      expect(session.exitCode).toBe(0)
      const responses = codec === 'proto' ? 'stdout.expected.bin' : 'stdout.expected.jsonl'
      expect(session.output).toEqual(readFileSync(join(FIXTURES, folder, responses)))

      const expected = readFileSync(join(FIXTURES, folder, 'records.expected.jsonl'), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { topic: string; partition: number; key: string; value: string })
      for (const [topic, list] of Map.groupBy(expected, (record) => record.topic)) {
        const wanted = list.toSorted((a, b) => a.partition - b.partition)
        expect(await recordsOf(topic + suffix)).toEqual(
          wanted.map(({ partition, key, value }) => ({ partition, key, value })),
        )
      }
    })
  })

  describe('validate', () => {
    const projections = [
      { field: 'flow_document' },
      { ptr: '/id', field: 'id', isPrimaryKey: true },
      { ptr: '/a/b', field: 'a/b' },
    ]

    function request(more: object = {}, topic = 'orders'): MessageObject {
      const bindings = [{ resourceConfig: { topic }, collection: { name: 'acme/orders', projections } }]
      return { validate: { name: 'acme/orders', connectorType: 'LOCAL', config: config(), bindings, ...more } }
    }

    test.each(['proto', 'json'] as const)(
      'answers with constraints, in the order of the projections: %s',
      async (codec) => {
        const { responses, exitCode } = await runRequests(codec, [request()])
        expect(exitCode).toBe(0)
        expect(responses).toEqual([
          {
            validated: {
              bindings: [
                {
                  resourcePath: ['orders'],
                  deltaUpdates: true,
                  serPolicy: { strTruncateAfter: 65_536, nestedObjTruncateAfter: 1000, arrayTruncateAfter: 1000 },
                  projectionConstraints: [
                    {
                      field: 'flow_document',
                      constraint: { type: 'FIELD_OPTIONAL', reason: 'The root document may be materialized' },
                    },
                    {
                      field: 'id',
                      constraint: {
                        type: 'LOCATION_RECOMMENDED',
                        reason: 'Primary key locations should usually be materialized',
                      },
                    },
                    { field: 'a/b', constraint: { type: 'FIELD_OPTIONAL', reason: 'This field may be materialized' } },
                  ],
                },
              ],
            },
          },
        ])
      },
    )

    test('recommends what the last version selected of the same topic', async () => {
      const lastMaterialization = materialization(
        ['other', 'orders'],
        {},
        { keys: ['id'], values: ['a/b'], document: 'flow_document' },
      )
      const { responses } = await runRequests('proto', [request({ lastMaterialization })])
      const [{ validated }] = responses as unknown as [
        { validated: { bindings: [{ projectionConstraints: { constraint: { type: string } }[] }] } },
      ]
      expect(validated.bindings[0].projectionConstraints.map(({ constraint }) => constraint.type)).toEqual(
        Array(3).fill('LOCATION_RECOMMENDED'),
      )
    })

    test('finds collections of the newest runtime, which are listed once', async () => {
      const bindings = [{ resourceConfig: { topic: 'orders' }, collectionIndex: 1 }]
      const linkedCollections = [{ name: 'other' }, { name: 'acme/orders', projections }]
      for (const codec of ['proto', 'json'] as const) {
        const { responses } = await runRequests(codec, [request({ bindings, linkedCollections })])
        expect(responses).toMatchObject([{ validated: { bindings: [{ projectionConstraints: [{}, {}, {}] }] } }])
      }
    })

    test.each([
      {
        name: 'brokers that are down',
        more: () => ({ config: config({ bootstrap_servers: '127.0.0.1:9', credentials: null, tls: null }) }),
        problem: /^Could not connect to bootstrap server with the provided configuration\./,
        slow: true,
      },
      {
        name: 'a registry that is down',
        more: () => ({
          config: config({ schema_registry: { endpoint: 'http://127.0.0.1:9', username: 'u', password: 'hunter2' } }),
        }),
        problem:
          /^Could not connect to the configured schema registry\. Double check your configuration and try again\./,
      },
      {
        name: 'Avro without a registry',
        more: () => ({ config: config({ message_format: 'Avro' }) }),
        problem: /^Avro messages require a schema registry/,
      },
      {
        name: 'a binding without topic',
        more: () => ({ bindings: [{ resourceConfig: {} }] }),
        problem: /missing field `topic`/,
      },
      {
        name: 'a binding without collection',
        more: () => ({ bindings: [{ resourceConfig: { topic: 'orders' } }] }),
        problem: /Cannot validate binding 0 as it has no collection/,
      },
      {
        name: 'no configuration',
        more: () => ({ config: undefined }),
        problem: /invalid type: null, expected an object/,
      },
    ])('fails for $name', { timeout: 120_000 }, async ({ more, problem }) => {
      const { exitCode, last, responses } = await runRequests('json', [request(more())])
      expect({ exitCode, last, responses }).toEqual({
        exitCode: 1,
        last: expect.stringMatching(problem),
        responses: [],
      })
      expect(last).not.toContain('hunter2')
    })
  })

  describe('apply', () => {
    test('creates topics once, and says so', async () => {
      const topics = [uniqueName('first'), uniqueName('second')]
      const apply = {
        apply: { materialization: materialization([...topics, topics[0]!], { topic_partitions: 3 }), version: '1' },
      }
      const { responses, exitCode } = await runRequests('json', [apply, apply])
      expect(exitCode).toBe(0)
      expect(responses).toEqual([
        { applied: { actionDescription: `create topic ${topics[0]}\ncreate topic ${topics[1]}` } },
        { applied: {} },
      ])
      const described = await new TopicAdmin(bed().cluster).describeTopics(topics)
      expect(described.map(({ partitions }) => partitions.length)).toEqual([3, 3])
    })

    test('does nothing for a task that was deleted', async () => {
      const { responses } = await runRequests('proto', [{ apply: { materialization: materialization([]) } }])
      expect(responses).toEqual([{ applied: {} }])
    })

    test.each([
      { name: 'more replicas than brokers', more: { topic_replication_factor: 9 }, topic: 'replicas' },
      { name: 'a name that Kafka refuses', more: {}, topic: 'no good name' },
    ])('fails for $name, with the reason of the broker', async ({ more, topic }) => {
      const apply = { apply: { materialization: materialization([`${topic}${uniqueName('-')}`], more) } }
      const { exitCode, last } = await runRequests('json', [apply])
      expect({ exitCode, last }).toEqual({
        exitCode: 1,
        last: expect.stringMatching(/^failed to create topic \(code INVALID_\w+\): Cannot create topic "/),
      })
    })
  })

  describe('a transaction', () => {
    test.each(FORMS)(
      'publishes each document once, in order, and deletions as tombstones: $codec, $form',
      async ({ codec, form }) => {
        const topics = [await bed().create(), await bed().create()]
        const connector = startConnector(codec)
        await open(connector, materialization(topics))
        const first = [document(1, 'one'), document(2, 'two'), document(1, 'other', { binding: 1 })]
        const second = [document(1, 'one again'), document(2, 'two', { delete: true })]
        await transact(connector, first, form)
        await transact(connector, [], form)
        await transact(connector, second, form)
        expect(await connector.end()).toMatchObject({ code: 0 })
        expect(await textsOf(topics[0]!)).toEqual([
          recordOf(first[0]!),
          recordOf(first[1]!),
          recordOf(second[0]!),
          { key: '{"id":2}', value: null },
        ])
        expect(await textsOf(topics[1]!)).toEqual([recordOf(first[2]!)])
      },
    )

    test.each(FORMS)('keeps numbers, names and text as they are: $codec, $form', async ({ codec, form }) => {
      const topic = await bed().create()
      const values = parseExactly(
        '[1.0,-0.0,9007199254740993,18446744073709551615,-9223372036854775808,1e300,"a\\u0000\\n\\"é😀",{"z":{"b":1.0,"a":2},"y":[null,true]}]',
      ) as unknown[]
      const names = values.map((_, i) => `v${i}`)
      const connector = startConnector(codec)
      await open(connector, materialization([topic], {}, { keys: ['key'], values: names }))
      await transact(connector, [{ key: ['k'], values }], form)
      expect(await connector.end()).toMatchObject({ code: 0 })
      expect(await textsOf(topic)).toEqual([
        {
          key: '{"key":"k"}',
          value:
            '{"key":"k","v0":1.0,"v1":-0.0,"v2":9007199254740993,"v3":18446744073709551615,"v4":-9223372036854775808,"v5":1e300,"v6":"a\\u0000\\n\\"é😀","v7":{"y":[null,true],"z":{"a":2,"b":1.0}}}',
        },
      ])
    })

    test.each(FORMS)('takes documents of 10 MB where the topic does: $codec, $form', async ({ codec, form }) => {
      const topic = await bed().create({ configs: { 'max.message.bytes': '30000000' } })
      const connector = startConnector(codec)
      // Compressed it would be small.
      await open(connector, materialization([topic], { compression: 'none' }))
      const large = document(1, 'é"'.repeat(2_500_000))
      await transact(connector, [document(0, 'before'), large, document(2, 'after')], form)
      expect(await connector.end()).toMatchObject({ code: 0 })
      const records = await textsOf(topic)
      expect(records.map(({ key }) => key)).toEqual(['{"id":0}', '{"id":1}', '{"id":2}'])
      expect(records[1]!.value === recordOf(large).value).toBe(true)
    })

    test('is not confirmed when one of its documents is refused, whatever was acknowledged before', async () => {
      const topic = await bed().create({ configs: { 'max.message.bytes': '5000' } })
      const connector = startConnector('proto')
      await open(connector, materialization([topic], { compression: 'none' }))
      await transact(connector, [document(1, 'fine')], 'packed')
      await connector.call({ flush: {} })
      await connector.send(storeRequest(document(2, 'fine, too'), 'packed'))
      // It is acknowledged by itself before the next one comes.
      await expect.poll(() => bed().end(topic)).toBe(2)
      await connector.send(storeRequest(document(3, 'x'.repeat(6000)), 'packed'))
      await connector.send({ startCommit: {} })
      expect(await connector.receive()).toBeUndefined()
      const { code, logs } = await connector.ended
      expect(code).toBe(1)
      expect(logs.at(-1)).toMatchObject({
        level: 'ERROR',
        code: 'RECORD_TOO_LARGE',
        message: expect.stringMatching(
          new RegExp(`^Message delivery failed for topic '${topic}' \\(binding 0\\): `),
        ) as string,
      })
    })

    test('fails for a topic that does not exist, with its name', async () => {
      const topic = uniqueName('missing')
      const connector = startConnector('json')
      await open(connector, materialization([topic]))
      await expect(transact(connector, [document(1, 'lost')], 'arrays')).rejects.toThrow(
        `The connector ended with 1: Message delivery failed for topic '${topic}' (binding 0): `,
      )
    })

    test('waits while its responses are not read', async () => {
      const topic = await bed().create()
      const connector = startConnector('json')
      await open(connector, materialization([topic]))
      connector.child.stdout!.pause()
      const count = 10_000
      const requests = [{ flush: {} }, { startCommit: {} }, { acknowledge: {} }]
      const sent = connector.sendRaw(inputOf('json', Array.from({ length: count }, () => requests).flat()))
      // More than pipes hold: it stops reading, and so does the one who writes.
      let before = -1
      await expect
        .poll(
          () => {
            const waiting = connector.child.stdin!.writableLength
            const isStill = waiting > 0 && waiting === before
            before = waiting
            return isStill
          },
          { interval: 300 },
        )
        .toBe(true)
      connector.child.stdout!.resume()
      await sent
      const counts = new Map<string, number>()
      for (let i = 0; i < 3 * count; i++) {
        const [kind] = Object.keys((await connector.receive())!)
        expect(kind).toBe(['flushed', 'startedCommit', 'acknowledged'][i % 3])
        counts.set(kind!, (counts.get(kind!) ?? 0) + 1)
      }
      expect([...counts.values()]).toEqual([count, count, count])
      expect(await connector.end()).toMatchObject({ code: 0 })
    })

    test('ends with 1 when nothing reads its responses any more', async () => {
      const connector = startConnector('json')
      connector.child.stdout!.destroy()
      await connector.send({ spec: {} })
      const { code, logs } = await connector.ended
      expect({ code, last: logs.at(-1) }).toMatchObject({ code: 1, last: { level: 'ERROR', code: 'FILE_UNWRITABLE' } })
    })
  })

  describe('a session that is killed', () => {
    const TRANSACTIONS = [
      [document(1, 'a'), document(2, 'a')],
      [document(1, 'b'), document(3, 'b')],
    ]
    /** Every message of a session, in order. */
    const messages = (topic: string): MessageObject[] => [
      { open: { materialization: materialization([topic]), state: {} } },
      { acknowledge: {} },
      ...TRANSACTIONS.flatMap((documents) => [
        { flush: {} },
        ...documents.map((stored) => storeRequest(stored, 'packed')),
        { startCommit: {} },
        { acknowledge: {} },
      ]),
    ]

    test(
      'loses nothing that was confirmed, between whichever two messages it is killed',
      { timeout: 300_000 },
      async () => {
        const count = messages('any').length
        for (let cut = 0; cut <= count; cut++) {
          const topic = await bed().create()
          let confirmed = 0
          const killed = startConnector('proto')
          for (const message of messages(topic).slice(0, cut)) {
            await killed.send(message)
            if ('store' in message) continue
            const response = await killed.receive()
            if (response !== undefined && 'startedCommit' in response) confirmed++
          }
          await killed.kill()

          const again = startConnector('proto')
          await open(again, materialization([topic]))
          for (const documents of TRANSACTIONS.slice(confirmed)) await transact(again, documents, 'packed')
          expect(await again.end()).toMatchObject({ code: 0 })

          const values = (await textsOf(topic)).map(({ value }) => value!)
          for (const [i, documents] of TRANSACTIONS.entries()) {
            for (const stored of documents) {
              const written = values.filter((value) => value === recordOf(stored).value).length
              // What was confirmed is there once; what was not may be there twice, and not more.
              expect({ cut, i, isThere: written >= 1, isOnce: i >= confirmed || written === 1 }).toEqual({
                cut,
                i,
                isThere: true,
                isOnce: true,
              })
              expect(written).toBeLessThanOrEqual(2)
            }
          }
          expect(values.at(-1)).toBe(recordOf(TRANSACTIONS[1]![1]!).value)
        }
      },
    )
  })
})
