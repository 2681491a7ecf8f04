/** The brokers that a scenario runs on. */
import { startEmbedded } from '../test-bed/embedded.ts'
import { spawnJava, whyNoJava } from '../test-bed/java.ts'
import {
  findSharedKafka,
  type KafkaBroker,
  type KafkaCluster,
  type KafkaOptions,
  startKafka,
} from '../test-bed/kafka.ts'
import { type Proxy, startProxied } from '../test-bed/proxy.ts'
import { freePorts } from '../test-bed/probe.ts'
import type { Setting } from './settings.ts'

/**
 * What a scenario runs on: any brokers (ones that run already are left alone), its own, its own behind proxies, one of its
 * own that asks pipelines for passwords, or two clusters, one of them for the output, where the guarantee allows it.
 */
export type BedKind = 'any' | 'own' | 'proxied' | 'sasl' | 'two-clusters'

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
  readonly hasJava: boolean
  stop(): Promise<void>
}

/** Sessions of SASL end after so long, and connections have to log in again. */
const SASL_SESSION_MS = 2000

export async function openBed(
  kind: BedKind,
  { brokers, delivery }: Setting,
  properties: KafkaOptions['properties'],
  running: Running,
): Promise<Bed> {
  if (kind === 'proxied') {
    const proxied = await startProxied(brokers)
    const side = { ...sideOf(proxied.kafka), forPipelines: proxied.bootstrapServers }
    return bedOf(side, () => proxied.stop(), proxied.proxies)
  }
  if (kind === 'any') {
    const address = running[brokers] ?? (await findSharedKafka(brokers))?.bootstrapServers
    if (address !== undefined)
      return bedOf({ bootstrapServers: address, forPipelines: address, brokers: [] }, () => Promise.resolve())
  }
  if (kind === 'sasl') return openSasl()
  const kafka = await startKafka({ brokers, ephemeral: true, ...(properties === undefined ? {} : { properties }) })
  // A transaction spans one cluster only.
  if (kind !== 'two-clusters' || delivery === 'exactly_once') return bedOf(sideOf(kafka), () => kafka.stop())
  const other = await startKafka({ brokers: 1, ephemeral: true }).catch(async (error: unknown) => {
    await kafka.stop()
    throw error
  })
  const stop = async (): Promise<void> => void (await Promise.all([kafka.stop(), other.stop()]))
  return { ...bedOf(sideOf(kafka), stop), output: sideOf(other) }
}

/** The listener for pipelines takes names and passwords by SCRAM-SHA-256. */
async function openSasl(): Promise<Bed> {
  const [port] = await freePorts(1)
  const name = 'listener.name.sasl_plaintext.scram-sha-256'
  const kafka = await startKafka({
    ephemeral: true,
    listeners: [{ name: 'SASL_PLAINTEXT', port: port! }],
    properties: {
      'sasl.enabled.mechanisms': 'SCRAM-SHA-256',
      [`${name}.sasl.jaas.config`]: 'org.apache.kafka.common.security.scram.ScramLoginModule required;',
      [`${name}.connections.max.reauth.ms`]: SASL_SESSION_MS,
    },
  })
  return bedOf({ ...sideOf(kafka), forPipelines: `127.0.0.1:${port}` }, () => kafka.stop())
}

/**
 * The same with the embedded broker, for scenarios that need no properties of brokers, no second cluster and no passwords.
 * @throws {Error} the scenario is not one of them
 */
export async function openEmbeddedBed(
  kind: BedKind,
  { brokers }: Setting,
  properties: KafkaOptions['properties'],
  running: Running,
): Promise<Bed> {
  if (kind === 'sasl' || kind === 'two-clusters' || properties !== undefined)
    throw new Error('This scenario needs Apache Kafka')
  const hasJava = (await whyNoJava()) === undefined
  if (kind === 'proxied') {
    const proxied = await startProxied(brokers, startEmbedded)
    const side = { ...sideOf(proxied.kafka), forPipelines: proxied.bootstrapServers }
    return { ...bedOf(side, () => proxied.stop(), proxied.proxies), hasJava }
  }
  const address = kind === 'any' ? running[brokers] : undefined
  if (address !== undefined)
    return {
      ...bedOf({ bootstrapServers: address, forPipelines: address, brokers: [] }, () => Promise.resolve()),
      hasJava,
    }
  const cluster = await startEmbedded({ brokers })
  return { ...bedOf(sideOf(cluster), () => cluster.stop()), hasJava }
}

function bedOf(side: Side, stop: () => Promise<void>, proxies: readonly Proxy[] = []): Bed {
  return { ...side, output: side, proxies, spawnJava, hasJava: true, stop }
}

function sideOf({ bootstrapServers, brokers }: KafkaCluster): Side {
  return { bootstrapServers, forPipelines: bootstrapServers, brokers }
}
