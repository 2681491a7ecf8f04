/** One broker process: its configuration, and what can be done to it. */

import { mkdirSync, openSync, closeSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type JavaOptions, javaTool, spawnJava } from './java.ts'
import { countBrokers, isProcess, waitUntil } from './probe.ts'

/** Everything about a broker that survives its process; what the state file holds. */
export interface BrokerPlace {
  id: number
  host: string
  port: number
  pid: number
  /** The broker's own folder: configuration, log and data. */
  folder: string
}

export interface KafkaBroker extends Readonly<BrokerPlace> {
  /** Sends a signal, SIGKILL unless told, and waits until the process has ended. */
  kill(signal?: NodeJS.Signals): Promise<void>
  /** Stops the process in its tracks (SIGSTOP): connections stay open, nothing answers. */
  pause(): void
  /** Lets a paused process go on. */
  resume(): void
  /** Starts the broker again on the same port with the same data, killing it first when it still runs; resolves when it serves. */
  restart(): Promise<void>
  isRunning(): boolean
}

const START_TIMEOUT_MS = 120_000

export class BrokerProcess implements KafkaBroker {
  readonly id: number
  readonly host: string
  readonly port: number
  readonly folder: string
  pid: number
  readonly #heap: string
  readonly #java: Pick<JavaOptions, 'classPath' | 'jvmArgs'>
  /** Told whenever the broker gets another process id. */
  onPidChange: () => void = () => {}

  constructor(place: BrokerPlace, heap: string, java: Pick<JavaOptions, 'classPath' | 'jvmArgs'> = {}) {
    this.id = place.id
    this.host = place.host
    this.port = place.port
    this.folder = place.folder
    this.pid = place.pid
    this.#heap = heap
    this.#java = java
  }

  get #configFile(): string {
    return join(this.folder, 'server.properties')
  }

  get #logFile(): string {
    return join(this.folder, 'broker.log')
  }

  get place(): BrokerPlace {
    return { id: this.id, host: this.host, port: this.port, pid: this.pid, folder: this.folder }
  }

  /** Writes the configuration and formats the data folder. */
  async format(clusterId: string, properties: Readonly<Record<string, string | number>>): Promise<void> {
    mkdirSync(this.folder, { recursive: true })
    const all = { ...properties, 'log.dirs': join(this.folder, 'data') }
    const lines = Object.entries(all).map(([name, value]) => `${name}=${value}`)
    writeFileSync(this.#configFile, `${lines.join('\n')}\n`)
    await javaTool('kafka.tools.StorageTool', ['format', '-t', clusterId, '-c', this.#configFile], {
      jvmArgs: ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC'],
    })
  }

  /** Starts the process; see {@link serves} for when it is of use. */
  async spawn(): Promise<void> {
    const log = openSync(this.#logFile, 'a')
    try {
      // A process group of its own: Ctrl-C is for whoever started the broker, who then stops it in order.
      const child = await spawnJava('kafka.Kafka', [this.#configFile], {
        detached: true,
        stdio: ['ignore', log, log],
        classPath: this.#java.classPath ?? [],
        jvmArgs: [
          `-Xmx${this.#heap}`,
          '-XX:+UseG1GC',
          '-XX:MaxGCPauseMillis=20',
          '-XX:InitiatingHeapOccupancyPercent=35',
          '-Dorg.slf4j.simpleLogger.showDateTime=true',
          ...(this.#java.jvmArgs ?? []),
        ],
      })
      child.unref()
      if (child.pid === undefined) throw new Error(`Cannot start broker ${this.id}`)
      this.pid = child.pid
      this.onPidChange()
    } finally {
      closeSync(log)
    }
  }

  /** Waits until the broker answers and knows of `brokers` brokers. */
  async serves(brokers: number): Promise<void> {
    const up = await waitUntil(async () => {
      if (!this.isRunning()) throw new Error(`Broker ${this.id} ended while starting\n${this.#lastLines()}`)
      return (await countBrokers(this.host, this.port)) >= brokers
    }, START_TIMEOUT_MS)
    if (!up) throw new Error(`Broker ${this.id} does not serve after ${START_TIMEOUT_MS} ms\n${this.#lastLines()}`)
  }

  isRunning(): boolean {
    return isProcess(this.pid, this.#configFile)
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (!this.isRunning()) return
    process.kill(this.pid, signal)
    const ended = await waitUntil(() => !this.isRunning(), 30_000)
    if (!ended) throw new Error(`Broker ${this.id} still runs 30 s after ${signal}`)
  }

  pause(): void {
    if (this.isRunning()) process.kill(this.pid, 'SIGSTOP')
  }

  resume(): void {
    if (this.isRunning()) process.kill(this.pid, 'SIGCONT')
  }

  async restart(): Promise<void> {
    await this.kill()
    await this.spawn()
    await this.serves(1)
  }

  #lastLines(): string {
    return readFileSync(this.#logFile, 'utf8').trimEnd().split('\n').slice(-20).join('\n')
  }
}
