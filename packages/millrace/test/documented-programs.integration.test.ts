/**
 * Runs every block of TypeScript in READMEs and in the pages about the library, as it is printed, against the embedded broker.
 *
 * Three things differ: addresses, files and ports are those of the test; sources end at the end of their topics, so that loops do; and what
 * a block leaves open is closed behind it.
 */
import { join } from 'node:path'
import { stripTypeScriptTypes } from 'node:module'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { typeScriptBlocks } from '../../../tools/docs/typescript-blocks.ts'
import { type EmbeddedBroker, startBroker } from '../src/broker/index.ts'
import * as millrace from '../src/index.ts'
import { RegistryServer } from './support/registry-server.ts'

/** All that the pages read or write. Some name partition 3. */
const TOPICS =
  `alerts done events invoices jobs large-orders ledger metrics metrics-results orders orders.dead orders.dlq
orders.retry.5s orders.retry.1m payments readings t texts`.split(/\s+/)
const PARTITIONS = 4
const ORDER_SCHEMA = join(import.meta.dirname, 'fixtures/programs/order.avsc')

/** What a block has to print that has such a line. */
const PRINTED: { readonly [line: string]: RegExp } = {
  'console.log(created)': /"customers"/,
  'console.log(partition, offset)': /^\d,"0n"$/,
  'console.log(offset, value?.amount)': /^"0n",(?:5|2000)$/m,
  'console.log(`Sent': /Sent 2 messages/,
  "console.log('giving up', partitions)": /"giving up"/,
}
/** How many records each of these topics has at least, where a block reads and writes. Markers of transactions count. */
const WRITTEN: { readonly [topic: string]: number } = { invoices: 2, 'large-orders': 1, done: 2 }

interface Closable {
  close(): Promise<void>
}

let broker: EmbeddedBroker
let registry: RegistryServer
beforeAll(async () => {
  registry = await RegistryServer.start()
})
afterAll(() => registry.stop())
beforeEach(async () => {
  broker = await startBroker()
  for (const topic of TOPICS) broker.createTopic(topic, { partitions: PARTITIONS })
  return () => broker.close()
})

/** The package as blocks see it. @param opened what is to be closed in the end */
function packageFor(opened: Closable[]): typeof millrace {
  const followed = <C extends new (...args: never[]) => Closable>(Class: C, more: object = {}): C =>
    new Proxy(Class, {
      construct: (target, [options, ...rest]: [object, ...unknown[]]) => {
        const made = new target(...([{ ...more, ...options }, ...rest] as never[]))
        opened.push(made)
        return made
      },
    })
  return {
    ...millrace,
    KafkaSource: followed(millrace.KafkaSource, { untilEnd: true, autoOffsetReset: 'earliest' }),
    KafkaSink: followed(millrace.KafkaSink),
    Admin: followed(millrace.Admin),
    serve: async (...args) => {
      const server = await millrace.serve(...args)
      opened.push(server)
      return server
    },
  }
}

/** Orders to read, in the format that a block reads. */
async function fill(text: string): Promise<void> {
  const { bootstrapServers } = broker
  const values = [5, 2000].map((amount, i) => ({ id: i, order_id: i, amount }))
  const avro = { schemaRegistry: registry.url, format: 'avro', schema: ORDER_SCHEMA } as const
  await using serializer = new millrace.SchemaSerializer(avro)
  const isAvro = text.includes('SchemaDeserializer')
  for (const topic of ['orders', 'events', 'jobs', 'readings', 'alerts']) {
    await using sink = new millrace.KafkaSink<Uint8Array | object>({ bootstrapServers, topic })
    for (const value of values)
      await sink.send({
        key: `o-${value.id}`,
        value: isAvro ? await serializer.serialize({ id: value.id, amount: value.amount }, topic) : value,
      })
  }
}

/** What the pages leave to their readers. */
function given(kafka: typeof millrace, log: (...args: unknown[]) => void) {
  const { bootstrapServers } = broker
  const stops: (() => unknown)[] = []
  return {
    bootstrapServers,
    order: { amount: 12 },
    save: async () => {},
    invoiceFor: (value: Buffer | null) => value ?? Buffer.from('nothing'),
    credential: { getToken: async () => ({ accessToken: 'token', expiresOn: new Date() }) },
    get sink() {
      return new kafka.KafkaSink<object>({ bootstrapServers, topic: 'orders' })
    },
    get source() {
      return new kafka.KafkaSource({ bootstrapServers, topics: 'orders', groupId: 'given' })
    },
    get serializer() {
      return new kafka.SchemaSerializer({ schemaRegistry: registry.url, format: 'avro', schema: AMOUNT_SCHEMA })
    },
    console: { ...console, log, warn: log, info: log, debug: log, error: log },
    // Nothing in a page depends on how long it waits.
    setTimeout: (call: () => void) => setTimeout(call, 10),
    process: {
      env: { KAFKA_BOOTSTRAP_SERVERS: bootstrapServers },
      once: (name: string, stop: () => unknown) => {
        if (name === 'SIGTERM') stops.push(stop)
      },
    },
    stops,
  }
}

const AMOUNT_SCHEMA = { type: 'record', name: 'Amount', fields: [{ name: 'amount', type: 'double' }] }

/** @param whileOpen waited for before what is open is closed, as a signal would */
async function run(text: string, imported: readonly string[], whileOpen: () => Promise<void>): Promise<string> {
  const opened: Closable[] = []
  const said: string[] = []
  const log = (...args: unknown[]): void => {
    said.push(
      args.map((arg) => JSON.stringify(arg, (_, value) => (typeof value === 'bigint' ? `${value}n` : value))).join(),
    )
  }
  const kafka = packageFor(opened)
  const own = text
    .replaceAll(/'(?:localhost|broker1):909\d'/g, `'${broker.bootstrapServers}'`)
    .replaceAll("'http://localhost:8081'", `'${registry.url}'`)
    .replaceAll("'order.avsc'", JSON.stringify(ORDER_SCHEMA))
    .replaceAll('127.0.0.1:9600', '127.0.0.1:0')
    .replaceAll('serve(9600', 'serve(0')
  const names = imported.filter((name) => !name.startsWith('type '))
  const beside = given(kafka, log)
  // Declared only where they are used, as each is made when it is asked for.
  const used = Object.keys(beside).filter((name) => new RegExp(`\\b${name}\\b`).test(own))
  const code = `return async function () {
    const { ${names.join(', ')} } = millrace
    const { ${used.join(', ')} } = given
    {
      ${stripTypeScriptTypes(`async () => {${own}}`)
        .replace(/^async \(\) => \{/, '')
        .replace(/\}$/, '')}
    }
  }`
  try {
    // oxlint-disable-next-line typescript/no-implied-eval -- the code is that of the pages
    await (new Function('millrace', 'given', code)(kafka, beside) as () => Promise<void>)()
    await whileOpen()
    for (const stop of beside.stops) await stop()
  } finally {
    for (const each of opened.toReversed()) await each.close()
  }
  return said.join('\n')
}

async function written(topic: string): Promise<number> {
  await using admin = new millrace.Admin({ bootstrapServers: broker.bootstrapServers })
  const offsets = await admin.fetchTopicOffsets(topic)
  return offsets.reduce((sum, { high }) => sum + Number(high), 0)
}

describe('programs of the documentation', () => {
  test.each(typeScriptBlocks())('the program at $place runs', { timeout: 60_000 }, async ({ text, imported }) => {
    await fill(text)
    const said = await run(text, imported, async () => {
      if (!/for await|\.process\(|exactlyOnce\(/.test(text)) return
      for (const [topic, count] of Object.entries(WRITTEN))
        if (text.includes(`topic: '${topic}'`)) await expect.poll(() => written(topic)).toBeGreaterThanOrEqual(count)
    })
    for (const [line, wanted] of Object.entries(PRINTED)) if (text.includes(line)) expect(said).toMatch(wanted)
  })
})
