/**
 * Where the demo runs: at the brokers of `KAFKA_BOOTSTRAP_SERVERS`; with `--kafka`, on Apache Kafka, which the test bed starts
 * unless it runs already; otherwise on the embedded broker, which needs Node alone.
 */
import { startBroker } from 'millrace/broker'
import { findSharedKafka, startKafka } from '../test-bed/kafka.ts'
import type { Narrator } from './narrate.ts'

/** A million orders and what becomes of them take a quarter of it. */
const RETENTION_BYTES = 1024 ** 3

export interface DemoBroker {
  readonly name: string
  readonly bootstrapServers: string
  /** Whether it is there after the demo, with its topics. */
  readonly stays: boolean
  stop(): Promise<void>
}

export async function openBroker(narrator: Narrator, useKafka: boolean): Promise<DemoBroker> {
  const isGiven = (process.env['KAFKA_BOOTSTRAP_SERVERS'] ?? '') !== ''
  if (!isGiven && !useKafka) return startEmbedded(narrator)
  const shared = await findSharedKafka(1)
  if (shared === undefined) return startApache(narrator)
  const { bootstrapServers } = shared
  narrator.step('Kafka')(`runs already at ${bootstrapServers}`)
  return { name: 'Apache Kafka', bootstrapServers, stays: true, stop: async () => {} }
}

async function startEmbedded(narrator: Narrator): Promise<DemoBroker> {
  const done = narrator.step('Broker', 'starting')
  const start = performance.now()
  const broker = await startBroker({ retentionBytes: RETENTION_BYTES })
  const { bootstrapServers } = broker
  const elapsed = Math.round(performance.now() - start)
  done(`embedded broker at ${bootstrapServers}, started in ${elapsed} ms (-- --kafka starts Apache Kafka instead)`)
  return { name: 'the embedded broker', bootstrapServers, stays: false, stop: async () => broker.close() }
}

async function startApache(narrator: Narrator): Promise<DemoBroker> {
  const done = narrator.step('Kafka', 'starting; the first time it is fetched from Maven Central')
  const start = performance.now()
  const kafka = await startKafka({ ephemeral: true })
  const { bootstrapServers } = kafka
  done(`${bootstrapServers}, started in ${((performance.now() - start) / 1000).toFixed(1)} s`)
  return { name: 'Apache Kafka', bootstrapServers, stays: false, stop: async () => kafka.stop() }
}
