/** `npm run kafka -- start|stop|status [--brokers 3] [--json]`: the shared cluster of this checkout. */

import { parseArgs } from 'node:util'
import { externalBootstrapServers, type KafkaStatus, kafkaStatus, startKafka, stopSharedKafka } from './kafka.ts'

const USAGE = `Usage: npm run kafka -- start|stop|status [--brokers 1|3] [--json]

  start    starts Apache Kafka on free ports of this machine, or finds it running, and prints its address
  stop     stops it and removes its data
  status   says whether it runs; ends with code 1 when it does not

  --brokers 3   a cluster of three (stop and status: only that one; both when omitted)
  --json        one JSON object on standard output

KAFKA_BOOTSTRAP_SERVERS, when set, names a broker to use instead: start then only reports it.`

type Size = 1 | 3

interface Outcome {
  ok: boolean
  summary: string
  result: unknown
}

async function start(size: Size): Promise<Outcome> {
  const begin = performance.now()
  await startKafka({ brokers: size })
  const status = await kafkaStatus(size)
  const seconds = ((performance.now() - begin) / 1000).toFixed(1)
  return { ok: status !== undefined, summary: `${describe(status)} (${seconds} s)`, result: status }
}

async function stop(sizes: readonly Size[]): Promise<Outcome> {
  const external = externalBootstrapServers()
  const stopped = await Promise.all(sizes.map(stopSharedKafka))
  const left = external === undefined ? '' : `; ${external} is not ours and goes on`
  const summary = stopped.includes(true) ? 'Kafka stopped, data removed' : 'Kafka did not run'
  return { ok: true, summary: summary + left, result: { stopped: stopped.includes(true) } }
}

async function status(sizes: readonly Size[]): Promise<Outcome> {
  const found = await Promise.all(sizes.map(kafkaStatus))
  const running = found.filter((each) => each !== undefined)
  if (running.length === 0) return { ok: false, summary: 'Kafka does not run', result: { clusters: [] } }
  return { ok: true, summary: running.map(describe).join('\n'), result: { clusters: running } }
}

function describe(status: KafkaStatus | undefined): string {
  if (status === undefined) return 'Kafka does not run'
  const pids = status.brokers.map(({ pid }) => pid).join(', ')
  return `Kafka at ${status.bootstrapServers}, ${pids === '' ? 'from KAFKA_BOOTSTRAP_SERVERS' : `process ${pids}`}`
}

async function main(): Promise<number> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { brokers: { type: 'string' }, json: { type: 'boolean' }, help: { type: 'boolean' } },
  })
  const [command] = positionals
  if (values.help === true) {
    console.log(USAGE)
    return 0
  }
  if (values.brokers !== undefined && values.brokers !== '1' && values.brokers !== '3') {
    throw new Error(`--brokers must be 1 or 3: current value is "${values.brokers}"`)
  }
  const asked = values.brokers === undefined ? undefined : values.brokers === '3' ? 3 : 1
  const sizes: readonly Size[] = asked === undefined ? [1, 3] : [asked]
  let outcome: Outcome
  if (command === 'start') outcome = await start(asked ?? 1)
  else if (command === 'stop') outcome = await stop(sizes)
  else if (command === 'status') outcome = await status(sizes)
  else {
    console.error(USAGE)
    return 2
  }
  console.log(values.json === true ? JSON.stringify({ command: `kafka ${command}`, ...outcome }) : outcome.summary)
  return outcome.ok ? 0 : 1
}

try {
  process.exitCode = await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 3
}
