/**
 * The embedded broker in a process of its own, in place of Apache Kafka: it can be killed, paused and restarted as a broker
 * of the test bed. Its nodes share the process, so the nodes of a cluster of three are stopped and started one by one, and
 * cannot be paused.
 */

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BrokerOptions } from '../packages/millrace/src/broker/index.ts'
import { embeddedCluster, type KafkaBroker, type KafkaCluster, type SideDoor } from './kafka.ts'
import { freePortRange } from './probe.ts'

const HOST = '127.0.0.1'
const PROGRAM = join(import.meta.dirname, 'embedded-process.ts')

/** As the test bed sets Apache Kafka. */
export const TEST_OPTIONS: BrokerOptions = {
  autoCreateTopics: false,
  retentionBytes: 1024 ** 3,
  groups: { minSessionTimeoutMs: 1000, heartbeatIntervalMs: 500 },
}

export interface EmbeddedOptions {
  /** Size of the cluster; 1 when omitted. */
  readonly brokers?: 1 | 3 | undefined
  /** Where each node listens and where it sends its clients, when that is to proxies; both are ports in a row. */
  readonly sideDoors?: readonly SideDoor[] | undefined
}

/** What the process is asked to do to one of its nodes. */
export interface NodeCommand {
  readonly node: number
  readonly is: 'stop' | 'start'
}

/** Starts one that ends with `stop`, or with this process. */
export async function startEmbedded({ brokers = 1, sideDoors }: EmbeddedOptions = {}): Promise<KafkaCluster> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-embedded-')))
  const port = sideDoors?.[0]?.port ?? (await freePortRange(brokers))
  const embedded = new EmbeddedProcess({
    ...TEST_OPTIONS,
    nodes: brokers,
    port,
    directory: join(folder, 'data'),
    ...(sideDoors === undefined ? {} : { advertised: { port: sideDoors[0]!.advertisedPort } }),
  })
  const stop = async (): Promise<void> => {
    await embedded.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    await embedded.start()
  } catch (error) {
    await stop()
    throw error
  }
  const list = Array.from({ length: brokers }, (_, id) => new EmbeddedNode(embedded, { id, port: port + id, folder }))
  return embeddedCluster(list.map(({ port: own }) => `${HOST}:${own}`).join(','), list, stop)
}

class EmbeddedProcess {
  readonly nodes: number
  readonly #options: BrokerOptions
  #child: ChildProcess | undefined

  constructor(options: BrokerOptions) {
    this.#options = options
    this.nodes = options.nodes ?? 1
  }

  get pid(): number {
    return this.#child?.pid ?? 0
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null
  }

  async start(): Promise<void> {
    const child = fork(PROGRAM, [JSON.stringify(this.#options)], {
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    this.#child = child
    await answerOf(child)
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    if (child === undefined || !this.isRunning) return
    const ended = once(child, 'exit')
    child.kill(signal)
    await ended
  }

  signal(signal: NodeJS.Signals): void {
    if (this.isRunning) this.#child?.kill(signal)
  }

  async command(command: NodeCommand): Promise<void> {
    const child = this.#child!
    const answer = answerOf(child)
    child.send(command)
    await answer
  }
}

/** Waits for a message of the process, of which there is one for each command and one when it serves. */
async function answerOf(child: ChildProcess): Promise<void> {
  const end = new AbortController()
  try {
    await Promise.race([
      once(child, 'message', { signal: end.signal }),
      once(child, 'exit', { signal: end.signal }).then(() => {
        throw new Error('The embedded broker ended')
      }),
    ])
  } finally {
    end.abort()
  }
}

class EmbeddedNode implements KafkaBroker {
  readonly id: number
  readonly host = HOST
  readonly port: number
  readonly folder: string
  readonly #process: EmbeddedProcess
  #isStopped = false

  constructor(embedded: EmbeddedProcess, { id, port, folder }: Pick<KafkaBroker, 'id' | 'port' | 'folder'>) {
    this.#process = embedded
    this.id = id
    this.port = port
    this.folder = folder
  }

  get pid(): number {
    return this.#process.pid
  }

  get #isAlone(): boolean {
    return this.#process.nodes === 1
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (this.#isAlone) return this.#process.kill(signal)
    if (this.#isStopped) return
    this.#isStopped = true
    await this.#process.command({ node: this.id, is: 'stop' })
  }

  async restart(): Promise<void> {
    await this.kill()
    if (this.#isAlone) return this.#process.start()
    await this.#process.command({ node: this.id, is: 'start' })
    this.#isStopped = false
  }

  pause(): void {
    if (!this.#isAlone) throw new Error('One of several nodes of the embedded broker cannot be paused')
    this.#process.signal('SIGSTOP')
  }

  resume(): void {
    this.#process.signal('SIGCONT')
  }

  isRunning(): boolean {
    return this.#process.isRunning && !this.#isStopped
  }
}
