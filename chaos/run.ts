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
import { PIPELINES } from './pipeline-file.ts'
import type { Delivery, Lane, Shape } from './setup.ts'
import { Worker } from './worker.ts'

export const PARTITIONS = 6
/** Short, so that a dead member is noticed while the scenario lasts. */
export const SESSION_TIMEOUT_MS = 3000
const WATCH_MS = 500

export interface RunContext {
  readonly seconds: number
  readonly delivery: Delivery
  readonly lane: Lane
  readonly shape: Shape
  /** Integers per second. */
  readonly rate: number
  readonly random: Random
  readonly bed: Bed
  readonly signal: AbortSignal
  readonly tell: (text: string) => void
}

/** What differs from the usual pipeline. */
export interface WorkerOptions {
  readonly source?: { readonly [property: string]: unknown }
  readonly sink?: { readonly [property: string]: unknown }
  /** Further top-level keys of the file; a line only. */
  readonly file?: { readonly [name: string]: unknown }
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
  readonly #folder = mkdtempSync(join(tmpdir(), 'millrace-chaos-'))
  #end = Infinity
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

  async open(): Promise<void> {
    const { brokers } = this.context.bed
    // Of three brokers one may be gone, and what was acknowledged is on another one.
    const configs = brokers.length === 3 ? { 'min.insync.replicas': '2' } : {}
    await this.admin.createTopic({ name: this.input, partitions: PARTITIONS, configs })
    await new TopicAdmin(this.#outputCluster).createTopic({ name: this.output, partitions: PARTITIONS, configs })
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

  /** From here on the time of the scenario runs. */
  begin(): void {
    this.#end = performance.now() + this.context.seconds * 1000
    this.#watch()
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

  /** Waits for a condition. @throws {Error} when it does not come true in time, or all workers have ended by themselves */
  async until(what: string, condition: () => boolean | Promise<boolean>, timeoutMs = 90_000): Promise<void> {
    const timeout = AbortSignal.timeout(timeoutMs)
    const signal = AbortSignal.any([timeout, this.context.signal])
    // Asking for the condition may itself wait, for instance for a broker that does not answer.
    const over = new Promise<never>((_, reject) => {
      const end = (): void =>
        reject(
          timeout.aborted ? new Error(`It did not happen within ${timeoutMs / 1000} s that ${what}`) : signal.reason,
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
  worker(name: string, { source, sink, file }: WorkerOptions = {}): Worker {
    const { bed, delivery, lane, shape } = this.context
    const path = join(this.#folder, `${name}.json`)
    const pipeline = PIPELINES[shape]({
      delivery,
      lane,
      bootstrapServers: bed.forPipelines,
      outputServers: bed.output.forPipelines,
      input: this.input,
      output: this.output,
      groupId: this.groupId,
      source: {
        'session.timeout.ms': SESSION_TIMEOUT_MS,
        'heartbeat.interval.ms': SESSION_TIMEOUT_MS / 6,
        'auto.commit.interval.ms': 200,
        ...source,
      },
      sink: { ...sink },
    })
    writeFileSync(path, JSON.stringify({ ...pipeline, ...file }))
    const worker = new Worker(name, path, (text) => this.problem(text))
    this.workers.push(worker)
    return worker
  }

  /** The offset that is committed, by partition. */
  async committed(): Promise<Map<number, number>> {
    const offsets = await this.groups.committedOffsets(this.groupId, undefined, this.context.signal)
    return new Map(
      offsets.filter(({ topic }) => topic === this.input).map(({ partition, offset }) => [partition, offset ?? 0]),
    )
  }

  /**
   * Waits for a commit of the pipeline, and then for the first records of the next transaction.
   *
   * Who kills the only broker of a partition between a commit that was asked for and its markers meets KAFKA-20734: started
   * again, Kafka 4.3 takes the partition, which has no leader yet, for deleted and lets the transaction hang for ever.
   */
  async justAfterCommit(): Promise<void> {
    const sumOf = async (isolation: 'read_uncommitted' | 'read_committed'): Promise<number> =>
      (await this.#ends(this.#outputCluster, this.output, isolation)).reduce((sum, { offset }) => sum + offset, 0)
    let stable = await sumOf('read_committed')
    const before = stable
    await this.until('a transaction was committed', async () => (stable = await sumOf('read_committed')) > before)
    await this.until('the next transaction was begun', async () => (await sumOf('read_uncommitted')) > stable)
  }

  /** Waits until everything in the input is committed. */
  async caughtUp(): Promise<void> {
    const ends = await this.#ends(this.cluster, this.input, 'read_uncommitted')
    let behind = ''
    const isThere = async (): Promise<boolean> => {
      const committed = await this.committed()
      const late = ends.filter(({ partition, offset }) => (committed.get(partition) ?? 0) < offset)
      behind = late.map(({ partition, offset }) => `${partition}: ${committed.get(partition)} of ${offset}`).join(', ')
      return late.length === 0
    }
    await this.until('all offsets were committed', isThere).catch((error: unknown) => {
      const logs = this.workers.filter(({ isRunning }) => isRunning).map(({ name, log }) => `${name}: ${log}`)
      throw new Error(`The pipeline did not catch up (${behind})\n${logs.join('\n')}`, { cause: error })
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

  #ends(cluster: Cluster, topic: string, isolation: 'read_uncommitted' | 'read_committed'): Promise<ListedOffset[]> {
    const partitions = Array.from({ length: PARTITIONS }, (_, partition) => ({
      topic,
      partition,
      at: 'latest' as const,
    }))
    return listOffsets(cluster, partitions, { isolation, signal: this.context.signal })
  }

  #watch(): void {
    this.#watching = setTimeout(() => {
      void this.committed()
        .then((committed) => {
          for (const [partition, offset] of committed) {
            const highest = this.#highest.get(partition) ?? 0
            if (offset < highest)
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

function clusterAt({ bootstrapServers }: Side): Cluster {
  return new Cluster({ bootstrapServers: bootstrapServers.split(','), clientId: 'chaos' })
}
