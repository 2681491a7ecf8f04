/**
 * `npm run flow -- FIXTURE [--catalog FILE] [--task NAME] [--codec proto|json] [--bootstrap-servers LIST]`: plays the part of a Flow runtime
 * against materialize-kafka, and prints the records that came out. For trying it without Flow.
 */
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { startBroker } from '../../packages/millrace/src/broker/index.ts'
import { KafkaSource } from '../../packages/millrace/src/index.ts'
import { readTask } from './catalogue.ts'
import { readFixture } from './fixture.ts'
import { Runtime } from './runtime.ts'

const USAGE = `Usage: npm run flow -- FIXTURE [--catalog FILE] [--task NAME] [--codec proto|json] [--bootstrap-servers LIST]

  FIXTURE              lines of ["collection", {document}], and {"commit": true} behind each transaction
  --catalog            catalog with collections and a materialization; flow.yaml beside the fixture by default
  --task               name of the materialization; the first one by default
  --codec              proto or json; by default what the catalog says with "protobuf: true"
  --bootstrap-servers  brokers to use; by default KAFKA_BOOTSTRAP_SERVERS, or the embedded broker, which ends with the session

Try: npm run flow -- examples/flow/orders.jsonl`

const MAIN = join(import.meta.dirname, '../../packages/millrace/src/cli/main.ts')

async function main(): Promise<number> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      catalog: { type: 'string' },
      task: { type: 'string' },
      codec: { type: 'string' },
      'bootstrap-servers': { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  const [fixture] = positionals
  const { codec } = values
  if (values.help || fixture === undefined || positionals.length > 1 || !['proto', 'json', undefined].includes(codec)) {
    console.error(USAGE)
    return values.help ? 0 : 2
  }
  const transactions = readFixture(fixture)
  const task = await readTask(values.catalog ?? join(dirname(fixture), 'flow.yaml'), values.task)
  const broker = await brokerOf(values['bootstrap-servers'])
  try {
    const config = { ...task.config, bootstrap_servers: broker.servers }
    const runtime = new Runtime(
      { ...task, config },
      [process.execPath, MAIN, 'materialize-kafka'],
      codec === 'proto' || codec === 'json' ? codec : undefined,
    )
    const selected = await runtime.validate()
    for (const [topic, { keys = [], values: fields = [], document }] of selected)
      say(
        'validated',
        `${topic}: key ${keys.join(', ')}; ${[...fields, ...(document === undefined ? [] : [document])].join(', ')}`,
      )
    say('applied', (await runtime.apply()).replaceAll('\n', ', '))
    await runtime.open()
    say('opened', task.name)
    for (const [i, transaction] of transactions.entries())
      say('committed', `transaction ${i + 1}, ${await runtime.transact(transaction)} documents`)
    await runtime.close()
    await printRecords(broker.servers, [...selected.keys()])
    return 0
  } finally {
    await broker.release()
  }
}

interface Broker {
  readonly servers: string
  readonly release: () => Promise<void>
}

async function brokerOf(servers = process.env['KAFKA_BOOTSTRAP_SERVERS'] ?? ''): Promise<Broker> {
  if (servers !== '') return { servers, release: async () => {} }
  const broker = await startBroker()
  return { servers: broker.bootstrapServers, release: async () => broker.close() }
}

async function printRecords(bootstrapServers: string, topics: readonly string[]): Promise<void> {
  await using source = new KafkaSource({ bootstrapServers, topics: [...topics], untilEnd: true })
  for await (const { topic, partition, offset, key, value } of source)
    say(`${topic}-${partition}`, `${offset}  ${String(key)}  ${String(value)}`)
}

function say(what: string, text: string): void {
  console.log(`${what.padEnd(10)}  ${text}`)
}

try {
  process.exitCode = await main()
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
}
