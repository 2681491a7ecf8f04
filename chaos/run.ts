/**
 * One run of a scenario: topics and group of its own, the workers it starts, and what it notes.
 *
 * Whatever the scenario, committed offsets are watched meanwhile: they never go back (I2, I3).
 */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { KafkaSink } from '../packages/millrace/src/index.ts'
import { GroupAdmin } from '../packages/millrace/src/kafka/admin/groups.ts'
import { TopicAdmin } from '../packages/millrace/src/kafka/admin/topics.ts'
import { Cluster } from '../packages/millrace/src/kafka/cluster/cluster.ts'
import { type ListedOffset, listOffsets } from '../packages/millrace/src/kafka/cluster/log-offsets.ts'
import type { Bed, Side } from './bed.ts'
import type { Random } from './random.ts'
import { BEGINS_AT_END, type LibraryFacts, PIPELINE_FILES, type Properties } from './pipeline-file.ts'
import type { Setting } from './settings.ts'
import { type Exit, Worker } from './worker.ts'

/** Of `options=quick`: a dead member is noticed while the scenario lasts. */
const QUICK_SESSION_MS = 3000
/** The longest default of the three kinds of files. */
const DEFAULT_SESSION_MS = 45_000
const WATCH_MS = 500

export interface RunContext {
  readonly seconds: number
  readonly setting: Setting
  /** Integers per second. */
  readonly rate: number
  readonly random: Random
  readonly bed: Bed
  /** Time beyond the usual that may pass with `options=default` until something happens. */
  readonly patienceMs: number
  readonly signal: AbortSignal
  readonly tell: (text: string) => void
}

/** What differs from the usual pipeline. */
export interface WorkerOptions {
  readonly source?: Properties
  readonly sink?: Properties
  /** Set with `options=quick` only, as they are not what the scenario is about. */
  readonly quick?: { readonly source?: Properties; readonly sink?: Properties }
  /** Further top-level keys of the file; a line only. */
  readonly file?: Properties
  /** What a program with the library does beside copying. */
  readonly program?: Partial<LibraryFacts>
}

export class Run {
  readonly context: RunContext
  readonly input: string
  readonly output: string
  readonly groupId: string
  /** Of the cluster with the input and the group. */
  readonly admin: TopicAdmin
  readonly groups: GroupAdmin
  readonly cluster: Cluster
  readonly #outputCluster: Cluster
  readonly faults: { [name: string]: number } = {}
  readonly problems: string[] = []
  readonly workers: Worker[] = []
  /** Whether committed offsets may become smaller: a log may, of which the end was lost. */
  mayGoBack = false
  readonly #folder = mkdtempSync(join(tmpdir(), 'millrace-chaos-'))
  #end = Infinity
  #reads: Promise<void> | undefined
  #watching: NodeJS.Timeout | undefined
  readonly #highest = new Map<number, number>()

  constructor(context: RunContext) {
    const id = randomBytes(4).toString('hex')
    this.context = context
    this.input = `chaos-in-${id}`
    this.output = `chaos-out-${id}`
    this.groupId = `chaos-${id}`
    const { bed } = context
    this.cluster = clusterAt(bed)
    this.#outputCluster = bed.output.bootstrapServers === bed.bootstrapServers ? this.cluster : clusterAt(bed.output)
    this.admin = new TopicAdmin(this.cluster)
    this.groups = new GroupAdmin(this.cluster)
  }

  async open(outputConfigs: { readonly [name: string]: string } = {}): Promise<void> {
    const { brokers, partitions } = this.context.setting
    // Of three brokers one may be gone, and what was acknowledged is on another one.
    const configs = brokers === 3 ? { 'min.insync.replicas': '2' } : {}
    await this.admin.createTopic({ name: this.input, partitions, replicationFactor: brokers, configs })
    const { output } = this.context.bed
    const replicationFactor = output === this.context.bed ? brokers : Math.max(1, output.brokers.length)
    const outputAdmin = new TopicAdmin(this.#outputCluster)
    await outputAdmin.createTopic({
      name: this.output,
      partitions,
      replicationFactor,
      configs: { ...configs, ...outputConfigs },
    })
  }

  get #patienceMs(): number {
    const { setting, patienceMs } = this.context
    return 90_000 + 2 * this.sessionMs + (setting.options === 'quick' ? 0 : patienceMs)
  }

  /** How long a member of the group may be silent. */
  get sessionMs(): number {
    return this.context.setting.options === 'quick' ? QUICK_SESSION_MS : DEFAULT_SESSION_MS
  }

  /**
   * Waits until what is written to the input will be read: a new group that begins at the end of its topics, as is the default
   * of linear files, has committed where that is.
   */
  reads(): Promise<void> {
    return (this.#reads ??= this.#untilPositions())
  }

  async #untilPositions(): Promise<void> {
    const { options, file, partitions } = this.context.setting
    if (options === 'quick' || !BEGINS_AT_END[file]) return
    await this.until(
      'the group has a position in every partition',
      async () => (await this.#positions()) === partitions,
    )
  }

  /** Has the brokers make what they need for transactions, which takes a young broker longer than a worker may be given to wait. */
  async firstTransaction(): Promise<void> {
    await using sink = new KafkaSink({
      bootstrapServers: this.context.bed.output.bootstrapServers,
      topic: this.output,
      transactionalId: `${this.groupId}-first`,
    })
    await sink.beginTransaction()
    await sink.abortTransaction()
  }

  /** Waits for the beginning of the input; the time of the scenario runs from there. */
  async begins(): Promise<void> {
    this.#watch()
    await this.reads().catch((error: Error) => this.problem(error.message))
    this.#end = performance.now() + this.context.seconds * 1000
  }

  /** Waits for the first commit of the pipeline. The time of the scenario runs from there, however long everything takes to start. */
  async works(): Promise<void> {
    await this.until('a first offset was committed', async () => (await this.totalCommitted()) > 0)
    this.#end = performance.now() + this.context.seconds * 1000
  }

  /** Whether there is time for another fault. */
  get goesOn(): boolean {
    this.context.signal.throwIfAborted()
    return performance.now() < this.#end
  }

  /** Lets time pass, but not beyond the end of the scenario. */
  async wait(ms: number): Promise<void> {
    await sleep(Math.max(0, Math.min(ms, this.#end - performance.now())), undefined, { signal: this.context.signal })
  }

  /** Lets time pass, whether or not it is that of the scenario. */
  async sleep(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.context.signal })
  }

  /** Waits for a condition. @throws {Error} when it does not come true in time, or all workers have ended by themselves */
  async until(what: string, condition: () => boolean | Promise<boolean>, timeoutMs = this.#patienceMs): Promise<void> {
    const timeout = AbortSignal.timeout(timeoutMs)
    const signal = AbortSignal.any([timeout, this.context.signal])
    // Asking for the condition may itself wait, for instance for a broker that does not answer.
    const over = new Promise<never>((_, reject) => {
      const end = (): void =>
        reject(
          timeout.aborted
            ? new Error(`It did not happen within ${timeoutMs / 1000} s that ${what}\n${this.logs}`)
            : signal.reason,
        )
      signal.addEventListener('abort', end, { once: true })
    })
    const poll = async (): Promise<void> => {
      while (!(await condition())) {
        if (this.problems.length > 0 && !this.workers.some(({ isRunning }) => isRunning))
          throw new Error(`No worker was left before ${what}`)
        await sleep(50, undefined, { signal })
      }
    }
    await Promise.race([poll(), over])
  }

  /** Counts a fault that is too frequent to be told. */
  count(name: string): void {
    this.faults[name] = (this.faults[name] ?? 0) + 1
  }

  fault(name: string, detail = ''): void {
    this.count(name)
    this.context.tell(`${name}${detail === '' ? '' : ` ${detail}`}`)
  }

  problem(text: string): void {
    this.problems.push(text)
    this.context.tell(`PROBLEM ${text}`)
  }

  /** Prepares a worker; the caller starts it. */
  worker(name: string, { source, sink, quick, file, program }: WorkerOptions = {}): Worker {
    const { bed, setting, random } = this.context
    const isQuick = setting.options === 'quick'
    const {
      suffix,
      text,
      program: runner,
    } = PIPELINE_FILES[setting.file]({
      setting,
      worker: name,
      bootstrapServers: bed.forPipelines,
      outputServers: bed.output.forPipelines,
      input: this.input,
      output: this.output,
      groupId: this.groupId,
      source: { ...(isQuick ? quickSource(setting) : {}), ...(isQuick ? quick?.source : {}), ...source },
      sink: { ...(isQuick ? quick?.sink : {}), ...sink },
      file: { ...file },
      program: { ...program },
      seed: random.between(1, 1e9),
    })
    const path = this.path(`${name}${suffix}`)
    writeFileSync(path, text)
    return this.add(new Worker(name, path, (problem) => this.problem(problem), runner))
  }

  /** Has a worker stopped at the end, whatever happens. */
  add(worker: Worker): Worker {
    this.workers.push(worker)
    return worker
  }

  /** A path in the folder of this run. */
  path(name: string): string {
    return join(this.#folder, name)
  }

  /** The offset that is committed, by partition. */
  async committed(): Promise<Map<number, number>> {
    const offsets = await this.groups.committedOffsets(this.groupId, undefined, this.context.signal)
    return new Map(
      offsets.filter(({ topic }) => topic === this.input).map(({ partition, offset }) => [partition, offset ?? 0]),
    )
  }

  /** Records of the input that are committed. */
  async totalCommitted(): Promise<number> {
    return [...(await this.committed()).values()].reduce((sum, each) => sum + each, 0)
  }

  /** Waits for the end of a worker, which is expected. */
  async endOf(worker: Worker, what: string): Promise<Exit> {
    const ended = worker.ended()
    await this.until(what, () => !worker.isRunning)
    return ended
  }

  /**
   * Waits for a commit of the pipeline, and then for the first records of the next transaction.
   *
   * Who kills the only broker of a partition between a commit that was asked for and its markers meets KAFKA-20734: started
   * again, Kafka 4.3 takes the partition, which has no leader yet, for deleted and lets the transaction hang for ever.
   */
  async justAfterCommit(): Promise<void> {
    const sumOf = async (isolation: 'read_uncommitted' | 'read_committed'): Promise<number> =>
      (await endsOf(this.#outputCluster, this.output, isolation, this.context)).reduce(
        (sum, { offset }) => sum + offset,
        0,
      )
    let stable = await sumOf('read_committed')
    const before = stable
    await this.until('a transaction was committed', async () => (stable = await sumOf('read_committed')) > before)
    await this.until('the next transaction was begun', async () => (await sumOf('read_uncommitted')) > stable)
  }

  /** Waits until everything in the input is committed. */
  async caughtUp(): Promise<void> {
    const ends = await this.ends('read_uncommitted')
    let behind = ''
    const isThere = async (): Promise<boolean> => {
      const committed = await this.committed()
      const late = ends.filter(({ partition, offset }) => (committed.get(partition) ?? 0) < offset)
      behind = late.map(({ partition, offset }) => `${partition}: ${committed.get(partition)} of ${offset}`).join(', ')
      return late.length === 0
    }
    await this.until('all offsets were committed', isThere).catch((error: unknown) => {
      throw new Error(`The pipeline did not catch up (${behind})\n${this.logs}`, { cause: error })
    })
  }

  /** Ends the processes that still run, whatever happened, and removes what was made. */
  async close(): Promise<void> {
    clearTimeout(this.#watching)
    await Promise.all(this.workers.map((worker) => worker.kill()))
    rmSync(this.#folder, { recursive: true, force: true })
    try {
      await this.admin.deleteTopics([this.input])
      await new TopicAdmin(this.#outputCluster).deleteTopics([this.output])
      await this.groups.deleteGroup(this.groupId)
    } catch {
      // Brokers of its own may be down for good after a failure; a member that was killed keeps its group a moment longer.
    }
    await this.cluster.close()
    await this.#outputCluster.close()
  }

  /** What the workers that run said last. */
  get logs(): string {
    const running = this.workers.filter(({ isRunning }) => isRunning)
    return running.map(({ name, log }) => `${name}: ${log}`).join('\n')
  }

  /** The ends of the partitions of the input. */
  ends(isolation: Isolation): Promise<ListedOffset[]> {
    return endsOf(this.cluster, this.input, isolation, this.context)
  }

  async #positions(): Promise<number> {
    const offsets = await this.groups.committedOffsets(this.groupId, undefined, this.context.signal).catch(() => [])
    return offsets.filter(({ topic, offset }) => topic === this.input && offset !== undefined).length
  }

  #watch(): void {
    this.#watching = setTimeout(() => {
      void this.committed()
        .then((committed) => {
          for (const [partition, offset] of committed) {
            const highest = this.#highest.get(partition) ?? 0
            if (offset < highest && !this.mayGoBack)
              this.problem(`the committed offset of partition ${partition} went back from ${highest} to ${offset}`)
            this.#highest.set(partition, Math.max(highest, offset))
          }
        })
        // While brokers are down there is nothing to see.
        .catch(() => {})
        .finally(() => this.#watch())
    }, WATCH_MS)
    this.#watching.unref()
  }
}

/** A bridge and a stage graph begin at the beginning by default. */
function quickSource({ file }: Setting): Properties {
  return {
    'session.timeout.ms': QUICK_SESSION_MS,
    'heartbeat.interval.ms': QUICK_SESSION_MS / 6,
    'auto.commit.interval.ms': 200,
    ...(BEGINS_AT_END[file] ? { 'auto.offset.reset': 'earliest' } : {}),
  }
}

type Isolation = 'read_uncommitted' | 'read_committed'

/** The ends of all partitions that the topic has now. */
async function endsOf(
  cluster: Cluster,
  topic: string,
  isolation: Isolation,
  { signal }: Pick<RunContext, 'signal'>,
): Promise<ListedOffset[]> {
  const [described] = await new TopicAdmin(cluster).describeTopics([topic], signal)
  const partitions = described!.partitions.map((_, partition) => ({ topic, partition, at: 'latest' as const }))
  return listOffsets(cluster, partitions, { isolation, signal })
}

function clusterAt({ bootstrapServers }: Side): Cluster {
  return new Cluster({ bootstrapServers: bootstrapServers.split(','), clientId: 'chaos' })
}
