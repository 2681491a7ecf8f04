/** The brokers that a scenario runs on. */
import { spawnJava } from '../test-bed/java.ts'
import { findSharedKafka, type KafkaBroker, startKafka } from '../test-bed/kafka.ts'
import { type Proxy, startProxiedKafka } from '../test-bed/proxy.ts'
import type { Scenario } from './scenario.ts'

export interface Bed {
  /** The way for those who write the input and check the output. */
  readonly bootstrapServers: string
  /** The way for pipelines, through the proxy where there is one. */
  readonly forPipelines: string
  /** Empty where brokers must not be touched. */
  readonly brokers: readonly KafkaBroker[]
  readonly proxies: readonly Proxy[]
  readonly spawnJava: typeof spawnJava
  stop(): Promise<void>
}

/** @param running address of a broker for scenarios that leave it alone */
export async function openBed(brokers: Scenario['brokers'], running: string | undefined): Promise<Bed> {
  if (brokers === 'proxied') {
    const proxied = await startProxiedKafka(1)
    const { kafka, proxies, bootstrapServers } = proxied
    return {
      bootstrapServers: kafka.bootstrapServers,
      forPipelines: bootstrapServers,
      brokers: kafka.brokers,
      proxies,
      spawnJava,
      stop: () => proxied.stop(),
    }
  }
  if (brokers === 'any') {
    const address = running ?? (await findSharedKafka(1))?.bootstrapServers
    if (address !== undefined)
      return {
        bootstrapServers: address,
        forPipelines: address,
        brokers: [],
        proxies: [],
        spawnJava,
        stop: () => Promise.resolve(),
      }
  }
  const kafka = await startKafka({ brokers: brokers === 'three' ? 3 : 1, ephemeral: true })
  return {
    bootstrapServers: kafka.bootstrapServers,
    forPipelines: kafka.bootstrapServers,
    brokers: kafka.brokers,
    proxies: [],
    spawnJava,
    stop: () => kafka.stop(),
  }
}
