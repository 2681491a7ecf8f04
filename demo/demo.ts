/**
 * `npm run demo [-- --records N --kafka --json]`: a million orders through the pipeline file examples/orders-etl.yaml, and a check by
 * another client that every one of them arrived as it should.
 *
 * Ends with code 1 when an order was lost, duplicated, changed or overtaken.
 */

import { parseArgs } from 'node:util'
import { type DemoBroker, openBroker } from './broker.ts'
import { prepareTopics } from './topics.ts'
import { runPipeline } from './run-pipeline.ts'
import { type Narrator, narrate, number } from './narrate.ts'
import { verify } from './verify.ts'

const ETL = 'examples/orders-etl.yaml'
const INPUT = 'orders'
const OUTPUT = 'orders-high-value'

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      records: { type: 'string', default: '1000000' },
      json: { type: 'boolean', default: false },
      kafka: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log('Usage: npm run demo [-- --records N --kafka --json]')
    return 0
  }
  const records = Number(values.records)
  if (!Number.isInteger(records) || records < 1)
    throw new UsageError(`--records must be a whole number above 0: current value is "${values.records}"`)

  const narrator = narrate(values.json)
  narrator.title(`Millrace: ${number(records)} orders through Kafka topics`)
  const broker = await openBroker(narrator, values.kafka)
  try {
    return await run(broker, records, narrator, values.json)
  } finally {
    await broker.stop()
  }
}

async function run(broker: DemoBroker, records: number, narrator: Narrator, json: boolean): Promise<number> {
  const { bootstrapServers } = broker
  const env = { KAFKA_BOOTSTRAP_SERVERS: bootstrapServers, ORDERS: String(records) }
  await prepareTopics(bootstrapServers, [INPUT, OUTPUT])

  const wrote = narrator.step('Orders', `writing to topic "${INPUT}"`)
  const input = await runPipeline('demo/generate-orders.yaml', env, narrator)
  wrote(`${number(input.written)} written to topic "${INPUT}" (${rate(input.recordsPerSecond)})`)

  const transformed = narrator.step('Pipeline', ETL)
  const etl = await runPipeline(ETL, env, narrator)
  transformed(`${ETL}: ${number(etl.read)} read, ${number(etl.written)} written (${rate(etl.recordsPerSecond)})`)

  const checked = narrator.step('Check', 'reading both topics with another client')
  const start = performance.now()
  const { expected, found, lost, duplicated, wrong, overtaken } = await verify(bootstrapServers, {
    input: INPUT,
    output: OUTPUT,
    records,
  })
  const good = lost + duplicated + wrong + overtaken === 0 && etl.read === records
  checked(
    `${number(expected)} expected, ${number(found)} found in ${seconds(performance.now() - start)}: ${lost} lost, ${duplicated} duplicated, ${wrong} wrong, ${overtaken} out of order`,
  )

  if (json) {
    const { recordsPerSecond } = etl
    console.log(
      JSON.stringify({
        read: etl.read,
        expected,
        written: found,
        lost,
        duplicated,
        wrong,
        outOfOrder: overtaken,
        recordsPerSecond: Math.round(recordsPerSecond),
        broker: broker.name,
      }),
    )
  }
  if (!good) {
    narrator.failed('The topics do not hold what they should: this is a bug in Millrace, please report it')
    return 1
  }
  narrator.next([
    ...(broker.stays
      ? []
      : [['npx millrace broker --topics orders:6', 'a broker that stays, for pipelines of your own'] as const]),
    [`npx millrace explain ${ETL}`, 'what the pipeline does, and who commits what when'],
    [`npx millrace lint ${ETL}`, 'what is wrong with a file: change a word in it first'],
    ['npm run -s bench -- copy --scale 0.25', 'against MirrorMaker 2, on this machine'],
  ])
  return 0
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`
}

function rate(recordsPerSecond: number): string {
  return `${number(Math.round(recordsPerSecond / 1000) * 1000)} records/s`
}

class UsageError extends Error {}

try {
  process.exitCode = await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = error instanceof UsageError ? 2 : 3
}
