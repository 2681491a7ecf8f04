/** A pipeline in a process of its own, run by the command line as an operator runs it, and what can be done to it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const MILLRACE = join(import.meta.dirname, '..', 'packages', 'millrace', 'bin', 'millrace.js')
const STOP_TIMEOUT_MS = 60_000
/** Exit code of a command that SIGTERM ends: without `--json` the signal itself does. */
const ENDED_BY_SIGTERM = 143
const LINES = 8

/** What a run says of itself at its end. */
export interface RunSummary {
  readonly errors: { readonly skipped: Counts; readonly deadLettered: Counts; readonly retried: Counts }
  readonly circuitBreaker?: { readonly openings: number; readonly state: string }
}

interface Counts {
  readonly [code: string]: number
}

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export class Worker {
  readonly name: string
  /** The largest resident size so far, in bytes; 0 where the system does not tell. */
  peakBytes = 0
  /** Of Node. */
  readonly #args: readonly string[]
  readonly #onSurprise: (text: string) => void
  #process: ChildProcess | undefined
  #exit: Promise<Exit> | undefined
  #isAsked = false
  /** Whether it has begun to run its pipeline; of programs that is not known. */
  #isUp = false
  #lines: string[] = []
  #stdout = ''

  /**
   * @param file of a pipeline, or what `program` is given
   * @param onSurprise told when the process ends and nobody asked for it
   */
  constructor(name: string, file: string, onSurprise: (text: string) => void, program?: string) {
    this.name = name
    this.#args = program === undefined ? [MILLRACE, 'run', file, '--json'] : [program, file]
    this.#onSurprise = onSurprise
  }

  get isRunning(): boolean {
    return this.#process !== undefined && this.#process.exitCode === null && this.#process.signalCode === null
  }

  /** Last lines of its log. */
  get log(): string {
    return this.#lines.join('\n')
  }

  /** What it said at its end; undefined while it runs, and after one that failed or was killed. */
  get summary(): RunSummary | undefined {
    return this.#stdout === ''
      ? undefined
      : ((JSON.parse(this.#stdout) as { result: RunSummary | null }).result ?? undefined)
  }

  start(): void {
    this.#isAsked = this.#isUp = false
    const child = spawn(process.execPath, this.#args, {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#stdout = ''
    child.stdout.on('data', (chunk: Buffer) => (this.#stdout += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => {
      this.#isUp ||= chunk.includes('"run.started"')
      this.#lines = [...this.#lines, ...chunk.toString().trimEnd().split('\n')].slice(-LINES)
    })
    this.#process = child
    this.#exit = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        if (!this.#isAsked)
          this.#onSurprise(`${this.name} ended by itself with ${signal ?? `code ${code}`}: ${this.log}`)
        resolve({ code, signal })
      })
    })
  }

  /** Waits for its end, which is expected. */
  ended(): Promise<Exit> {
    this.#isAsked = true
    return this.#exit ?? Promise.resolve({ code: 0, signal: null })
  }

  /** The process, while there is one. */
  get pid(): number | undefined {
    return this.isRunning ? this.#process?.pid : undefined
  }

  /** SIGKILL: no farewell to anybody. */
  async kill(): Promise<void> {
    this.#signal('SIGKILL')
    await this.ended()
  }

  /** SIGTERM: drains and leaves, with code 0 and in bounded time, unless it was not up yet. */
  async stop(): Promise<void> {
    if (!this.isRunning) return
    const end = this.ended()
    this.#signal('SIGTERM')
    const timer = setTimeout(() => this.#signal('SIGKILL'), STOP_TIMEOUT_MS)
    const { code, signal } = await end.finally(() => clearTimeout(timer))
    const isEarly = !this.#isUp && (signal === 'SIGTERM' || code === ENDED_BY_SIGTERM)
    if (code !== 0 && !isEarly) {
      const how =
        signal === 'SIGKILL'
          ? `had not ended ${STOP_TIMEOUT_MS / 1000} s after it was asked to stop`
          : `ended with code ${code} when it was asked to stop`
      this.#onSurprise(`${this.name} ${how}: ${this.log}`)
    }
  }

  /** Stops it in its tracks: connections stay open, no heartbeat is sent. */
  pause(): void {
    this.#signal('SIGSTOP')
  }

  resume(): void {
    this.#signal('SIGCONT')
  }

  /** Looks how large it is and has been. @returns resident bytes */
  measure(): number {
    try {
      const status = readFileSync(`/proc/${this.#process?.pid}/status`, 'utf8')
      const kilobytes = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0)
      this.peakBytes = Math.max(this.peakBytes, kilobytes('VmHWM') * 1024)
      return kilobytes('VmRSS') * 1024
    } catch {
      return 0
    }
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.isRunning) this.#process?.kill(signal)
  }
}
