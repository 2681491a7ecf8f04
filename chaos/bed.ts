/** The brokers that a scenario runs on. */
import { spawnJava } from '../test-bed/java.ts'
import { findSharedKafka, type KafkaBroker, type KafkaCluster, startKafka } from '../test-bed/kafka.ts'
import { type Proxy, startProxiedKafka } from '../test-bed/proxy.ts'
import type { Setting } from './settings.ts'

/**
 * What a scenario runs on: any brokers (ones that run already are left alone), its own, its own behind proxies, or two
 * clusters, one of them for the output, where the guarantee allows it.
 */
export type BedKind = 'any' | 'own' | 'proxied' | 'two-clusters'

/** Addresses of brokers that run already, by the size of their cluster. */
export type Running = { readonly [brokers in Setting['brokers']]?: string | undefined }

/** One cluster. */
export interface Side {
  /** The way for those who write the input and check the output. */
  readonly bootstrapServers: string
  /** The way for pipelines, through the proxies where there are any. */
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

export async function openBed(kind: BedKind, { brokers, delivery }: Setting, running: Running): Promise<Bed> {
  if (kind === 'proxied') {
    const proxied = await startProxiedKafka(brokers)
    const side = { ...sideOf(proxied.kafka), forPipelines: proxied.bootstrapServers }
    return bedOf(side, () => proxied.stop(), proxied.proxies)
  }
  if (kind === 'any') {
    const address = running[brokers] ?? (await findSharedKafka(brokers))?.bootstrapServers
    if (address !== undefined)
      return bedOf({ bootstrapServers: address, forPipelines: address, brokers: [] }, () => Promise.resolve())
  }
  const kafka = await startKafka({ brokers, ephemeral: true })
  // A transaction spans one cluster only.
  if (kind !== 'two-clusters' || delivery === 'exactly_once') return bedOf(sideOf(kafka), () => kafka.stop())
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
