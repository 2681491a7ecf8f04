/** The brokers that a scenario runs on. */
import { spawnJava } from '../test-bed/java.ts'
import { findSharedKafka, type KafkaBroker, type KafkaCluster, startKafka } from '../test-bed/kafka.ts'
import { type Proxy, startProxiedKafka } from '../test-bed/proxy.ts'
import type { Brokers, Delivery } from './setup.ts'

/** One cluster. */
export interface Side {
  /** The way for those who write the input and check the output. */
  readonly bootstrapServers: string
  /** The way for pipelines, through the proxy where there is one. */
  readonly forPipelines: string
  /** Empty where brokers must not be touched. */
  readonly brokers: readonly KafkaBroker[]
}

/** The cluster of the input, and the one of the output, which is the same but for scenarios that ask for two. */
export interface Bed extends Side {
  readonly output: Side
  readonly proxies: readonly Proxy[]
  readonly spawnJava: typeof spawnJava
  stop(): Promise<void>
}

/** @param running address of a broker for scenarios that leave it alone */
export async function openBed(brokers: Brokers, delivery: Delivery, running: string | undefined): Promise<Bed> {
  if (brokers === 'proxied') {
    const proxied = await startProxiedKafka(1)
    const side = { ...sideOf(proxied.kafka), forPipelines: proxied.bootstrapServers }
    return bedOf(side, () => proxied.stop(), proxied.proxies)
  }
  if (brokers === 'any') {
    const address = running ?? (await findSharedKafka(1))?.bootstrapServers
    if (address !== undefined)
      return bedOf({ bootstrapServers: address, forPipelines: address, brokers: [] }, () => Promise.resolve())
  }
  const kafka = await startKafka({ brokers: brokers === 'three' ? 3 : 1, ephemeral: true })
  // A transaction spans one cluster only.
  if (brokers !== 'two-clusters' || delivery === 'exactly_once') return bedOf(sideOf(kafka), () => kafka.stop())
  const other = await startKafka({ brokers: 1, ephemeral: true }).catch(async (error: unknown) => {
    await kafka.stop()
    throw error
  })
  const stop = async (): Promise<void> => void (await Promise.all([kafka.stop(), other.stop()]))
  return { ...bedOf(sideOf(kafka), stop), output: sideOf(other) }
}

function bedOf(side: Side, stop: () => Promise<void>, proxies: readonly Proxy[] = []): Bed {
  return { ...side, output: side, proxies, spawnJava, stop }
}

function sideOf({ bootstrapServers, brokers }: KafkaCluster): Side {
  return { bootstrapServers, forPipelines: bootstrapServers, brokers }
}
