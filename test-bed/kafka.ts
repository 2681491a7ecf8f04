/**
 * The test bed: Apache Kafka on this machine, on free loopback ports.
 *
 * `startKafka` gives either the one shared cluster of this checkout (`npm run kafka -- start`) or an
 * ephemeral one, which ends with the process that started it. A cluster is one or three processes, each
 * broker and controller at once. `KAFKA_BOOTSTRAP_SERVERS` stands in for the shared cluster.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { BrokerProcess, type BrokerPlace, type KafkaBroker } from './broker.ts'
import {
  cacheFolder,
  classArchive,
  fetchJars,
  javaTool,
  type JavaOptions,
  type JavaToolOptions,
  type JavaToolResult,
  spawnJava,
  whyNoJava,
} from './java.ts'
import { countBrokers, freePorts, isProcess, waitUntil } from './probe.ts'

export type { KafkaBroker } from './broker.ts'
export { whyNoJava } from './java.ts'

export interface KafkaOptions {
  /** Size of the cluster; 1 when omitted. */
  brokers?: 1 | 3
  /** A cluster of one's own, gone when `stop` is called or this process ends in whatever way. Otherwise the shared one of this checkout. */
  ephemeral?: boolean
  /** Broker properties beside and above those of the test bed; only for an ephemeral cluster. */
  properties?: Readonly<Record<string, string | number>>
  /** A second way into each broker, in their order, for clients that come through a proxy; only for an ephemeral cluster. */
  sideDoors?: readonly SideDoor[]
  /** Further listeners of a single broker; what each speaks is for `listener.security.protocol.map` to say. Only for an ephemeral cluster. */
  listeners?: readonly Listener[]
  /** Folders or jars that the brokers load beside Kafka's own. */
  classPath?: readonly string[]
  /** Options of the brokers' virtual machines beside those of the test bed. */
  jvmArgs?: readonly string[]
}

/** A listener by its name, in upper case. */
export interface Listener {
  name: string
  port: number
}

/** A listener of a broker at `port` that tells its clients to come to `advertisedPort`, where a proxy waits. */
export interface SideDoor {
  port: number
  advertisedPort: number
}

export interface KafkaCluster {
  /** `host:port` of each broker, with commas between. */
  readonly bootstrapServers: string
  /** Empty when the cluster comes from `KAFKA_BOOTSTRAP_SERVERS`. */
  readonly brokers: readonly KafkaBroker[]
  /** Kills the brokers and removes their data; does nothing to a cluster from `KAFKA_BOOTSTRAP_SERVERS`. May be called twice. */
  stop(): Promise<void>
  /** Runs one of Kafka's own tools to its end. */
  javaTool(className: string, args: readonly string[], options?: JavaToolOptions): Promise<JavaToolResult>
  /** Starts a Java program that goes on until the caller ends it, such as MirrorMaker 2. */
  spawnJava(className: string, args: readonly string[], options?: JavaOptions): Promise<ChildProcess>
}

interface State {
  brokers: BrokerPlace[]
  folder: string
  startedAt: string
}

/** The shared cluster as `status` shows it. */
export interface KafkaStatus {
  bootstrapServers: string
  brokers: Pick<BrokerPlace, 'id' | 'host' | 'port' | 'pid'>[]
  startedAt: string | undefined
}

const HOST = '127.0.0.1'
const START_LOCK_TIMEOUT_MS = 120_000

/**
 * Starts a cluster, or finds the shared one already running.
 *
 * @throws {Error} when Java or Maven is missing or a broker does not come up; the text holds the end of its log
 */
export async function startKafka(options: KafkaOptions = {}): Promise<KafkaCluster> {
  const size = options.brokers ?? 1
  const external = options.ephemeral === true ? undefined : externalBootstrapServers()
  if (external !== undefined) return cluster(external, [], async () => {})
  await recordClasses()
  return options.ephemeral === true ? startEphemeral(size, options) : startShared(size)
}

/** Writes the class archive, once for a version of Kafka and of Java, by means of a broker that does nothing else. */
async function recordClasses(): Promise<void> {
  if ((await whyNoJava()) !== undefined) return
  const archive = await classArchive()
  if (existsSync(archive)) return
  await locked(`${archive}.lock`, async () => {
    if (existsSync(archive)) return
    const unfinished = `${archive}.${process.pid}`
    const recorder = await startEphemeral(1, { jvmArgs: [`-XX:ArchiveClassesAtExit=${unfinished}`] })
    await recorder.brokers[0]!.kill('SIGTERM')
    await recorder.stop()
    // An empty one where Java cannot write archives: brokers then start without, and it is not tried again.
    if (existsSync(unfinished)) renameSync(unfinished, archive)
    else writeFileSync(archive, '')
  })
}

/** The shared cluster of this checkout when it runs; never starts one. */
export async function findSharedKafka(size: 1 | 3): Promise<KafkaCluster | undefined> {
  const external = externalBootstrapServers()
  if (external !== undefined) return cluster(external, [], async () => {})
  const state = await readState(size)
  return state === undefined ? undefined : sharedCluster(size, state)
}

/** Describes the shared cluster; `undefined` when it does not run. */
export async function kafkaStatus(size: 1 | 3): Promise<KafkaStatus | undefined> {
  const external = externalBootstrapServers()
  if (external !== undefined) return { bootstrapServers: external, brokers: [], startedAt: undefined }
  const state = await readState(size)
  if (state === undefined) return undefined
  return {
    bootstrapServers: addresses(state.brokers),
    brokers: state.brokers.map(({ id, host, port, pid }) => ({ id, host, port, pid })),
    startedAt: state.startedAt,
  }
}

/** The value of `KAFKA_BOOTSTRAP_SERVERS`, which stands in for the shared cluster. */
export function externalBootstrapServers(): string | undefined {
  const servers = process.env['KAFKA_BOOTSTRAP_SERVERS']
  return servers === undefined || servers === '' ? undefined : servers
}

/**
 * Stops the shared cluster and removes its data, even when only some of its processes are left.
 *
 * @returns whether there was anything to stop
 */
export async function stopSharedKafka(size: 1 | 3): Promise<boolean> {
  const state = parseState(size)
  if (state === undefined) return false
  await Promise.all(processesOf(state, size).map((broker) => broker.kill()))
  rmSync(state.folder, { recursive: true, force: true })
  rmSync(stateFile(size), { force: true })
  return true
}

async function startShared(size: 1 | 3): Promise<KafkaCluster> {
  return locked(`${stateFile(size)}.lock`, async () => {
    const running = await readState(size)
    if (running !== undefined) return sharedCluster(size, running)
    await stopSharedKafka(size)
    const { brokers, folder } = await launch(size, {}, () => {})
    const state: State = { brokers: brokers.map((broker) => broker.place), folder, startedAt: new Date().toISOString() }
    writeState(size, state)
    return sharedCluster(size, state)
  })
}

function sharedCluster(size: 1 | 3, state: State): KafkaCluster {
  const brokers = processesOf(state, size)
  for (const broker of brokers) {
    broker.onPidChange = () => writeState(size, { ...state, brokers: brokers.map((each) => each.place) })
  }
  return cluster(addresses(brokers), brokers, async () => {
    await stopSharedKafka(size)
  })
}

async function startEphemeral(size: 1 | 3, options: KafkaOptions): Promise<KafkaCluster> {
  let warden: ChildProcess | undefined
  const { brokers, folder } = await launch(size, options, (launched, runFolder) => {
    warden ??= startWarden(runFolder)
    warden.stdin?.write(`${launched.map((broker) => broker.pid).join(' ')}\n`)
  })
  return cluster(addresses(brokers), brokers, async () => {
    await Promise.all(brokers.map((broker) => broker.kill()))
    rmSync(folder, { recursive: true, force: true })
    warden?.kill('SIGKILL')
  })
}

/**
 * Starts the shell that outlives this process by a moment: it reads the current process ids of the brokers, and when its
 * input ends, because this process has ended, by SIGKILL for instance, it kills them and removes their data.
 */
function startWarden(folder: string): ChildProcess {
  const script = 'while read -r line; do pids=$line; done; kill -9 $pids; rm -rf "$1"; sleep 1; rm -rf "$1"'
  const warden = spawn('sh', ['-c', script, 'warden', folder], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
  warden.stdin?.on('error', () => {})
  warden.unref()
  // The pipe must not keep this process alive either.
  const pipe = warden.stdin as unknown as { unref?: () => void } | null
  pipe?.unref?.()
  return warden
}

/** Formats and starts the processes; on failure none is left. */
async function launch(
  size: 1 | 3,
  { properties = {}, sideDoors = [], listeners = [], classPath = [], jvmArgs = [] }: KafkaOptions,
  onPids: (brokers: BrokerProcess[], folder: string) => void,
): Promise<{ brokers: BrokerProcess[]; folder: string }> {
  const problem = await whyNoJava()
  if (problem !== undefined) throw new Error(`Cannot start Kafka: ${problem}`)
  await fetchJars()
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-kafka-')))
  const ids = Array.from({ length: size }, (_, index) => index + 1)
  const ports = await freePorts(2 * size)
  const controllers = ids.map((id, index) => `${id}@${HOST}:${ports[size + index]}`).join(',')
  const brokers = ids.map((id, index) => {
    const place = { id, host: HOST, port: ports[index] ?? 0, pid: 0, folder: join(folder, `broker-${id}`) }
    return new BrokerProcess(place, heapOf(size), { classPath, jvmArgs })
  })
  const clusterId = randomBytes(16).toString('base64url').replaceAll('-', 'A')
  try {
    await Promise.all(
      brokers.map((broker, index) => {
        const door = sideDoors[index]
        const own = [{ name: 'PLAINTEXT', port: broker.port }, ...listeners]
          .map(({ name, port }) => `${name}://${HOST}:${port}`)
          .join(',')
        const side = (port: number | undefined) => (door === undefined ? '' : `,SIDE://${HOST}:${port}`)
        return broker.format(clusterId, {
          ...propertiesFor(size),
          'node.id': broker.id,
          'controller.quorum.voters': controllers,
          listeners: `${own}${side(door?.port)},CONTROLLER://${HOST}:${ports[size + index]}`,
          'advertised.listeners': `${own}${side(door?.advertisedPort)}`,
          ...properties,
        })
      }),
    )
    for (const broker of brokers)
      broker.onPidChange = () =>
        onPids(
          brokers.filter(({ pid }) => pid > 0),
          folder,
        )
    await Promise.all(brokers.map((broker) => broker.spawn()))
    await Promise.all(brokers.map((broker) => broker.serves(size)))
  } catch (error) {
    await Promise.all(brokers.map((broker) => broker.kill()))
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
  return { brokers, folder }
}

function propertiesFor(size: 1 | 3): Record<string, string | number> {
  const replicas = size
  const minIsr = size === 3 ? 2 : 1
  return {
    'process.roles': 'broker,controller',
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map':
      'PLAINTEXT:PLAINTEXT,SIDE:PLAINTEXT,CONTROLLER:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL',
    'auto.create.topics.enable': 'false',
    // Tests and examples write records with times of their own, which retention would take for years old and delete.
    'log.retention.ms': '-1',
    'default.replication.factor': replicas,
    'message.max.bytes': 20 << 20,
    'replica.fetch.max.bytes': 20 << 20,
    // Internal topics: few partitions, because each costs time on first use.
    'offsets.topic.num.partitions': 8,
    'offsets.topic.replication.factor': replicas,
    'transaction.state.log.num.partitions': 8,
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': minIsr,
    'share.coordinator.state.topic.num.partitions': 8,
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': minIsr,
    // Groups form at once, and tests may ask for short sessions.
    'group.initial.rebalance.delay.ms': 0,
    'group.min.session.timeout.ms': 1000,
    'group.consumer.min.session.timeout.ms': 1000,
    'group.consumer.min.heartbeat.interval.ms': 100,
    'group.consumer.heartbeat.interval.ms': 500,
    // A killed broker is taken for dead soon, and may come back soon.
    'broker.session.timeout.ms': 4000,
    'broker.heartbeat.interval.ms': 500,
  }
}

function heapOf(size: 1 | 3): string {
  return size === 3 ? '512m' : '1g'
}

/** The embedded broker, as a cluster. */
export function embeddedCluster(
  bootstrapServers: string,
  brokers: readonly KafkaBroker[],
  stop: () => Promise<void>,
): KafkaCluster {
  return cluster(bootstrapServers, brokers, stop)
}

/** A cluster that something else has started. @param stop ends it */
export function clusterAt(bootstrapServers: string, stop: () => Promise<void>): KafkaCluster {
  return cluster(bootstrapServers, [], stop)
}

function cluster(bootstrapServers: string, brokers: readonly KafkaBroker[], stop: () => Promise<void>): KafkaCluster {
  return { bootstrapServers, brokers, stop, javaTool, spawnJava }
}

function addresses(brokers: readonly { host: string; port: number }[]): string {
  return brokers.map(({ host, port }) => `${host}:${port}`).join(',')
}

function processesOf(state: State, size: 1 | 3): BrokerProcess[] {
  return state.brokers.map((place) => new BrokerProcess(place, heapOf(size)))
}

/** Each checkout has its own clusters, one for each size. */
function stateFile(size: 1 | 3): string {
  const checkout = createHash('sha256')
    .update(realpathSync(dirname(import.meta.dirname)))
    .digest('hex')
    .slice(0, 12)
  return join(cacheFolder(), 'clusters', `${checkout}-${size}.json`)
}

function parseState(size: 1 | 3): State | undefined {
  try {
    return JSON.parse(readFileSync(stateFile(size), 'utf8')) as State
  } catch {
    return undefined
  }
}

/** The state, provided that every broker in it is alive and answers. */
async function readState(size: 1 | 3): Promise<State | undefined> {
  const state = parseState(size)
  if (state === undefined || !processesOf(state, size).every((broker) => broker.isRunning())) return undefined
  const counts = await Promise.all(state.brokers.map(({ host, port }) => countBrokers(host, port)))
  return counts.every((count) => count > 0) ? state : undefined
}

function writeState(size: 1 | 3, state: State): void {
  const file = stateFile(size)
  mkdirSync(dirname(file), { recursive: true })
  const unfinished = `${file}.${process.pid}`
  writeFileSync(unfinished, `${JSON.stringify(state, undefined, 2)}\n`)
  renameSync(unfinished, file)
}

/** Runs one function at a time for all processes of the machine; the lock of a process that has died counts for nothing. */
async function locked<T>(file: string, run: () => Promise<T>): Promise<T> {
  mkdirSync(dirname(file), { recursive: true })
  const entered = await waitUntil(() => {
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx' })
      return true
    } catch {
      if (!isProcess(Number(readFileSync(file, 'utf8')), '')) rmSync(file, { force: true })
      return false
    }
  }, START_LOCK_TIMEOUT_MS)
  if (!entered) throw new Error(`Cannot start Kafka: "${file}" is held by another process`)
  try {
    return await run()
  } finally {
    rmSync(file, { force: true })
  }
}
