import { spawn } from 'node:child_process'
import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeRequest } from '../../demo/flow/connector-process.ts'
import { packTuple } from '../../demo/flow/tuples.ts'
import { parseExactly } from '../../packages/millrace/src/records/exact-numbers.ts'
import { millrace, runNode, waitFor } from '../child.ts'
import { type Contender, race, type Sample } from '../measure.ts'
import { type Order, ORDER_FIELDS, orders } from '../runners/orders.ts'
import type { Bench, Case } from './case.ts'

const RECORDS = 1_000_000
const PER_TRANSACTION = 50_000

type Codec = 'proto' | 'json'

export const materialize: Case = {
  name: 'materialize',
  summary:
    '1 million documents of about 300 bytes by materialize-kafka, in transactions of 50,000, against sink.write with the same records',
  async run(bench) {
    const records = bench.scaled(RECORDS)
    const { bed } = bench
    /** Each run has a topic of its own, which must hold every record once in the end. */
    const writing = (name: string, side: Contender['side'], write: (topic: string) => Promise<Sample>): Contender => ({
      name,
      side,
      async run() {
        const topic = await bed.createTopic(bed.name('orders'))
        const sample = await write(topic)
        await bed.waitForRecords(topic, records)
        await bed.deleteTopic(topic)
        return sample
      },
    })
    return race(
      [
        writing('materialize', 'ours', (topic) => session(bench, topic, records, 'proto')),
        writing('materialize-json', 'ours', (topic) => session(bench, topic, records, 'json')),
        writing('produce', 'peers', (topic) =>
          runNode('millrace-produce-orders', { bootstrapServers: bed.bootstrapServers, topic, records }),
        ),
      ],
      bench,
      ['materialize/produce', 'materialize-json/produce'],
    )
  },
}

/** One session: written beforehand, and sent by `cat` through a pipe. Timed from `opened` to the last response. */
async function session({ bed }: Bench, topic: string, records: number, codec: Codec): Promise<Sample> {
  const file = join(bed.folder, `session.${codec}`)
  writeSession(file, bed.bootstrapServers, topic, records, codec)
  const cat = spawn('cat', [file], { stdio: ['ignore', 'pipe', 'inherit'] })
  const child = spawn(process.execPath, [millrace(), 'materialize-kafka'], { stdio: [cat.stdout, 'pipe', 'pipe'] })
  cat.stdout.destroy()
  let first = 0
  let last = 0
  child.stdout.on('data', () => {
    last = performance.now()
    first ||= last
  })
  const { cpuSeconds, residentMegabytes } = await waitFor(child, 'materialize-kafka')
  return { records, seconds: (last - first) / 1000, cpuSeconds, residentMegabytes }
}

/** The same transaction again and again, as the runtime pipelines requests that need no answer of ours. */
function writeSession(file: string, bootstrapServers: string, topic: string, records: number, codec: Codec): void {
  const config = {
    bootstrap_servers: bootstrapServers,
    message_format: 'JSON',
    compression: 'none',
    topic_partitions: 6,
    topic_replication_factor: 1,
  }
  const bindings = [{ resourceConfig: { topic }, resourcePath: [topic], fieldSelection: ORDER_FIELDS }]
  const materialization = { name: 'bench/orders', config, bindings }
  writeFileSync(file, encodeRequest(codec, { open: { materialization, state: {} } }))
  appendFileSync(file, encodeRequest(codec, { acknowledge: {} }))
  const stores = orders(Math.min(records, PER_TRANSACTION)).map((order) => encodeRequest(codec, storeOf(order, codec)))
  const flush = encodeRequest(codec, { flush: {} })
  const commit = encodeRequest(codec, { startCommit: {} })
  const acknowledge = encodeRequest(codec, { acknowledge: {} })
  for (let written = 0; written < records; written += PER_TRANSACTION)
    appendFileSync(file, Buffer.concat([flush, ...stores.slice(0, records - written), commit, acknowledge]))
}

/** As a current runtime sends it: packed in protobuf, arrays in JSON. */
function storeOf({ id, values: [amount, ...rest] }: Order, codec: Codec): Record<string, unknown> {
  const key = [id]
  const values = [parseExactly(Number.isInteger(amount) ? `${amount}.0` : String(amount)), ...rest]
  return {
    store:
      codec === 'json'
        ? { key, values }
        : { keyPacked: packTuple(key).toString('base64'), valuesPacked: packTuple(values).toString('base64') },
  }
}
