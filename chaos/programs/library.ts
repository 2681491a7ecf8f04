/**
 * A program with `KafkaSource` and `KafkaSink` that does what pipelines of files do: `node library.ts FACTS.json`.
 * Ends with 0 when it is asked to stop.
 */
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  exactlyOnce,
  isMillraceError,
  KafkaSink,
  type KafkaSinkOptions,
  KafkaSource,
  type KafkaSourceOptions,
  type ProducerRecord,
} from '../../packages/millrace/src/index.ts'
import type { LibraryFacts } from '../pipeline-file.ts'
import { Random } from '../random.ts'

const facts = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as LibraryFacts
const random = new Random(facts.seed)
const stop = new AbortController()
const onWarning = (message: string): void => console.error(message)

/** What the handler of a record throws now and then. */
class Mistake extends Error {}

/** The record as it leaves, after the work that the handler has with it. */
function handled(key: Buffer | null, value: Buffer | null): ProducerRecord {
  if (random.chance(facts.mistakes)) throw new Mistake('the handler made a mistake')
  for (const end = performance.now() + facts.workMs; performance.now() < end;);
  if (!facts.changesValues || value === null) return { key, value }
  return { key, value: JSON.stringify({ ...(JSON.parse(value.toString()) as object), checked: true }) }
}

function opened(): KafkaSource {
  // The scenario has written them as properties, which the constructor checks.
  return new KafkaSource({ ...(facts.source as unknown as KafkaSourceOptions), onWarning })
}

/** Batch by batch; each is acknowledged when its records are written. */
async function copyBatches(sink: KafkaSink): Promise<void> {
  await using source = opened()
  for await (const batch of source.batches(stop.signal)) {
    const records = Array.from({ length: batch.length }, (_, row) => handled(batch.key(row), batch.value(row)))
    for (const failure of (await sink.write(records)).failures.values()) throw failure
    batch.ack()
  }
}

/**
 * Record by record. After a mistake the program goes on with the same source or with a new one, as a service may, and it
 * leaves the loop now and then.
 */
async function copyRecords(sink: KafkaSink): Promise<void> {
  while (!stop.signal.aborted) {
    await using source = opened()
    // A loop that waits for records ends in no other way.
    stop.signal.addEventListener('abort', () => void source.close().catch(onFailure), { once: true })
    do {
      try {
        for await (const { key, value } of source) {
          await sink.send(handled(key, value))
          if (stop.signal.aborted || random.chance(facts.mistakes)) break
        }
      } catch (error) {
        if (!(error instanceof Mistake)) throw error
        console.error(error.message)
      }
    } while (!stop.signal.aborted && random.chance(0.5))
  }
}

/** Many records at a time, those of a key one after the other; a mistake is tried again. */
async function copyByKey(sink: KafkaSink): Promise<void> {
  await using source = opened()
  await source.process(
    async ({ key, value }) => {
      await sleep(random.between(0, 20))
      await sink.send(handled(key, value))
    },
    { signal: stop.signal, concurrency: 32, orderBy: 'key', retry: { attempts: 10, backoffMs: 1 } },
  )
}

async function transact(sink: KafkaSink): Promise<void> {
  await using source = opened()
  const { signal } = stop
  await exactlyOnce(
    source,
    sink,
    async (batch, transaction) => {
      const records = Array.from({ length: batch.length }, (_, row) => handled(batch.key(row), batch.value(row)))
      await transaction.write(records)
    },
    { signal, onWarning },
  )
}

function onFailure(error: unknown): void {
  console.error(isMillraceError(error) ? `${error.code}: ${error.message}` : error)
  process.exitCode = 1
}

process.once('SIGTERM', () => stop.abort())
try {
  await using sink = new KafkaSink({ ...(facts.sink as KafkaSinkOptions), onWarning })
  const loops = { batches: copyBatches, records: copyRecords, keys: copyByKey, transactions: transact }
  await loops[facts.loop](sink)
} catch (error) {
  // Stopped while it connected.
  if (!(stop.signal.aborted && isMillraceError(error) && error.code === 'ABORTED')) onFailure(error)
}
